"""Bytes that stand where a JPEG's picture was.

A gap that a broken transfer leaves is filled up, with zeros as a rule, and those decode: to a picture of which all that
follows is shifted. A run of one byte is told from a plain wall by the file's own Huffman tables: the wall's blocks are
short, a direct current and an end; a run that does not go on as such blocks is no picture (ITU-T T.81, annexes C, F).
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

PLAIN = 2
"""Coefficients of the richest block of a plain wall, besides the direct current."""

RUN = 20
"""Blocks that a run has to go on as."""

Tables = tuple[tuple[bytes, bytes], ...]
"""Huffman's for DC and AC of each block of an MCU."""

_WORD, _HALF = 8, 4
_REST = np.uint64(0x00FFFFFFFFFFFFFF)
_EIGHT = np.uint64(8)
_LOOKED_AT = 8

ALIKE = 255
"""OpenCV's word for numbers that are the same."""


class Room:
    """Room that one file after the other is copied into, to be decoded and looked through there.

    All is made once, and what compares is OpenCV, of which some is near the processor behind a picture that it decoded:
    there each function of NumPy takes 10 us and more.

    Attributes:
        file: begins with the latest file; older ones' bytes may follow.
        most: bytes that there is room for.
    """

    def __init__(self) -> None:
        self._make(0, 0)

    def take(self, data: memoryview, start: int) -> npt.NDArray[np.uint8]:
        """Copy a file.

        Args:
            data: of it, one byte an item.
            start: where its scan begins.

        Returns:
            (bytes,), valid until the next one comes.
        """
        size = len(data)
        if start != self._start or not self._least <= size <= self.most:
            self._make(size, start)
        self._bytes[:size] = data
        return self._array[:size]

    def repeats(self, stop: int) -> bool:
        """Whether four bytes of the scan are those before them somewhere, as in each run of eleven.

        Args:
            stop: where the scan ends.
        """
        cv2.compare(self._after, self._before, cv2.CMP_EQ, self._alike)
        # What is left behind the scan seldom repeats, and to ask for all takes a third as long.
        found, last = self._found, max(0, stop // _HALF - self._skipped - 1)
        return ALIKE in found and found.find(ALIKE, 0, last) >= 0

    def _make(self, size: int, start: int) -> None:
        """Make room for files of about that size [B] whose scans begin there."""
        self._start, self._skipped = start, -(-start // _HALF)
        halves = max(size * 9 // 8 // _HALF, self._skipped) + 2
        self._least, self.most = size // 2, halves * _HALF
        self.file, self._found = bytearray(self.most), bytearray(halves - self._skipped - 1)
        self._bytes = memoryview(self.file)
        self._array = np.frombuffer(self.file, np.uint8)
        words = np.frombuffer(self.file, np.int32)[np.newaxis, self._skipped :]
        words[:] = np.arange(words.size)  # none repeats where no file was yet
        self._after, self._before = words[:, 1:], words[:, :-1]
        self._alike = np.frombuffer(self._found, np.uint8)[np.newaxis]


def filler_in(scan: npt.NDArray[np.uint8], tables: Tables) -> int | None:
    """The byte that fills a part of a scan where it cannot be picture; None where there is none.

    Runs of 23 bytes are found wherever they begin, of zeros those of 15; shorter ones perhaps. One that goes on to the
    end is the padding that some cameras send.

    Args:
        scan: the bytes of the scan.
        tables: of its blocks.
    """
    words = scan[: len(scan) // _WORD * _WORD].view(np.uint64)
    filled = words == 0
    filled[1:] |= words[1:] == words[:-1]
    if not filled.any():
        return None
    (found,) = np.nonzero(filled & ((words ^ (words >> _EIGHT)) & _REST == 0))
    _, first = np.unique(scan[found * _WORD], return_index=True)
    for at in found[first[:_LOOKED_AT]]:
        byte = scan[at * _WORD]
        if not is_natural(int(byte), tables) and (scan[at * _WORD :] != byte).any():
            return int(byte)
    return None


@lru_cache(256)
def is_natural(byte: int, tables: Tables) -> bool:
    """Whether a run of that byte may be blocks of a plain wall."""
    blocks = [(_codes(dc), _codes(ac)) for dc, ac in tables]
    bits = f"{byte:08b}" * 2 * RUN
    return any(_goes_on(bits, start, blocks, first) for first in range(len(blocks)) for start in range(8))


Codes = dict[str, int]


def _goes_on(bits: str, at: int, blocks: list[tuple[Codes, Codes]], first: int) -> bool:
    """Whether a run is plain blocks from there on, the first of which is that of an MCU."""
    for number in range(first, first + RUN):
        at = _block_end(bits, at % 8, *blocks[number % len(blocks)])
        if at < 0:
            return False
    return True


def _block_end(bits: str, at: int, dc: Codes, ac: Codes) -> int:
    """End of the plain block that begins there; -1 where none does."""
    category, at = _symbol(bits, at, dc)
    if not ac:  # the same step over and over leads out of all brightness, unless it is the smallest
        return at + category if category in (0, 1) else -1
    at += category
    for _ in range(PLAIN + 1):
        symbol, at = _symbol(bits, at, ac)
        if symbol <= 0:
            return at if symbol == 0 else -1
        at += symbol & 15
    return -1


def _symbol(bits: str, at: int, codes: Codes) -> tuple[int, int]:
    """The symbol that begins there, and where it ends; -1 where none does."""
    for end in range(at + 1, at + 17):
        if (symbol := codes.get(bits[at:end])) is not None:
            return symbol, end
    return -1, at


@lru_cache(32)
def _codes(table: bytes) -> Codes:
    """The codes of a table in bits (T.81, C.2)."""
    codes, code, symbols = {}, 0, iter(table[16:])
    for length, count in enumerate(table[:16], 1):
        for _, symbol in zip(range(count), symbols, strict=False):
            codes[f"{code:0{length}b}"] = symbol
            code += 1
        code <<= 1
    return codes
