"""Sources of a depthwise convolution: a map as it lies in memory, or one that exists only while it is read.

A decoder block reads the map below it doubled in size by nearest neighbour, with the encoder's map (the skip) added.
The sum is never stored: it is one more addition for numbers that have just been loaded, where storing it would send
the largest maps of the network to memory and back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from tvm import tirx

from fastdepth_ros.compiler import ir
from fastdepth_ros.compiler.ir import Buffer, Expr
from fastdepth_ros.compiler.layout import BYTES_A_LANE, Map


class Source(Protocol):
    """A map to read, with at least half a kernel of zeros around it."""

    @property
    def arguments(self) -> list[ir.Argument]:
        """The kernel's arguments that hold it."""

    @property
    def vectors(self) -> int:
        """Vectors of channels."""

    @property
    def step(self) -> int:
        """Columns at which a strip may begin are multiples of this."""

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""

    def read(self, buffers: list[Buffer], vector: Expr, row: Expr, column: Expr, offset: int, own: int) -> Expr:
        """The first ``own`` lanes at ``row`` and ``column + offset``, of which only ``offset`` is known now."""

    def prefetch(self, buffers: list[Buffer], vector: Expr, row: Expr, column: Expr, length: int) -> None:
        """Ask for ``length`` neighbouring pixels of that vector, so that they are near when they are read."""


@dataclass(frozen=True)
class Plain:
    """A map in memory."""

    layout: Map
    step = 1

    @property
    def arguments(self) -> list[ir.Argument]:
        return [("x", (self.layout.size,), self.layout.dtype)]

    @property
    def vectors(self) -> int:
        return self.layout.vectors

    @property
    def nbytes(self) -> int:
        return self.layout.nbytes

    def read(self, buffers: list[Buffer], vector: Expr, row: Expr, column: Expr, offset: int, own: int) -> Expr:
        start = self.layout.offset(vector, row, column)
        return ir.get(buffers[0], start + offset * self.layout.lanes, own)

    def prefetch(self, buffers: list[Buffer], vector: Expr, row: Expr, column: Expr, length: int) -> None:
        prefetch(buffers[0], self.layout, vector, row, column, length)


@dataclass(frozen=True)
class Upsampled:
    """A map doubled in size by nearest neighbour, plus a map of that size where there is a skip.

    Attributes:
        layout: the small map; its border is half of what the reader needs.
        skip: the large one, with the reader's border; None for no addition.
    """

    layout: Map
    skip: Map | None
    step = 2  # So that each column's half is known while the kernel is built.

    @property
    def arguments(self) -> list[ir.Argument]:
        small: list[ir.Argument] = [("x", (self.layout.size,), self.layout.dtype)]
        return [*small, ("skip", (self.skip.size,), self.skip.dtype)] if self.skip else small

    @property
    def vectors(self) -> int:
        return self.layout.vectors

    @property
    def nbytes(self) -> int:
        return self.layout.nbytes + (self.skip.nbytes if self.skip else 0)

    def read(self, buffers: list[Buffer], vector: Expr, row: Expr, column: Expr, offset: int, own: int) -> Expr:
        lanes = self.layout.lanes
        half_row, half_column = tirx.floordiv(row, 2), tirx.floordiv(column, 2)
        start = self.layout.offset(vector, half_row, half_column)
        value = ir.get(buffers[0], start + offset // 2 * lanes, own)
        if self.skip is None:
            return value
        return value + ir.get(buffers[1], self.skip.offset(vector, row, column) + offset * lanes, own)

    def prefetch(self, buffers: list[Buffer], vector: Expr, row: Expr, column: Expr, length: int) -> None:
        half_row, half_column = tirx.floordiv(row, 2), tirx.floordiv(column, 2)
        prefetch(buffers[0], self.layout, vector, half_row, half_column, -(-length // 2))
        if self.skip:
            prefetch(buffers[1], self.skip, vector, row, column, length)


def prefetch(buffer: Buffer, layout: Map, vector: Expr, row: Expr, column: Expr, length: int) -> None:
    """Ask for ``length`` neighbouring pixels of a map; a row behind its last is its last."""
    start = layout.offset(vector, tirx.min(row, layout.height + layout.border - 1), column)
    for offset in range(0, length * layout.lanes, ir.LINE * BYTES_A_LANE // np.dtype(layout.dtype).itemsize):
        ir.prefetch(buffer, start + offset)
