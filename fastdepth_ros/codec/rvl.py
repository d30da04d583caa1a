"""RVL: depth images of 16 bits, packed without loss (Wilson, "Fast lossless depth image compression", ISS 2017).

A picture is its pixels row by row: a number of zeros, a number of other pixels, the differences of those, and so on.
Differences are counted from the last pixel that is not zero, and become whole numbers by zigzag (0, -1, 1, -2, ... ->
0, 1, 2, 3, ...). Every number is written in groups of three bits, the lowest first; a fourth bit says that another
group follows. Eight groups are a little-endian word of 32 bits, the first in its highest bits; the last word ends in
zeros.

The paper's program goes from pixel to pixel; here a picture is written and read as a whole.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from functools import cache

import numpy as np
import numpy.typing as npt

GROUP, MORE = 3, 8
"""Bits of a number in a group, and the bit that says that another follows."""

MOST_GROUPS = 10
"""Groups of the longest number that is read: 30 bits."""

LONGEST = 1 << 23
"""Pixels of the longest part that is written: a picture's longer ones are written as several."""

MOST_IDLE = 1000
"""Parts of no pixels that a picture may have: each takes time, and a file may hold any number of them."""

BLOCK = 1 << 17
"""Bytes that are unpacked at a time; a multiple of a word's."""

NONE = 0xFF
"""A byte that is no group."""

_WORD = 8

Words = npt.NDArray[np.uint16]


def encode(picture: Words) -> bytes:
    """Pack a picture.

    Args:
        picture: of any shape; 0 is "no depth".

    Returns:
        Whole words of four bytes; the shape is not among them.
    """
    return _packed(_numbers(np.ascontiguousarray(picture).ravel()))


def decode(data: bytes | memoryview, pixels: int) -> Words:
    """Unpack a picture.

    Args:
        data: as :func:`encode` gives it; bytes behind the picture do not matter.
        pixels: of the picture.

    Returns:
        (pixels,) in a row.

    Raises:
        ValueError: it is cut short, or its numbers do not fit the picture; the text goes on after its name.
    """
    measured = bytearray(pixels)
    differences = array("i")
    blocks = _blocks(data)
    numbers, place = array("i"), 0
    at = idle = 0
    while at < pixels:
        if place + 2 > len(numbers):
            numbers, place = numbers[place:] + next(blocks), 0
            continue
        zeros, others = numbers[place], numbers[place + 1]
        start, at, place = at + zeros, at + zeros + others, place + 2
        if at > pixels:
            raise ValueError(f"holds more than its {pixels} pixels")
        if not others:
            idle += not zeros
            if idle > MOST_IDLE:
                raise ValueError("holds parts without pixels")
            continue
        measured[start:at] = b"\1" * others
        while others > len(numbers) - place:
            differences += numbers[place:]
            others -= len(numbers) - place
            numbers, place = next(blocks), 0
        differences += numbers[place : place + others]
        place += others
    steps = np.frombuffer(differences, np.int32)
    picture = np.zeros(pixels, np.uint16)
    values = np.cumsum((steps >> 1) ^ -(steps & 1), dtype=np.int64)
    picture[np.frombuffer(measured, np.bool_)] = values.astype(np.uint16)
    return picture


def _numbers(pixels: Words) -> npt.NDArray[np.int32]:
    """All numbers of a picture, in their order."""
    edges = _edges(pixels)
    starts, ends = edges[0::2], edges[1::2]  # of what is not zero
    counts = ends - starts
    measured = pixels if len(counts) == 1 and counts[0] == len(pixels) else pixels[pixels != 0]
    numbers = np.empty(len(measured) + 2 * len(counts), np.int32)
    heads = np.cumsum(counts) - counts + 2 * np.arange(len(counts))
    if len(counts) == 1:
        _zigzag(measured, numbers[2:])
    else:
        is_difference = np.ones(len(numbers), np.bool_)
        is_difference[heads] = is_difference[heads + 1] = False
        numbers[is_difference] = _zigzag(measured, np.empty(len(measured), np.int32))
    numbers[heads] = starts - np.append(0, ends[:-1])
    numbers[heads + 1] = counts
    return numbers


def _edges(pixels: Words) -> npt.NDArray[np.int64]:
    """Places at which pixels that are not zero begin and end, in turn; the last end is the picture's."""
    size = len(pixels)
    if not size:
        return np.empty(0, np.int64)
    edges = np.array((0, size)) if pixels.all() else np.flatnonzero(np.diff(pixels != 0, prepend=False, append=False))
    if not len(edges) or edges[-1] != size:
        edges = np.append(edges, (size, size))
    if size < LONGEST:
        return edges
    # A part of no pixels may stand anywhere, and parts what is too long for one number.
    return np.sort(np.append(edges, np.repeat(np.arange(LONGEST, size, LONGEST), 2)))


def _zigzag(measured: Words, out: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Differences from pixel to pixel as whole numbers."""
    if len(measured):
        out[0] = measured[0]
        np.subtract(measured[1:], measured[:-1], out=out[1:], dtype=np.int32)
    signs = out >> 31
    np.left_shift(out, 1, out=out)
    np.bitwise_xor(out, signs, out=out)
    return out


def _spread(numbers: npt.NDArray[np.int32]) -> npt.NDArray[np.uint64]:
    """Groups of numbers of up to 24 bits: a byte each in memory's order, :data:`NONE` behind the last."""
    spread = np.full((len(numbers), _WORD), NONE, np.uint8)
    for group in range(_WORD):
        rest = numbers >> GROUP * group
        here = (rest > 0) | (group == 0)
        spread[here, group] = (rest[here] & (MORE - 1)) | np.where(rest[here] >= MORE, MORE, 0)
    return spread.view(np.uint64)[:, 0]


@cache
def _table() -> npt.NDArray[np.uint64]:
    """Groups of every difference that there may be."""
    return _spread(np.arange(1 << 17, dtype=np.int32))


def _packed(numbers: npt.NDArray[np.int32]) -> bytes:
    table = _table()
    spread = table.take(numbers, mode="clip")
    large = np.flatnonzero(numbers >= len(table))
    if len(large):
        spread[large] = _spread(numbers[large])
    groups = spread.tobytes().translate(None, bytes((NONE,)))
    groups += bytes(-len(groups) % _WORD)
    # Eight bytes become eight halves of a byte, two, four and eight at a time.
    words = np.frombuffer(groups, ">u8").astype(np.uint64)
    for bits, kept in ((4, 0x00FF00FF00FF00FF), (8, 0x0000FFFF0000FFFF), (16, 0x00000000FFFFFFFF)):
        words = (words | (words >> np.uint64(bits))) & np.uint64(kept)
    return words.astype("<u4").tobytes()


def _blocks(data: bytes | memoryview) -> Iterator[array[int]]:
    """All numbers of packed bytes, a block at a time: of a large file no more is unpacked than its picture needs.

    Raises:
        ValueError: there are no more, or one is too long.
    """
    left = memoryview(data)[: len(data) // 4 * 4]
    begun: npt.NDArray[np.uint8] = np.empty(0, np.uint8)
    while len(left):
        block, left = left[:BLOCK], left[BLOCK:]
        groups = np.concatenate((begun, _groups(block)))
        ends = np.flatnonzero(groups < MORE)
        begun = groups[int(ends[-1]) + 1 :] if len(ends) else groups
        if len(begun) >= MOST_GROUPS:
            raise _too_long()
        yield array("i", _numbers_of(groups, ends).tobytes())
    raise ValueError("was cut short")


def _groups(data: memoryview) -> npt.NDArray[np.uint8]:
    """Half bytes of whole words, in the order of the picture."""
    pairs = np.frombuffer(data, np.uint8).reshape(-1, 4)[:, ::-1].reshape(-1)
    groups = np.empty(2 * len(pairs), np.uint8)
    groups[0::2], groups[1::2] = pairs >> 4, pairs & 0xF
    return groups


def _numbers_of(groups: npt.NDArray[np.uint8], ends: npt.NDArray[np.intp]) -> npt.NDArray[np.int32]:
    """The numbers of groups; ``ends`` are the last ones of each."""
    starts = np.append(0, ends[:-1] + 1)[: len(ends)]
    left = ends - starts
    numbers = np.asarray(groups[starts] & (MORE - 1), np.int32)
    of = np.flatnonzero(left)
    for group in range(1, MOST_GROUPS):
        if not len(of):
            return numbers
        numbers[of] |= (groups[starts[of] + group] & (MORE - 1)).astype(np.int32) << GROUP * group
        of = of[left[of] > group]
    if len(of):
        raise _too_long()
    return numbers


def _too_long() -> ValueError:
    return ValueError(f"has a number of more than {GROUP * MOST_GROUPS} bits")
