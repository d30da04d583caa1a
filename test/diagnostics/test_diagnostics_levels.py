"""Statuses: each at its level, with what to do."""

from __future__ import annotations

import tracemalloc

import pytest

from fastdepth_ros.diagnostics.inputs import InputTopic, input_status
from fastdepth_ros.diagnostics.levels import (
    LAST_CAMERA,
    calibration_status,
    inference_status,
    node_status,
    output_status,
)
from fastdepth_ros.diagnostics.monitor import Drop, Monitor
from fastdepth_ros.diagnostics.sequence import PUBLISHERS, Gaps
from fastdepth_ros.errors import AnchorError, ImageError, Level

HEARD = InputTopic("/camera/image", "best effort, depth 1", ("driver (best effort)",), 1)


def run(monitor, seconds=3.0, rate=30.0, age=0.01, bad=lambda _: False, replaced=lambda _: False, answered=True):
    """Images at a rate, each at its fate; returns the time of the last."""
    now = 0.0
    for i in range(int(seconds * rate)):
        now = i / rate
        monitor.received(now)
        if bad(i):
            monitor.rejected(now, ImageError("encoding 'x'", "Send rgb8."))
        elif replaced(i):
            monitor.dropped(now, Drop.REPLACED)
        elif answered:
            monitor.answered(now, age, {"infer": 0.008, "publish": 0.001})
        else:
            monitor.dropped(now, Drop.UNWANTED)
    return now


def report(**kind):
    monitor = Monitor(0.0)
    return monitor.report(run(monitor, **kind))


def test_a_camera_that_sends_is_ok_and_its_rate_is_named():
    status = input_status(report(), HEARD, 2.0)
    assert (status.level, status.message) == (Level.OK, "30.0 Hz")
    assert status.values["topic"] == "/camera/image"
    assert status.values["images"] == "90"


def test_before_stale_after_a_silent_camera_is_waited_for():
    status = input_status(Monitor(0.0).report(1.9), InputTopic("/image"), 2.0)
    assert (status.level, status.message) == (Level.OK, "waiting for images")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (InputTopic("/image"), ["/image", "no publisher", "remap"]),
        (
            InputTopic("/image", "reliable", ("driver (best effort)",), 0),
            ["QoS", "qos_overrides./image", "best_effort"],
        ),
        (HEARD, ["/camera/image", "fastdds.xml"]),
    ],
)
def test_silence_names_the_topic_and_the_likely_cause(source, words):
    waiting = input_status(Monitor(0.0).report(2.5), source, 2.0)
    assert waiting.level == Level.WARN
    monitor = Monitor(0.0)
    stopped = input_status(monitor.report(run(monitor) + 2.5), source, 2.0)
    assert stopped.level == Level.ERROR
    for status in (waiting, stopped):
        assert all(word in status.message for word in [*words, "2.5 s"])
        assert status.values["subscription"] == source.qos


def test_some_unreadable_images_warn_and_all_of_them_are_an_error():
    some = input_status(report(bad=lambda i: i % 10 == 0), HEARD, 2.0)
    assert some.level == Level.WARN
    assert "9 of 90" in some.message
    assert "Send rgb8." in some.message
    assert input_status(report(bad=lambda _: True), HEARD, 2.0).level == Level.ERROR


def test_an_unreadable_image_is_forgiven_when_it_left_the_window_but_stays_named():
    monitor = Monitor(0.0)
    monitor.received(0.0)
    monitor.rejected(0.0, ImageError("encoding 'x'", "Send rgb8."))
    for i in range(60):
        monitor.received(11 + i / 30)
    status = input_status(monitor.report(13.0), HEARD, 2.0)
    assert status.level == Level.OK
    assert "encoding 'x'" in status.values["last error"]
    assert status.values["unreadable"] == "1"


def test_a_node_that_is_too_slow_says_so():
    status = inference_status(report(replaced=lambda i: i % 5 == 0), {"model": "m"})
    assert status.level == Level.WARN
    assert "18 of 90" in status.message
    assert "max_rate" in status.message
    assert status.values["dropped: replaced by a newer image"] == "18"


def test_images_that_never_came_are_missed():
    monitor = Monitor(0.0)
    now = run(monitor)
    monitor.dropped(now, Drop.LOST, 10)
    status = input_status(monitor.report(now), HEARD, 2.0)
    assert status.level == Level.WARN
    assert "10 of 100" in status.message
    assert "fastdds.xml" in status.message
    assert status.values["lost on the way"] == "10"


def test_pictures_that_are_not_worth_answering_are_named_where_they_are_more_than_a_few():
    few, many = Monitor(0.0), Monitor(0.0)
    for monitor, count in ((few, 4), (many, 5)):
        for i in range(90):
            monitor.received(i / 30)
        for _ in range(count):
            monitor.doubted(3.0, "too dark", "Give it light.")
    assert input_status(few.report(3.0), HEARD, 2.0).level == Level.OK
    status = input_status(many.report(3.0), HEARD, 2.0)
    assert status.level == Level.WARN
    assert status.message == "5 of 90 pictures are not worth answering: too dark. Give it light."
    assert status.values["not worth answering"] == "5"


def test_gaps_in_a_publishers_numbers_are_counted():
    gaps = Gaps()

    def lost(number, publisher=b"one"):
        return gaps.lost({"publication_sequence_number": number, "publisher_gid": {"data": publisher}})

    assert [lost(5), lost(6), lost(9), lost(1, b"other"), lost(10), lost(3, b"other")] == [0, 0, 2, 0, 0, 1]
    assert lost(1) == 0  # the driver was started again
    assert gaps.lost({}) == 0  # a middleware without numbers


@pytest.mark.parametrize("number", [2**32, 2**63, 2**64 - 1])
def test_a_number_that_nobody_can_have_counted_to_is_a_new_start(number):
    gaps = Gaps()
    publisher = {"data": b"one"}
    assert gaps.lost({"publication_sequence_number": 5, "publisher_gid": publisher}) == 0
    assert gaps.lost({"publication_sequence_number": number, "publisher_gid": publisher}) == 0
    assert gaps.lost({"publication_sequence_number": number + 3, "publisher_gid": publisher}) == 2


def test_as_many_are_missed_as_can_have_been_sent_in_the_silence():
    times = iter([0.0, 3600.0, 3600.1])
    gaps = Gaps(lambda: next(times))
    assert [gaps.lost({"publication_sequence_number": n}) for n in (1, 108_001, 216_001)] == [0, 107_999, 0]


def test_forged_publishers_are_forgotten():
    gaps = Gaps()
    for i in range(10_000):
        gaps.lost({"publication_sequence_number": 1, "publisher_gid": {"data": i.to_bytes(16, "little")}})
        gaps.lost({"publication_sequence_number": i, "publisher_gid": {"data": b"camera"}})
    assert len(gaps._last) == PUBLISHERS
    assert gaps.lost({"publication_sequence_number": 10_002, "publisher_gid": {"data": b"camera"}}) == 2


def test_losses_are_counted_and_not_listed():
    monitor = Monitor(0.0)
    tracemalloc.start()
    try:
        for i in range(100):
            monitor.received(i * 0.01, 10**9)
            monitor.dropped(i * 0.01, Drop.LOST, 10**9)
        told = monitor.report(1.0)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()
    assert told.received == told.recent_received == told.dropped[Drop.LOST] == 10**11


def test_two_cameras_on_one_topic_are_named():
    monitor = Monitor(0.0)
    for i in range(30):
        monitor.received(i / 30)
        monitor.turned(i / 30, "front", "rear")
    status = input_status(monitor.report(1.0), HEARD, 2.0)
    assert status.level == Level.WARN
    assert "'front'" in status.message
    assert "'rear'" in status.message


def test_a_camera_that_changes_its_frame_once_is_well():
    monitor = Monitor(0.0)
    monitor.received(0.5)
    monitor.turned(0.5, "old", "new")
    assert input_status(monitor.report(0.6), HEARD, 2.0).level == Level.OK


def test_a_few_replaced_images_are_no_matter():
    assert inference_status(report(replaced=lambda i: i % 50 == 0), {}).level == Level.OK


def test_stage_times_are_given_in_milliseconds():
    status = inference_status(report(), {"model": "m"})
    assert (status.level, status.message) == (Level.OK, "8.0 ms")
    assert status.values["infer p50/p95/max [ms]"] == "8.0 / 8.0 / 8.0"
    assert status.values["model"] == "m"


def test_a_node_to_which_nobody_subscribes_is_well():
    idle = report(answered=False)
    assert "nobody" in inference_status(idle, {}).message
    assert output_status(idle, {"/depth": 0}).level == inference_status(idle, {}).level == Level.OK


def test_a_failure_of_the_node_is_an_error():
    monitor = Monitor(0.0)
    monitor.received(0.0)
    monitor.failed(0.0, RuntimeError("boom"))
    status = inference_status(monitor.report(0.1), {})
    assert status.level == Level.ERROR
    assert "boom" in status.message


@pytest.mark.parametrize(
    ("age", "level", "word"),
    [(0.012, Level.OK, "12.0 ms"), (0.15, Level.WARN, "use_sim_time"), (-0.5, Level.WARN, "future")],
)
def test_depth_that_is_too_old_or_too_young_warns(age, level, word):
    status = output_status(report(age=age), {"/depth": 1})
    assert status.level == level
    assert word in status.message
    assert status.values["subscribers of /depth"] == "1"


def test_a_single_stamp_of_another_clock_is_no_number():
    monitor = Monitor(0.0)
    now = run(monitor)
    monitor.answered(now, 2.0**31, {})
    values = output_status(monitor.report(now), {}).values
    assert values["age p50/p95/max [ms]"] == "10.0 / 10.0 / from another clock"


@pytest.mark.parametrize(
    ("age", "limit", "level"),
    [(0.12, None, Level.WARN), (0.12, 0.15, Level.OK), (0.16, 0.15, Level.WARN), (0.06, 0.05, Level.WARN)],
)
def test_depth_is_too_old_when_the_profile_says_so(age, limit, level):
    status = output_status(report(age=age), {"/depth": 1}, limit)
    assert status.level == level
    if limit and level is Level.WARN:
        assert f"over {limit * 1e3:.0f} ms" in status.message


def test_an_answer_that_somebody_reads_and_that_cannot_be_made_is_told():
    problem = AnchorError("nobody says where the floor is", "Set floor_frame.")
    status = output_status(report(age=0.01), {"/depth/scan": 1}, problems={"/depth/scan": problem})
    assert status.level == Level.WARN
    assert status.message == "nothing on /depth/scan: nobody says where the floor is. Set floor_frame."


def test_without_a_camera_depth_goes_on_with_a_warning():
    status = calibration_status(InputTopic("/camera_info"), "there is none. Start the driver.", "")
    assert status.level == Level.WARN
    assert "depth without camera_info and cloud" in status.message
    assert calibration_status(InputTopic("/camera_info"), "", "640x480").level == Level.OK
    told = calibration_status(InputTopic("/camera_info"), "K is of zeros.", "640x480", LAST_CAMERA)
    assert told.message == f"{LAST_CAMERA}: K is of zeros."
    assert told.values["camera"] == "640x480"


def test_a_node_that_could_not_be_configured_says_why():
    status = node_status("unconfigured", "there is no model 'x'", {"model": "x"})
    assert (status.level, status.message) == (Level.ERROR, "there is no model 'x'")
    assert node_status("active", "", {}).level == Level.OK
    standing = node_status("active", "", {}, clock_stands=True)
    assert standing.level == Level.WARN
    assert "use_sim_time" in standing.message


def test_an_image_that_waits_for_a_busy_node_is_not_silence():
    monitor = Monitor(0.0)
    now = run(monitor)
    assert input_status(monitor.report(now + 5), HEARD, 2.0).level is Level.ERROR
    monitor.waits(now + 4.5)
    assert input_status(monitor.report(now + 5), HEARD, 2.0).level is Level.OK


def test_a_recording_that_starts_again_is_not_silence():
    monitor = Monitor(0.0)
    run(monitor)
    assert monitor.report(0.5).silence == 0
