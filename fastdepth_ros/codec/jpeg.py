"""Facts of a JPEG file that are known without decoding it (ITU-T T.81, annex B)."""

from __future__ import annotations

import re
from struct import Struct, error
from typing import NamedTuple

import numpy as np

_LENGTH, _FRAME = Struct(">H"), Struct(">BHHB")
START = b"\xff\xd8\xff"
SCAN, END = b"\xff\xda", b"\xff\xd9"
_START_OF_SCAN, _TABLES, _STEPS, _INTERVAL, _JFIF, _ADOBE = 0xDA, 0xC4, 0xDB, 0xDD, 0xE0, 0xEE
_BEHIND_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
"""Markers that no segment follows."""
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_HUFFMAN, _REDUCIBLE = frozenset({0xC0, 0xC1}), frozenset({0xC0, 0xC1, 0xC2, 0xC9, 0xCA})
"""Frames of one cosine transform: coded in one go by Huffman's tables, and all those of which fine detail can be left
out."""
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_PROGRESSIVE_HUFFMAN = 0xC2
MOST_SEGMENTS = 1000
STRAY_BYTES, MOST_BETWEEN = 2, 8
"""Behind a scan, that some cameras leave there; and behind a segment, where with more of them one may be lost."""

_BLOCK, _SIDE = 64, 8
"""Samples of a block, and of its sides."""
_RESTART = 0xD0
_VERSION_AT, _TRANSFORM_AT = 9, 15
"""Offsets, behind their markers, of JFIF's version and of Adobe's transform of colours."""
_TRANSFORMS = {3: 1, 4: 2}
"""Channels -> the transform to YCbCr or YCCK; the other one that is known is none, 0."""

Tables = dict[int, bytes]
"""Class and number of a Huffman table, as T.81 packs them -> how many codes of each length, and their symbols."""


class FrameHeader(NamedTuple):
    """A frame header: its marker, bits, size [px], each component's name and blocks in an MCU, and how many MCUs."""

    marker: int
    bits: int
    height: int
    width: int
    components: dict[int, int]
    units: int


class Header(NamedTuple):
    """Contents of a file before the first scan.

    Attributes:
        width, height: of the picture [px].
        bits: of a channel.
        channels: how many.
        reducible: whether a decoder can leave out what is fine.
        scans: whether several scans make the picture: a decoder keeps all coefficients meanwhile.
        samples: stored for each pixel, all channels together.
        tables: Huffman's for DC and AC of each block of an MCU, an empty one for AC where the first scan has none of
            them; none where the file is coded in another way.
        bits_a_block: in the shortest code of a block.
        scan_at: where the first scan's marker is.
        ends: where its header ends.
        restarts: how many restart markers there are within the scan.
        mended: the header without that of which libjpeg complains although it does not matter: it complains of one
            thing in a picture, and that would be the damage; empty where there is nothing such.
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
    restarts: int = 0
    mended: bytes = b""


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


def end_of_scan(data: bytes, start: int) -> int:
    """End of the scan that begins there: the next marker that is no restart."""
    found = _BEHIND_SCAN.search(data, start)
    return found.start() if found else len(data)


def scan_count(data: bytes, header: Header) -> int:
    """Number of scans."""
    return data.count(SCAN, header.scan_at) if header.scans else 1


def restarts_follow(data: bytes, header: Header) -> bool:
    """Whether all restart markers of a file of one scan are there, one after the other.

    Args:
        data: as it is decoded, with the header that is mended where one is.
        header: of it.
    """
    start = len(header.mended) or header.ends
    scan = np.frombuffer(data, np.uint8)[start:]
    (at,) = np.nonzero((scan[:-1] == 0xFF) & (scan[1:] & 0xF8 == _RESTART))
    end = data.find(END, start) - start  # more pictures may follow the first
    numbers = scan[at[at < end] + 1] & 7
    return len(numbers) == header.restarts and bool((numbers == np.arange(len(numbers)) % 8).all())


def _walk(data: bytes) -> Header:
    at, frame, tables, interval, segments = 2, None, Tables(), 0, [data[:2]]
    for _ in range(MOST_SEGMENTS):
        found = data.find(b"\xff", at)
        if found < 0:
            break
        if found - at > MOST_BETWEEN:
            raise ValueError(f"is corrupt: {found - at} bytes stand between its segments")
        at = found
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
            header = _header(frame, tables, data[at + 2 : at + length], at)
            restarts = (frame.units - 1) // interval if interval else 0
            segments = [_mended(each, len(frame.components)) for each in segments]
            mended = b"".join((*segments, data[header.scan_at : header.ends]))
            same = mended == data[: header.ends]
            return header._replace(restarts=restarts, mended=b"" if same else mended)
        if marker in _FRAMES:
            if frame is not None:
                raise ValueError("has two sizes")
            frame = _read_frame(data, at + 2, marker)
        elif marker == _TABLES:
            tables.update(_read_tables(data[at + 2 : at + length]))
        elif marker == _STEPS:
            _check_steps(data[at + 2 : at + length])
        elif marker == _INTERVAL:
            interval = _LENGTH.unpack_from(data, at + 2)[0]
        segments.append(bytes((0xFF, marker)) + data[at : at + max(2, length)])
        at += max(2, length)
    raise ValueError("was cut short, or holds no pixels")


def _read_frame(data: bytes, at: int, marker: int) -> FrameHeader:
    bits, height, width, count = _FRAME.unpack_from(data, at)
    sampling = {data[i]: (data[i + 1] >> 4) * (data[i + 1] & 15) for i in range(at + 6, at + 6 + 3 * count, 3)}
    if not (width and height and count and all(sampling.values())) or len(sampling) != count or count > 4:
        raise ValueError(f"cannot be of {width}x{height} pixels and {count} channels")
    across = max(data[i + 1] >> 4 for i in range(at + 6, at + 6 + 3 * count, 3)) if count > 1 else 1
    down = max(data[i + 1] & 15 for i in range(at + 6, at + 6 + 3 * count, 3)) if count > 1 else 1
    units = -(-width // (_SIDE * across)) * -(-height // (_SIDE * down))
    return FrameHeader(marker, bits, height, width, sampling, units)


def _mended(segment: bytes, channels: int) -> bytes:
    """A segment in which a number that nobody knows is the one for which libjpeg takes it."""
    if segment[1] == _JFIF and segment[4:9] == b"JFIF\0" and len(segment) > _VERSION_AT:
        return segment[:_VERSION_AT] + b"\1" + segment[_VERSION_AT + 1 :]
    known = _TRANSFORMS.get(channels)
    if segment[1] == _ADOBE and segment[4:9] == b"Adobe" and len(segment) > _TRANSFORM_AT and known:
        transform = segment[_TRANSFORM_AT]
        return segment[:_TRANSFORM_AT] + bytes((min(transform, known) and known,)) + segment[_TRANSFORM_AT + 1 :]
    return segment


def _read_tables(segment: bytes) -> Tables:
    found, at = Tables(), 0
    while at + 17 <= len(segment):
        end = at + 17 + sum(segment[at + 1 : at + 17])
        symbols = segment[at + 17 : end]
        if len(set(symbols)) < len(symbols):
            raise ValueError("is corrupt: a table of Huffman's has two codes for the same")
        found[segment[at]] = segment[at + 1 : end]
        at = end
    return found


def _check_steps(segment: bytes) -> None:
    """Hold steps of quantisation against T.81, B.2.4.1: none is 0. Decoders take such a one for what they like."""
    at = 0
    while at < len(segment):
        size = 2 if segment[at] >> 4 else 1
        end = at + 1 + size * _BLOCK
        if any(not any(segment[step : step + size]) for step in range(at + 1, min(end, len(segment)), size)):
            raise ValueError("is corrupt: a step of quantisation is 0")
        at = end


def _header(frame: FrameHeader, tables: Tables, scan: bytes, at: int) -> Header:
    count, blocks = len(frame.components), frame.components
    scans = frame.marker in _PROGRESSIVE or scan[0] != count
    sequential = frame.marker in _HUFFMAN and not scans
    coarse = frame.marker == _PROGRESSIVE_HUFFMAN and scan[-3:-1] == b"\0\0" and scan[-1] < 0x10
    coded = _tables_of(frame, tables, scan, sequential) if sequential or coarse else ()
    samples = sum(blocks.values()) / max(blocks.values())
    size = frame.width, frame.height, frame.bits, count
    reducible = frame.marker in _REDUCIBLE
    shortest = 2 if coded and sequential else int(frame.marker == _PROGRESSIVE_HUFFMAN)
    return Header(*size, reducible, scans, samples, coded, shortest, at - len(SCAN), at + 2 + len(scan))


def _tables_of(frame: FrameHeader, tables: Tables, scan: bytes, ac_too: bool) -> tuple[tuple[bytes, bytes], ...]:
    """Tables of each block of an MCU, in order; none where one is missing."""
    found: list[tuple[bytes, bytes]] = []
    for at in range(1, 1 + 2 * scan[0], 2):
        dc, ac = tables.get(scan[at + 1] >> 4), tables.get(0x10 | scan[at + 1] & 15) if ac_too else b""
        if dc is None or ac is None:
            return ()
        found += [(dc, ac)] * (frame.components.get(scan[at], 1) if scan[0] > 1 else 1)
    return tuple(found)
