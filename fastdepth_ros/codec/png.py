"""Facts of a PNG file that are known without decoding it (W3C PNG specification, sections 5 and 11)."""

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
_CRITICAL = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND"})
"""All that there are. A decoder may think of others what it likes, and one that finds no pixels before IEND reads on
behind it: gigabytes, if what stands there says so."""
_ANCILLARY, _TRANSPARENCY = 0x20, b"tRNS"
"""Bit of a chunk's first letter that tells that it is not needed, and the one that pixels may have alpha of."""


class Header(NamedTuple):
    """Contents of a file before the pixels.

    Attributes:
        width, height: of the picture [px].
        bits: of a channel.
        channels: how many are stored.
        chatty: whether there are chunks that say nothing of the pixels, as texts and colour profiles.
        ends: bytes of the file up to its end; more may follow.
    """

    width: int
    height: int
    bits: int
    channels: int
    chatty: bool = False
    ends: int = 0


def read_header(data: memoryview) -> Header:
    """Walk a file's chunks to its end; what lies behind that does not matter.

    Raises:
        ValueError: it is not whole, or not what a camera sends; the text says why, as a part of a sentence.
    """
    try:
        return _walk(data)
    except error:
        raise ValueError("was cut short") from None


def picture_alone(data: memoryview) -> bytes:
    """A file that was walked, without the chunks that say nothing of its pixels.

    libpng unpacks texts of up to 8 MB each, a thousand of them, before it reads a pixel: that takes minutes.
    """
    at, kept, kind = len(START), [data[: len(START)]], b""
    while kind != b"IEND":
        length, kind = _CHUNK.unpack_from(data, at)
        end = at + _CHUNK.size + length + _CHECKSUM
        if not _is_chatter(kind):
            kept.append(data[at:end])
        at = end
    return b"".join(kept)


def _is_chatter(kind: bytes) -> bool:
    return bool(kind[0] & _ANCILLARY) and kind != _TRANSPARENCY


def _walk(data: memoryview) -> Header:
    at, packed, header, chatty = len(START), 0, None, False
    for _ in range(MOST_CHUNKS):
        length, kind = _CHUNK.unpack_from(data, at)
        if header is None:
            header = _first(data, at, length, kind)
        else:
            _check_kind(kind)
        at += _CHUNK.size + length + _CHECKSUM
        if at > len(data):
            raise ValueError("was cut short")
        packed += length * (kind == b"IDAT")
        chatty = chatty or _is_chatter(kind)
        if kind == b"IEND":
            if length:
                raise ValueError(f"ends with {length} bytes in a piece that has none")
            _check_pixels(header, packed)
            return header._replace(chatty=chatty, ends=at)
    raise ValueError(f"has more than {MOST_CHUNKS} pieces")


def _check_kind(kind: bytes) -> None:
    """Whether a piece may follow the first one."""
    if kind in _ANIMATION:
        raise ValueError("is an animation")
    if kind == b"IHDR":
        raise ValueError("says its size twice")
    if not kind[0] & _ANCILLARY and kind not in _CRITICAL:
        raise ValueError(f"has a piece of a kind that there is not ({kind.hex()})")


def _check_pixels(header: Header, packed: int) -> None:
    """Whether so many packed bytes can be the picture's."""
    if not packed:
        raise ValueError(f"was cut short: no packed bytes are no {header.width}x{header.height} pixels")
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
