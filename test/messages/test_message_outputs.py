"""Depth and cloud messages own the bytes that the pipeline writes, and are those that rclpy would make."""

from __future__ import annotations

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import Image, PointCloud2, PointField
from std_msgs.msg import Header

from fastdepth_ros.cloud import RGB, SIGMA, XYZ
from fastdepth_ros.messages.output_topics import PIPELINE_OUTPUTS
from fastdepth_ros.messages.outputs import OutputMessages
from fastdepth_ros.pipeline import OUTPUTS


@pytest.mark.parametrize(("dtype", "encoding"), [(np.float32, "32FC1"), (np.uint16, "16UC1")])
def test_what_is_written_into_the_buffer_is_in_the_depth_image(dtype, encoding):
    messages = OutputMessages("eye")
    view = messages.allocate("depth", (3, 5), dtype)
    view[:] = np.arange(15).reshape(3, 5)
    image = deserialize_message(bytes(messages["depth"]), Image)
    assert (image.height, image.width, image.encoding, image.is_bigendian) == (3, 5, encoding, 0)
    assert image.step == 5 * view.itemsize
    assert len(image.data) == image.step * image.height
    assert np.array_equal(np.array(image.data, np.uint8).view(dtype), np.arange(15))


@pytest.mark.parametrize(
    ("channels", "names"), [(3, [*XYZ]), (4, [*XYZ, RGB]), (4, [*XYZ, SIGMA]), (5, [*XYZ, RGB, SIGMA])]
)
def test_the_cloud_is_organised_and_names_its_fields(channels, names):
    messages = OutputMessages("eye")
    view = messages.allocate("cloud", (2, 3, channels), np.float32, tuple(names))
    view[:] = np.arange(6 * channels).reshape(2, 3, channels)
    cloud = deserialize_message(bytes(messages["cloud"]), PointCloud2)
    assert (cloud.height, cloud.width, cloud.is_dense, cloud.is_bigendian) == (2, 3, False, False)
    assert [field.name for field in cloud.fields] == names
    assert [field.offset for field in cloud.fields] == [4 * i for i in range(channels)]
    assert {(field.datatype, field.count) for field in cloud.fields} == {(PointField.FLOAT32, 1)}
    assert (cloud.point_step, cloud.row_step) == (4 * channels, 12 * channels)
    assert np.array_equal(np.array(cloud.data, np.uint8).view(np.float32), np.arange(6 * channels))


def test_what_is_no_output_is_no_cloud_either():
    messages = OutputMessages("eye")
    for name in ("camera_info", "scaled metres"):
        with pytest.raises(ValueError, match=name):
            messages.allocate(name, (2, 2, 3), np.float32, XYZ)
    with pytest.raises(ValueError, match="4 numbers has no fields x, y, z"):
        messages.allocate("cloud", (2, 2, 4), np.float32, XYZ)


def test_the_pipeline_makes_what_the_table_of_topics_says():
    assert [output.name for output in PIPELINE_OUTPUTS] == list(OUTPUTS)


def test_both_carry_the_header_of_their_image():
    messages = OutputMessages("eye")
    messages.stamp(1, 2)  # of nothing
    messages.allocate("depth", (2, 2), np.float32)
    messages.allocate("cloud", (2, 2, 3), np.float32, XYZ)
    for sec in (7, -8):
        messages.stamp(sec, 5)
        depth, cloud = deserialize_message(bytes(messages["depth"]), Image), bytes(messages["cloud"])
        header = Header(frame_id="eye", stamp=Time(sec=sec, nanosec=5))
        assert depth.header == deserialize_message(cloud, PointCloud2).header == header


@pytest.mark.parametrize("frame_id", ["", "eye", "camera_optical", "café"])
@pytest.mark.parametrize("width", [1, 2, 3, 5])
def test_they_are_as_long_as_what_rclpy_serializes_and_say_the_same(frame_id, width):
    messages = OutputMessages(frame_id)
    views = [
        messages.allocate("depth", (3, width), np.uint16),
        messages.allocate("cloud", (2, width, 4), np.float32, (*XYZ, RGB)),
    ]
    for view in views:
        assert view.flags.aligned
        view[:] = np.random.default_rng(width).uniform(0, 1000, view.shape)
    messages.stamp(12, 34)
    for message, kind, view in zip((messages["depth"], messages["cloud"]), (Image, PointCloud2), views, strict=True):
        read = deserialize_message(bytes(message), kind)
        assert len(message) == len(serialize_message(read))
        assert read.header == Header(frame_id=frame_id, stamp=Time(sec=12, nanosec=34))
        assert bytes(read.data) == view.tobytes()
