"""Image and CompressedImage messages to pictures.

Pixels that lie side by side as 8-bit channels are viewed where the message holds them, padded rows and all: the
pipeline cuts and scales before it changes colours, so most of them are never touched. Everything else is converted into
buffers that are made once.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from fastdepth_ros.errors import ImageError
from fastdepth_ros.messages import jpeg
from fastdepth_ros.messages.bridge import Bridge, find_bridge
from fastdepth_ros.messages.encodings import Encoding, find_encoding
from fastdepth_ros.messages.serialized import SerializedCompressedImage, SerializedImage
from fastdepth_ros.picture import Picture

if TYPE_CHECKING:  # pictures of files are read where no ROS is installed, too
    from sensor_msgs.msg import CompressedImage, Image

_PNG, _PNG_END = b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"
_DEPTH_TO_8_BIT = 255 / 65535

_REDUCED = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}
"""How OpenCV is told to decode a JPEG into a smaller picture, each pixel the mean of so many beside one another."""

_RGB = getattr(cv2, "IMREAD_COLOR_RGB", 0)
"""In the network's order, which OpenCV offers from 4.11 on; instead of IMREAD_COLOR, which is in every flag above."""

AnyImage: TypeAlias = "Image | SerializedImage"
AnyCompressedImage: TypeAlias = "CompressedImage | SerializedCompressedImage"


Reduction: TypeAlias = Callable[[int, int], int]


def whole(_width: int, _height: int) -> int:
    """The :data:`Reduction` that keeps every pixel."""
    return 1


class PictureReader:
    """Reads image messages one after the other.

    Args:
        find: finds cv_bridge, when the first image comes that has to be converted.
        reduction: (width, height) of a picture -> how many times smaller it may be decoded: 1, 2, 4 or 8.
    """

    def __init__(self, find: Callable[[], Bridge | None] = find_bridge, reduction: Reduction = whole) -> None:
        self._find = find
        self.reduction = reduction
        self._inspector = jpeg.Inspector()
        self._buffer: npt.NDArray[np.uint8] = np.empty((0, 0, 3), np.uint8)

    @cached_property
    def _bridge(self) -> Bridge | None:
        return self._find()

    def read(self, message: AnyImage | AnyCompressedImage) -> Picture:
        """The message's picture: valid until the next call, and no longer than the message.

        Raises:
            ImageError: the message does not hold a picture that can be read.
        """
        if hasattr(message, "format"):
            return read_compressed(message, self.reduction, self._inspector)
        encoding = find_encoding(message.encoding)
        _check_layout(message, encoding)
        if encoding.is_view:
            return Picture(_bytes(message, encoding), encoding.order)
        if self._bridge is not None and self._bridge.reads(message):
            return self._bridge.read(message)
        return self._convert(message, encoding)

    def _convert(self, message: AnyImage, encoding: Encoding) -> Picture:
        shape = (message.height, message.width) if encoding.order == "grey" else (message.height, message.width, 3)
        if self._buffer.shape != shape:
            self._buffer = np.empty(shape, np.uint8)
        if encoding.code is None:
            cv2.convertScaleAbs(_words(message), dst=self._buffer, alpha=_DEPTH_TO_8_BIT)
        else:
            cv2.cvtColor(_bytes(message, encoding), encoding.code, dst=self._buffer)
        return Picture(self._buffer, encoding.order)


def read_compressed(
    message: AnyCompressedImage, reduction: Reduction = whole, inspector: jpeg.Inspector | None = None
) -> Picture:
    """The picture of a JPEG or PNG message; a JPEG is decoded as much smaller as ``reduction`` says, which is faster.

    An orientation in the file is ignored: camera_info is that of the sensor.

    Args:
        message: of it.
        reduction: how many times smaller it may be decoded.
        inspector: of the messages before.

    Raises:
        ImageError: the bytes are neither JPEG nor PNG, were cut short, or cannot be decoded.
    """
    data = memoryview(message.data)
    # OpenCV fills what is missing with grey, warns on stderr and calls it a picture, so the end is looked for first.
    factor, size = 1, None
    if data[: len(jpeg.START)] == jpeg.START:
        complete, size = (inspector or jpeg.Inspector()).inspect(data)
        factor = reduction(*size) if size else 1
    elif data[: len(_PNG)] == _PNG:
        complete = data[-len(_PNG_END) :] == _PNG_END
    else:
        remedy = "Set the driver's or image_transport's format to jpeg or png."
        raise ImageError(f"{_name(message)} is neither JPEG nor PNG", remedy)
    if not complete:
        remedy = "Look for a full queue or a bad cable between camera and publisher."
        raise ImageError(f"{_name(message)} was cut short", remedy)
    try:
        flags = _REDUCED[factor] | cv2.IMREAD_IGNORE_ORIENTATION
        flags = flags & ~cv2.IMREAD_COLOR | _RGB if _RGB else flags
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        pixels = None
    if pixels is None:
        remedy = "Look for a bad cable or a failing camera; other images are not affected."
        raise ImageError(f"{_name(message)} is corrupt", remedy)
    return Picture(pixels, "rgb" if _RGB else "bgr", factor, size if factor > 1 else None)


def _name(message: AnyCompressedImage) -> str:
    return f"the compressed image ({message.format or 'no format'}, {len(message.data)} bytes)"


def _check_layout(message: AnyImage, encoding: Encoding) -> None:
    """Hold size, step and data against each other.

    Raises:
        ImageError: the size is zero or odd where it must be even, rows overlap, or data has another length.
    """
    name, width, height = message.encoding, message.width, message.height
    if width < 1 or height < 1:
        raise ImageError(f"the {name} image has a size of {width}x{height}", "Check the camera driver's resolution.")
    if ("width" in encoding.even and width % 2) or ("height" in encoding.even and height % 2):
        cause = f"the {name} image has a size of {width}x{height}"
        raise ImageError(cause, f"With {name} its {encoding.even} must be even; set another resolution.")
    if message.step < width * encoding.pixel_bytes:
        cause = f"the {name} image has a step of {message.step} bytes, but a row of {width} pixels"
        cause += f" has {width * encoding.pixel_bytes}"
        raise ImageError(cause, "The driver has to fill in the bytes of a row, padding included.")
    expected = encoding.rows(height) * message.step
    if len(message.data) != expected:
        wrong = "truncated" if len(message.data) < expected else "oversized"
        cause = f"the {name} image is {wrong}: {height} rows with a step of {message.step} are {expected} bytes,"
        cause += f" it holds {len(message.data)}"
        remedy = "Check that the driver fills in height, step and encoding of what it sends."
        if encoding.planes != 1:
            remedy += " The height is that of the picture, without the plane of colours."
        raise ImageError(cause, remedy)


def _bytes(message: AnyImage, encoding: Encoding) -> npt.NDArray[np.uint8]:
    """A view on the message's bytes: (rows, width), or (rows, width, bytes of a pixel)."""
    rows, width, depth = encoding.rows(message.height), message.width, encoding.pixel_bytes
    if depth == 1:
        return np.ndarray((rows, width), np.uint8, message.data, 0, (message.step, 1))
    return np.ndarray((rows, width, depth), np.uint8, message.data, 0, (message.step, depth, 1))


def _words(message: AnyImage) -> npt.NDArray[np.uint16]:
    """The message's 16-bit words (height, width) in this machine's byte order."""
    order = ">" if message.is_bigendian else "<"
    words: npt.NDArray[Any] = np.ndarray(
        (message.height, message.width), f"{order}u2", message.data, 0, (message.step, 2)
    )
    native = message.is_bigendian == (sys.byteorder == "big")
    # OpenCV knows neither foreign byte order nor rows that begin within a word.
    return words if native and message.step % 2 == 0 else words.astype(np.uint16)
