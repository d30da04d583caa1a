"""Scans and points are the messages that rclpy would make."""

from __future__ import annotations

import numpy as np
import pytest
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import CompressedImage, LaserScan, PointCloud2

from fastdepth_ros.messages.compressed import compressed_image
from fastdepth_ros.messages.laser_scan import LaserScanMessage
from fastdepth_ros.messages.points import points_message
from fastdepth_ros.messages.serialized import SerializedHeader


@pytest.mark.parametrize("frame", ["", "base", "base_footprint"])
@pytest.mark.parametrize("count", [0, 1, 5])
def test_ranges_stand_in_the_scan(frame, count):
    message = LaserScanMessage(frame, -0.5, 0.25, count, 0.1, 10.0)
    message.ranges[:] = np.arange(count)
    message.stamp(7, 250_000_000)
    message.stamp(7, 500_000_000)
    scan = deserialize_message(bytes(message.bytes), LaserScan)
    assert (scan.header.frame_id, scan.header.stamp.sec, scan.header.stamp.nanosec) == (frame, 7, 500_000_000)
    assert (scan.angle_min, scan.angle_increment) == (-0.5, 0.25)
    assert scan.angle_max == pytest.approx(-0.5 + 0.25 * max(0, count - 1))
    assert (scan.range_min, scan.range_max, scan.time_increment) == (pytest.approx(0.1), 10.0, 0.0)
    assert scan.scan_time == 0.25
    assert list(scan.ranges) == list(range(count))
    assert len(scan.intensities) == 0


@pytest.mark.parametrize("count", [0, 1, 7])
def test_points_stand_in_a_cloud_without_order(count):
    points = np.arange(3 * count, dtype=np.float32).reshape(count, 3)
    cloud = deserialize_message(bytes(points_message(SerializedHeader(3, 4, "eye"), points)), PointCloud2)
    assert (cloud.header.frame_id, cloud.header.stamp.sec, cloud.header.stamp.nanosec) == ("eye", 3, 4)
    assert (cloud.height, cloud.width, cloud.is_dense) == (1, count, True)
    assert (cloud.point_step, cloud.row_step) == (12, 12 * count)
    np.testing.assert_array_equal(np.array(cloud.data, np.uint8).view(np.float32), points.ravel())


@pytest.mark.parametrize("data", [b"", b"abc", bytes(100)])
def test_a_files_bytes_stand_in_a_compressed_image(data):
    made = compressed_image(SerializedHeader(3, 4, "an_eye"), "16UC1; compressedDepth rvl", data)
    message = deserialize_message(bytes(made), CompressedImage)
    assert (message.header.frame_id, message.header.stamp.sec, message.header.stamp.nanosec) == ("an_eye", 3, 4)
    assert message.format == "16UC1; compressedDepth rvl"
    assert bytes(message.data) == data
