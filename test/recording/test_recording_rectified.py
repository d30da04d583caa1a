"""A recording of rectified pictures may be played as `image`: then its camera_info says that nothing bends them."""

from __future__ import annotations

import numpy as np
import pytest
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import CameraInfo

from fastdepth_ros.messages.camera_info import seen_camera
from fastdepth_ros.messages.serialized import unpack_camera_info
from fastdepth_ros.recording import Topic
from fastdepth_ros.recording.rectified import told_apart, without_distortion

IMAGE, INFO = "sensor_msgs/msg/Image", "sensor_msgs/msg/CameraInfo"


def camera_info(**fields):
    info = CameraInfo(width=640, height=480, distortion_model="plumb_bob", d=[-0.3, 0.1, 0.0, 0.0, 0.0], **fields)
    info.header.frame_id, info.header.stamp.sec, info.header.stamp.nanosec = "eye", 12, 34
    info.k = [520.0, 0.0, 319.0, 0.0, 521.0, 239.0, 0.0, 0.0, 1.0]
    info.p = [500.0, 0.0, 318.0, -9.0, 0.0, 501.0, 238.0, 0.0, 0.0, 0.0, 1.0, 0.0]
    return info


def topic(name, kind):
    return Topic(name, kind, 1)


def test_such_a_camera_info_is_that_of_a_pinhole():
    original = camera_info(binning_x=2, binning_y=2)
    data = without_distortion(serialize_message(original))
    info = deserialize_message(data, CameraInfo)
    assert info.header == original.header
    assert not np.any(info.d)
    assert (info.k[0], info.k[2], list(info.p)) == (500.0, 318.0, list(original.p))
    expected = seen_camera(unpack_camera_info(serialize_message(original)), rectified=True)
    assert seen_camera(unpack_camera_info(data), rectified=False) == expected._replace(distortion="")


def test_others_stay_as_they_are():
    plain = camera_info()
    plain.d = [0.0] * 5
    for data in (serialize_message(plain), b"", b"\0\1\0\0broken"):
        assert without_distortion(data) == data


@pytest.mark.parametrize(
    ("recorded", "published", "rewritten"),
    [
        ("/cam/image_rect", "/image", {"/cam/camera_info"}),
        ("/cam/image_rect", "/front/image_rect", set()),
        ("/cam/image_raw", "/image", set()),
    ],
)
def test_only_pictures_that_lose_their_name_need_it(recorded, published, rewritten):
    topics = [topic(recorded, IMAGE), topic("/cam/camera_info", INFO), topic("/tof/camera_info", INFO)]
    assert told_apart(topics, {recorded: published}, ["/tof/camera_info"]) == rewritten
    assert told_apart(topics, {}, ()) == set()
