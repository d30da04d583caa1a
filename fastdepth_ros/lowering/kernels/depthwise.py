"""Convolutions of each channel by itself: a strip of a row at a time, whose sums stay in registers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastdepth_ros.compiler import ir
from fastdepth_ros.compiler.ir import Buffer, Expr
from fastdepth_ros.compiler.layout import Map
from fastdepth_ros.lowering.kernels.base import Finish, Window, along, whole_rows
from fastdepth_ros.lowering.tiles import cuts

UNROLLED_ROWS = 3
"""Rows of taps up to which their loop is unrolled; more of them would make long code."""


def strip(
    window: Window,
    source: Map,
    buffers: tuple[Buffer, Buffer, Buffer],
    place: tuple[Expr, Expr, Expr],
    length: int,
    put: Callable[[int, Expr], None],
) -> None:
    """``length`` neighbouring positions of one vector of channels.

    Args:
        window: taps and stride.
        source: the map that is read.
        buffers: the map, weights as [vector][tap][lane], and the bias.
        place: vector, row and column of the first position.
        length: positions.
        put: called with the number of a position and its sum.
    """
    (x, weight, bias), (vector, row, column) = buffers, place
    lanes, (rows, columns) = source.lanes, window.taps
    sums = ir.registers(length * lanes)
    for pixel in range(length):
        ir.store(sums, ir.load(bias, vector * lanes, lanes), pixel * lanes, lanes)

    def add_row(tap_row: Expr) -> None:
        from_row, from_column = row * window.stride + window.first[0], column * window.stride + window.first[1]
        start = source.offset(vector, from_row + tap_row, from_column)
        taps = (vector * rows + tap_row) * (columns * lanes)
        # Each input is read once and goes to all the outputs that it touches.
        for read in range((length - 1) * window.stride + columns):
            value = ir.load(x, start + read * lanes, lanes)
            for tap in range(columns):
                pixel, between = divmod(read - tap, window.stride)
                if between == 0 and 0 <= pixel < length:
                    term = value * ir.load(weight, taps + tap * lanes, lanes)
                    ir.store(sums, ir.load(sums, pixel * lanes, lanes) + term, pixel * lanes, lanes)

    if rows <= UNROLLED_ROWS:
        for tap_row in range(rows):
            add_row(tap_row)
    else:
        with ir.serial(rows) as tap_row:
            add_row(tap_row)
    for pixel in range(length):
        put(pixel, ir.load(sums, pixel * lanes, lanes))


def arguments(source: Map, window: Window) -> list[ir.Argument]:
    """The map that is read, weights and bias."""
    channels, (rows, columns) = source.vectors * source.lanes, window.taps
    return [
        ("x", (source.size,), "float32"),
        ("depthwise_weight", (channels * rows * columns,), "float32"),
        ("depthwise_bias", (channels,), "float32"),
    ]


@dataclass(frozen=True)
class Depthwise:
    """A kernel of (map, weight, bias, [map to add], map).

    Attributes:
        source, target: what is read and written.
        window: where.
        finish: what becomes of the sums.
        strip: positions at a time.
    """

    source: Map
    target: Map
    window: Window
    finish: Finish
    strip: int

    def make(self, name: str) -> Any:
        target, window, lanes = self.target, self.window, self.target.lanes
        _, width = window.positions(target)

        def body(buffers: tuple[Buffer, ...], vector: Expr, row: Expr) -> None:
            added, out = list(buffers[3:-1]), buffers[-1]

            def convolve(column: Expr, length: int) -> None:
                def put(pixel: int, value: Expr) -> None:
                    to_row = row * window.factor + window.phase[0]
                    place = (vector, to_row, (column + pixel) * window.factor + window.phase[1])
                    ir.store(out, self.finish(value, lanes, added, place), target.offset(*place), lanes)

                strip(window, self.source, (buffers[0], buffers[1], buffers[2]), (vector, row, column), length, put)

            along(cuts(width, self.strip), convolve)

        out: ir.Argument = ("out", (target.size,), "float32")
        return whole_rows(name, [*arguments(self.source, window), *self.finish.arguments, out], target, body, window)
