"""Sources of a depthwise convolution on the GPU: a map as it lies in memory, or one that is made while it is read.

The map below a decoder block is doubled in size, and the encoder's map is added, while a block of threads copies what
it needs into its shared memory; the sum is never stored elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from tvm import tirx

from fastdepth_ros.compiler import ir
from fastdepth_ros.compiler.cuda.layout import Map
from fastdepth_ros.compiler.ir import Buffer, Expr


class Source(Protocol):
    """A map to read, with half a kernel of zeros around it."""

    @property
    def arguments(self) -> list[ir.Argument]:
        """The kernel's arguments that hold it."""

    @property
    def size(self) -> tuple[int, int, int]:
        """Channels, height and width of what is read."""

    @property
    def border(self) -> int:
        """Zeros that may be read around it."""

    def read(self, buffers: list[Buffer], channel: Expr, row: Expr, column: Expr) -> Expr:
        """The number there."""


@dataclass(frozen=True)
class Plain:
    """A map in memory."""

    layout: Map

    @property
    def arguments(self) -> list[ir.Argument]:
        return [("x", (self.layout.size,), "float32")]

    @property
    def size(self) -> tuple[int, int, int]:
        return self.layout.channels, self.layout.height, self.layout.width

    @property
    def border(self) -> int:
        return self.layout.border

    def read(self, buffers: list[Buffer], channel: Expr, row: Expr, column: Expr) -> Expr:
        return buffers[0][self.layout.offset(channel, row, column)]


@dataclass(frozen=True)
class Upsampled:
    """A map doubled in size by nearest neighbour, plus a map of that size where there is a skip.

    Attributes:
        layout: the small map.
        skip: the large one; None for no addition.
    """

    layout: Map
    skip: Map | None

    @property
    def arguments(self) -> list[ir.Argument]:
        small: list[ir.Argument] = [("x", (self.layout.size,), "float32")]
        return [*small, ("skip", (self.skip.size,), "float32")] if self.skip else small

    @property
    def size(self) -> tuple[int, int, int]:
        return self.layout.channels, self.layout.height * 2, self.layout.width * 2

    @property
    def border(self) -> int:
        return self.layout.border * 2

    def read(self, buffers: list[Buffer], channel: Expr, row: Expr, column: Expr) -> Expr:
        # Shifted by a whole border, so that nothing negative is halved.
        half_row, half_column = (tirx.floordiv(at + self.border, 2) - self.layout.border for at in (row, column))
        value = buffers[0][self.layout.offset(channel, half_row, half_column)]
        if self.skip is None:
            return value
        return value + buffers[1][self.skip.offset(channel, row, column)]
