"""Facts of a BMP file that are known without decoding it: Windows' BITMAPFILEHEADER and BITMAPINFOHEADER."""

from __future__ import annotations

from struct import Struct, error

from fastdepth_ros.codec.png import Header

START = b"BM"

_BEGIN, _INFO = Struct("<2sIHHII"), Struct("<iiHHI")
_SMALLEST_INFO = 36
"""Bytes of a header behind the file's; that of OS/2 is shorter and has not been written for decades."""

_PLAIN = frozenset({0, 3})
"""Ways to store pixels, BI_RGB and BI_BITFIELDS: the others are packed, so that a few bytes could be any size."""

_BITS = frozenset({1, 4, 8, 16, 24, 32})


def read_header(data: bytes) -> Header:
    """The size of a file's picture; all of its pixels lie in the file.

    Raises:
        ValueError: they do not, or it is of a rare kind; the text says why, as a part of a sentence.
    """
    try:
        _, _, _, _, start, size = _BEGIN.unpack_from(data)
        width, height, _, bits, packing = _INFO.unpack_from(data, _BEGIN.size)
    except error:
        raise ValueError("was cut short") from None
    if size < _SMALLEST_INFO or bits not in _BITS or packing not in _PLAIN:
        raise ValueError(f"is of a rare kind of BMP: {bits} bits, stored in way {packing}")
    if width < 1 or not height:
        raise ValueError(f"cannot be of {width}x{height} pixels")
    if start + abs(height) * ((width * bits + 31) // 32 * 4) > len(data):
        raise ValueError(f"was cut short: its {len(data)} bytes are no {width}x{abs(height)} pixels")
    return Header(width, abs(height), 8, max(1, bits // 8))
