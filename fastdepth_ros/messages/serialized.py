"""A camera's messages as DDS brings them: fields by name, the pixels left where they are.

rclpy copies the pixels of a message twice on their way into a Python object; of a serialized message, once. The bytes
between stamp and pixels hardly ever change, and are unpacked only when they do.
"""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

from fastdepth_ros.cdr import STAMP, STAMP_ENDS, Fields
from fastdepth_ros.errors import CalibrationError, ImageError, shortened

LONGEST_NAME = 255
"""Bytes of a frame_id, which goes into every answer, and of an encoding or format, which is remembered."""


MOST_COEFFICIENTS = 1000
"""Numbers of D; the longest model that is known has 14, and each of millions would cost memory."""


class SerializedHeader(NamedTuple):
    """A std_msgs/Header: its fields, but the stamp's stand in it."""

    sec: int
    nanosec: int
    frame_id: str

    @property
    def seconds(self) -> float:
        """The stamp [s]."""
        return self.sec + self.nanosec * 1e-9


NOWHEN = SerializedHeader(0, 0, "")
"""Header of a picture that is no message's."""


class SerializedImage(NamedTuple):
    """A sensor_msgs/Image: its fields, but ``data`` is a read-only view."""

    header: SerializedHeader
    data: memoryview
    height: int
    width: int
    encoding: str
    is_bigendian: int
    step: int


class SerializedCompressedImage(NamedTuple):
    """A sensor_msgs/CompressedImage: its fields, but ``data`` is a read-only view."""

    header: SerializedHeader
    data: memoryview
    format: str

    def __str__(self) -> str:
        """Name of it in an error: made when there is one, as the text costs microseconds."""
        return f"the compressed image ({shortened(self.format) or 'no format'}, {len(self.data)} bytes)"


class RegionOfInterest(NamedTuple):
    """The part of the sensor that was read, in its pixels."""

    x_offset: int
    y_offset: int
    height: int
    width: int


class SerializedCameraInfo(NamedTuple):
    """A sensor_msgs/CameraInfo: its fields, of the header the frame_id."""

    height: int
    width: int
    distortion_model: str
    d: tuple[float, ...]
    k: tuple[float, ...]
    r: tuple[float, ...]
    p: tuple[float, ...]
    binning_x: int
    binning_y: int
    roi: RegionOfInterest
    frame_id: str = ""


def unpack_camera_info(serialized: bytes) -> SerializedCameraInfo:
    """The fields of a serialized sensor_msgs/CameraInfo. No library reads it: some crash where bytes are missing.

    Raises:
        CalibrationError: it ends early, or is encapsulated in a way that is not known.
    """
    try:
        fields = Fields(serialized)
        fields.skip(STAMP_ENDS)
        frame_id = fields.string()
        height, width, model = fields.word(), fields.word(), fields.string(LONGEST_NAME)
        if (count := fields.count(8)) > MOST_COEFFICIENTS:
            raise ValueError(f"D of {count} numbers is no lens's")
        coefficients = fields.doubles(count)
        matrices = fields.doubles(9), fields.doubles(9), fields.doubles(12)
        return SerializedCameraInfo(
            height,
            width,
            model,
            coefficients,
            *matrices,
            fields.word(),
            fields.word(),
            RegionOfInterest(fields.word(), fields.word(), fields.word(), fields.word()),
            frame_id,
        )
    except ValueError as error:
        cause = f"camera_info cannot be unpacked: {error}"
        raise CalibrationError(cause, "Check who publishes it, and by which DDS.") from error


class Unpacker:
    """Unpacks a camera's images, one after the other.

    Args:
        compressed: whether they are sensor_msgs/CompressedImage.
    """

    def __init__(self, compressed: bool = False) -> None:
        self._compressed = compressed
        self._head = _head_of("<", 0)
        self._encapsulation = self._said = b""
        self._frame = ""
        self._between: tuple[Any, ...] = ()

    def unpack(self, serialized: bytes) -> SerializedImage | SerializedCompressedImage:
        """The fields of a serialized message, to which the bytes belong from now on.

        Raises:
            ImageError: it ends early, or is encapsulated in a way that is not known.
        """
        try:
            encapsulation, sec, nanosec, said, length = self._head.unpack_from(serialized)
        except struct.error:  # it is shorter than the one before
            encapsulation = said = None
        if said != self._said or encapsulation != self._encapsulation:
            try:
                self._learn(serialized)
                encapsulation, sec, nanosec, said, length = self._head.unpack_from(serialized)
            except (ValueError, struct.error) as error:
                self._encapsulation = b""
                raise _cannot(error) from error
        data = memoryview(serialized)[self._head.size : self._head.size + length]
        if len(data) < length:
            raise _cannot(f"it has {len(data)} of {length} bytes of data")
        kind: Any = SerializedCompressedImage if self._compressed else SerializedImage
        # A NamedTuple's own constructor is a function of Python: three microseconds in the caches behind a network.
        header = _new(SerializedHeader, (sec, nanosec, self._frame))
        image: SerializedImage | SerializedCompressedImage = _new(kind, (header, data, *self._between))
        return image

    def _learn(self, serialized: bytes) -> None:
        """Take down all that comes before the data, but the stamp."""
        fields = Fields(serialized)
        fields.skip(STAMP_ENDS)
        self._frame = fields.string(LONGEST_NAME)
        if self._compressed:
            self._between = (fields.string(LONGEST_NAME),)
        else:
            height, width, encoding = fields.word(), fields.word(), fields.string(LONGEST_NAME)
            self._between = (height, width, encoding, fields.byte(), fields.word())
        length_at = fields.aligned(4)
        self._encapsulation, self._said = serialized[:STAMP], serialized[STAMP_ENDS:length_at]
        self._head = _head_of(fields.order, len(self._said))


_new: Any = tuple.__new__


def _head_of(order: str, said: int) -> struct.Struct:
    """All before the data: encapsulation, stamp, so many bytes that hardly ever change, and the length of the data."""
    return struct.Struct(f"{order}{STAMP}siI{said}sI")


def _cannot(why: object) -> ImageError:
    return ImageError(f"the image's message cannot be unpacked: {why}", "Check who publishes it, and by which DDS.")
