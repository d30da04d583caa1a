"""Depth maps and clouds as messages that own the bytes that the pipeline writes.

A message of rclpy is fastest when its ``data`` is one ``array.array('B')`` that never changes hands. So the message is
made first, and the pipeline is given a numpy view on the message's own bytes to write into.
"""

from __future__ import annotations

import array
import math
import sys
from typing import Any

import numpy as np
import numpy.typing as npt
from sensor_msgs.msg import Image, PointCloud2, PointField
from std_msgs.msg import Header

from fastdepth_ros.messages.serialized import Origin

_FIELDS = ("x", "y", "z", "rgb")
_FLOAT = 4
_BIG_ENDIAN = sys.byteorder == "big"


class OutputMessages:
    """The depth image and the cloud that a node publishes over and over.

    :meth:`allocate` is what :class:`fastdepth_ros.pipeline.Pipeline` asks for its buffers.
    """

    def __init__(self) -> None:
        self.header = Header()
        """Of both messages."""
        self.depth = Image(header=self.header, is_bigendian=int(_BIG_ENDIAN))
        self.cloud = PointCloud2(header=self.header, is_bigendian=_BIG_ENDIAN, is_dense=False)

    def allocate(self, name: str, shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        """Size the message of an output, and give a view on its data.

        Args:
            name: ``depth``: (height, width), float32 or uint16; ``cloud``: (rows, columns, 3 or 4), float32.
            shape: as above.
            dtype: as above.
        """
        kind = np.dtype(dtype)
        data = array.array("B", bytes(math.prod(shape) * kind.itemsize))
        height, width = shape[:2]
        if name == "depth":
            self.depth.height, self.depth.width = height, width
            self.depth.step = width * kind.itemsize
            self.depth.encoding = "32FC1" if kind == np.float32 else "16UC1"
            self.depth.data = data
            return np.frombuffer(self.depth.data, kind).reshape(shape)
        fields = _FIELDS[: shape[2]]
        self.cloud.height, self.cloud.width = height, width
        self.cloud.fields = [
            PointField(name=field, offset=_FLOAT * i, datatype=PointField.FLOAT32, count=1)
            for i, field in enumerate(fields)
        ]
        self.cloud.point_step = _FLOAT * len(fields)
        self.cloud.row_step = self.cloud.point_step * width
        self.cloud.data = data
        return np.frombuffer(self.cloud.data, kind).reshape(shape)

    def stamp(self, origin: Origin) -> None:
        """Give both messages the stamp and the frame of the image that they were made from."""
        self.header.stamp.sec, self.header.stamp.nanosec, self.header.frame_id = origin
