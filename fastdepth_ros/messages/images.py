"""Image and CompressedImage messages to pictures.

Pixels that lie side by side as 8-bit channels are viewed where the message holds them, padded rows and all: the
pipeline cuts and scales before it changes colours, so most of them are never touched. Everything else is converted into
buffers that are made once.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from fastdepth_ros.codec.decoder import Decoder, File, check_size
from fastdepth_ros.errors import ImageError
from fastdepth_ros.messages.bits import Bits
from fastdepth_ros.messages.bridge import Bridge, find_bridge
from fastdepth_ros.messages.encodings import ENCODINGS, Encoding, find_encoding
from fastdepth_ros.messages.formats import encoding_of, mosaic_of
from fastdepth_ros.messages.serialized import NOWHEN, SerializedCompressedImage, SerializedImage
from fastdepth_ros.messages.video import SerializedVideo, VideoReader
from fastdepth_ros.picture import Order, Picture

if TYPE_CHECKING:  # pictures of files are read where no ROS is installed, too
    from sensor_msgs.msg import CompressedImage, Image

_REDUCED = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}
"""Flags of OpenCV that decode a JPEG into a smaller picture, each pixel the mean of so many beside one another."""

_AS_STORED = cv2.IMREAD_IGNORE_ORIENTATION


def _decoding(rgb: int) -> tuple[Mapping[int, int], Order]:
    """OpenCV's flags for each reduction, and the order of the channels that it gives then.

    Args:
        rgb: its flag for the network's order, instead of the IMREAD_COLOR in every flag above; 0 where it has none.
    """
    flags = {factor: (flags & ~cv2.IMREAD_COLOR | rgb if rgb else flags) for factor, flags in _REDUCED.items()}
    return {factor: each | _AS_STORED for factor, each in flags.items()}, "rgb" if rgb else "bgr"


_FLAGS, _DECODED = _decoding(getattr(cv2, "IMREAD_COLOR_RGB", 0))
"""From 4.11 on OpenCV has one."""

AnyImage: TypeAlias = "Image | SerializedImage"
AnyCompressedImage: TypeAlias = "CompressedImage | SerializedCompressedImage"


Reduction: TypeAlias = Callable[[int, int], int]


def whole(_width: int, _height: int) -> int:
    """The :data:`Reduction` that keeps every pixel."""
    return 1


class _Viewed(NamedTuple):
    """An image that was checked, and is a picture as it lies: the next of this layout need not be checked anew."""

    layout: tuple[object, ...]
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    order: Order


class PictureReader:
    """Reads image messages one after the other.

    Args:
        find: finds cv_bridge, when the first image comes that has to be converted.
        reduction: (width, height) of a picture -> how many times smaller it may be decoded: 1, 2, 4 or 8.

    Attributes:
        bits: that pixels of 16 bits have.
    """

    def __init__(self, find: Callable[[], Bridge | None] = find_bridge, reduction: Reduction = whole) -> None:
        self._find = find
        self.reduction = reduction
        self.bits = Bits()
        self._decoder, self._video = Decoder(), VideoReader()
        self._viewed: _Viewed | None = None
        self._buffer: npt.NDArray[np.uint8] = np.empty((0, 0, 3), np.uint8)

    @property
    def max_pixels(self) -> int:
        """Pixels of the largest picture that is read."""
        return self._decoder.max_pixels

    @max_pixels.setter
    def max_pixels(self, number: int) -> None:
        self._decoder.max_pixels = self._video.max_pixels = number

    @cached_property
    def _bridge(self) -> Bridge | None:
        return self._find()

    def read(self, message: AnyImage | AnyCompressedImage | SerializedVideo) -> Picture:
        """The message's picture: valid until the next call, and no longer than the message.

        Raises:
            ImageError: the message does not hold a picture that can be read.
        """
        if isinstance(message, SerializedVideo):
            return self._video.read(message)
        if hasattr(message, "format"):
            return read_compressed(message, self.reduction, self._decoder, self.bits)
        layout = (message.encoding, message.height, message.width, message.step, len(message.data), self.max_pixels)
        known = self._viewed
        if known is not None and known.layout == layout:
            return Picture(np.ndarray(known.shape, np.uint8, message.data, 0, known.strides), known.order)
        encoding = find_encoding(message.encoding)
        _check_layout(message, encoding)
        check_size(f"the {message.encoding} image", message.width, message.height, self.max_pixels)
        if encoding.is_view:
            pixels = _bytes(message, encoding)
            self._viewed = _Viewed(layout, pixels.shape, pixels.strides, encoding.order)
            return Picture(pixels, encoding.order)
        if encoding.code is None:
            return Picture(self.bits.to_8(_words(message), self._room(message, encoding)), encoding.order)
        if self._bridge is not None and self._bridge.reads(message):
            return self._bridge.read(message)
        return self._convert(message, encoding)

    def _convert(self, message: AnyImage, encoding: Encoding) -> Picture:
        assert encoding.code is not None
        room = self._room(message, encoding)
        cv2.cvtColor(_bytes(message, encoding), encoding.code, dst=room)
        return Picture(room, encoding.order)

    def _room(self, message: AnyImage, encoding: Encoding) -> npt.NDArray[np.uint8]:
        """Buffer that a converted picture goes into."""
        shape = (message.height, message.width) if encoding.order == "grey" else (message.height, message.width, 3)
        if self._buffer.shape != shape:
            self._buffer = np.empty(shape, np.uint8)
        return self._buffer


def read_compressed(
    message: AnyCompressedImage,
    reduction: Reduction = whole,
    decoder: Decoder | None = None,
    bits: Bits | None = None,
) -> Picture:
    """The picture of a JPEG or PNG message; a JPEG is decoded as much smaller as ``reduction`` says, which is faster.

    An orientation in the file is ignored: camera_info is that of the sensor.

    Args:
        message: of it.
        reduction: how many times smaller it may be decoded.
        decoder: of the messages before.
        bits: of the pixels of 16 bits so far.

    Raises:
        ImageError: the bytes are neither JPEG nor PNG, were cut short, are damaged or too large a picture; or it is no
            picture by its format.
    """
    if not isinstance(message, SerializedCompressedImage):
        message = SerializedCompressedImage(NOWHEN, memoryview(message.data), message.format)
    decoder = decoder or Decoder()
    mosaic = mosaic_of(message.format)
    file = decoder.look(message.data, message)
    if file.bits == 16:
        _check_meaning(message, file)
        wide = decoder.decode(file, message, cv2.IMREAD_UNCHANGED)
        pixels = (bits or Bits()).to_8(wide)
        return _demosaiced(pixels, mosaic) if mosaic else Picture(pixels, _ORDERS[pixels.shape[2:]])
    if mosaic and file.channels == 1:
        return _demosaiced(decoder.decode(file, message, cv2.IMREAD_GRAYSCALE | _AS_STORED), mosaic)
    factor = reduction(file.width, file.height) if file.reducible else 1
    size = (file.width, file.height) if factor > 1 else None
    return Picture(decoder.decode(file, message, _FLAGS[factor]), _DECODED, factor, size)


_ORDERS: dict[tuple[int, ...], Order] = {(): "grey", (3,): "bgr", (4,): "bgra"}
"""Order of pixels that OpenCV decodes as they are, by their shape behind (height, width)."""


def _demosaiced(mosaic: npt.NDArray[np.uint8], encoding: Encoding) -> Picture:
    if encoding.code is None or mosaic.ndim != 2:
        raise ImageError("a Bayer mosaic cannot have colours", "Let the publisher say what it compressed, as bgr8.")
    if min(mosaic.shape) < 2:
        raise ImageError(f"a mosaic of {mosaic.shape[1]}x{mosaic.shape[0]} pixels shows nothing", "Check the driver.")
    return Picture(np.asarray(cv2.cvtColor(mosaic, encoding.code), np.uint8), encoding.order)


def _check_meaning(message: SerializedCompressedImage, file: File) -> None:
    """A grey PNG of 16 bits is a depth image as often as a picture: somebody has to say."""
    encoding = encoding_of(message.format)
    if file.channels == 1 and encoding not in ENCODINGS and not encoding.startswith("bayer_"):
        cause = f"{message} is grey with 16 bits: depth, or a picture"
        raise ImageError(cause, "Let the publisher's format say what it is, as `mono16; png compressed`.")


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
