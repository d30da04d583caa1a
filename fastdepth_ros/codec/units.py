"""Units of a piece of H.264 or H.265 video, looked through without decoding it.

Units follow start codes of three bytes, 0 0 1 (ITU-T H.264 and H.265, annex B). The first bytes of a unit say its type,
and of a slice, whether a picture begins with it:

    H.264   type: 5 low bits of byte 0; slices are 1 and 5, those of a key frame 5; the first bit of byte 1 begins one
    H.265   type: bits 1 to 6 of byte 0; slices are 0 to 31, those of a key frame 16 to 23; the first bit of byte 2
"""

from __future__ import annotations

from typing import NamedTuple

START = b"\0\0\1"

MOST = 4096
"""Units of one packet: a picture of 8K has a few hundred slices at most."""

_BEGINS = 0x80


class Access(NamedTuple):
    """Contents of a packet.

    Attributes:
        pictures: how many pictures, or fields of one, begin in it.
        key: whether the first is decoded without any of those before.
    """

    pictures: int
    key: bool


def look(data: bytes, codec: str) -> Access:
    """Look through a packet.

    Args:
        data: of it.
        codec: ``h264`` or ``hevc``.

    Raises:
        ValueError: it holds no unit, or more than :data:`MOST`.
    """
    pictures, key, units = 0, False, 0
    at = data.find(START)
    while at >= 0:
        units += 1
        if units > MOST:
            raise ValueError(f"has more than {MOST} units")
        slice_, intra, first = _slice(data[at + len(START) : at + len(START) + 3], codec)
        if slice_ and not pictures:
            key = intra
        pictures += slice_ and first
        at = data.find(START, at + len(START))
    if not units:
        raise ValueError("holds no unit of annex B")
    return Access(pictures, key)


def _slice(head: bytes, codec: str) -> tuple[bool, bool, bool]:
    """Whether a unit is a slice, is one of a key frame, and begins a picture."""
    begins = 1 if codec == "h264" else 2
    if len(head) <= begins:
        return False, False, False
    if codec == "h264":
        kind = head[0] & 31
        return kind in (1, 5), kind == 5, bool(head[begins] & _BEGINS)
    kind = head[0] >> 1 & 63
    return kind < 32, 16 <= kind < 24, bool(head[begins] & _BEGINS)
