"""Packets of video come out of messages, and pictures out of packets, even where somebody skipped some."""

import numpy as np
import pytest
from rclpy.serialization import serialize_message
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import Header
from videos import encoded, film

from fastdepth_ros.codec.video import NoKeyFrameError
from fastdepth_ros.errors import ImageError, SettingError
from fastdepth_ros.messages import video
from fastdepth_ros.messages.images import PictureReader
from fastdepth_ros.messages.video import VideoUnpacker, packet_type

FILM = film(18)
GOP = 8
PACKET = "ffmpeg_image_transport_msgs/msg/FFMPEGPacket"
DEFINITION = """
std_msgs/Header header
int32 width
int32 height
string encoding
uint64 pts
uint8 flags
bool is_bigendian
uint8[] data
"""
VIDEO = "foxglove_msgs/msg/CompressedVideo"
VIDEO_DEFINITION = "builtin_interfaces/Time timestamp\nstring frame_id\nuint8[] data\nstring format\n"


@pytest.fixture(scope="module")
def packets():
    return encoded(FILM, "h264", GOP)


def compressed(data, form="h264", number=0):
    header = Header(frame_id="camera")
    header.stamp.nanosec = number
    message = CompressedImage(header=header, format=form)
    message.data.frombytes(data)
    return serialize_message(message)


def ffmpeg(data, encoding="h264;yuv420p;bgr8;bgr8", size=(128, 96), flags=1):
    store = get_typestore(Stores.ROS2_JAZZY)
    store.register(get_types_from_msg(DEFINITION, PACKET))
    types = store.types
    stamp = types["builtin_interfaces/msg/Time"](7, 8)
    header = types["std_msgs/msg/Header"](stamp, "camera")
    message = types[PACKET](header, *size, encoding, 123456789, flags, False, np.frombuffer(data, np.uint8))
    return bytes(store.serialize_cdr(message, PACKET))


def foxglove(data, form="h264"):
    store = get_typestore(Stores.ROS2_JAZZY)
    store.register(get_types_from_msg(VIDEO_DEFINITION, VIDEO))
    stamp = store.types["builtin_interfaces/msg/Time"](7, 8)
    message = store.types[VIDEO](stamp, "camera", np.frombuffer(data, np.uint8), form)
    return bytes(store.serialize_cdr(message, VIDEO))


def difference(picture, expected):
    return np.abs(picture.pixels.astype(int) - expected).mean()


def test_each_message_is_its_picture(packets):
    unpacker, reader = VideoUnpacker("video"), PictureReader()
    for number, (packet, expected) in enumerate(zip(packets, FILM, strict=True)):
        found = unpacker.unpack(compressed(packet, number=number))
        unpacker.hand_over(found)
        assert (found.header.nanosec, found.header.frame_id, found.data) == (number, "camera", packet)
        picture = reader.read(found)
        assert picture.order == "rgb"
        assert difference(picture, expected) < 6


def test_packets_that_nobody_read_are_decoded_with_the_next(packets):
    unpacker, reader = VideoUnpacker("video"), PictureReader()
    for number, (packet, expected) in enumerate(zip(packets, FILM, strict=True)):
        found = unpacker.unpack(compressed(packet))
        if number in (2, 5, 6, 12, 17):
            unpacker.hand_over(found)
            assert difference(reader.read(found), expected) < 6


def test_a_key_frame_makes_those_before_it_needless(packets):
    unpacker = VideoUnpacker("video")
    counts = [len(unpacker.unpack(compressed(packet)).packets) for packet in packets]
    assert counts == [number % GOP + 1 for number in range(len(packets))]


def test_a_video_without_key_frames_does_not_pile_up(packets, monkeypatch):
    monkeypatch.setattr(video, "MOST_WAITING", 5)
    unpacker = VideoUnpacker("video")
    assert max(len(unpacker.unpack(compressed(packets[1])).packets) for _ in range(23)) == 5


def test_after_a_packet_that_is_missing_a_key_frame_is_waited_for(packets):
    unpacker, reader = VideoUnpacker("video"), PictureReader()

    def read(number):
        found = unpacker.unpack(compressed(packets[number]))
        unpacker.hand_over(found)
        return reader.read(found)

    read(0)
    unpacker.miss()
    for number in (2, 3):
        with pytest.raises(NoKeyFrameError):
            read(number)
    assert difference(read(GOP), FILM[GOP]) < 6
    unpacker.hand_over(unpacker.unpack(compressed(packets[GOP + 1])))  # which nobody reads: nobody subscribes
    with pytest.raises(NoKeyFrameError):
        read(GOP + 2)
    with pytest.raises(ImageError, match="neither"):
        unpacker.unpack(compressed(packets[GOP + 3], form="jpeg"))
    assert difference(read(2 * GOP), FILM[2 * GOP]) < 6


@pytest.mark.parametrize(("transport", "serialize"), [("ffmpeg", ffmpeg), ("foxglove", foxglove)])
def test_packets_of_other_packages_are_read(packets, transport, serialize):
    unpacker, reader = VideoUnpacker(transport), PictureReader()
    for packet, expected in zip(packets[:4], FILM, strict=False):
        found = unpacker.unpack(serialize(packet))
        unpacker.hand_over(found)
        assert (found.header.sec, found.header.nanosec, found.header.frame_id) == (7, 8, "camera")
        assert difference(reader.read(found), expected) < 6
    for data in (serialize(packets[0])[:60], serialize(packets[0])[:-12], b"", b"\0\1\0\1"):
        with pytest.raises(ImageError, match="unpacked"):
            unpacker.unpack(data)


def test_a_packet_that_says_it_is_too_large_is_not_decoded(packets):
    unpacker, reader = VideoUnpacker("ffmpeg"), PictureReader()
    reader.max_pixels = 128 * 96
    found = unpacker.unpack(ffmpeg(packets[0], size=(1280, 960)))
    with pytest.raises(ImageError, match="1280x960"):
        reader.read(found)


def test_a_video_may_change_its_codec():
    unpacker, reader = VideoUnpacker("video"), PictureReader()
    for codec in ("h264", "hevc", "h264"):
        packet = encoded(FILM[:1], codec)[0]
        found = unpacker.unpack(compressed(packet, form=codec))
        assert difference(reader.read(found), FILM[0]) < 6


def test_without_the_package_of_the_messages_it_is_said(monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(video.importlib, "import_module", missing)
    with pytest.raises(SettingError, match="ffmpeg_image_transport_msgs is not installed") as refused:
        packet_type("ffmpeg")
    assert "ros-$ROS_DISTRO-ffmpeg-image-transport-msgs" in refused.value.remedy


def test_packets_that_nobody_decodes_take_no_memory_without_end():
    unpacker = VideoUnpacker("video")
    packet = b"\0\0\1\x41" + bytes(4 << 20)
    for number in range(40):
        waiting = unpacker.unpack(compressed(packet, number=number)).packets
    assert sum(len(each.data) for each in waiting) <= video.MOST_WAITING_BYTES
    assert waiting[-1].number == 40
    assert len(waiting) > 1


def test_a_packet_that_is_larger_than_what_may_wait_is_taken_alone(monkeypatch, packets):
    monkeypatch.setattr(video, "MOST_WAITING_BYTES", 10)
    unpacker = VideoUnpacker("video")
    assert [len(unpacker.unpack(compressed(packet)).packets) for packet in packets[:3]] == [1, 1, 1]
