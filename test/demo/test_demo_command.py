"""`fastdepth demo` from end to end: the real node, compiled network, DDS and recordings, as a user starts it."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from anchor_messages import cloud_of, header, serialized, tf_message_of, transform_of, xyz_of
from rosbags.typesys import Stores, get_typestore
from slowly import mostly_slow

from fastdepth_ros import cdr
from fastdepth_ros.messages.files import read_message, rgb_of
from fastdepth_ros.recording import Recording, RecordingWriter
from fastdepth_ros.recording.depth import decode_depth
from fastdepth_ros.scene.record import FRAME_ID, IMAGE_TOPIC, TRUTH_TOPIC, write_room

FRAMES = 20
RATES = (0.3, 0.1, 0.03)
"""Slower than recorded, and slower again: the tests' machine may have so much to do that images wait too long."""


def heed_interrupts():
    """A shell's background job, as this run of tests may be one, ignores SIGINT, and so would all that it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


OUTPUT = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}


def command(out, *arguments):
    return [sys.executable, "-m", "fastdepth_ros.cli", "demo", "--out", str(out), *map(str, arguments)]


def start_afresh(out, *arguments):
    """Start the demo as a user does."""
    return subprocess.Popen(command(out, *arguments), preexec_fn=heed_interrupts, text=True, **OUTPUT)


@pytest.fixture(scope="module")
def start(nursery):
    """Starts the demo in a process that has imported what it needs; its node is started as ever."""
    return lambda out, *arguments: nursery.start(command(out, *arguments), **OUTPUT)


def finish(demo, seconds=120):
    words, _ = demo.communicate(timeout=seconds)
    return demo.returncode, words


def play(start, out, *arguments):
    """A demo in which the machine keeps up with the camera; gives its status, its words and the rate."""
    for rate in RATES:
        status, words = finish(start(out, *arguments, "--rate", rate), 300)
        if status != 1:  # that of images that were not answered
            break
    return status, words, rate


def nodes_of(out):
    """Process ids of nodes that this demo started: their command line names its parameter file."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            if process.name.isdigit() and f"{out}/node.yaml".encode() in (process / "cmdline").read_bytes():
                found.append(int(process.name))
        except OSError:
            continue
    return found


def wait_for(condition, seconds=60.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture(scope="module")
def room(tmp_path_factory, atlas):
    folder = tmp_path_factory.mktemp("room") / "recording"
    write_room(folder, frames=FRAMES, atlas=atlas)
    return folder


@pytest.fixture(scope="module")
def done(tmp_path_factory, room, bundle, module):  # noqa: ARG001  compiled once for all tests
    """A finished demo: its folder, its words, and the rate at which it played."""
    out = tmp_path_factory.mktemp("demo") / "out"
    status, words, rate = play(start_afresh, out, "--recording", room, "--model", bundle.path)
    assert status == 0, words
    return out, words, rate


def test_the_summary_says_what_was_answered_how_fast_and_how_well(done):
    summary = json.loads((done[0] / "summary.json").read_text())
    assert summary["passed"] is True
    assert summary["frames_in"] == FRAMES
    assert summary["frames_out"] >= 0.95 * FRAMES
    assert summary["dropped"] == FRAMES - summary["frames_out"]
    assert summary["foreign"] == 0
    assert 0 < summary["age_ms"]["p50"] <= summary["age_ms"]["p95"] <= summary["age_ms"]["max"]
    for stage in ("decode", "prepare", "infer", "depth"):
        assert 0 <= summary["stage_ms"][stage]["p50"] <= summary["stage_ms"][stage]["p95"]
    assert summary["stage_ms"]["infer"]["p50"] < summary["age_ms"]["p50"]
    assert 0 <= summary["delta1"] <= 1
    assert summary["rmse_m"] > 0
    assert 0 < summary["first_depth_s"] < 60
    assert 50 < summary["resident_mb"] <= summary["peak_resident_mb"] < 400
    assert summary["compiled"] is False
    assert summary["model"]["name"] == "random"
    assert summary["machine"]["processor"]
    assert summary["versions"]["python"]


def test_every_answer_bears_the_stamp_and_frame_of_its_image(done):
    summary = json.loads((done[0] / "summary.json").read_text())
    with Recording.open(done[0] / "depth") as depth:
        answers = list(depth.messages(["/depth/image_rect"]))
        assert len(answers) == summary["frames_out"]
        stamps = [cdr.stamp_of(message.data) for message in answers]
        assert {cdr.frame_of(message.data) for message in answers} == {FRAME_ID}
        assert len(set(stamps)) == len(stamps)
        for topic in ("/depth/camera_info", "/depth/points"):
            assert [cdr.stamp_of(message.data) for message in depth.messages([topic])] == stamps
        assert depth.topics["/diagnostics"].messages >= 2
        assert decode_depth(depth.decode(answers[0])).shape == (224, 224)
        # Stamps of now, as far apart as the recording's, slowed down.
        assert abs(stamps[0] / 1e9 - time.time()) < 600
        assert np.median(np.diff(stamps)) == pytest.approx(1e9 / 30 / done[2], rel=0.1)


def test_the_report_asks_nothing_of_anybody(done):
    page = (done[0] / "report.html").read_text()
    words = re.sub(r"base64,[^\"]*", "", page)
    assert not re.findall(r"""(?:https?:)?//[a-z]|<link|<script|<iframe|@import|url\(""", words)
    sources = re.findall(r"""(?:src|href)=["']?([^"'>]{0,30})""", page)
    assert len(sources) >= 6 * 4
    assert all(source.startswith("data:image/jpeg;base64,") for source in sources)
    for word in (
        "picture",
        "depth of the node",
        "true depth",
        "error",
        "age [ms]",
        "infer",
        "delta1",
        "cloud of the node",
        "random",
    ):
        assert word in page
    assert page.count("<svg") >= 4
    assert page.count("<svg") == page.count("</svg>")
    assert not re.findall(r"\bnan\b", words)


def test_the_terminal_shows_a_table_and_where_the_report_is(done):
    out, words, _ = done
    assert "images answered" in words
    assert f"{out}/report.html" in words.replace("\n", "")


def test_nothing_is_left_running(done):
    assert nodes_of(done[0]) == []


SLOWLY = ("--rate", "0.2")


@pytest.fixture(scope="module")
def anchored(tmp_path_factory, room, indoor, start):
    """A finished demo with simulated points and a simulated lidar; images may be lost where the machine is busy."""
    out = tmp_path_factory.mktemp("anchored") / "out"
    sensors = ["--anchors", "uniform:100,lidar"]
    status, words = finish(start(out, "--recording", room, "--model", indoor, *SLOWLY, *sensors), 240)
    assert status in (0, 1), words
    return out, words


@pytest.mark.again
def test_simulated_sensors_bring_depth_nearer_to_the_truth(anchored):
    summary = json.loads((anchored[0] / "summary.json").read_text())
    anchors = summary["anchors"]
    assert summary["frames_out"] >= 0.5 * FRAMES
    assert anchors["sensors"] == "simulated: uniform:100, lidar"
    assert "anchors (" in anchors["node_says"]
    assert "scan (" in anchors["node_says"]
    assert summary["delta1"] > anchors["without"]["delta1"]
    assert summary["rmse_m"] < anchors["without"]["rmse_m"]
    assert 0 <= anchors["uncertainty"]["within_1_sigma"] <= anchors["uncertainty"]["within_2_sigma"] <= 1
    shares = [row["share_left"] for row in anchors["max_uncertainty"]]
    assert shares == sorted(shares)
    assert shares[-1] > 0.1
    assert anchors["age_ms_without"]["p50"] > 0


@pytest.mark.again
def test_sensors_go_out_beside_the_images_and_both_runs_are_kept(anchored):
    out, _ = anchored
    for folder in (out, out / "without_anchors"):
        with Recording.open(folder / "depth") as depth:
            answers, sigmas = (list(depth.messages([f"/depth/{name}"])) for name in ("image_rect", "uncertainty"))
            assert {cdr.stamp_of(m.data) for m in answers} == {cdr.stamp_of(m.data) for m in sigmas}
            assert {cdr.frame_of(m.data) for m in answers} == {FRAME_ID}
    assert nodes_of(out) == []


@pytest.mark.again
def test_the_report_shows_both_runs(anchored):
    page = (anchored[0] / "report.html").read_text()
    for word in ("picture with anchors", "error without", "error with", "uncertainty", "cloud without anchors"):
        assert word in page
    assert "cloud with anchors" in page
    assert "max_uncertainty" in page
    assert page.count("<svg") == page.count("</svg>")


@pytest.mark.slow
def test_a_recording_with_points_is_used_and_can_be_told_not_to(start, tmp_path, room, indoor):
    """Points that were measured 20 ms before their images, in the frame of a sensor that /tf_static knows."""
    rng = np.random.default_rng(0)
    with Recording.open(room) as whole, RecordingWriter(tmp_path / "sensed") as sensed:
        static = tf_message_of(transform_of("tof", FRAME_ID, (0.0, 0.0, 0.0), (-0.5, 0.5, -0.5, 0.5)))
        sensed.write("/tf_static", "tf2_msgs/msg/TFMessage", whole.first(IMAGE_TOPIC).time, static)
        for message in whole.messages():
            sensed.write(message.topic.name, message.topic.type, message.time, message.data)
            if message.topic.name == TRUTH_TOPIC:
                depth = decode_depth(whole.decode(message))
                v, u = rng.integers(40, 440, 100), rng.integers(60, 580, 100)
                z = depth[v, u]
                # The camera's frame is optical, the sensor's is a body frame: x forward, y left, z up.
                points = np.stack((z, -(u - 319.5) / 525 * z, -(v - 239.5) / 525 * z), axis=1)
                stamp = divmod(cdr.stamp_of(message.data) - 20_000_000, 10**9)
                cloud = cloud_of(xyz_of(points[np.isfinite(z)]), header=header("tof", *stamp))
                sensed.write("/tof/points", "sensor_msgs/msg/PointCloud2", message.time, serialized(cloud))
    given = ["--recording", tmp_path / "sensed", "--model", indoor, *SLOWLY, "--cloud", "off"]
    status, words = finish(start(tmp_path / "out", *given), 240)
    assert status in (0, 1), words
    anchors = json.loads((tmp_path / "out" / "summary.json").read_text())["anchors"]
    assert anchors["sensors"] == "recorded: /tof/points as anchors"
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["rmse_m"] < anchors["without"]["rmse_m"]
    status, words = finish(start(tmp_path / "off", *given, "--anchors", "off"), 240)
    assert status in (0, 1), words
    assert json.loads((tmp_path / "off" / "summary.json").read_text())["anchors"] is None
    assert not (tmp_path / "off" / "without_anchors").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--anchors", "radar"], "there is no sensor 'radar'"),
        (["--anchor-topic", "scan"], "'scan' names no source and topic"),
        (["--anchor-topic", "scan=/nowhere"], "has no topic /nowhere"),
        (["--max-uncertainty", "-1"], "max-uncertainty"),
    ],
)
def test_anchors_that_cannot_be_are_refused_before_anything_starts(start, tmp_path, room, bundle, arguments, says):
    status, words = finish(start(tmp_path, "--recording", room, "--model", bundle.path, *arguments))
    assert status == 2
    assert says in words.replace("\n", " ")
    assert "Traceback" not in words
    assert not (tmp_path / "node.log").exists()


def test_sensors_are_not_simulated_where_no_depth_is_known(start, tmp_path, room, bundle):
    with Recording.open(room) as whole, RecordingWriter(tmp_path / "bare") as bare:
        for message in whole.messages([IMAGE_TOPIC]):
            bare.write(message.topic.name, message.topic.type, message.time, message.data)
    status, words = finish(
        start(tmp_path / "out", "--recording", tmp_path / "bare", "--model", bundle.path, "--anchors", "vo:150")
    )
    assert status == 2
    assert "vo:150 cannot be simulated" in words.replace("\n", " ")


@pytest.mark.slow
def test_a_recording_of_video_is_decoded_answered_and_compared(start, tmp_path, room, bundle, module):  # noqa: ARG001
    videos = pytest.importorskip("videos", reason="PyAV is not installed")
    store = get_typestore(Stores.ROS2_HUMBLE)
    with Recording.open(room) as whole, RecordingWriter(tmp_path / "video") as video:
        pictures = [rgb_of(read_message(whole.decode(each))) for each in whole.messages([IMAGE_TOPIC])]
        packets = iter(videos.encoded(pictures, gop=5))
        for message in whole.messages():
            data = message.data
            if message.topic.name == IMAGE_TOPIC:
                picture = whole.decode(message)
                packet = np.frombuffer(next(packets), np.uint8)
                data = bytes(store.serialize_cdr(type(picture)(picture.header, "h264", packet), message.topic.type))
            video.write(message.topic.name, message.topic.type, message.time, data)
    status, words, _ = play(start, tmp_path / "out", "--recording", tmp_path / "video", "--model", bundle.path)
    assert status == 0, words
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["frames_in"] == FRAMES
    assert summary["delta1"] is not None


def test_a_folder_with_files_of_others_is_left_alone(start, tmp_path, room, bundle):
    (tmp_path / "depth").mkdir()
    for name in ("metadata.yaml", "mine.txt"):
        (tmp_path / "depth" / name).write_text("keep me")
    status, words = finish(start(tmp_path, "--recording", room, "--model", bundle.path))
    assert status == 2
    assert "mine.txt" in words
    assert (tmp_path / "depth" / "metadata.yaml").read_text() == "keep me"


def test_a_node_that_dies_is_reported_with_its_last_words(start, tmp_path, room, bundle, module):  # noqa: ARG001
    demo = start(tmp_path, "--recording", room, "--model", bundle.path, "--rate", "0.02")
    wait_for(lambda: (tmp_path / "node.log").is_file() and "answers /image" in (tmp_path / "node.log").read_text())
    os.kill(nodes_of(tmp_path)[0], signal.SIGKILL)
    status, words = finish(demo)
    assert status == 2
    assert "depth_node ended (signal SIGKILL)" in words
    assert "answers /image" in words
    assert "Traceback" not in words


@pytest.mark.parametrize("number", mostly_slow([signal.SIGINT, signal.SIGTERM]))
def test_a_demo_that_is_stopped_leaves_no_process_behind(start, tmp_path, room, bundle, module, number):  # noqa: ARG001
    demo = start(tmp_path, "--recording", room, "--model", bundle.path, "--rate", "0.02")
    wait_for(lambda: (tmp_path / "node.log").is_file() and "answers /image" in (tmp_path / "node.log").read_text())
    assert nodes_of(tmp_path)
    demo.send_signal(number)
    status, words = finish(demo)
    assert status == 130
    assert "Traceback" not in words
    assert nodes_of(tmp_path) == []


def test_a_model_that_cannot_be_had_is_said_before_anything_starts(start, tmp_path, room):
    status, words = finish(start(tmp_path, "--recording", room, "--model", "nowhere"))
    assert status == 2
    assert "there is no model 'nowhere'" in words
    assert not (tmp_path / "node.log").exists()


def test_a_recording_that_is_not_there_is_named(start, tmp_path, bundle):
    status, words = finish(start(tmp_path, "--recording", tmp_path / "none", "--model", bundle.path))
    assert status == 2
    assert "there is no recording" in words


@pytest.mark.again
def test_without_camera_info_there_is_depth_and_a_report_that_says_what_is_missing(start, tmp_path, room, bundle):
    with Recording.open(room) as whole, RecordingWriter(tmp_path / "bare") as bare:
        for message in whole.messages([IMAGE_TOPIC, TRUTH_TOPIC]):
            bare.write(message.topic.name, message.topic.type, message.time, message.data)
    out = tmp_path / "out"
    status, words, _ = play(start, out, "--recording", tmp_path / "bare", "--model", bundle.path)
    assert status == 0, words
    summary = json.loads((out / "summary.json").read_text())
    assert summary["frames_out"] >= 0.95 * FRAMES
    assert summary["delta1"] is None
    assert summary["rmse_m"] is None
    page = (out / "report.html").read_text()
    assert f"The recording holds {TRUTH_TOPIC} but no calibrated camera_info" in page
    assert "cloud of the node" not in page


@pytest.mark.slow
@pytest.mark.parametrize("raw", [[], ["--raw"]], ids=["compressed", "raw"])
def test_a_damaged_first_picture_does_not_end_the_demo(start, tmp_path, room, bundle, module, raw):  # noqa: ARG001
    with Recording.open(room) as whole, RecordingWriter(tmp_path / "damaged") as damaged:
        first = True
        for message in whole.messages():
            data = message.data
            if message.topic.name == IMAGE_TOPIC and first:
                first, data = False, data[:-400] + bytes(400)
            damaged.write(message.topic.name, message.topic.type, message.time, data)
    out = tmp_path / "out"
    status, words, _ = play(start, out, "--recording", tmp_path / "damaged", "--model", bundle.path, *raw)
    assert status == 0, words
    assert json.loads((out / "summary.json").read_text())["frames_out"] == FRAMES - 1
    assert ("cannot be decoded and were left out: 1 (" in words.replace("\n", " ")) == bool(raw)


def test_a_node_that_cannot_start_says_why(tmp_path, room):
    program = f"""
from pathlib import Path
from fastdepth_ros.demo.graph import enter_graph
folder = Path({str(tmp_path)!r})
enter_graph(folder)
from fastdepth_ros.demo.run import Options, run_node
from fastdepth_ros.recording import Recording, find_camera
with Recording.open({str(room)!r}) as recording:
    run_node(recording, find_camera(recording), Options(folder / "no model"), folder, print, print)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert "NodeError: depth_node did not start: not configured: " in done.stderr
    assert "no model" in done.stderr
    assert nodes_of(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "frames", "wanted"), mostly_slow([("tum_fr3_cabinet_raw12", 12, 12), ("tum_fr3_cabinet", 58, 56)])
)
@pytest.mark.usefixtures("reference_module")
def test_real_recordings_are_answered(start, tmp_path, reference, reference_bundle, name, frames, wanted):
    """Slowly, because tests share their machine; `fastdepth demo` itself plays in real time."""
    path = reference / "bags" / name
    status, words, _ = play(start, tmp_path, "--recording", path, "--model", reference_bundle.path)
    assert status == 0, words
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["frames_in"] == frames
    assert summary["frames_out"] >= wanted
    assert 0.55 < summary["delta1"] < 0.70
    assert summary["rmse_m"] < 0.9


@pytest.mark.again
def test_a_second_demo_takes_the_place_of_the_first(start, done, room, bundle):
    """It comes last in this file: the others look at the first."""
    out = done[0]
    page = (out / "report.html").read_text()
    with (out / "summary.json").open() as summary, (out / "report.html").open() as report:
        status, words, _ = play(start, out, "--recording", room, "--model", bundle.path, "--cloud", "off", "--raw")
        assert status == 0, words
        # They were written aside: what somebody has open stays what it was.
        assert json.load(summary)["recording"]["image_type"] == "sensor_msgs/msg/CompressedImage"
        assert report.read() == page
    assert json.loads((out / "summary.json").read_text())["recording"]["image_type"] == "sensor_msgs/msg/Image"
    with Recording.open(out / "depth") as depth:
        assert "/depth/points" not in depth.topics
