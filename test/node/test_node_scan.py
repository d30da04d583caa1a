"""Scan and obstacles lie where tf says that the camera is."""

from __future__ import annotations

import numpy as np
import pytest
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import LaserScan, PointCloud2

from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.errors import AnchorError
from fastdepth_ros.messages.serialized import SerializedHeader
from fastdepth_ros.node.robot_frames import RobotFrames
from fastdepth_ros.node.scan import Obstacles, Scans
from fastdepth_ros.parameters import validate

SEEN = Intrinsics(224, 224, 200.0, 268.0, 111.5, 111.5)
WALL = np.full((112, 112), 2.0, np.float32)
OPTICAL = (-0.5, 0.5, -0.5, 0.5)
"""An optical frame in a body frame that looks the same way: x y z w."""
HEADER = SerializedHeader(100, 0, "eye")


@pytest.fixture
def frames(robot):
    """A camera 0.3 m before the middle of a robot and 0.5 m above the floor."""
    frames = RobotFrames(robot.subscriber)
    frames.frames.buffer.put("base_footprint", "base_link", 100.0, (0.0, 0.0, 0.1), (0.0, 0.0, 0.0, 1.0), True)
    frames.frames.buffer.put("base_link", "eye", 100.0, (0.3, 0.0, 0.4), OPTICAL, True)
    return frames


def scan_of(frames: RobotFrames, **parameters: object) -> LaserScan:
    frames.look_anew()
    made = Scans().make(WALL, SEEN, validate(parameters), HEADER, frames)
    return deserialize_message(bytes(made), LaserScan)


def ahead(scan: LaserScan) -> float:
    """The range to the front."""
    return scan.ranges[round(-scan.angle_min / scan.angle_increment)]


def test_the_scan_lies_in_the_floors_frame(frames):
    scan = scan_of(frames, floor_frame="base_footprint")
    assert scan.header.frame_id == "base_footprint"
    assert ahead(scan) == pytest.approx(2.3, abs=0.01)
    assert (scan.header.stamp.sec, scan.header.stamp.nanosec) == (100, 0)


def test_the_scan_lies_in_another_frame_where_one_is_named(frames):
    frames.frames.buffer.put("base_link", "laser", 100.0, (0.5, 0.0, 0.2), (0.0, 0.0, 0.0, 1.0), True)
    scan = scan_of(frames, floor_frame="base_footprint", scan_output_frame="laser")
    assert scan.header.frame_id == "laser"
    assert ahead(scan) == pytest.approx(1.8, abs=0.01)


def test_heights_are_counted_from_the_floor_and_not_from_the_scans_frame(frames):
    """The wall's lowest cell is 0.5 - 0.41 * 2 m above the floor, its highest 0.5 + 0.41 * 2."""
    every = np.array(scan_of(frames, floor_frame="base_footprint", obstacle_max_height=20.0).ranges)
    assert np.isfinite(every).sum() > 80
    above = np.array(
        scan_of(frames, floor_frame="base_footprint", obstacle_min_height=1.4, obstacle_max_height=20.0).ranges
    )
    assert not np.isfinite(above).any()
    assert np.isposinf(above[len(above) // 2])


def test_the_scan_follows_a_camera_whose_place_changes(frames):
    """Tables and places are kept while nothing moves, and not longer."""
    scans, buffer = Scans(), frames.frames.buffer
    parameters = validate({"floor_frame": "base_footprint", "scan_output_frame": "base_link"})
    for before, lift, floor in ((0.3, 0.4, 0.1), (0.3, 0.4, 0.1), (0.5, 0.4, 0.1), (0.5, 0.4, 0.9), (0.3, 0.4, 0.1)):
        buffer.put("base_footprint", "base_link", 100.0, (0.0, 0.0, floor), (0.0, 0.0, 0.0, 1.0), True)
        buffer.put("base_link", "eye", 100.0, (before, 0.0, lift), OPTICAL, True)
        frames.look_anew()
        scan = deserialize_message(bytes(scans.make(WALL, SEEN, parameters, HEADER, frames)), LaserScan)
        assert ahead(scan) == pytest.approx(2.0 + before, abs=0.01)
        alone = scan_of(frames, floor_frame="base_footprint", scan_output_frame="base_link")
        np.testing.assert_array_equal(scan.ranges, alone.ranges)


def test_without_tf_the_scan_is_the_cameras_own(frames):
    scan = scan_of(frames, camera_height=0.5, scan_output_frame="camera_link")
    assert scan.header.frame_id == "camera_link"
    assert ahead(scan) == pytest.approx(2.0, abs=0.01)


@pytest.mark.parametrize(
    ("parameters", "words"),
    [
        ({}, "floor_frame"),
        ({"camera_height": 0.5}, "scan_output_frame"),
        ({"floor_frame": "map"}, "no tf between eye and map"),
        ({"floor_frame": "base_footprint", "scan_output_frame": "nowhere"}, "no tf between eye and nowhere"),
        ({"floor_frame": "base_footprint", "scan_output_frame": "eye"}, "eye, which is not level"),
        ({"camera_height": 0.5, "camera_pitch": 1.5707, "scan_output_frame": "eye"}, "straight down"),
        ({"camera_height": 0.5, "scan_output_frame": "eye", "obstacle_min_height": 19.0, "obstacle_max_height": 20.0,
          "obstacle_range_max": 1.0}, "nothing from 19 to 20 m"),
    ],
)  # fmt: skip
def test_what_is_missing_is_said(frames, parameters, words):
    with pytest.raises(AnchorError, match=words):
        scan_of(frames, **parameters)


def test_tables_are_kept_while_the_camera_hardly_moves(frames):
    scans, parameters = Scans(), validate({"floor_frame": "base_footprint"})

    def kept(height: float) -> object:
        frames.frames.buffer.put("base_link", "eye", 100.0, (0.3, 0.0, height), OPTICAL, True)
        frames.look_anew()
        scans.make(WALL, SEEN, parameters, HEADER, frames)
        return scans._known[4]

    first = kept(0.4)
    assert kept(0.402) is first
    assert kept(0.41) is not first


def test_obstacles_are_in_the_cameras_own_frame(frames):
    frames.look_anew()
    made = Obstacles().make(WALL, SEEN, validate({"floor_frame": "base_footprint"}), HEADER, frames)
    cloud = deserialize_message(bytes(made), PointCloud2)
    points = np.frombuffer(cloud.data, np.float32).reshape(-1, 3)
    assert cloud.header.frame_id == "eye"
    assert (points[:, 2] == 2.0).all()
    assert 0.5 - points[:, 1].max() == pytest.approx(0.1, abs=0.02)
    assert 0.5 - points[:, 1].min() == pytest.approx(1.0, abs=0.02)
