"""Answers as messages that are published over and over: serialized once, then written into in place.

The bytes around the pixels hardly ever change. So rclpy serializes a message without any, room for them is made in its
bytes, and the pipeline is given a numpy view on that room. A new answer needs a new stamp, and no copy before rclpy's.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from rclpy.serialization import serialize_message
from sensor_msgs.msg import Image, PointCloud2, PointField
from std_msgs.msg import Header

from fastdepth_ros.cdr import put_length, stamp_writer
from fastdepth_ros.messages.output_topics import PIPELINE_OUTPUTS

_FLOAT = 4
_LENGTH = 4
_IS_DENSE = 1
_BIG_ENDIAN = sys.byteorder == "big"
_KINDS = {output.name: output.message for output in PIPELINE_OUTPUTS}


class OutputMessages:
    """The answers that a node publishes, serialized, by their names in :data:`~.output_topics.PIPELINE_OUTPUTS`.

    :meth:`allocate` is what :class:`fastdepth_ros.pipeline.Pipeline` asks for its buffers.

    Args:
        frame_id: of all.
    """

    def __init__(self, frame_id: str) -> None:
        self.frame_id = frame_id
        self._messages = {name: bytearray() for name in _KINDS}
        self._stamps: dict[str, Callable[[int, int], None]] = {}

    def __getitem__(self, name: str) -> bytearray:
        """A message; empty before it was allocated."""
        return self._messages[name]

    def allocate(
        self, name: str, shape: tuple[int, ...], dtype: npt.DTypeLike, fields: tuple[str, ...] = ()
    ) -> npt.NDArray[Any]:
        """Make the message of an output, and give a view on its data.

        Args:
            name: of an image: (height, width), float32 or uint16; of a cloud: (rows, columns, fields), float32.
            shape: as above.
            dtype: as above.
            fields: names of a point's fields, in the order of the last axis.

        Raises:
            ValueError: there is no such output, or a cloud has not as many fields as its last axis.
        """
        kind, make = np.dtype(dtype), _EMPTY.get(_KINDS.get(name))
        if make is None:
            raise ValueError(f"no output of the pipeline is called {name}")
        empty, after = make(Header(frame_id=self.frame_id), shape, kind, fields)
        message, start = with_room(serialize_message(empty), math.prod(shape) * kind.itemsize, after)
        self._messages[name], self._stamps[name] = message, stamp_writer(message)
        return np.frombuffer(message, kind, math.prod(shape), start).reshape(shape)

    def stamp(self, sec: int, nanosec: int) -> None:
        """Give all messages the stamp of the image that they were made from."""
        for write in self._stamps.values():
            write(sec, nanosec)


def _image(
    header: Header,
    shape: tuple[int, ...],
    kind: np.dtype[Any],
    fields: tuple[str, ...],  # noqa: ARG001
) -> tuple[Image, int]:
    """An image without pixels, and how many bytes follow them."""
    (height, width), encoding = shape, "32FC1" if kind == np.float32 else "16UC1"
    image = Image(header=header, height=height, width=width, encoding=encoding, step=width * kind.itemsize)
    image.is_bigendian = int(_BIG_ENDIAN)
    return image, 0


def empty_cloud(
    header: Header,
    shape: tuple[int, ...],
    kind: np.dtype[Any],  # noqa: ARG001
    fields: tuple[str, ...],
) -> tuple[PointCloud2, int]:
    """A cloud without points, and how many bytes follow them; not all of its points are to be numbers."""
    height, width, numbers = shape
    if len(fields) != numbers:
        raise ValueError(f"a point of {numbers} numbers has no fields {', '.join(fields) or 'at all'}")
    described = [
        PointField(name=field, offset=_FLOAT * i, datatype=PointField.FLOAT32, count=1)
        for i, field in enumerate(fields)
    ]
    cloud = PointCloud2(header=header, height=height, width=width, fields=described, is_dense=False)
    cloud.is_bigendian, cloud.point_step, cloud.row_step = _BIG_ENDIAN, _FLOAT * numbers, _FLOAT * numbers * width
    return cloud, _IS_DENSE


_EMPTY: dict[Any, Any] = {Image: _image, PointCloud2: empty_cloud}
"""Type of message -> makes one without data: (header, shape, dtype, fields) -> (message, bytes behind the data)."""


def with_room(empty: bytes, room: int, after: int = 0, items: int | None = None) -> tuple[bytearray, int]:
    """A serialized message with so many bytes of data, and where they begin.

    Args:
        empty: the message without data.
        room: how many bytes of data [B].
        after: how many bytes follow them [B].
        items: how many items they are; None is one a byte.
    """
    start = len(empty) - after
    message = bytearray(len(empty) + room)
    message[:start] = empty[:start]
    message[start + room :] = empty[start:]
    put_length(message, start - _LENGTH, room if items is None else items)
    return message, start
