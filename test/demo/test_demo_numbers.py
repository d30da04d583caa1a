"""What a run comes to, from what was seen of it."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from fastdepth_ros.camera import Intrinsics, View, ViewSpec
from fastdepth_ros.cli import main
from fastdepth_ros.demo import graph
from fastdepth_ros.demo.cloud_view import points_of
from fastdepth_ros.demo.results import Answer, NodeReport, Results, Sent, match, read_counts, read_stages
from fastdepth_ros.demo.truth import read_at, sized, why_no_truth
from fastdepth_ros.diagnostics.windows import Spread
from fastdepth_ros.errors import SettingError
from fastdepth_ros.evaluation.accuracy import AccuracySum
from fastdepth_ros.evaluation.plots import Chart, nice_ticks, round_up, spread_bars
from fastdepth_ros.harness.process import NodeError, NodeProcess
from fastdepth_ros.recording import Recording, RecordingWriter, find_camera
from fastdepth_ros.recording.depth import encode_depth
from fastdepth_ros.recording.player import Player
from fastdepth_ros.scene.record import STORE

SECOND = 1_000_000_000


def test_an_answer_counts_once_and_only_with_the_stamp_and_frame_of_its_image():
    sent = [Sent(0, 100, 0.0), Sent(1, 200, 0.0), Sent(2, 300, 0.0)]
    answers = [
        Answer(50, "camera", 0),  # to an image of the warm-up
        Answer(100, "camera", 0),
        Answer(200, "another", 0),
        Answer(100, "camera", 0),  # a second time
        Answer(300, "camera", 0),
        Answer(301, "camera", 0),  # to no image
    ]
    own, foreign = match(sent, "camera", answers)
    assert [answer.stamp for answer in own] == [100, 300]
    assert foreign == 3


def test_stages_and_counts_are_read_from_the_node_s_diagnostics():
    pairs = [
        ("model", "fastdepth-indoor"),
        ("infer p50/p95/max [ms]", "4.3 / 5.0 / 9.25"),
        ("age p50/p95/max [ms]", "-4.3 / 5.0 / 9.25"),
        ("images", "42"),
        ("dropped: replaced by a newer image", "3"),
        ("rate in [Hz]", "30.0"),
    ]
    assert read_stages(pairs) == {"infer": Spread(4.3, 5.0, 9.25)}
    assert read_counts(pairs) == {"images": 42, "dropped: replaced by a newer image": 3}


def test_the_stages_of_a_long_run_are_taken_from_windows_that_do_not_overlap():
    reports = [NodeReport(i * SECOND, {"infer": Spread(i, 10 + i, 20 + i)}) for i in range(26)]
    # Windows of 10 s that end at 25, 15 and 5 s.
    assert Results(reports=reports).stages() == {"infer": Spread(15, 35, 45)}


def test_lost_images_are_told_apart_by_where_they_were_lost():
    def report(images, replaced):
        return NodeReport(0, {}, {"images": images, "unreadable": 0, "dropped: replaced by a newer image": replaced})

    results = Results(sent=[Sent(i, i, 0.0) for i in range(10)], before=report(3, 1), reports=[report(11, 3)])
    assert results.lost() == {"on the way": 2, "replaced by a newer image": 2}


def test_every_pixel_of_the_answer_is_compared_with_the_depth_on_its_own_ray():
    """A slanted plane: its depth at a ray is known, so a pixel that is off by one would show."""
    camera = Intrinsics(640, 480, 525.0, 530.0, 322.5, 236.5)
    answer = View.of(ViewSpec(), 640, 480, 224, 224).intrinsics(camera)

    def plane(seen):
        x, y = seen.slopes()
        return (1 / (0.4 + 0.2 * x + 0.1 * y)).astype(np.float32)

    found = read_at(plane(camera), camera, answer)
    assert np.isfinite(found).all()
    # The nearest pixel is at most half a pixel away: 0.5 / 525 * 0.2 * z^2 and the same for y.
    z = plane(answer)
    assert (np.abs(found - z) <= (0.5 / 525 * 0.2 + 0.5 / 530 * 0.1) * z**2 * 1.02).all()
    half = read_at(plane(sized(camera, 320, 240)), sized(camera, 320, 240), answer)
    assert np.abs(half - z).max() < 0.01


def test_outside_the_view_there_is_nothing_to_compare():
    narrow, wide = Intrinsics(4, 4, 10.0, 10.0, 1.5, 1.5), Intrinsics(8, 8, 10.0, 10.0, 3.5, 3.5)
    found = read_at(np.ones((4, 4), np.float32), narrow, wide)
    assert np.isnan(found).sum() == 48
    assert (found[2:6, 2:6] == 1).all()


def test_the_points_of_a_cloud_are_found_wherever_their_fields_lie():
    layout = {"names": ["rgb", "z", "y", "x"], "formats": ["<u4"] + 3 * ["<f4"], "offsets": [0, 4, 8, 12]}
    kind = np.dtype({**layout, "itemsize": 20})
    rows = np.zeros((2, 3), kind)  # the third of each row is padding
    rows["x"], rows["y"], rows["z"] = [[1, 2, 99]] * 2, [[3, 4, 99], [5, np.nan, 99]], 6
    fields = [SimpleNamespace(name=name, offset=kind.fields[name][1]) for name in kind.names]
    data = rows.view(np.uint8).ravel()
    cloud = SimpleNamespace(fields=fields, data=data, height=2, width=2, row_step=60, point_step=20, is_bigendian=False)
    assert points_of(cloud).tolist() == [[1, 3, 6], [2, 4, 6], [1, 5, 6]]


def test_errors_are_summed_by_frame_and_by_distance():
    sums = AccuracySum()
    truth = np.array([[0.5, 1.5, 2.5, np.nan]], np.float32)
    assert sums.add(0, truth + np.float32(0.1), truth) == pytest.approx(1.0)
    assert sums.add(4, truth * np.float32(2), truth) == 0
    assert sums.add(5, np.full_like(truth, np.nan), truth) is None
    accuracy = sums.result()
    assert accuracy.frames == {0: pytest.approx(1.0), 4: 0.0}
    assert accuracy.metric["delta1"] == pytest.approx(0.5)
    assert accuracy.scaled["delta1"] == pytest.approx(1.0)
    assert [(d.low, d.high) for d in accuracy.distances] == [(0, 1), (1, 2), (2, 3)]
    assert accuracy.distances[1].bias == pytest.approx((0.1 + 1.5) / 2, abs=1e-6)
    assert accuracy.distances[1].rmse == pytest.approx(((0.1**2 + 1.5**2) / 2) ** 0.5, abs=1e-6)
    assert AccuracySum().result() is None


def test_the_graph_is_on_loopback_and_in_a_domain_where_nobody_is(tmp_path):
    variables = graph.graph_environment(tmp_path)
    profile = (tmp_path / "fastdds_loopback.xml").read_text()
    assert "<interfaceWhiteList><address>127.0.0.1</address></interfaceWhiteList>" in profile
    assert "16777216" in profile, "the shipped profile's shared memory"
    assert 1 <= int(variables["ROS_DOMAIN_ID"]) <= 100
    assert variables["ROS_LOG_DIR"].startswith(str(tmp_path))


def test_a_domain_that_is_in_use_is_left_alone():
    domain = graph.free_domain()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("0.0.0.0", 7400 + 250 * domain + 10))
        assert graph.free_domain() != domain


def wait_for(condition, seconds=60.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_the_last_words_of_a_node_that_ends_are_quoted(tmp_path):
    program = "import sys; print('the model melted', file=sys.stderr); sys.exit(3)"
    with NodeProcess(tmp_path, {"model": "x"}, [sys.executable, "-c", program]) as node:
        os.waitid(os.P_PID, node.pid, os.WEXITED | os.WNOWAIT)
        with pytest.raises(NodeError) as caught:
            node.check()
        assert node.memory() == (0.0, 0.0)
    assert "exit status 3" in caught.value.cause
    assert "the model melted" in caught.value.cause
    assert str(tmp_path) in caught.value.remedy


def test_a_node_that_does_not_listen_is_ended_all_the_same(tmp_path, monkeypatch):
    monkeypatch.setattr("fastdepth_ros.harness.process.ENDINGS", ((signal.SIGINT, 0.2), (signal.SIGKILL, 5.0)))
    program = "import signal, time; signal.signal(2, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
    with NodeProcess(tmp_path, {}, [sys.executable, "-c", program]) as node:
        wait_for(lambda: "ready" in node.last_words())
        pid = node.pid
        assert node.memory()[0] > 1
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_node_does_not_outlive_a_demo_that_was_killed(tmp_path):
    program = f"""
import sys, time
from pathlib import Path
from fastdepth_ros.evaluation.accuracy import AccuracySum
from fastdepth_ros.demo.cloud_view import points_of
from fastdepth_ros.harness.process import NodeProcess
with NodeProcess(Path({str(tmp_path)!r}), {{}}, [sys.executable, "-c", "import time; time.sleep(60)"]) as node:
    print(node.pid, flush=True)
    time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as demo:
        pid = int(demo.stdout.readline())
        process = Path(f"/proc/{pid}")
        assert "sleep" in (process / "cmdline").read_text()
        demo.kill()

    def is_gone():
        try:
            return (process / "stat").read_text().split(")")[1].split()[0] == "Z"
        except OSError:
            return True

    wait_for(is_gone)


def test_parameters_reach_the_node_as_a_ros_parameter_file(tmp_path):
    program = "import sys; print(open(sys.argv[-1]).read())"
    with NodeProcess(tmp_path, {"model": "/a b/c", "max_rate": 5.0}, [sys.executable, "-c", program]) as node:
        wait_for(lambda: "max_rate" in node.last_words())
        assert "model: /a b/c" in node.last_words()
        assert json.dumps(5.0) in node.last_words()


def test_the_report_s_scales_of_depth_have_round_numbers():
    assert nice_ticks(0, 47) == [0, 10, 20, 30, 40]
    assert nice_ticks(0.2, 1.1) == [0.2, 0.4, 0.6, 0.8, 1.0]
    assert nice_ticks(3, 3) == [3]
    assert round_up(47) == 50
    assert round_up(0) == 1
    chart = Chart((0, 10), (0, 100), "time [s]", "a < b", "title & more").dots([(5, 50), (5, 1e9)], "s0").svg()
    assert "a &lt; b" in chart
    assert "title &amp; more" in chart
    places = re.findall(r'cx="([\d.]+)" cy="([\d.]+)"', chart)
    assert places[0][0] == places[1][0]
    assert float(places[1][1]) == 12, "what is beyond the axis stands at its end"
    assert "nan" not in spread_bars([("infer", 1, 2, 3)], "ms", "t") + spread_bars([], "ms", "t")


def test_a_rate_has_to_be_positive(tmp_path):
    assert main(["demo", "--rate", "0", "--out", str(tmp_path)]) == 2
    with pytest.raises(SettingError):
        Player(None, [], rate=-1)


@pytest.mark.parametrize(
    ("frame", "width", "format_", "words"),
    [
        ("camera", 64, "16UC1; compressedDepth png", ""),
        ("camera", 32, "16UC1; compressedDepth png", ""),
        ("depth_camera", 64, "16UC1; compressedDepth png", "not in the picture's"),
        ("camera", 80, "16UC1; compressedDepth png", "not the shape of the picture"),
        ("camera", 64, "16UC1; compressedDepth rvl", "cannot be read"),
    ],
    ids=["aligned", "aligned and smaller", "another frame", "another shape", "a broken compression"],
)
def test_depth_is_held_against_the_answers_only_where_it_shows_what_the_picture_shows(
    tmp_path, frame, width, format_, words
):
    types = STORE.types
    time_type, header_type = types["builtin_interfaces/msg/Time"], types["std_msgs/msg/Header"]
    header = header_type(time_type(1, 0), "camera")
    depth = encode_depth(np.ones((width * 3 // 4 if width != 80 else 48, width)))
    if "rvl" in format_:
        depth = depth[:12] + b"RVL" * 20
    k = np.array([60.0, 0, 31.5, 0, 60, 23.5, 0, 0, 1])
    roi = types["sensor_msgs/msg/RegionOfInterest"](0, 0, 0, 0, False)
    compressed = types["sensor_msgs/msg/CompressedImage"]
    messages = {
        "/image/compressed": compressed(header, "jpeg", np.zeros(9, np.uint8)),
        "/camera_info": types["sensor_msgs/msg/CameraInfo"](
            header, 48, 64, "plumb_bob", np.zeros(5), k, np.eye(3).ravel(), np.zeros(12), 0, 0, roi
        ),
        "/depth/compressedDepth": compressed(
            header_type(time_type(1, 0), frame), format_, np.frombuffer(depth, np.uint8)
        ),
    }
    with RecordingWriter(tmp_path / "bag") as writer:
        for topic, message in messages.items():
            writer.write(topic, message.__msgtype__, 1, bytes(STORE.serialize_cdr(message, message.__msgtype__)))
    with Recording.open(tmp_path / "bag") as recording:
        why = why_no_truth(recording, find_camera(recording))
    assert words in why
    assert bool(why) == bool(words)
