"""Clouds of points that all have a place, as many as there are."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from rclpy.serialization import serialize_message
from std_msgs.msg import Header

from fastdepth_ros.cdr import put_stamp
from fastdepth_ros.messages.outputs import empty_cloud, with_room
from fastdepth_ros.messages.serialized import SerializedHeader

XYZ = ("x", "y", "z")


def points_message(header: SerializedHeader, points: npt.NDArray[np.float32]) -> bytearray:
    """A serialized, unorganised sensor_msgs/PointCloud2.

    Args:
        header: stamp and frame.
        points: (n, 3) x, y, z [m], all of them finite.
    """
    shape = (1, *points.shape)
    cloud, after = empty_cloud(Header(frame_id=header.frame_id), shape, points.dtype, XYZ)
    cloud.is_dense = True
    message, start = with_room(serialize_message(cloud), points.nbytes, after)
    message[start : start + points.nbytes] = points.tobytes()
    put_stamp(message, header.sec, header.nanosec)
    return message
