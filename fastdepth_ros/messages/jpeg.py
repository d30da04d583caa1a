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
    at = _frame_at(data)
    if at is None:
        return None
    height, width = _SIZE.unpack_from(data, at)
    return (width, height) if width and height else None


class Inspector:
    """Looks at files one after the other: one that begins as the one before, up to its scan, is not read again."""

    def __init__(self) -> None:
        self._head = b""
        self._size: tuple[int, int] | None = None

    def inspect(self, data: memoryview) -> tuple[bool, tuple[int, int] | None]:
        """Whether a file :func:`is_whole`, and its :func:`size`."""
        if self._head and data[-len(_END) :] == _END and data[: len(self._head)] == self._head:
            return True, self._size
        file = data.tobytes()
        whole, self._size, frame = is_whole(file), size(file), _frame_at(file)
        self._head = b""
        if whole and frame is not None:
            self._head = file[: max(frame + _SIZE.size, file.find(_SCAN) + len(_SCAN))]
        return whole, self._size


def _frame_at(data: bytes) -> int | None:
    """Where the size is that a frame header gives; None if there is none that a decoder could reduce."""
    at = 2
    while at + 9 <= len(data) and data[at] == _FILL and data[at + 1] != _START_OF_SCAN:
        marker = data[at + 1]
        if marker == _FILL:  # any number of them may come before a marker
            at += 1
            continue
        if marker in _FRAMES:
            return at + 5
        at += 2 + _LENGTH.unpack_from(data, at + 2)[0]
    return None
