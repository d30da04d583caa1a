"""A depthwise convolution and the pointwise one behind it in one kernel, parallel over rows.

The depthwise convolution's answer for a few rows stays in the cache and is used up at once. So are the last two
convolutions of an inverted residual, with its sum, and each phase of a block that reads an enlarged map.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tvm import tirx

from fastdepth_ros.compiler import ir
from fastdepth_ros.compiler.ir import Buffer, Expr
from fastdepth_ros.compiler.layout import Map
from fastdepth_ros.lowering.kernels import depthwise
from fastdepth_ros.lowering.kernels.base import Finish, Window, activate, along
from fastdepth_ros.lowering.kernels.full import Product
from fastdepth_ros.lowering.tiles import Tile, cuts
from fastdepth_ros.network.kinds import Activation


@dataclass(frozen=True)
class Separable:
    """A kernel of (map, depthwise weight and bias, pointwise weight and bias, [map to add], map).

    Attributes:
        source, target: what is read and written.
        inputs: channels that the pointwise convolution multiplies.
        window: where the depthwise convolution reads, and where the answer is written.
        between: the depthwise convolution's activation.
        finish: what becomes of the pointwise convolution's sums.
        tile: of the pointwise convolution; ``rows`` are those of a task.
        strip: positions of the depthwise convolution at a time.
    """

    source: Map
    target: Map
    inputs: int
    window: Window
    between: Activation
    finish: Finish
    tile: Tile
    strip: int

    def make(self, name: str) -> Any:
        lanes, source, target, window = self.target.lanes, self.source, self.target, self.window
        height, width = window.positions(target)
        most_rows = self.tile.rows
        plane = most_rows * width * lanes
        product = Product(self.inputs, plane, width * lanes, lanes, unroll=min(self.tile.unroll, lanes))

        def body(*buffers: Buffer) -> None:
            x, spatial, spatial_bias, weight, bias, *added, out = buffers
            with ir.parallel(-(-height // most_rows)) as task:
                row = task * most_rows
                rows = tirx.min(ir.integer(most_rows), ir.integer(height) - row)
                kept = ir.scratch(source.vectors * plane)
                with ir.serial(source.vectors) as vector, ir.serial(rows) as r:

                    def convolve(column: Expr, length: int) -> None:
                        def put(pixel: int, value: Expr) -> None:
                            place = vector * plane + (r * width + column + pixel) * lanes
                            ir.store(kept, activate(value, self.between, lanes), place, lanes)

                        place = (vector, row + r, column)
                        depthwise.strip(window, source, (x, spatial, spatial_bias), place, length, put)

                    along(cuts(width, self.strip), convolve)

                def multiply(first: Expr, panel: int) -> None:
                    with ir.serial(rows) as r:

                        def tile(column: Expr, length: int) -> None:
                            def put(pixel: int, n: int, value: Expr) -> None:
                                to_row = (row + r) * window.factor + window.phase[0]
                                place = (first + n, to_row, (column + pixel) * window.factor + window.phase[1])
                                done = self.finish(value, lanes, added, place)
                                ir.store(out, done, target.offset(*place), lanes)

                            start = (r * width + column) * lanes
                            product.tile(kept, weight, bias, start, first, panel, length, put)

                        along(self.tile.cuts(panel, width), tile)

                ir.along(target.vectors, self.tile.panel, multiply)
                with ir.serial(target.vectors) as vector:
                    window.clear(out, target, vector, row, rows)

        outputs = target.vectors * lanes
        arguments: list[ir.Argument] = [
            *depthwise.arguments(source, window),
            ("weight", (outputs * self.inputs,), "float32"),
            ("bias", (outputs,), "float32"),
            *self.finish.arguments,
            ("out", (target.size,), "float32"),
        ]
        return ir.kernel(name, arguments, body)
