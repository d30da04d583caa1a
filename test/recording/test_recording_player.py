"""Recordings played over DDS, heard by a plain subscriber in another process."""

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
from bags import START, STORE, camera_info, image, write

from fastdepth_ros import cdr
from fastdepth_ros.demo.graph import graph_environment
from fastdepth_ros.recording import Recording, RecordingWriter

FRAMES, PERIOD = 12, 40_000_000
LISTENER = Path(__file__).with_name("listener.py")
PATIENCE = 60.0
"""Time that processes of a busy machine have to find each other, and to end [s]."""


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """12 pictures of 8x6 with camera_info, 25 Hz."""
    folder = tmp_path_factory.mktemp("played") / "bag"
    with RecordingWriter(folder) as writer:
        for index in range(FRAMES):
            stamp = START + index * PERIOD
            for topic, message in (("/cam/camera_info", camera_info(stamp)), ("/cam/image_raw", image(stamp=stamp))):
                raw = bytes(STORE.serialize_cdr(message, message.__msgtype__))
                writer.write(topic, message.__msgtype__, stamp, raw)
    return folder


class Theater:
    """A graph of its own, in which processes play and listen."""

    def __init__(self, nursery, folder):
        self.nursery, self.environment = nursery, {**os.environ, **graph_environment(folder)}

    def listen(self, count, *topics, reliability="RELIABLE"):
        command = [sys.executable, str(LISTENER), reliability, str(PATIENCE), str(count), *topics]
        return self.nursery.start(command, env=self.environment, stdout=subprocess.PIPE)

    def play(self, path, *arguments):
        command = [sys.executable, "-m", "fastdepth_ros.recording", str(path), "--wait", str(PATIENCE), *arguments]
        return self.nursery.start(command, env=self.environment, stderr=subprocess.PIPE)


@pytest.fixture
def graph(nursery, tmp_path):
    return Theater(nursery, tmp_path / "graph")


def heard_by(listener):
    output, _ = listener.communicate(timeout=PATIENCE)
    return json.loads(output)


def of(heard, topic):
    return [entry for entry in heard if entry["topic"] == topic]


def test_a_camera_is_played_in_real_time_with_the_time_of_playing_as_its_stamp(graph, path):
    listener = graph.listen(2 * FRAMES, "/cam/image_raw=Image", "/cam/camera_info=CameraInfo")
    before = time.time_ns()
    player = graph.play(path)
    heard = heard_by(listener)
    assert player.wait(PATIENCE) == 0
    images, infos = of(heard, "/cam/image_raw"), of(heard, "/cam/camera_info")
    assert len(images) == FRAMES
    assert {entry["frame"] for entry in heard} == {"camera"}
    # Picture and camera_info of one moment share a stamp, or no subscriber could bring them together.
    assert [entry["stamp"] for entry in images] == [entry["stamp"] for entry in infos]
    ages = [(entry["time"] - entry["stamp"]) / 1e6 for entry in images]
    assert all(entry["stamp"] > before for entry in images)
    assert 0 < np.median(ages) < 5000, "now, and not when it was recorded"
    gaps = np.diff([entry["stamp"] for entry in images])
    assert np.median(gaps) == pytest.approx(PERIOD, rel=0.1)
    assert images[-1]["stamp"] - images[0]["stamp"] == pytest.approx((FRAMES - 1) * PERIOD, rel=0.1)


def test_the_recorded_stamps_can_be_kept_and_the_topics_named(graph, path):
    listener = graph.listen(2 * FRAMES, "/robot/front=Image", "/robot/info=CameraInfo")
    player = graph.play(path, "--keep-stamps", "--rate", "2", "--image", "/robot/front", "--camera-info", "/robot/info")
    heard = heard_by(listener)
    _, words = player.communicate(timeout=PATIENCE)
    assert "/cam/image_raw (12 messages) -> /robot/front" in words
    images = of(heard, "/robot/front")
    with Recording.open(path) as recording:
        recorded = list(recording.messages(["/cam/image_raw"]))
    assert [entry["stamp"] for entry in images] == [cdr.stamp_of(message.data) for message in recorded]
    assert images[-1]["time"] - images[0]["time"] == pytest.approx((FRAMES - 1) * PERIOD / 2, abs=150e6)


def test_a_loop_goes_on_until_it_is_stopped_and_its_stamps_never_go_back(graph, path):
    listener = graph.listen(2 * FRAMES + 5, "/cam/image_raw=Image")
    player = graph.play(path, "--loop", "--rate", "4")
    stamps = [entry["stamp"] for entry in heard_by(listener)]
    player.send_signal(signal.SIGINT)
    assert player.wait(PATIENCE) == 0
    assert len(stamps) == 2 * FRAMES + 5
    assert all(np.diff(stamps) > 0)


def test_images_of_a_driver_without_a_clock_get_stamps_of_their_own(graph, tmp_path):
    pairs = [(name, kind(stamp=0)) for _ in range(5) for name, kind in (("/info", camera_info), ("/image", image))]
    path = write(tmp_path / "zero", *pairs)
    listener = graph.listen(10, "/image=Image", "/info=CameraInfo")
    assert graph.play(path, "--rate", "0.1").wait(PATIENCE) == 0
    heard = heard_by(listener)
    stamps = [entry["stamp"] for entry in of(heard, "/image")]
    assert len(set(stamps)) == 5
    assert [entry["stamp"] for entry in of(heard, "/info")] == stamps


def test_compressed_pictures_go_out_where_image_transport_looks_for_them(graph, reference):
    """Best effort on both ends, as drivers and the node do it: the first may be lost while the ends find each other."""
    listener = graph.listen(50, "/front/image/compressed=CompressedImage", reliability="BEST_EFFORT")
    player = graph.play(reference / "bags" / "tum_fr3_cabinet", "--image", "/front/image", "--best-effort")
    heard = heard_by(listener)
    assert player.wait(PATIENCE) == 0
    assert len(heard) == 50
    assert {entry["frame"] for entry in heard} == {"camera_color_optical_frame"}


def test_two_players_in_namespaces_share_neither_name_nor_topic(graph, path):
    topics = [
        f"/{robot}/cam/{topic}" for robot in ("one", "two") for topic in ("image_raw=Image", "camera_info=CameraInfo")
    ]
    listener = graph.listen(4 * FRAMES, *topics)
    players = [graph.play(path, "--namespace", robot) for robot in ("one", "/two/")]
    heard = heard_by(listener)
    assert [player.wait(PATIENCE) for player in players] == [0, 0]
    for topic in topics:
        assert len(of(heard, topic.split("=")[0])) == FRAMES


def test_nobody_listening_is_said(graph, path):
    player = graph.play(path, "--wait", "0.3")
    _, words = player.communicate(timeout=PATIENCE)
    assert player.returncode == 2
    assert "nobody subscribed to /cam/image_raw within 0.3 s" in words


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--rate", "0"], "positive --rate"),
        (["--rate", "1e-300"], "positive --rate, from 1e-06"),
        (["--from-image", "/nowhere"], "no topic /nowhere"),
        (["--image", "/front camera"], "'/front camera' is no name of a topic"),
        (["--image", "/{robot}/image"], "'/{robot}/image' is no name of a topic"),
        (["--namespace", "robot 1"], "'robot 1' is no namespace"),
    ],
)
def test_what_cannot_be_played_is_said(graph, path, arguments, words):
    player = graph.play(path, *arguments)
    _, said = player.communicate(timeout=PATIENCE)
    assert player.returncode == 2
    assert words in said
    assert "Traceback" not in said


def test_a_type_that_is_not_installed_is_named():
    from fastdepth_ros.errors import RecordingError
    from fastdepth_ros.recording import Topic
    from fastdepth_ros.recording.player import message_class

    with pytest.raises(RecordingError, match="type acme_msgs/msg/Rocket is not installed"):
        message_class(Topic("/rocket", "acme_msgs/msg/Rocket", 1))


def test_a_message_of_another_century_ends_the_player_with_a_remedy(graph, tmp_path):
    with RecordingWriter(tmp_path / "bag") as writer:
        for stamp in (START, 2**63 - 2):
            raw = bytes(STORE.serialize_cdr(image(stamp=START), "sensor_msgs/msg/Image"))
            writer.write("/cam/image_raw", "sensor_msgs/msg/Image", stamp, raw)
    player = graph.play(tmp_path / "bag", "--wait", "0")
    said = player.communicate(timeout=PATIENCE)[1]
    assert player.returncode > 0
    assert "/cam/image_raw comes 88233 days later. Its time is damaged" in said
    assert "Traceback" not in said


def test_a_loop_over_a_recording_that_says_it_lasts_centuries_goes_on(graph, tmp_path):
    lying = write(tmp_path / "bag", ("/info", camera_info(START)), ("/image", image(stamp=START)))
    words = (lying / "metadata.yaml").read_text()
    told = re.sub(r"(duration:\s+nanoseconds: )\d+", r"\g<1>9223372036854775000", words)
    assert told != words
    (lying / "metadata.yaml").write_text(told)
    listener = graph.listen(1, "/image=Image")
    player = graph.play(lying, "--loop", "--rate", "0.5")
    assert heard_by(listener)
    player.send_signal(signal.SIGINT)
    said = player.communicate(timeout=PATIENCE)[1]
    assert player.returncode == 0, said
    assert "Traceback" not in said
