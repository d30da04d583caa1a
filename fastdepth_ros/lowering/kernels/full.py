"""Convolutions of all channels: sums of pointwise products of shifted maps, on the tiles of a matrix product.

A tile is a few pixels of a row by a few vectors of output channels, whose sums stay in registers while all taps and
input channels pass by. Large maps are shared by rows: a task reads all weights for its rows. Small ones are shared by
panels of weights: each weight is read once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tvm import tirx

from fastdepth_ros.compiler import ir
from fastdepth_ros.compiler.byte_products import WORD
from fastdepth_ros.compiler.ir import Buffer, Expr
from fastdepth_ros.compiler.layout import Map
from fastdepth_ros.lowering.kernels.base import Finish, Window, along
from fastdepth_ros.lowering.kernels.bytes import ByteProduct, Words
from fastdepth_ros.lowering.tiles import Tile


@dataclass(frozen=True)
class Product:
    """Sums of a tile: what :class:`Full` and ``separable`` have in common.

    Attributes:
        inputs: channels that are multiplied.
        plane: numbers between two vectors of channels of what is read.
        row: numbers between two rows of it.
        lanes: of a vector.
        taps: rows and columns of taps.
        stride: pixels of what is read between neighbouring pixels of the tile.
        unroll: input channels per turn of the inner loop.
    """

    inputs: int
    plane: int
    row: int
    lanes: int
    taps: tuple[int, int] = (1, 1)
    stride: int = 1
    unroll: int = 4

    def arguments(self, outputs: int) -> list[ir.Argument]:
        """Weights and bias of so many outputs, whole vectors."""
        rows, columns = self.taps
        return [("weight", (outputs * self.inputs * rows * columns,), "float32"), ("bias", (outputs,), "float32")]

    def tile(
        self, x: Buffer, weights: Sequence[Buffer], start: Expr, vector: Expr, panel: int, pixels: int, put: Any
    ) -> None:
        """``pixels`` x ``panel`` vectors.

        Args:
            x: buffer with the map.
            weights: buffers of :meth:`arguments`; a panel of weights is [tap][input][vector][lane].
            start: of the first tap's pixel in ``x``.
            vector: first vector of the panel.
            panel, pixels: size of the tile.
            put: called with pixel and vector, counted from the tile's corner, and the sum.
        """
        weight, bias = weights
        lanes, width = self.lanes, panel * self.lanes
        rows, columns = self.taps
        panel_start = vector * (lanes * self.inputs * rows * columns)
        slots = [(pixel, n, (pixel * panel + n) * lanes) for pixel in range(pixels) for n in range(panel)]
        sums = ir.registers(pixels * width)
        for _, n, at in slots:
            ir.store(sums, ir.load(bias, (vector + n) * lanes, lanes), at, lanes)

        def add_channels(source: Expr, weights: Expr, count: int) -> None:
            for lane in range(count):
                for pixel, n, at in slots:
                    value = ir.splat(x[source + pixel * self.stride * lanes + lane], lanes)
                    term = value * ir.load(weight, weights + lane * width + n * lanes, lanes)
                    ir.store(sums, ir.load(sums, at, lanes) + term, at, lanes)

        def add_tap(row: Expr, column: Expr) -> None:
            source = start + row * self.row + column * lanes
            weights = panel_start + (row * columns + column) * (self.inputs * width)
            groups, rest = divmod(self.inputs, lanes)
            step = min(self.unroll, lanes)
            if groups:
                with ir.serial(groups) as group, ir.serial(lanes // step) as turn:
                    here = weights + (group * lanes + turn * step) * width
                    add_channels(source + group * self.plane + turn * step, here, step)
            if rest:
                add_channels(source + groups * self.plane, weights + groups * lanes * width, rest)

        with ir.serial(rows) as row, ir.serial(columns) as column:
            add_tap(row, column)
        for pixel, n, at in slots:
            put(pixel, n, ir.load(sums, at, lanes))


@dataclass(frozen=True)
class Full:
    """A kernel of (map, weights, [map to add], map).

    Attributes:
        source, target: what is read and written.
        inputs: channels that are multiplied.
        window: where.
        finish: what becomes of the sums.
        tile: of registers, and how the work is shared.
        products: name of the instructions that multiply bytes, where words are read in place of the map; else empty.
    """

    source: Map
    target: Map
    inputs: int
    window: Window
    finish: Finish
    tile: Tile
    products: str = ""

    def _product(self) -> Product | ByteProduct:
        source, lanes, taps, stride = self.source, self.target.lanes, self.window.taps, self.window.stride
        if self.products:
            plane, row, tail = source.plane // WORD, source.row // WORD, Words(source).tail
            return ByteProduct(source.vectors, plane, row, lanes, self.products, tail, taps, stride)
        return Product(self.inputs, source.plane, source.row, lanes, taps, stride, min(self.tile.unroll, lanes))

    def make(self, name: str) -> Any:
        lanes, source, target, window = self.target.lanes, self.source, self.target, self.window
        height, width = window.positions(target)
        product = self._product()
        held = product.arguments(target.vectors * lanes)

        def body(x: Buffer, *more: Buffer) -> None:
            weights, added, out = more[: len(held)], list(more[len(held) : -1]), more[-1]

            def multiply(first: Expr, panel: int, row: Expr, rows: Expr) -> None:
                """Some rows of one panel."""
                with ir.serial(rows) as r:

                    def tile(column: Expr, length: int) -> None:
                        read = (row + r) * window.stride + window.first[0], column * window.stride + window.first[1]

                        def put(pixel: int, n: int, value: Expr) -> None:
                            to_row = (row + r) * window.factor + window.phase[0]
                            to_column = (column + pixel) * window.factor + window.phase[1]
                            place = (first + n, to_row, to_column)
                            done = self.finish(value, lanes, added, place)
                            ir.store(out, done, target.offset(*place), lanes)

                        product.tile(x, weights, source.offset(0, *read), first, panel, length, put)

                    along(self.tile.cuts(panel, width), tile)
                for n in range(panel):
                    window.clear(out, target, first + n, row, rows)

            if self.tile.rows:
                with ir.parallel(-(-height // self.tile.rows)) as task:
                    row = task * self.tile.rows
                    rows = tirx.min(ir.integer(self.tile.rows), ir.integer(height) - row)
                    ir.along(target.vectors, self.tile.panel, lambda v, count: multiply(v, count, row, rows))
                return
            panels, rest = divmod(target.vectors, self.tile.panel)
            with ir.parallel(panels + bool(rest)) as task:

                def whole() -> None:
                    multiply(task * self.tile.panel, self.tile.panel, ir.integer(0), ir.integer(height))

                def last() -> None:
                    multiply(ir.integer(panels * self.tile.panel), rest, ir.integer(0), ir.integer(height))

                if not rest:
                    whole()
                elif not panels:
                    last()
                else:
                    ir.choose(task < panels, whole, last)

        read: ir.Argument = ("x", (source.size,), "float32")
        arguments: list[ir.Argument] = [
            ("words", (Words(source).size,), "int32") if self.products else read,
            *held,
            *self.finish.arguments,
            ("out", (target.size,), "float32"),
        ]
        return ir.kernel(name, arguments, body)
