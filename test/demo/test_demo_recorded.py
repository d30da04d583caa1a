"""Measured depths of a recording in the demo: where their sensors are, and what goes out where tf cannot."""

import math

import numpy as np
import pytest
from anchor_messages import cloud_of, header, serialized, tf_message_of, transform_of, xyz_of
from sensor_msgs.msg import Image, LaserScan

from fastdepth_ros import cdr
from fastdepth_ros.anchoring.frames import Frames
from fastdepth_ros.anchoring.poses import IDENTITY, Pose, quaternion_of
from fastdepth_ros.demo.recorded import Recorded
from fastdepth_ros.messages.clouds import read_cloud
from fastdepth_ros.messages.tf import tf_message
from fastdepth_ros.parameters import extrinsics_of
from fastdepth_ros.recording import Recording, RecordingWriter, find_camera
from fastdepth_ros.recording.anchors import find_anchors

EYE = "eye_optical_frame"
QUARTER = (-0.5, 0.5, -0.5, 0.5)
"""An optical frame in the body frame at the same place."""
SECOND = 10**9
POINTS = np.random.default_rng(0).normal((4, 0, 0), 1, (30, 3))
FAR = POINTS + np.array((10.0, 0.0, 0.0))

pytestmark = pytest.mark.skipif(tf_message() is not None, reason="tf2_msgs is installed, so that tf itself is played")


def picture():
    message = Image(header=header(EYE), width=8, height=6, encoding="rgb8", step=24)
    message.data.frombytes(bytes(144))
    return message


def record(path, *messages):
    """A recording of (topic, seconds, message), in their order; what has a header bears its time."""
    with RecordingWriter(path) as writer:
        for topic, seconds, message in messages:
            time, kind = round(seconds * SECOND), "tf2_msgs/msg/TFMessage"
            if not isinstance(message, bytes):
                kind = f"sensor_msgs/msg/{type(message).__name__}"
                message.header.stamp.sec, message.header.stamp.nanosec = divmod(time, SECOND)
                message = serialized(message)
            writer.write(topic, kind, time, message)
    return path


def feed_of(path, extrinsics=""):
    recording = Recording.open(path)
    topics = find_camera(recording)
    return recording, Recorded(recording, topics, find_anchors(recording, topics), extrinsics)


@pytest.mark.parametrize(
    "angles", [(0.1, 0.2, 0.3), (-3.0, 1.2, 2.9), (0.0, math.pi / 2, 0.4), (0.0, -math.pi / 2, 0.0)]
)
@pytest.mark.parametrize("frame", ["laser", "tof_optical_frame"])
def test_a_sensor_that_tf_static_knows_is_placed_through_the_nodes_parameter(tmp_path, frame, angles):
    place = (0.1, -0.2, 0.3)
    sensor, eye = (
        transform_of("base", frame, place, quaternion_of(*angles)),
        transform_of("base", EYE, (0, 0, 1), QUARTER),
    )
    cloud = cloud_of(xyz_of(POINTS), header=header(frame))
    bag = record(
        tmp_path / "bag",
        ("/tf_static", 7, tf_message_of(sensor, eye)),
        ("/cam/image_raw", 7, picture()),
        ("/tof/points", 7, cloud),
    )
    recording, feed = feed_of(bag)
    with recording:
        assert feed.left_out == []
        told = Frames(extrinsics_of(feed.parameters["anchor_extrinsics"])).pose("anchors", frame, EYE, 0.0)
        true = Pose.of((0, 0, 1), QUARTER).inverse() @ Pose.of(place, quaternion_of(*angles))
        np.testing.assert_allclose(told.apply(POINTS), true.apply(POINTS), atol=1e-5)
        assert [message.topic.name for message in feed.beside(recording, ["/cam/image_raw"])] == [
            "/cam/image_raw",
            "/tof/points",
        ]


def test_points_of_the_map_go_out_in_the_cameras_frame_where_tf_cannot_be_played(tmp_path):
    fixed = tf_message_of(transform_of("base", EYE, (0.0, 0.0, 1.0), QUARTER))
    messages = [("/tf_static", 6.9, fixed)]
    for index in range(5):
        at = 7 + 0.1 * index
        drive = transform_of("map", "base", (float(index), 0.0, 0.0), sec=7, nanosec=round(0.1 * index * SECOND))
        messages += [
            ("/cam/image_raw", at, picture()),
            ("/tf", at, tf_message_of(drive)),
            ("/slam/map", at, cloud_of(xyz_of(FAR, sigma=np.full(30, 0.1)), header=header("map"))),
        ]
    recording, feed = feed_of(record(tmp_path / "bag", *messages))
    with recording:
        assert feed.left_out == []
        assert feed.parameters == {}
        assert [topic.name for topic in feed.topics] == ["/slam/map"]
        clouds = [m for m in feed.beside(recording, ["/cam/image_raw"]) if m.topic.name == "/slam/map"]
        assert len(clouds) == 5
        for index, message in enumerate(clouds):
            read = read_cloud(message.data)
            eye = Pose.of((float(index), 0, 1), QUARTER)
            assert (read.header.frame_id, cdr.stamp_of(message.data)) == (EYE, round((7 + 0.1 * index) * SECOND))
            np.testing.assert_allclose(read.xyz, eye.inverse().apply(FAR), atol=1e-4)
            np.testing.assert_allclose(np.sqrt(read.variances), 0.1, rtol=1e-4)
        shown = feed.points(round(7.2 * SECOND))
        ahead = Pose.of((2.0, 0, 1), QUARTER).inverse().apply(FAR)
        np.testing.assert_allclose(shown, ahead[ahead[:, 2] > 0], atol=1e-4)


def test_a_sensor_that_nothing_places_is_left_out_with_a_remedy(tmp_path):
    scan = LaserScan(header=header("laser"), angle_min=-0.4, angle_increment=0.01, range_max=9.0, ranges=[3.0] * 80)
    bag = record(tmp_path / "bag", ("/cam/image_raw", 7, picture()), ("/scan", 7, scan))
    recording, feed = feed_of(bag)
    with recording:
        assert feed.topics == []
        assert "/scan was left out: where laser is" in feed.left_out[0]
        assert "--anchor-extrinsics 'scan=" in feed.left_out[0]
    recording, feed = feed_of(bag, "scan=0 0 0 0 0 0")
    with recording:
        assert feed.names["/scan"] == "/scan"
        assert feed.parameters["anchor_extrinsics"] == "scan=0 0 0 0 0 0"
        assert feed.left_out == []


def test_a_sensor_in_the_cameras_own_frame_needs_no_place(tmp_path):
    bag = record(
        tmp_path / "bag", ("/cam/image_raw", 7, picture()), ("/p", 7, cloud_of(xyz_of(POINTS), header=header(EYE)))
    )
    recording, feed = feed_of(bag)
    with recording:
        assert feed.parameters == {}
        assert [topic.name for topic in feed.topics] == ["/p"]
        assert Frames({}).pose("anchors", EYE, EYE, 0.0) == IDENTITY
