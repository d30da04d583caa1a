"""What of a PNG file can be known without decoding it (W3C PNG specification, sections 5 and 11)."""

from __future__ import annotations

from struct import Struct, error
from typing import NamedTuple

START = b"\x89PNG\r\n\x1a\n"
MOST_CHUNKS = 100_000
"""As many as a picture of a gigabyte has in libpng's pieces of 8 KiB."""

_CHUNK, _IHDR = Struct(">I4s"), Struct(">IIBBBBB")
_CHECKSUM = 4
_DEFLATE, _SLACK = 1032, 64
"""By how much deflate packs at most (zlib's technical details), and bytes for what stands around it."""
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""By colour type."""
_ANIMATION = frozenset({b"acTL", b"fcTL", b"fdAT"})


class Header(NamedTuple):
    """Size of the picture [px], bits of a channel, and how many channels are stored."""

    width: int
    height: int
    bits: int
    channels: int


def read_header(data: memoryview) -> Header:
    """Walk a file's chunks to its end; what lies behind that does not matter.

    Raises:
        ValueError: it is not whole, or not what a camera sends; the text says why, as a part of a sentence.
    """
    try:
        return _walk(data)
    except error:
        raise ValueError("was cut short") from None


def _walk(data: memoryview) -> Header:
    at, packed, header = len(START), 0, None
    for _ in range(MOST_CHUNKS):
        length, kind = _CHUNK.unpack_from(data, at)
        if header is None:
            header = _first(data, at, length, kind)
        at += _CHUNK.size + length + _CHECKSUM
        if at > len(data):
            raise ValueError("was cut short")
        if kind in _ANIMATION:
            raise ValueError("is an animation")
        packed += length * (kind == b"IDAT")
        if kind == b"IEND":
            _check_pixels(header, packed)
            return header
    raise ValueError(f"has more than {MOST_CHUNKS} pieces")


def _check_pixels(header: Header, packed: int) -> None:
    """Whether so many packed bytes can be the picture's."""
    unpacked = header.height * (header.width * header.channels * header.bits / 8)
    if unpacked > (packed + _SLACK) * _DEFLATE:
        raise ValueError(f"was cut short: {packed} packed bytes are no {header.width}x{header.height} pixels")


def _first(data: memoryview, at: int, length: int, kind: bytes) -> Header:
    if kind != b"IHDR" or length != _IHDR.size:
        raise ValueError("does not start with its size")
    width, height, bits, colours, *_ = _IHDR.unpack_from(data, at + _CHUNK.size)
    if not width or not height or bits not in (1, 2, 4, 8, 16) or colours not in _CHANNELS:
        raise ValueError(f"cannot be of {width}x{height} pixels, {bits} bits and colour type {colours}")
    return Header(width, height, bits, _CHANNELS[colours])
