"""The first convolution: from the camera's bytes, RGB row by row, to the first map. Parallel over output rows.

The bytes of the three input rows become float32 in a small buffer with a zero pixel at both ends; there the nine
numbers that an output pixel needs of one row (three pixels of three colours) are neighbours. The division of the
pixels by 255 is in the weights.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from tvm import tirx

from fastdepth_ros.compiler import border, ir, layout
from fastdepth_ros.compiler.ir import Buffer
from fastdepth_ros.compiler.layout import Floats, Map
from fastdepth_ros.compiler.tile import Tiling
from fastdepth_ros.network import INPUT_CHANNELS, Convolution

PIXEL_SCALE = 1 / 255
"""The network was trained on pixels of 0..1."""


class First(NamedTuple):
    """A way to compute the first convolution.

    Attributes:
        kernel: (name, layer, answer, tiling) -> kernel of (picture, weights..., answer).
        pack: (weight, bias, lanes) -> the arrays of its weights.
        lost: weight -> (outputs, colours) that rounding takes from the sums of a colour's weights; None for nothing.
    """

    kernel: Callable[[str, Convolution, Map, Tiling], Any]
    pack: Callable[[Floats, Floats, int], list[Any]]
    lost: Callable[[Floats], npt.NDArray[np.float64]] | None = None


def first(name: str, conv: Convolution, target: Map, tiling: Tiling) -> Any:
    """A kernel of (picture (H, W * 3) uint8, weight, bias, map float32); ``target`` is half as large as the picture."""
    lanes, kernel, outputs = target.lanes, conv.kernel, target.vectors
    height, width = target.height * conv.stride, target.width * conv.stride
    panel = min(tiling.panel, outputs)
    pixels = ir.even_step(target.width, tiling.pixels)
    # One pixel of border, rounded up so that the row itself starts at a whole vector.
    lead = -(-INPUT_CHANNELS // lanes) * lanes
    row_length = lead + width * INPUT_CHANNELS + lanes
    taps = kernel * INPUT_CHANNELS

    def body(picture: Buffer, weight: Buffer, bias: Buffer, out: Buffer) -> None:
        with ir.parallel(target.height) as row:
            rows = ir.scratch(kernel * row_length)
            for kernel_row in range(kernel):
                start = kernel_row * row_length
                picture_row = row * conv.stride + kernel_row - kernel // 2
                ir.zero(rows, start, lead, lanes)
                ir.zero(rows, start + lead + width * INPUT_CHANNELS, lanes, lanes)

                def convert(start: int = start, picture_row: Any = picture_row) -> None:
                    with ir.serial(width * INPUT_CHANNELS // lanes) as i:
                        numbers = picture[picture_row, tirx.Ramp(i * lanes, 1, lanes)]
                        ir.store(rows, tirx.Cast(f"float32x{lanes}", numbers), start + lead + i * lanes, lanes)

                def blank(start: int = start) -> None:
                    ir.zero(rows, start + lead, width * INPUT_CHANNELS, lanes)

                ir.choose(tirx.all(picture_row >= 0, picture_row < height), convert, blank)

            def tile(column: Any, length: int) -> None:
                ir.along(outputs, panel, lambda vector, count: panel_of(column, length, vector, count))

            def panel_of(column: Any, length: int, vector: Any, count: int) -> None:
                sums = ir.registers(length * count * lanes)
                slots = [(pixel, n, (pixel * count + n) * lanes) for pixel in range(length) for n in range(count)]
                for _, n, at in slots:
                    ir.store(sums, ir.load(bias, (vector + n) * lanes, lanes), at, lanes)
                for kernel_row in range(kernel):
                    for tap in range(taps):
                        for pixel, n, at in slots:
                            first_tap = (column + pixel) * conv.stride * INPUT_CHANNELS - kernel // 2 * INPUT_CHANNELS
                            value = ir.splat(rows[kernel_row * row_length + lead + first_tap + tap], lanes)
                            weights = ir.load(weight, ((kernel_row * taps + tap) * outputs + vector + n) * lanes, lanes)
                            ir.store(sums, ir.load(sums, at, lanes) + value * weights, at, lanes)
                for pixel, n, at in slots:
                    value = ir.activate(ir.load(sums, at, lanes), conv.activation, lanes)
                    ir.give(out, value, target.offset(vector + n, row, column + pixel), lanes)

            ir.along(target.width, pixels, tile)
            with ir.serial(outputs) as vector:
                border.clear(out, target, vector, row, 1)

    arguments: list[ir.Argument] = [
        ("picture", (height, width * INPUT_CHANNELS), "uint8"),
        ("weight", (kernel * taps * outputs * lanes,), "float32"),
        ("bias", (outputs * lanes,), "float32"),
        ("out", (target.size,), target.dtype),
    ]
    return ir.kernel(name, arguments, body)


def pack(weight: Floats, bias: Floats, lanes: int) -> list[Any]:
    """The arrays of :func:`first`."""
    return [layout.pack_first(weight, lanes), layout.pack_vector(bias, lanes)]


FLOAT32 = First(first, pack)
