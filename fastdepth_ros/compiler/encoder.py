"""Depthwise-separable blocks: a depthwise convolution and the matrix product (pointwise convolution) behind it.

Large maps: one kernel, parallel over rows. What the depthwise convolution of a few rows gives stays in the cache and is
used up at once. Small maps of many channels: two kernels, the first parallel over channels, the second over panels of
weights, because rows are too few to share and each weight would be read for too few pixels.
"""

from __future__ import annotations

from typing import Any

from fastdepth_ros.compiler import border, ir
from fastdepth_ros.compiler.ir import Buffer
from fastdepth_ros.compiler.layout import Map
from fastdepth_ros.compiler.tile import Layer, Tiling, depthwise, product
from fastdepth_ros.network import Block, Convolution


def weight_arguments(conv: Convolution, lanes: int) -> list[ir.Argument]:
    """The weights and biases of a depthwise or pointwise convolution, packed."""
    outputs = -(-conv.outputs // lanes) * lanes
    per_output = conv.kernel**2 if conv.kind == "depthwise" else conv.inputs
    word = conv.kind
    return [(f"{word}_weight", (outputs * per_output,), "float32"), (f"{word}_bias", (outputs,), "float32")]


def block_by_rows(name: str, block: Block, source: Map, target: Map, tiling: Tiling) -> Any:
    """One kernel of (map, depthwise weight and bias, pointwise weight and bias, map)."""
    lanes, height, width = source.lanes, target.height, target.width
    rows = divisor(height, tiling.rows)
    strip, pixels = ir.even_step(width, tiling.strip), ir.even_step(width, tiling.pixels)
    plane = rows * width * lanes

    def body(x: Buffer, dw: Buffer, dw_bias: Buffer, pw: Buffer, pw_bias: Buffer, out: Buffer) -> None:
        spatial = Layer(block.depthwise, dw, dw_bias, lanes)
        mixing = Layer(block.pointwise, pw, pw_bias, lanes)
        with ir.parallel(height // rows) as task:
            between = ir.scratch(source.vectors * plane)
            with ir.serial(source.vectors) as vector, ir.serial(rows) as r:

                def convolve(column: Any, length: int) -> None:
                    def put(pixel: int, value: Any) -> None:
                        ir.store(between, value, vector * plane + (r * width + column + pixel) * lanes, lanes)

                    depthwise(spatial, x, source, vector, task * rows + r, column, length, put)

                ir.along(width, strip, convolve)

            def multiply(first: Any, panel: int) -> None:
                def tile(column: Any, length: int) -> None:
                    def put(pixel: int, n: int, value: Any) -> None:
                        at = target.offset(first + n, task * rows + r, column + pixel)
                        ir.store(out, value, at, lanes)

                    start = (r * width + column) * lanes
                    product(mixing, between, start, plane, first, panel, length, tiling.unroll, put)

                with ir.serial(rows) as r:
                    ir.along(width, pixels, tile)

            ir.along(target.vectors, tiling.panel, multiply)
            with ir.serial(target.vectors) as vector:
                border.clear(out, target, vector, task * rows, rows)

    arguments: list[ir.Argument] = [
        ("x", (source.size,), "float32"),
        *weight_arguments(block.depthwise, lanes),
        *weight_arguments(block.pointwise, lanes),
        ("out", (target.size,), "float32"),
    ]
    return ir.kernel(name, arguments, body)


def depthwise_by_channels(name: str, conv: Convolution, source: Map, target: Map) -> Any:
    """A kernel of (map, weight, bias, map without border): the first half of a block with a small map."""
    lanes = source.lanes

    def body(x: Buffer, weight: Buffer, bias: Buffer, out: Buffer) -> None:
        with ir.parallel(source.vectors) as vector, ir.serial(target.height) as row:

            def convolve(column: Any, length: int) -> None:
                def put(pixel: int, value: Any) -> None:
                    ir.store(out, value, target.offset(vector, row, column + pixel), lanes)

                depthwise(Layer(conv, weight, bias, lanes), x, source, vector, row, column, length, put)

            ir.along(target.width, ir.even_step(target.width, 14), convolve)

    arguments: list[ir.Argument] = [
        ("x", (source.size,), "float32"),
        *weight_arguments(conv, lanes),
        ("out", (target.size,), "float32"),
    ]
    return ir.kernel(name, arguments, body)


def pointwise_by_panels(name: str, conv: Convolution, source: Map, target: Map, tiling: Tiling) -> Any:
    """A kernel of (map without border, weight, bias, map): the second half of a block with a small map."""
    lanes, height, width = source.lanes, target.height, target.width
    pixels = ir.even_step(width, tiling.pixels)
    full, rest = divmod(target.vectors, tiling.panel)

    def body(x: Buffer, weight: Buffer, bias: Buffer, out: Buffer) -> None:
        def multiply(first: Any, panel: int) -> None:
            def tile(column: Any, length: int) -> None:
                def put(pixel: int, n: int, value: Any) -> None:
                    ir.store(out, value, target.offset(first + n, row, column + pixel), lanes)

                layer = Layer(conv, weight, bias, lanes)
                start = (row * width + column) * lanes
                product(layer, x, start, source.plane, first, panel, length, tiling.unroll, put)

            with ir.serial(height) as row:
                ir.along(width, pixels, tile)
            for n in range(panel):
                border.clear(out, target, first + n, 0, height)

        with ir.parallel(full + bool(rest)) as task:
            if not rest:
                multiply(task * tiling.panel, tiling.panel)
            elif not full:
                multiply(ir.integer(0), rest)
            else:
                ir.choose(
                    task < full,
                    lambda: multiply(task * tiling.panel, tiling.panel),
                    lambda: multiply(ir.integer(full * tiling.panel), rest),
                )

    arguments: list[ir.Argument] = [
        ("x", (source.size,), "float32"),
        *weight_arguments(conv, lanes),
        ("out", (target.size,), "float32"),
    ]
    return ir.kernel(name, arguments, body)


def divisor(number: int, most: int) -> int:
    """The largest divisor of ``number`` that is not above ``most``."""
    return next(d for d in range(min(number, most), 0, -1) if number % d == 0)
