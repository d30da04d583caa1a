"""Bounds of what packed bytes of anybody unpack to, told from their layout, without unpacking them.

Sizes in their headers may be missing or lie. But both formats are made of blocks, each of which says how long it is and
none of which unpacks to more than a bound: zstd's frames as in RFC 8878, section 3.1, LZ4's as in the LZ4 frame format,
version 1.6.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import BinaryIO

ZSTD, LZ4 = 0xFD2FB528, 0x184D2204
_SKIPPABLE = range(0x184D2A50, 0x184D2A60)
_ZSTD_BLOCK = 2**17
_LZ4_BLOCKS = {4: 2**16, 5: 2**18, 6: 2**20, 7: 2**22}
_DICTIONARY_BYTES, _SIZE_BYTES = (0, 1, 2, 4), (0, 2, 4, 8)
_RAW, _RLE = 0, 1


def zstd_bound(file: BinaryIO, end: int, enough: int) -> int:
    """Bytes that zstd frames unpack to at most.

    Args:
        file: stands where the frames begin.
        end: where they end in it.
        enough: counting ends behind it.

    Raises:
        ValueError: they are cut short, or are none.
    """
    return _bound(file, end, enough, ZSTD, _zstd_frame)


def lz4_bound(file: BinaryIO, end: int, enough: int) -> int:
    """Bytes that LZ4 frames unpack to at most; all as :func:`zstd_bound`."""
    return _bound(file, end, enough, LZ4, _lz4_frame)


def _bound(file: BinaryIO, end: int, enough: int, kind: int, frame: Callable[[BinaryIO], Iterator[int]]) -> int:
    total = 0
    try:
        while file.tell() < end:
            magic = _number(file, 4)
            if magic in _SKIPPABLE:
                _skip(file, _number(file, 4))
            elif magic != kind:
                raise ValueError("its packed bytes are damaged")
            else:
                for block in frame(file):
                    total += block
                    if total > enough:
                        return total
                    if file.tell() > end:
                        raise IndexError
    except IndexError:
        raise ValueError("its packed bytes were cut short") from None
    return total


def _zstd_frame(file: BinaryIO) -> Iterator[int]:
    """Bytes that each block of a frame unpacks to at most."""
    descriptor = _number(file, 1)
    single = descriptor >> 5 & 1
    _skip(file, (not single) + _DICTIONARY_BYTES[descriptor & 3] + (_SIZE_BYTES[descriptor >> 6] or single))
    last = 0
    while not last:
        block = _number(file, 3)
        last, kind, length = block & 1, block >> 1 & 3, block >> 3
        _skip(file, 1 if kind == _RLE else length)
        # A block of one byte over and over, or as it is, says how many; a packed one may give as many as any.
        yield length if kind in (_RAW, _RLE) else _ZSTD_BLOCK
    _skip(file, 4 * (descriptor >> 2 & 1))


def _lz4_frame(file: BinaryIO) -> Iterator[int]:
    """Bytes that each block of a frame unpacks to at most."""
    flags, largest = _number(file, 1), _LZ4_BLOCKS.get(_number(file, 1) >> 4 & 7, 2**22)
    _skip(file, 1 + 8 * (flags >> 3 & 1) + 4 * (flags & 1))
    while block := _number(file, 4):
        length = block & 0x7FFFFFFF
        _skip(file, length + 4 * (flags >> 4 & 1))
        yield length if block >> 31 else largest
    _skip(file, 4 * (flags >> 2 & 1))


def _number(file: BinaryIO, size: int) -> int:
    data = file.read(size)
    if len(data) != size:
        raise IndexError
    return int.from_bytes(data, "little")


def _skip(file: BinaryIO, count: int) -> None:
    file.seek(count, io.SEEK_CUR)
