"""Video in a recording: played as it is, or decoded to raw images; without PyAV, refused with what to install."""

import json
import sys

import numpy as np
import pytest
from bags import START, camera_info, compressed, image, write
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from test_recording_player import PATIENCE, Theater, heard_by, of
from videos import encoded, film

from fastdepth_ros import cdr
from fastdepth_ros.errors import RecordingError, SettingError
from fastdepth_ros.recording import Recording, UnpackedRecording, VideoRecording, find_camera

TOPIC = "/cam/image/compressed"
FOXGLOVE = "foxglove_msgs/msg/CompressedVideo"
FILM = film(12)


@pytest.fixture(scope="module")
def packets():
    return encoded(FILM, "h264", gop=6)


@pytest.fixture
def path(tmp_path, packets):
    """Twelve packets with their camera_info, a stamp a millisecond; key frames are 0 and 6."""
    pairs = [
        pair
        for number, packet in enumerate(packets)
        for pair in (
            (TOPIC, compressed("h264", packet, START + number * 10**6)),
            ("/cam/camera_info", camera_info(START + number * 10**6)),
        )
    ]
    return write(tmp_path / "bag", *pairs)


def pixels_of(recording, topic):
    found = {}
    for message in recording.messages([topic]):
        raw = recording.decode(message)
        found[cdr.stamp_of(message.data) - START] = raw.data.reshape(raw.height, raw.width, 3)
    return found


@pytest.mark.parametrize("kind", [VideoRecording, UnpackedRecording])
def test_its_pictures_are_given_as_raw_images_of_the_same_stamps(path, kind):
    with kind.open(path) as recording:
        topics = find_camera(recording)
        assert (topics.image.name, topics.transport, topics.camera_info.name) == (
            "/cam/image",
            "raw",
            "/cam/camera_info",
        )
        found = pixels_of(recording, "/cam/image")
        assert sorted(found) == [number * 10**6 for number in range(12)]
        for number, expected in enumerate(FILM):
            assert np.abs(found[number * 10**6].astype(int) - expected).mean() < 12
        assert recording.left_out == ""
        assert len(pixels_of(recording, "/cam/image")) == 12, "a second time as well"


def test_it_is_taken_as_it_is_by_whoever_asks_for_packets(path, packets):
    with Recording.open(path) as recording:
        topics = find_camera(recording, packets=True)
        assert (topics.image.name, topics.transport) == (TOPIC, "video")
        assert [recording.decode(each).data.tobytes() for each in recording.messages([TOPIC])] == packets
        with pytest.raises(RecordingError, match="h264 video"):
            find_camera(recording)


def test_pictures_before_the_first_key_frame_are_left_out_and_counted(tmp_path, packets):
    late = packets[3:]
    bag = write(tmp_path / "bag", *((TOPIC, compressed("h264", each, START + i)) for i, each in enumerate(late)))
    with VideoRecording.open(bag) as recording:
        assert find_camera(recording).image.name == "/cam/image"
        assert sorted(pixels_of(recording, "/cam/image")) == list(range(3, 9))
        assert "left out: 3 (" in recording.left_out
        assert "key frame" in recording.left_out


def test_a_video_without_a_key_frame_is_refused(tmp_path, packets):
    bag = write(tmp_path / "bag", *((TOPIC, compressed("h264", each)) for each in packets[1:6]))
    with VideoRecording.open(bag) as recording, pytest.raises(RecordingError, match="key frame"):
        list(recording.messages([find_camera(recording).image.name]))


def test_without_pyav_it_is_refused_and_pictures_beside_it_are_played(tmp_path, path, packets, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with VideoRecording.open(path) as recording:
        with pytest.raises(SettingError, match="PyAV") as caught:
            list(recording.messages([find_camera(recording).image.name]))
        assert "pip install av" in caught.value.remedy
    beside = write(tmp_path / "beside", (TOPIC, compressed("h264", packets[0])), ("/eye", image()))
    with VideoRecording.open(beside) as recording:
        assert find_camera(recording).image.name == "/eye"
        assert len(list(recording.messages(["/eye"]))) == 1


def test_raw_pictures_of_the_same_name_win(tmp_path, packets):
    bag = write(tmp_path / "bag", (TOPIC, compressed("h264", packets[0])), ("/cam/image", image()))
    with VideoRecording.open(bag) as recording:
        assert find_camera(recording).image.name == "/cam/image"
        assert TOPIC in recording.topics
        assert next(recording.messages(["/cam/image"])).topic.type == "sensor_msgs/msg/Image"


@pytest.mark.parametrize("transport", ["ffmpeg", "foxglove"])
def test_messages_of_other_packages_are_found_and_decoded(tmp_path, packets, transport):
    if transport == "foxglove":
        kind, definition = FOXGLOVE, "builtin_interfaces/Time timestamp\nstring frame_id\nuint8[] data\nstring format\n"
    else:
        kind = "ffmpeg_image_transport_msgs/msg/FFMPEGPacket"
        definition = (
            "std_msgs/Header header\nint32 width\nint32 height\nstring encoding\nuint64 pts\nuint8 flags\n"
            "bool is_bigendian\nuint8[] data\n"
        )
    store = get_typestore(Stores.ROS2_JAZZY)
    store.register(get_types_from_msg(definition, kind))
    types = store.types
    with Writer(tmp_path / "bag", version=8, storage_plugin=StoragePlugin.MCAP) as writer:
        connection = writer.add_connection(f"/cam/image/{transport}", kind, typestore=store)
        for number, packet in enumerate(packets):
            stamp, data = types["builtin_interfaces/msg/Time"](7, number), np.frombuffer(packet, np.uint8)
            if transport == "foxglove":
                message = types[kind](stamp, "camera", data, "h264")
            else:
                header = types["std_msgs/msg/Header"](stamp, "camera")
                message = types[kind](header, 128, 96, "h264;yuv420p;bgr8", number, 1, False, data)
            writer.write(connection, START + number, bytes(store.serialize_cdr(message, kind)))
    with Recording.open(tmp_path / "bag") as recording:
        topics = find_camera(recording, packets=True)
        assert (topics.transport, topics.suffix) == (transport, f"/{transport}")
    with VideoRecording.open(tmp_path / "bag") as recording:
        assert find_camera(recording).image.name == "/cam/image"
        messages = list(recording.messages(["/cam/image"]))
        assert [cdr.stamp_of(each.data) for each in messages] == [7 * 10**9 + number for number in range(12)]
        assert {cdr.frame_of(each.data) for each in messages} == {"camera"}


@pytest.fixture
def graph(nursery, tmp_path):
    return Theater(nursery, tmp_path / "graph")


@pytest.mark.parametrize(
    ("arguments", "heard_as"),
    [((), "/front/compressed=CompressedImage"), (("--raw",), "/front=Image")],
    ids=["as it is", "raw"],
)
def test_it_is_played_as_packets_or_as_raw_images(graph, path, arguments, heard_as):
    listener = graph.listen(12, heard_as)
    player = graph.play(path, "--image", "/front", "--rate", "0.05", *arguments)
    heard = heard_by(listener)
    _, words = player.communicate(timeout=PATIENCE)
    assert player.returncode == 0, words
    assert len(of(heard, heard_as.partition("=")[0])) == 12, json.dumps(heard)
    assert ("image_transport: video" in words) == (not arguments)
