"""Depth maps and clouds as messages that are published over and over: serialized once, then written into in place.

The bytes around the pixels hardly ever change. So rclpy serializes a message without any, room for them is made in its
bytes, and the pipeline is given a numpy view on that room. A new answer needs a new stamp, and no copy before rclpy's.
"""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np
import numpy.typing as npt
from rclpy.serialization import serialize_message
from sensor_msgs.msg import Image, PointCloud2, PointField
from std_msgs.msg import Header

from fastdepth_ros.cdr import put_length, put_stamp

_FIELDS = ("x", "y", "z", "rgb")
_FLOAT = 4
_LENGTH = 4
_IS_DENSE = 1
_BIG_ENDIAN = sys.byteorder == "big"


class OutputMessages:
    """The depth image, its uncertainty and the cloud that a node publishes, serialized.

    :meth:`allocate` is what :class:`fastdepth_ros.pipeline.Pipeline` asks for its buffers.

    Args:
        frame_id: of all.

    Attributes:
        depth, uncertainty, cloud: the messages; empty before they were allocated.
    """

    def __init__(self, frame_id: str) -> None:
        self.frame_id = frame_id
        self.depth, self.uncertainty, self.cloud = bytearray(), bytearray(), bytearray()

    def allocate(self, name: str, shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        """Make the message of an output, and give a view on its data.

        Args:
            name: ``depth``: (height, width), float32 or uint16; ``uncertainty``: (height, width), float32; ``cloud``:
                (rows, columns, 3 or 4), float32; ``cloud sigma``: (rows, columns, 4 or 5), float32, the last is sigma.
            shape: as above.
            dtype: as above.
        """
        kind, header = np.dtype(dtype), Header(frame_id=self.frame_id)
        height, width = shape[:2]
        room = math.prod(shape) * kind.itemsize
        if name in ("depth", "uncertainty"):
            encoding, step = "32FC1" if kind == np.float32 else "16UC1", width * kind.itemsize
            image = Image(header=header, height=height, width=width, encoding=encoding, step=step)
            image.is_bigendian = int(_BIG_ENDIAN)
            message, start = _with_room(serialize_message(image), room)
            setattr(self, name, message)
            return np.frombuffer(message, kind, math.prod(shape), start).reshape(shape)
        names = (*_FIELDS[: shape[2] - 1], "sigma") if name == "cloud sigma" else _FIELDS[: shape[2]]
        fields = [
            PointField(name=field, offset=_FLOAT * i, datatype=PointField.FLOAT32, count=1)
            for i, field in enumerate(names)
        ]
        point_step = _FLOAT * len(fields)
        cloud = PointCloud2(header=header, height=height, width=width, fields=fields, is_dense=False)
        cloud.is_bigendian, cloud.point_step, cloud.row_step = _BIG_ENDIAN, point_step, point_step * width
        self.cloud, start = _with_room(serialize_message(cloud), room, _IS_DENSE)
        return np.frombuffer(self.cloud, kind, math.prod(shape), start).reshape(shape)

    def stamp(self, sec: int, nanosec: int) -> None:
        """Give all messages the stamp of the image that they were made from."""
        for message in (self.depth, self.uncertainty, self.cloud):
            if message:
                put_stamp(message, sec, nanosec)


def _with_room(empty: bytes, room: int, after: int = 0) -> tuple[bytearray, int]:
    """A serialized message with so many bytes of data, and where they begin.

    Args:
        empty: the message without data.
        room: how many bytes of data [B].
        after: how many bytes follow them [B].
    """
    start = len(empty) - after
    message = bytearray(len(empty) + room)
    message[:start] = empty[:start]
    message[start + room :] = empty[start:]
    put_length(message, start - _LENGTH, room)
    return message, start
