"""What of a JPEG file can be known without decoding it (ITU-T T.81, annex B)."""

from __future__ import annotations

from struct import Struct, error
from typing import NamedTuple

_LENGTH, _FRAME = Struct(">H"), Struct(">BHHB")
START = b"\xff\xd8\xff"
SCAN, END = b"\xff\xda", b"\xff\xd9"
_START_OF_SCAN, _TABLES = 0xDA, 0xC4
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
"""Markers that no segment follows."""
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_HUFFMAN, _REDUCIBLE = frozenset({0xC0, 0xC1}), frozenset({0xC0, 0xC1, 0xC2, 0xC9, 0xCA})
"""Frames of one cosine transform: coded in one go by Huffman's tables, and all those of which fine detail can be left
out."""
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_PROGRESSIVE_HUFFMAN = 0xC2
MOST_SEGMENTS = 1000
_BLOCK = 64
"""Samples of a block."""

Tables = dict[int, bytes]
"""Class and number of a Huffman table, as T.81 packs them -> how many codes of each length, and their symbols."""


class Frame(NamedTuple):
    """A frame header: its marker, bits, size [px], and for each component its name and its blocks in an MCU."""

    marker: int
    bits: int
    height: int
    width: int
    components: dict[int, int]


class Header(NamedTuple):
    """What stands before the first scan.

    Attributes:
        width, height: of the picture [px].
        bits: of a channel.
        channels: how many.
        reducible: whether a decoder can leave out what is fine.
        scans: whether several scans make the picture: a decoder keeps all coefficients meanwhile.
        samples: stored for each pixel, all channels together.
        tables: Huffman's for DC and AC of each block of an MCU; none where the file is coded in another way.
        bits_a_block: in the shortest code of a block.
        scan_at: where the first scan's marker is.
        ends: where its header ends.
    """

    width: int
    height: int
    bits: int
    channels: int
    reducible: bool
    scans: bool
    samples: float
    tables: tuple[tuple[bytes, bytes], ...]
    bits_a_block: int
    scan_at: int
    ends: int


def read_header(data: bytes) -> Header:
    """Walk a file's segments to its first scan, as libjpeg does.

    Raises:
        ValueError: there is no scan, or no frame before it; the text says why, as a part of a sentence.
    """
    try:
        return _walk(data)
    except (error, IndexError):
        raise ValueError("was cut short") from None


def is_whole(data: bytes, header: Header) -> bool:
    """Whether the file goes on to its end. Inside a scan 0xff is always escaped: a marker behind the last is real."""
    return data.rfind(END) > max(header.scan_at, data.rfind(SCAN) if header.scans else 0)


def least_bytes(header: Header) -> float:
    """Bytes that a picture of this size needs at least: a bit for each block's direct current, and one for its end.

    Zero where the code has no whole bits.
    """
    return header.bits_a_block * header.samples * header.width * header.height / _BLOCK / 8


def scan_count(data: bytes, header: Header) -> int:
    """How many scans there are."""
    return data.count(SCAN, header.scan_at) if header.scans else 1


def _walk(data: bytes) -> Header:
    at, frame, tables = 2, None, Tables()
    for _ in range(MOST_SEGMENTS):
        at = data.find(b"\xff", at)
        if at < 0:
            break
        while data[at] == 0xFF:  # any number of them may come before a marker
            at += 1
        marker = data[at]
        at += 1
        if marker == 0 or marker in _ALONE:
            continue
        length = _LENGTH.unpack_from(data, at)[0]
        if marker == _START_OF_SCAN:
            if frame is None:
                raise ValueError("has no size")
            return _header(frame, tables, data[at + 2 : at + length], at)
        if marker in _FRAMES:
            if frame is not None:
                raise ValueError("has two sizes")
            frame = _read_frame(data, at + 2, marker)
        elif marker == _TABLES:
            tables.update(_read_tables(data[at + 2 : at + length]))
        at += max(2, length)
    raise ValueError("was cut short, or holds no pixels")


def _read_frame(data: bytes, at: int, marker: int) -> Frame:
    bits, height, width, count = _FRAME.unpack_from(data, at)
    sampling = {data[i]: (data[i + 1] >> 4) * (data[i + 1] & 15) for i in range(at + 6, at + 6 + 3 * count, 3)}
    if not (width and height and count and all(sampling.values())) or len(sampling) != count or count > 4:
        raise ValueError(f"cannot be of {width}x{height} pixels and {count} channels")
    return Frame(marker, bits, height, width, sampling)


def _read_tables(segment: bytes) -> Tables:
    found, at = Tables(), 0
    while at + 17 <= len(segment):
        end = at + 17 + sum(segment[at + 1 : at + 17])
        found[segment[at]] = segment[at + 1 : end]
        at = end
    return found


def _header(frame: Frame, tables: Tables, scan: bytes, at: int) -> Header:
    count, blocks = len(frame.components), frame.components
    scans = frame.marker in _PROGRESSIVE or scan[0] != count
    coded = _tables_of(frame, tables, scan) if frame.marker in _HUFFMAN and not scans else ()
    samples = sum(blocks.values()) / max(blocks.values())
    size = frame.width, frame.height, frame.bits, count
    reducible = frame.marker in _REDUCIBLE
    shortest = 2 if coded else int(frame.marker == _PROGRESSIVE_HUFFMAN)
    return Header(*size, reducible, scans, samples, coded, shortest, at - len(SCAN), at + 2 + len(scan))


def _tables_of(frame: Frame, tables: Tables, scan: bytes) -> tuple[tuple[bytes, bytes], ...]:
    """Those of each block of an MCU, in order; none where one is missing."""
    found: list[tuple[bytes, bytes]] = []
    for at in range(1, 1 + 2 * scan[0], 2):
        dc, ac = tables.get(scan[at + 1] >> 4), tables.get(0x10 | scan[at + 1] & 15)
        if dc is None or ac is None:
            return ()
        found += [(dc, ac)] * (frame.components.get(scan[at], 1) if scan[0] > 1 else 1)
    return tuple(found)
