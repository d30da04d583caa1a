"""What of a JPEG file can be known without decoding it (ITU-T T.81, annex B)."""

from __future__ import annotations

from struct import Struct

_LENGTH, _SIZE = Struct(">H"), Struct(">HH")
START = b"\xff\xd8\xff"
_SCAN, _END = b"\xff\xda", b"\xff\xd9"
_FILL, _START_OF_SCAN = 0xFF, 0xDA
_FRAMES = frozenset({0xC0, 0xC1, 0xC2, 0xC9, 0xCA})
"""Markers of the frame headers with one cosine transform, of which a decoder can leave out what is fine."""


def is_whole(data: bytes) -> bool:
    """Whether the file goes on to its end. Inside a scan 0xff is always escaped: a marker behind the last is real."""
    end = data.rfind(_END)
    return end > 0 and data.find(_SCAN, 0, end) > 0 and data.find(_SCAN, end) < 0


def size(data: bytes) -> tuple[int, int] | None:
    """(width, height) [px] of a picture that can be decoded smaller than it is; None for any other."""
    at = 2
    while at + 9 <= len(data) and data[at] == _FILL and data[at + 1] != _START_OF_SCAN:
        marker = data[at + 1]
        if marker == _FILL:  # any number of them may come before a marker
            at += 1
            continue
        if marker in _FRAMES:
            height, width = _SIZE.unpack_from(data, at + 5)
            return (width, height) if width and height else None
        at += 2 + _LENGTH.unpack_from(data, at + 2)[0]
    return None
