"""LaserScan that is published over and over: serialized once, then written into in place."""

from __future__ import annotations

import struct
import sys

import numpy as np
import numpy.typing as npt
from rclpy.serialization import serialize_message
from sensor_msgs.msg import LaserScan
from std_msgs.msg import Header

from fastdepth_ros.cdr import put_stamp
from fastdepth_ros.messages.outputs import with_room

_FLOAT = 4
_INTENSITIES = 4
"""Bytes behind the ranges: the length of a sequence that is empty."""
_BEFORE_RANGES = 16
"""Bytes from scan_time to the ranges: it, two limits and the length of what follows."""
_ORDER = ">" if sys.byteorder == "big" else "<"


class LaserScanMessage:
    """A serialized sensor_msgs/LaserScan.

    Args:
        frame_id: of the scan.
        angle_min, angle_increment: of the first ray, and from ray to ray [rad].
        count: of rays.
        range_min, range_max: limits of its ranges [m].

    Attributes:
        bytes: of the message.
        ranges: (count,) [m], to be written into.
    """

    def __init__(
        self,
        frame_id: str,
        angle_min: float,
        angle_increment: float,
        count: int,
        range_min: float,
        range_max: float,
    ) -> None:
        scan = LaserScan(
            header=Header(frame_id=frame_id),
            angle_min=angle_min,
            angle_max=angle_min + angle_increment * max(0, count - 1),
            angle_increment=angle_increment,
            range_min=range_min,
            range_max=range_max,
        )
        self.bytes, self._start = with_room(serialize_message(scan), _FLOAT * count, _INTENSITIES, count)
        self.ranges: npt.NDArray[np.float32] = np.frombuffer(self.bytes, np.float32, count, self._start)
        self._before: float | None = None

    def stamp(self, sec: int, nanosec: int) -> None:
        """Give the message a stamp, and the time since the last one as ``scan_time``; 0 with the first."""
        put_stamp(self.bytes, sec, nanosec)
        now = sec + nanosec * 1e-9
        passed = 0.0 if self._before is None else max(0.0, now - self._before)
        self._before = now
        struct.pack_into(_ORDER + "f", self.bytes, self._start - _BEFORE_RANGES, passed)
