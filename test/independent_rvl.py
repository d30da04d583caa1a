"""RVL read as the paper's program reads it, number by number: written from the paper, and with no line of ours.

A. D. Wilson, "Fast lossless depth image compression", Interactive Surfaces and Spaces 2017, listing 1.
"""

from __future__ import annotations

import struct

import numpy as np


class _Numbers:
    """Numbers of three bits a group, from words whose highest half byte comes first."""

    def __init__(self, data: bytes) -> None:
        self._words = iter(struct.unpack(f"<{len(data) // 4}I", data[: len(data) // 4 * 4]))
        self._word = self._left = 0

    def next(self) -> int:
        value = shift = 0
        while True:
            if not self._left:
                self._word, self._left = next(self._words), 8
            group = self._word >> 28
            self._word = self._word << 4 & 0xFFFFFFFF
            self._left -= 1
            value |= (group & 7) << shift
            shift += 3
            if not group & 8:
                return value


def unpack(data: bytes, pixels: int) -> np.ndarray:
    """The pixels, in a row."""
    numbers, found, previous = _Numbers(data), [], 0
    while len(found) < pixels:
        found += [0] * numbers.next()
        for _ in range(numbers.next()):
            number = numbers.next()
            previous += (number >> 1) ^ -(number & 1)
            found.append(previous)
    assert len(found) == pixels
    return np.array(found, np.uint16)


def depth_of(form: str, data: bytes) -> np.ndarray:
    """The depth image of a CompressedImage with RVL, in its own unit, as compressed_depth_image_transport reads it."""
    encoding, method = form.split("; compressedDepth ")
    assert method == "rvl"
    kind, a, b, columns, rows = struct.unpack_from("<iffII", data)
    assert kind == 0
    values = unpack(data[20:], columns * rows).reshape(rows, columns)
    if encoding == "16UC1":
        return values
    assert encoding == "32FC1"
    with np.errstate(divide="ignore"):
        return np.where(values > 0, np.float32(a) / (values.astype(np.float32) - np.float32(b)), np.float32(np.nan))
