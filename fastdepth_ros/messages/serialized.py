"""A camera's images as DDS brings them: fields by name, the pixels left where they are.

rclpy copies the pixels of a message twice on their way into a Python object; of a serialized message, once.
"""

from __future__ import annotations

from typing import NamedTuple

from builtin_interfaces.msg import Time
from std_msgs.msg import Header

from fastdepth_ros.cdr import Fields
from fastdepth_ros.errors import ImageError


class SerializedImage(NamedTuple):
    """A sensor_msgs/Image; every field as there, but ``data`` is a read-only view."""

    header: Header
    height: int
    width: int
    encoding: str
    is_bigendian: int
    step: int
    data: memoryview


class SerializedCompressedImage(NamedTuple):
    """A sensor_msgs/CompressedImage; every field as there, but ``data`` is a read-only view."""

    header: Header
    format: str
    data: memoryview


def image_in(serialized: bytes) -> SerializedImage:
    """The fields of a serialized sensor_msgs/Image, to which the bytes belong from now on.

    Raises:
        ImageError: it ends early, or is encapsulated in a way that is not known.
    """
    try:
        fields = Fields(serialized)
        return SerializedImage(
            _header(fields),
            height=fields.word(),
            width=fields.word(),
            encoding=fields.string(),
            is_bigendian=fields.byte(),
            step=fields.word(),
            data=fields.sequence(),
        )
    except ValueError as error:
        raise _cannot("image", error) from error


def compressed_image_in(serialized: bytes) -> SerializedCompressedImage:
    """The fields of a serialized sensor_msgs/CompressedImage, to which the bytes belong from now on.

    Raises:
        ImageError: as :func:`image_in`.
    """
    try:
        fields = Fields(serialized)
        return SerializedCompressedImage(_header(fields), format=fields.string(), data=fields.sequence())
    except ValueError as error:
        raise _cannot("compressed image", error) from error


def _header(fields: Fields) -> Header:
    stamp = Time(sec=fields.signed(), nanosec=fields.word())
    return Header(stamp=stamp, frame_id=fields.string())


def _cannot(what: str, error: ValueError) -> ImageError:
    return ImageError(f"the {what} message cannot be unpacked ({error})", "Check who publishes it, and by which DDS.")
