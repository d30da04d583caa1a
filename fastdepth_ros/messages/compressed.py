"""Compressed images that are published: all but their bytes is serialized once."""

from __future__ import annotations

from functools import lru_cache

from rclpy.serialization import serialize_message
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import Header

from fastdepth_ros.cdr import put_length, put_stamp
from fastdepth_ros.messages.serialized import SerializedHeader

_LENGTH = 4


def compressed_image(header: SerializedHeader, form: str, data: bytes) -> bytearray:
    """A serialized sensor_msgs/CompressedImage.

    Args:
        header: stamp and frame.
        form: ``format`` of the message.
        data: of the file.
    """
    message = bytearray(_head(header.frame_id, form))
    put_stamp(message, header.sec, header.nanosec)
    put_length(message, len(message) - _LENGTH, len(data))
    message += data
    return message


@lru_cache(8)
def _head(frame_id: str, form: str) -> bytes:
    """A message without data: the last four bytes are the length of that."""
    return bytes(serialize_message(CompressedImage(header=Header(frame_id=frame_id), format=form)))
