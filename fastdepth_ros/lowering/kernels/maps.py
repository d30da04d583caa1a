"""Kernels that multiply no weights: sums of maps, enlarging, interpolation, pooling."""

from __future__ import annotations

from dataclasses import dataclass
from math import lcm
from typing import Any

from tvm import tirx

from fastdepth_ros.compiler import ir
from fastdepth_ros.compiler.ir import Buffer, Expr
from fastdepth_ros.compiler.layout import Map
from fastdepth_ros.lowering.kernels.base import activate, whole_rows
from fastdepth_ros.network.kinds import Activation

PIXELS = 4
"""Pixels at a time."""


@dataclass(frozen=True)
class Sum:
    """A kernel of (maps..., map): their sum, each enlarged by nearest neighbour; one map alone is enlarged or copied.

    Attributes:
        sources: maps, and how many times as large each is read.
        target: what is written.
        activation: behind the sum.
    """

    sources: tuple[tuple[Map, int], ...]
    target: Map
    activation: Activation = "none"

    def make(self, name: str) -> Any:
        target, lanes = self.target, self.target.lanes
        whole = lcm(*(factor for _, factor in self.sources))

        def body(buffers: tuple[Buffer, ...], vector: Expr, row: Expr) -> None:
            def write(column: Expr, length: int) -> None:
                starts = [
                    source.offset(vector, tirx.floordiv(row, factor), tirx.floordiv(column, factor))
                    for source, factor in self.sources
                ]
                for pixel in range(length):
                    value: Any = None
                    for (_, factor), x, start in zip(self.sources, buffers, starts, strict=False):
                        read = ir.load(x, start + pixel // factor * lanes, lanes)
                        value = read if value is None else value + read
                    place = target.offset(vector, row, column + pixel)
                    ir.store(buffers[-1], activate(value, self.activation, lanes), place, lanes)

            # Each step begins at a whole pixel of every source.
            ir.along(target.width, whole * max(1, PIXELS // whole), write)

        reads: list[ir.Argument] = [(f"x{n}", (source.size,), "float32") for n, (source, _) in enumerate(self.sources)]
        return whole_rows(name, [*reads, ("out", (target.size,), "float32")], target, body)


@dataclass(frozen=True)
class Unpool:
    """A kernel of (map, map): each pixel in the top left of ``factor`` x ``factor``, zeros in the others."""

    source: Map
    target: Map
    factor: int

    def make(self, name: str) -> Any:
        source, target, lanes = self.source, self.target, self.target.lanes

        def body(buffers: tuple[Buffer, ...], vector: Expr, row: Expr) -> None:
            x, out = buffers
            ir.zero(out, target.offset(vector, row, 0), target.width * lanes, lanes)
            with ir.when(tirx.EQ(tirx.floormod(row, self.factor), ir.integer(0))), ir.serial(source.width) as column:
                value = ir.load(x, source.offset(vector, tirx.floordiv(row, self.factor), column), lanes)
                ir.store(out, value, target.offset(vector, row, column * self.factor), lanes)

        return whole_rows(name, _one_to_one(source, target), target, body)


@dataclass(frozen=True)
class Interpolate:
    """A kernel of (map, rows, parts of rows, columns, parts of columns, map): linear interpolation on both axes.

    Pixel ``i`` of an axis lies between pixels ``places[i]`` and the next of the map that is read, ``parts[i]`` of the
    way.
    """

    source: Map
    target: Map

    def make(self, name: str) -> Any:
        source, target, lanes = self.source, self.target, self.target.lanes

        def body(buffers: tuple[Buffer, ...], vector: Expr, row: Expr) -> None:
            x, rows, row_parts, columns, column_parts, out = buffers
            bottom = tirx.min(rows[row] + 1, ir.integer(source.height - 1))

            with ir.serial(target.width) as column:
                right = tirx.min(columns[column] + 1, ir.integer(source.width - 1))
                across, down = ir.splat(column_parts[column], lanes), ir.splat(row_parts[row], lanes)

                def between(from_row: Expr) -> Expr:
                    left = ir.load(x, source.offset(vector, from_row, columns[column]), lanes)
                    return left + (ir.load(x, source.offset(vector, from_row, right), lanes) - left) * across

                upper = between(rows[row])
                value = upper + (between(bottom) - upper) * down
                ir.store(out, value, target.offset(vector, row, column), lanes)

        height, width = target.height, target.width
        arguments: list[ir.Argument] = [
            ("x", (source.size,), "float32"),
            ("rows", (height,), "int32"),
            ("row_parts", (height,), "float32"),
            ("columns", (width,), "int32"),
            ("column_parts", (width,), "float32"),
            ("out", (target.size,), "float32"),
        ]
        return whole_rows(name, arguments, target, body)


@dataclass(frozen=True)
class MaxPool:
    """A kernel of (map, map): the largest of ``kernel`` x ``kernel`` pixels; beyond the edge nothing counts."""

    source: Map
    target: Map
    kernel: int
    stride: int

    def make(self, name: str) -> Any:
        source, target, lanes = self.source, self.target, self.target.lanes

        def body(buffers: tuple[Buffer, ...], vector: Expr, row: Expr) -> None:
            x, out = buffers

            # A pixel beyond the edge is taken for the nearest inside, which counts already.
            def near(place: Expr, tap: int, side: int) -> Expr:
                pixel = place * self.stride + tap - self.kernel // 2
                return tirx.max(tirx.min(pixel, ir.integer(side - 1)), ir.integer(0))

            with ir.serial(target.width) as column:
                value: Any = None
                for tap_row in range(self.kernel):
                    for tap in range(self.kernel):
                        place = (vector, near(row, tap_row, source.height), near(column, tap, source.width))
                        read = ir.load(x, source.offset(*place), lanes)
                        value = read if value is None else tirx.max(value, read)
                ir.store(out, value, target.offset(vector, row, column), lanes)

        return whole_rows(name, _one_to_one(source, target), target, body)


def _one_to_one(source: Map, target: Map) -> list[ir.Argument]:
    return [("x", (source.size,), "float32"), ("out", (target.size,), "float32")]
