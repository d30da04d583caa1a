"""Depth and cloud messages own the bytes that the pipeline writes."""

from __future__ import annotations

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from sensor_msgs.msg import PointField
from std_msgs.msg import Header

from fastdepth_ros.messages.outputs import OutputMessages
from fastdepth_ros.messages.serialized import Origin


@pytest.mark.parametrize(("dtype", "encoding"), [(np.float32, "32FC1"), (np.uint16, "16UC1")])
def test_what_is_written_into_the_buffer_is_in_the_depth_image(dtype, encoding):
    messages = OutputMessages()
    view = messages.allocate("depth", (3, 5), dtype)
    view[:] = np.arange(15).reshape(3, 5)
    image = messages.depth
    assert (image.height, image.width, image.encoding, image.is_bigendian) == (3, 5, encoding, 0)
    assert image.step == 5 * view.itemsize
    assert len(image.data) == image.step * image.height
    assert np.array_equal(np.array(image.data, np.uint8).view(dtype), np.arange(15))


@pytest.mark.parametrize(("channels", "names"), [(3, ["x", "y", "z"]), (4, ["x", "y", "z", "rgb"])])
def test_the_cloud_is_organised_and_names_its_fields(channels, names):
    messages = OutputMessages()
    view = messages.allocate("cloud", (2, 3, channels), np.float32)
    view[:] = np.arange(6 * channels).reshape(2, 3, channels)
    cloud = messages.cloud
    assert (cloud.height, cloud.width, cloud.is_dense, cloud.is_bigendian) == (2, 3, False, False)
    assert [field.name for field in cloud.fields] == names
    assert [field.offset for field in cloud.fields] == [4 * i for i in range(channels)]
    assert {(field.datatype, field.count) for field in cloud.fields} == {(PointField.FLOAT32, 1)}
    assert (cloud.point_step, cloud.row_step) == (4 * channels, 12 * channels)
    assert np.array_equal(np.array(cloud.data, np.uint8).view(np.float32), np.arange(6 * channels))


def test_both_carry_the_header_of_their_image():
    messages = OutputMessages()
    for frame_id, sec in (("eye", 7), ("other", 8)):
        messages.stamp(Origin(sec, 5, frame_id))
        header = Header(frame_id=frame_id, stamp=Time(sec=sec, nanosec=5))
        assert messages.depth.header == messages.cloud.header == messages.header == header
