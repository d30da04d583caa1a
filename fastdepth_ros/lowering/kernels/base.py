"""Common parts of kernels: names, windows of convolutions, and what is done to a number before it is written."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from tvm import tirx

from fastdepth_ros.compiler import border, ir
from fastdepth_ros.compiler.ir import Buffer, Expr
from fastdepth_ros.compiler.layout import Map
from fastdepth_ros.lowering.tiles import Cut
from fastdepth_ros.network.kinds import Activation


class Kernel(Protocol):
    """A record of shapes that makes a kernel."""

    def make(self, name: str) -> Any:
        """The TensorIR function of that name."""


def name_of(kernel: Kernel) -> str:
    """A C identifier that two kernels share only if they are the same."""
    digest = hashlib.sha256(repr(kernel).encode()).hexdigest()[:16]
    return f"{type(kernel).__name__.lower()}_{digest}"


@dataclass(frozen=True)
class Window:
    """Places that a convolution reads and writes.

    Position ``i`` reads rows from ``i * stride + first`` on, and is written to row ``i * factor + phase``; so columns.

    Attributes:
        first: row and column of the first tap.
        taps: rows and columns of taps.
        stride: of reading.
        factor, phase: of writing (see ``taps``).
    """

    first: tuple[int, int]
    taps: tuple[int, int]
    stride: int = 1
    factor: int = 1
    phase: tuple[int, int] = (0, 0)

    @property
    def begins(self) -> bool:
        """Whether it is the first of its phases, which writes the border as well."""
        return self.phase == (0, 0)

    def positions(self, target: Map) -> tuple[int, int]:
        """Rows and columns of positions."""
        return target.height // self.factor, target.width // self.factor

    def reach(self, source: tuple[int, int], target: tuple[int, int]) -> int:
        """Border that is read around a map.

        Args:
            source, target: height and width of what is read and written.
        """
        beyond = [0]
        for side, large, first, taps in zip(source, target, self.first, self.taps, strict=True):
            last = (large // self.factor - 1) * self.stride + first + taps - 1
            beyond += [-first, last - (side - 1)]
        return max(beyond)

    def clear(self, out: Buffer, target: Map, vector: Expr, row: Expr, rows: Expr) -> None:
        """Write the border beside the answer's rows of some positions, if it is this phase's turn."""
        if self.begins:
            border.clear(out, target, vector, row * self.factor, rows * self.factor)


@dataclass(frozen=True)
class Finish:
    """Treatment of a sum before it is written: an activation, and where a map is added, another behind it."""

    activation: Activation = "none"
    added: Map | None = None
    after: Activation = "none"

    @property
    def arguments(self) -> list[ir.Argument]:
        """The kernel's argument with the map that is added."""
        return [("added", (self.added.size,), "float32")] if self.added else []

    def __call__(self, value: Expr, lanes: int, added: list[Buffer], place: tuple[Expr, Expr, Expr]) -> Expr:
        """The number to write at ``place``: vector, row and column; ``added`` are the buffers of the arguments."""
        value = activate(value, self.activation, lanes)
        if self.added is None:
            return value
        return activate(value + ir.load(added[0], self.added.offset(*place), lanes), self.after, lanes)


def along(cuts: Iterable[Cut], body: Callable[[Expr, int], None]) -> None:
    """Call ``body(start, pixels)`` for every tile of a row; equal ones are a loop."""
    for start, tiles, pixels in cuts:
        if tiles == 1:
            body(ir.integer(start), pixels)
            continue
        with ir.serial(tiles) as tile:
            body(tile * pixels + start, pixels)


def activate(value: Expr, activation: Activation, lanes: int) -> Expr:
    """An activation of every lane (``network.kinds.Activation``)."""
    if activation == "relu":
        return tirx.max(value, ir.splat(0.0, lanes))
    if activation == "relu6":
        return tirx.max(tirx.min(value, ir.splat(6.0, lanes)), ir.splat(0.0, lanes))
    if activation == "hard-swish":
        gate = tirx.max(tirx.min(value + ir.splat(3.0, lanes), ir.splat(6.0, lanes)), ir.splat(0.0, lanes))
        return value * gate * ir.splat(1 / 6, lanes)
    return value


def whole_rows(name: str, arguments: list[ir.Argument], target: Map, body: Any, window: Window | None = None) -> Any:
    """A kernel whose tasks are single rows of positions of single vectors: ``body(buffers, vector, row)`` writes one.

    The last argument is the map that is written; its border is cleared here. Without a window each of its pixels is a
    position.
    """
    window = window or Window((0, 0), (1, 1))
    height, _ = window.positions(target)

    def write(*buffers: Buffer) -> None:
        with ir.parallel(target.vectors * height) as task:
            vector, row = tirx.floordiv(task, height), tirx.floormod(task, height)
            body(buffers, vector, row)
            window.clear(buffers[-1], target, vector, row, 1)

    return ir.kernel(name, arguments, write)
