"""Layout of activations and weights in a GPU's memory.

Activations are NCHW: the threads of a warp read neighbouring pixels of one channel, which lie side by side. A map
carries the border of zeros that the convolution behind it needs. Each map has memory of its own, which is zeroed once
when a module is loaded, and the border is never written; rows begin at a whole vector, so that four pixels are stored
at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastdepth_ros.compiler.cuda.grid import VECTOR, round_up

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Map:
    """One activation: ``channels`` maps of ``height`` x ``width`` with ``border`` zeros on every side.

    Lengths and offsets count float32 numbers.
    """

    height: int
    width: int
    channels: int
    border: int

    @property
    def margin(self) -> int:
        """Numbers before a row's first pixel: the border, and what makes the pixel begin a vector."""
        return round_up(self.border, VECTOR)

    @property
    def row(self) -> int:
        """Length of a stored row."""
        return round_up(self.margin + self.width + self.border, VECTOR)

    @property
    def plane(self) -> int:
        """Length of all rows of a channel."""
        return (self.height + 2 * self.border) * self.row

    @property
    def size(self) -> int:
        return self.channels * self.plane

    def offset(self, channel: Any, row: Any, column: Any) -> Any:
        """Offset of a pixel; -border is the first row and column."""
        return channel * self.plane + (row + self.border) * self.row + column + self.margin

    def pack(self, picture: Floats) -> Floats:
        """(channels, height, width) as this map stores it."""
        stored = np.zeros((self.channels, self.height + 2 * self.border, self.row), np.float32)
        stored[self._inner] = picture
        return stored.ravel()

    def unpack(self, stored: Floats) -> Floats:
        """The inverse of :meth:`pack`."""
        planes = stored.reshape(self.channels, self.height + 2 * self.border, self.row)
        return np.ascontiguousarray(planes[self._inner])

    @property
    def _inner(self) -> tuple[slice, slice, slice]:
        rows = slice(self.border, self.border + self.height)
        return slice(None), rows, slice(self.margin, self.margin + self.width)


@dataclass(frozen=True)
class Flat:
    """Map between the two convolutions of a block that is two kernels: no border, all pixels in one row."""

    height: int
    width: int
    channels: int

    @property
    def plane(self) -> int:
        return round_up(self.height * self.width, VECTOR)

    @property
    def size(self) -> int:
        return self.channels * self.plane

    def pack(self, picture: Floats) -> Floats:
        """(channels, height, width) as this map stores it."""
        pixels = picture.reshape(self.channels, -1)
        return np.pad(pixels, ((0, 0), (0, self.plane - pixels.shape[1]))).ravel()

    def unpack(self, stored: Floats) -> Floats:
        """The inverse of :meth:`pack`."""
        pixels = stored.reshape(self.channels, self.plane)[:, : self.height * self.width]
        return np.ascontiguousarray(pixels.reshape(self.channels, self.height, self.width))


def pack_vector(bias: Floats, step: int) -> Floats:
    """(channels,) filled up with zeros to a multiple of ``step``."""
    return np.pad(bias, (0, round_up(len(bias), step) - len(bias)))


def taps(kernel: int) -> int:
    """Stored numbers of a depthwise filter: whole vectors."""
    return round_up(kernel**2, VECTOR)


def pack_depthwise(weight: Floats, chunk: int) -> Floats:
    """(channels, 1, k, k) as [channel][tap], channels filled up to a multiple of ``chunk``, taps to whole vectors."""
    channels, _, rows, columns = weight.shape
    packed = np.zeros((round_up(channels, chunk), taps(rows)), np.float32)
    packed[:channels, : rows * columns] = weight.reshape(channels, -1)
    return packed.ravel()


def pack_pointwise(weight: Floats, chunk: int, outputs: int) -> Floats:
    """(outputs, inputs, 1, 1) as [tile][input][output in the tile], both filled up: a block reads its tile in order."""
    count, inputs = weight.shape[:2]
    packed = np.zeros((round_up(count, outputs), round_up(inputs, chunk)), np.float32)
    packed[:count, :inputs] = weight[:, :, 0, 0]
    return np.ascontiguousarray(packed.reshape(-1, outputs, packed.shape[1]).transpose(0, 2, 1)).ravel()


def pack_first(weight: Floats, outputs: int) -> Floats:
    """(outputs, 3, k, k) as [tile][row][column][colour][output in the tile], filled up to whole tiles."""
    packed = np.zeros((round_up(weight.shape[0], outputs), *weight.shape[1:]), np.float32)
    packed[: weight.shape[0]] = weight
    tiles = packed.reshape(-1, outputs, *weight.shape[1:])
    return np.ascontiguousarray(tiles.transpose(0, 3, 4, 2, 1)).ravel()
