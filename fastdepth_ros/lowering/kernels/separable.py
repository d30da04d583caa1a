"""A depthwise convolution and the pointwise one behind it in one kernel, parallel over rows.

The depthwise convolution's answer for a few rows stays in the cache and is used up at once. So are the last two
convolutions of an inverted residual, with its sum, and each phase of a block that reads an enlarged map.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tvm import tirx

from fastdepth_ros.compiler import ir
from fastdepth_ros.compiler.byte_products import WORD
from fastdepth_ros.compiler.ir import Buffer, Expr
from fastdepth_ros.compiler.layout import Map
from fastdepth_ros.lowering.kernels import depthwise
from fastdepth_ros.lowering.kernels.base import Finish, Window, activate, along
from fastdepth_ros.lowering.kernels.bytes import ByteProduct
from fastdepth_ros.lowering.kernels.full import Product
from fastdepth_ros.lowering.kernels.narrowing import TAIL, Narrowing
from fastdepth_ros.lowering.tiles import Tile, cuts
from fastdepth_ros.network.kinds import Activation


@dataclass(frozen=True)
class Separable:
    """A kernel of (map, depthwise weight and bias, pointwise weights, [map to add], map).

    Attributes:
        source, target: what is read and written.
        inputs: channels that the pointwise convolution multiplies.
        window: where the depthwise convolution reads, and where the answer is written.
        between: the depthwise convolution's activation.
        finish: what becomes of the pointwise convolution's sums.
        tile: of the pointwise convolution; ``rows`` are those of a task.
        strip: positions of the depthwise convolution at a time.
        products: name of the instructions that multiply bytes, by which the pointwise convolution is computed; else
            empty.
    """

    source: Map
    target: Map
    inputs: int
    window: Window
    between: Activation
    finish: Finish
    tile: Tile
    strip: int
    products: str = ""

    def make(self, name: str) -> Any:
        lanes, source, target, window = self.target.lanes, self.source, self.target, self.window
        height, width = window.positions(target)
        most_rows = self.tile.rows
        plane = most_rows * width * lanes
        size = source.vectors * plane
        product: Product | ByteProduct = Product(
            self.inputs, plane, width * lanes, lanes, unroll=min(self.tile.unroll, lanes)
        )
        if self.products:
            product = ByteProduct(
                source.vectors, plane // WORD, width * lanes // WORD, lanes, self.products, size // WORD
            )
        held = product.arguments(target.vectors * lanes)

        def body(*buffers: Buffer) -> None:
            x, spatial, spatial_bias, *more = buffers
            weights, added, out = more[: len(held)], more[len(held) : -1], more[-1]
            with ir.parallel(-(-height // most_rows)) as task:
                row = task * most_rows
                rows = tirx.min(ir.integer(most_rows), ir.integer(height) - row)
                kept, narrowing = ir.scratch(size), None
                if self.products:
                    words = ir.scratch(size // WORD + TAIL, "int32")
                    narrowing = Narrowing(self.products, lanes, words, size // WORD)
                    narrowing.begin()
                with ir.serial(source.vectors) as vector, ir.serial(rows) as r:

                    def convolve(column: Expr, length: int) -> None:
                        def put(pixel: int, value: Expr) -> None:
                            place = vector * plane + (r * width + column + pixel) * lanes
                            value = activate(value, self.between, lanes)
                            if narrowing:
                                narrowing.see(value, pixel)
                            ir.store(kept, value, place, lanes)

                        place = (vector, row + r, column)
                        depthwise.strip(window, source, (x, spatial, spatial_bias), place, length, put)

                    along(cuts(width, self.strip), convolve)
                if narrowing:
                    narrowing.settle(*narrowing.seen())
                    with ir.serial(source.vectors) as vector, ir.serial(rows) as r:
                        start = vector * plane + r * (width * lanes)
                        narrowing.narrow(kept, start, tirx.floordiv(start, WORD), width * lanes)
                read = words if narrowing else kept

                def multiply(first: Expr, panel: int) -> None:
                    with ir.serial(rows) as r:

                        def tile(column: Expr, length: int) -> None:
                            def put(pixel: int, n: int, value: Expr) -> None:
                                to_row = (row + r) * window.factor + window.phase[0]
                                place = (first + n, to_row, (column + pixel) * window.factor + window.phase[1])
                                done = self.finish(value, lanes, added, place)
                                ir.store(out, done, target.offset(*place), lanes)

                            start = (r * width + column) * lanes
                            product.tile(read, weights, start, first, panel, length, put)

                        along(self.tile.cuts(panel, width), tile)

                ir.along(target.vectors, self.tile.panel, multiply)
                with ir.serial(target.vectors) as vector:
                    window.clear(out, target, vector, row, rows)

        arguments: list[ir.Argument] = [
            *depthwise.arguments(source, window),
            *held,
            *self.finish.arguments,
            ("out", (target.size,), "float32"),
        ]
        return ir.kernel(name, arguments, body)
