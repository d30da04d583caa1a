"""Messages that measured depths come in, as drivers send them. Their header is the caller's."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Vector3
from sensor_msgs.msg import CameraInfo, Image, Imu, LaserScan, PointCloud2, PointField, Range
from std_msgs.msg import Header

from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.messages.motion import GRAVITY
from fastdepth_ros.millimetres import millimetres

Floats = npt.NDArray[np.floating[Any]]

RANGE_MIN, RANGE_MAX = 0.02, 100.0
"""Reach that scans and ranges name [m]."""


def header(stamp: int, frame_id: str) -> Header:
    """A header with a stamp [ns]."""
    sec, nanosec = divmod(stamp, 1_000_000_000)
    return Header(stamp=Time(sec=sec, nanosec=nanosec), frame_id=frame_id)


def cloud(head: Header, points: Floats, sigmas: Floats | None = None) -> PointCloud2:
    """Points (n, 3) [m], and their standard deviations (n,) [m] where they are known."""
    columns = points if sigmas is None else np.column_stack((points, sigmas))
    names = ("x", "y", "z", "sigma")[: columns.shape[1]]
    fields = [PointField(name=n, offset=4 * i, datatype=PointField.FLOAT32, count=1) for i, n in enumerate(names)]
    step = 4 * len(names)
    message = PointCloud2(header=head, height=1, width=len(columns), fields=fields, is_dense=True)
    message.point_step, message.row_step = step, step * len(columns)
    message.data.frombytes(np.ascontiguousarray(columns, "<f4").tobytes())
    return message


def scan(head: Header, first: float, increment: float, ranges: Floats) -> LaserScan:
    """A planar lidar's ranges (n,) [m] from an angle on [rad]; infinite is "nothing there" (REP-117)."""
    message = LaserScan(header=head, angle_min=first, angle_increment=increment)
    message.angle_max = first + increment * (len(ranges) - 1)
    message.range_min, message.range_max = RANGE_MIN, RANGE_MAX
    message.ranges.frombytes(np.ascontiguousarray(ranges, np.float32).tobytes())
    return message


def single_range(head: Header, distance: float, field_of_view: float) -> Range:
    """A ranger's distance [m]; its cone is so wide [rad]."""
    message = Range(header=head, radiation_type=Range.ULTRASOUND, field_of_view=field_of_view)
    message.min_range, message.max_range, message.range = RANGE_MIN, RANGE_MAX, distance
    return message


def depth_image(head: Header, depth: Floats) -> Image:
    """Depth (h, w) [m] in millimetres; 0 is "no answer"."""
    height, width = depth.shape
    message = Image(header=head, height=height, width=width, encoding="16UC1", step=2 * width)
    message.data.frombytes(millimetres(depth).astype("<u2").tobytes())
    return message


def camera_info(head: Header, camera: Intrinsics) -> CameraInfo:
    """The CameraInfo of an undistorted, unrotated camera."""
    k = [camera.fx, 0.0, camera.cx, 0.0, camera.fy, camera.cy, 0.0, 0.0, 1.0]
    message = CameraInfo(header=head, width=camera.width, height=camera.height, distortion_model="plumb_bob", k=k)
    message.d, message.r = [0.0] * 5, [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    message.p = [*k[:3], 0.0, *k[3:6], 0.0, *k[6:], 0.0]
    return message


def inertial(head: Header, down: Floats) -> Imu:
    """An inertial unit without orientation, at rest; down is a unit vector (3,) in its frame."""
    x, y, z = (-GRAVITY * float(each) for each in down)
    message = Imu(header=head, linear_acceleration=Vector3(x=x, y=y, z=z))
    message.orientation_covariance[0] = -1.0
    return message
