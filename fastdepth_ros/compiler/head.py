"""The last convolution, from the last decoder block's channels to metres, one row at a time.

It is pointwise with one output, so it is a dot product per pixel. It and its ReLU give the same for the four copies of
a pixel that nearest-neighbour upsampling makes; it is computed once, and the answer is a map of half the input's size.
"""

from __future__ import annotations

from tvm import tirx

from fastdepth_ros.compiler import ir
from fastdepth_ros.compiler.ir import Buffer, Expr
from fastdepth_ros.compiler.tile import Layer


def weigh(layer: Layer, value: Expr, vector: Expr) -> Expr:
    """One vector of channels times its weights: a part of the dot product, still spread over the lanes."""
    return value * ir.load(layer.weight, vector * layer.lanes, layer.lanes)


def answer(layer: Layer, parts: Buffer, width: int, out: Buffer, row: Expr) -> None:
    """Write a row of depths, ``width`` long: the lanes of each pixel's part summed, plus bias, after the ReLU.

    Args:
        layer: weights packed as one vector per vector of channels.
        parts: [pixel][lane], the sum of :func:`weigh` over all vectors of channels.
    """
    with ir.serial(width) as pixel:
        total = ir.load(parts, pixel * layer.lanes, layer.lanes)
        lanes = layer.lanes
        while lanes > 2:
            lanes //= 2
            total = tirx.vectorlow(f"float32x{lanes}", total) + tirx.vectorhigh(f"float32x{lanes}", total)
        total = tirx.Shuffle([total], [0]) + tirx.Shuffle([total], [1])
        ir.put(out, tirx.max(total + layer.bias[0], tirx.const(0, "float32")), row, pixel)
