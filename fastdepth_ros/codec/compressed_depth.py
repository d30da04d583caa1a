"""Depth images as ROS's compressed_depth_image_transport packs them: a header of 12 bytes, and a PNG or RVL behind it.

The header is int32 kind, float32 a, float32 b, little endian. Millimetres (16UC1) are packed as they are. Metres
(32FC1) become whole numbers of 16 bits that are finer where depth is near: value = a / depth + b, depth = a / (value -
b), and 0 is "no depth". RVL is preceded by the number of columns and of rows, uint32 each.
"""

from __future__ import annotations

import struct
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fastdepth_ros.codec import rvl
from fastdepth_ros.codec.decoder import MAX_PIXELS, check_size, decode_file
from fastdepth_ros.errors import ImageError, shortened

HEADER = struct.Struct("<iff")
"""Before the picture: kind, and the numbers a and b of the formula above."""

SIZE = struct.Struct("<II")
"""Columns and rows before RVL."""

FORMAT = "{encoding}; compressedDepth {method}"
"""``format`` of the message, of the encoding of the depth image and ``png`` or ``rvl``."""

PNG_LEVEL = 3
"""Effort of zlib, as the standard's own default."""

STEP = 100.0
"""Depth at which a step between two values is 1 m [m], the standard's own default: 1 cm at 10 m."""

NEAREST = 0.02
"""Depth below which none is told apart [m]."""

MOST_EMPTY, MOST_FOR_BYTE = 1 << 22, 1000
"""Pixels that any message of RVL may have, and those for each of its bytes: a few say that nothing is far and wide."""

RVL_BYTES = 24
"""Bytes that reading RVL takes for each pixel."""

_LARGEST = np.iinfo(np.uint16).max
_REMEDY = "Let its publisher pack it with PNG or RVL."


def encode(depth: npt.NDArray[Any], method: str, nearest: float = 0.1, farthest: float = 10.0) -> bytes:
    """The ``data`` of a depth image's CompressedImage.

    Args:
        depth: (height, width), uint16 [mm] or float32 [m]. Of metres, what is not finite is "no depth".
        method: ``png`` or ``rvl``.
        nearest, farthest: that metres may be [m]. What is nearer has the value of the nearest, what is farther none.
            Steps between values are the standard's own, or larger where such a range would not fit into 16 bits.
    """
    if depth.dtype == np.uint16:
        return HEADER.pack(0, 0.0, 0.0) + _pack(depth, method)
    a, b = quantisation(nearest, farthest)
    return HEADER.pack(0, a, b) + _pack(_values(depth, a, b), method)


def quantisation(nearest: float, farthest: float) -> tuple[float, float]:
    """The numbers a and b with which 1 is the farthest depth [m], and the nearest [m] fits into 16 bits."""
    near = max(nearest, NEAREST)
    a = STEP * (STEP + 1)
    if near < farthest:
        a = min(a, (_LARGEST - 1) / (1 / near - 1 / farthest))
    return a, 1 - a / farthest


def decode(form: str, data: npt.NDArray[np.uint8], name: str) -> npt.NDArray[Any]:
    """The depth image that a CompressedImage holds.

    Args:
        form: its ``format``.
        data: its ``data``.
        name: what it is called in an error.

    Returns:
        (height, width), uint16 [mm] with 0 where there is no depth, or float32 [m] with NaN.

    Raises:
        ImageError: it is no compressed depth image, or broken.
    """
    if "compressedDepth" not in form or len(data) <= HEADER.size:
        raise ImageError(f"{name} of format {shortened(form)!r} with {len(data)} bytes is no depth", _REMEDY)
    packed = data[HEADER.size :]
    picture = _unpack_rvl(packed, name) if "compressedDepth rvl" in form else _unpack_png(packed, name)
    if not form.startswith("32FC1"):
        return picture
    _, a, b = HEADER.unpack(data[: HEADER.size].tobytes())
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        depth = np.float32(a) / (picture.astype(np.float32) - np.float32(b))
    depth[picture == 0] = np.nan
    return np.asarray(depth, np.float32)


def _values(depth: npt.NDArray[Any], a: float, b: float) -> npt.NDArray[np.uint16]:
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        values = np.reciprocal(depth, dtype=np.float32)
        values *= np.float32(a)
        values += np.float32(b)
        np.rint(values, out=values)
        # NaN is not at least 1; infinities have values beyond the farthest depth's.
        known = (values >= 1) & (depth > 0)
        np.minimum(values, _LARGEST, out=values)
    return np.where(known, values, np.float32(0)).astype(np.uint16)


def _pack(picture: npt.NDArray[np.uint16], method: str) -> bytes:
    if method == "rvl":
        height, width = picture.shape
        return SIZE.pack(width, height) + rvl.encode(picture)
    _, png = cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, PNG_LEVEL])
    return png.tobytes()


def _unpack_rvl(packed: npt.NDArray[np.uint8], name: str) -> npt.NDArray[np.uint16]:
    data = packed.tobytes()
    if len(data) < SIZE.size:
        raise ImageError(f"{name} was cut short", _REMEDY)
    width, height = SIZE.unpack_from(data)
    if not width or not height:
        raise ImageError(f"{name} has {width}x{height} pixels", _REMEDY)
    if width * height > max(MOST_EMPTY, MOST_FOR_BYTE * len(data)):
        raise ImageError(f"{name} was cut short: {len(data)} bytes are no {width}x{height} pixels", _REMEDY)
    check_size(name, width, height, MAX_PIXELS, RVL_BYTES)
    try:
        return rvl.decode(data[SIZE.size :], width * height).reshape(height, width)
    except ValueError as error:
        raise ImageError(f"{name} {error}", _REMEDY) from None


def _unpack_png(packed: npt.NDArray[np.uint8], name: str) -> npt.NDArray[np.uint16]:
    picture = decode_file(packed, name, cv2.IMREAD_UNCHANGED)
    if picture.ndim != 2 or picture.dtype != np.uint16:
        raise ImageError(f"{name} holds no 16-bit PNG", _REMEDY)
    return np.asarray(picture, np.uint16)
