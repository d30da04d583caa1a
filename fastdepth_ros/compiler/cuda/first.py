"""The first convolution: from the camera's bytes, RGB row by row, to the first map. A thread computes one pixel.

The division of the pixels by 255 is in the weights. The picture has no border; outside of it a zero is read.
"""

from __future__ import annotations

from typing import Any

from tvm import tirx

from fastdepth_ros.compiler import ir
from fastdepth_ros.compiler.cuda import grid
from fastdepth_ros.compiler.cuda.grid import VECTOR, Kernel, round_up
from fastdepth_ros.compiler.cuda.layout import Map
from fastdepth_ros.compiler.cuda.tile import activate
from fastdepth_ros.compiler.ir import Buffer, Expr
from fastdepth_ros.network import INPUT_CHANNELS, Convolution

THREADS = 128
MOST_OUTPUTS = 16
"""Output channels of a thread; their sums stay in registers."""


def outputs_at_once(conv: Convolution) -> int:
    """Output channels of a block."""
    return min(MOST_OUTPUTS, round_up(conv.outputs, VECTOR))


def first(name: str, conv: Convolution, target: Map) -> Kernel:
    """A kernel of (picture (H, W * 3) uint8, weight, bias, map float32); ``target`` is half as large as the picture."""
    height, width = target.height * conv.stride, target.width * conv.stride
    outputs, count = outputs_at_once(conv), conv.kernel**2 * INPUT_CHANNELS
    tiles = -(-conv.outputs // outputs)
    pixels = target.height * target.width

    def body(x: Expr, y: Expr, thread: Expr, picture: Buffer, weight: Buffer, bias: Buffer, out: Buffer) -> None:
        weights = grid.shared(count * outputs)
        grid.copy(count * outputs, THREADS, thread, weight, y * (count * outputs), weights)
        grid.barrier()
        with ir.when(x * THREADS + thread < pixels):
            row, column = grid.split(x * THREADS + thread, target.width)
            sums, one = ir.registers(outputs), ir.registers(VECTOR)
            for output in range(outputs):
                ir.put(sums, bias[y * outputs + output], output)
            for tap in range(count):
                r, c, colour = tap // (conv.kernel * INPUT_CHANNELS), tap // INPUT_CHANNELS % conv.kernel, tap % 3
                value = pixel(picture, row * conv.stride + r - 1, column * conv.stride + c - 1, colour, height, width)
                number = ir.registers(1)
                ir.put(number, value, 0)
                for at in range(0, outputs, VECTOR):
                    ir.store(one, ir.load(weights, tap * outputs + at, VECTOR), 0, VECTOR)
                    for i in range(VECTOR):
                        ir.put(sums, sums[at + i] + number[0] * one[i], at + i)
            for output in range(outputs):
                with ir.when(y * outputs + output < conv.outputs):
                    answer = activate(sums[output], conv.activation)
                    ir.put(out, answer, target.offset(y * outputs + output, row, column))

    arguments: list[ir.Argument] = [
        ("picture", (height, width * INPUT_CHANNELS), "uint8"),
        ("weight", (tiles * count * outputs,), "float32"),
        ("bias", (tiles * outputs,), "float32"),
        ("out", (target.size,), "float32"),
    ]
    return grid.kernel(name, arguments, (-(-pixels // THREADS), tiles), THREADS, body)


def pixel(picture: Buffer, row: Expr, column: Expr, colour: int, height: int, width: int) -> Any:
    """A colour of the picture as float32; 0 outside."""
    inside = tirx.all(row >= 0, row < height, column >= 0, column < width)
    number = tirx.Cast("float32", picture[row, column * INPUT_CHANNELS + colour])
    return tirx.if_then_else(inside, number, tirx.const(0.0, "float32"))
