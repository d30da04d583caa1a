"""Depthwise-separable blocks on the GPU.

Large maps: one kernel. The depthwise convolution's answer goes through shared memory and never to the GPU's own; a
block of threads has all output channels of its pixels, so that nothing is convolved twice. Small maps of many channels:
two kernels, because the output channels have to be shared among blocks, and what lies between fits the second-level
cache.
"""

from __future__ import annotations

from typing import Any

from tvm import tirx

from fastdepth_ros.compiler import ir
from fastdepth_ros.compiler.cuda import grid
from fastdepth_ros.compiler.cuda.grid import Kernel, round_up
from fastdepth_ros.compiler.cuda.layout import Flat, Map, taps
from fastdepth_ros.compiler.cuda.sources import Source
from fastdepth_ros.compiler.cuda.tile import OUTPUTS, PIXELS, Sums, Tile, Window, activate
from fastdepth_ros.compiler.ir import Buffer, Expr
from fastdepth_ros.network import Block, Convolution


def depthwise_arguments(conv: Convolution, chunk: int) -> list[ir.Argument]:
    """Weights and biases as ``pack_depthwise`` and ``pack_vector`` give them."""
    channels = round_up(conv.outputs, chunk)
    weight: ir.Argument = ("depthwise_weight", (channels * taps(conv.kernel),), "float32")
    return [weight, ("depthwise_bias", (channels,), "float32")]


def pointwise_arguments(conv: Convolution, tile: Tile) -> list[ir.Argument]:
    """Weights and biases as ``pack_pointwise`` and ``pack_vector`` give them."""
    outputs, inputs = round_up(conv.outputs, tile.outputs), round_up(conv.inputs, tile.chunk)
    return [("pointwise_weight", (outputs * inputs,), "float32"), ("pointwise_bias", (outputs,), "float32")]


def last_arguments(outputs: int) -> list[ir.Argument]:
    """Weights of the last convolution, one per padded channel, and its bias."""
    return [("last_weight", (outputs,), "float32"), ("last_bias", (1,), "float32")]


def fused(name: str, block: Block, source: Source, target: Map, tile: Tile, last: Convolution | None = None) -> Kernel:
    """One kernel of (source, depthwise weight and bias, pointwise weight and bias, [last weight and bias], answer).

    Args:
        name: of the kernel.
        block: the two convolutions.
        source: what the depthwise one reads.
        target: the map that the pointwise one gives.
        tile: its ``outputs`` are all output channels.
        last: the network's last convolution; with it the answer is not ``target`` but its depths (height, width).
    """
    assert tile.outputs >= target.channels, "a block of threads has all output channels"
    height, width, chunk, threads = target.height, target.width, tile.chunk, tile.threads
    window, filter_size = Window(block.depthwise, tile), chunk * taps(block.depthwise.kernel)
    across = -(-width // tile.columns)
    reads = len(source.arguments)

    def body(x: Expr, _y: Expr, thread: Expr, *buffers: Buffer) -> None:
        maps, (dw, dw_bias, pw, pw_bias, *more, out) = list(buffers[:reads]), buffers[reads:]
        above, left = grid.split(x, across)
        top_row, left_column = above * tile.rows, left * tile.columns
        inputs, filters = grid.shared(window.size), grid.shared(filter_size)
        matrix, weights = grid.shared(chunk * tile.pixels), grid.shared(chunk * tile.outputs)
        sums = Sums.begin(tile, thread, pw_bias, 0)

        def put(c: Expr, row: Expr, column: Expr, four: Buffer) -> None:
            ir.store(matrix, ir.load(four, 0, PIXELS), c * tile.pixels + row * tile.columns + column, PIXELS)

        with ir.serial(-(-block.depthwise.outputs // chunk)) as turn:
            window.stage(source, maps, inputs, (turn * chunk, top_row, left_column), threads, thread)
            grid.copy(filter_size, threads, thread, dw, turn * filter_size, filters)
            grid.barrier()
            window.depthwise(inputs, filters, dw_bias, turn * chunk, threads, thread, put)
            grid.copy(chunk * tile.outputs, threads, thread, pw, turn * (chunk * tile.outputs), weights)
            grid.barrier()
            sums.multiply(matrix, weights)

        r, c = grid.split(sums.group * PIXELS, tile.columns)
        if last is None:
            write_map(sums, block.pointwise, out, target, top_row + r, left_column + c)
            return
        parts = grid.shared(tile.pixels * (tile.outputs // OUTPUTS))
        write_parts(sums, block.pointwise, more[0], parts)
        grid.barrier()
        with grid.dealt(tile.pixels, threads, thread) as pixel:
            r, c = grid.split(pixel, tile.columns)
            with ir.when(tirx.all(top_row + r < height, left_column + c < width)):
                total = more[1][0]
                for group in range(tile.outputs // OUTPUTS):
                    total = total + parts[group * tile.pixels + pixel]
                ir.put(out, activate(total, last.activation), top_row + r, left_column + c)

    arguments = [
        *source.arguments,
        *depthwise_arguments(block.depthwise, chunk),
        *pointwise_arguments(block.pointwise, tile),
        *(last_arguments(tile.outputs) if last else []),
        ("out", (height, width) if last else (target.size,), "float32"),
    ]
    return grid.kernel(name, arguments, (across * -(-height // tile.rows), 1), threads, body)


def write_map(sums: Sums, conv: Convolution, out: Buffer, target: Map, row: Expr, column: Expr) -> None:
    """Write a thread's answers, four neighbouring pixels of a row at (row, column), as far as they are in the map."""
    for output in range(OUTPUTS):
        channel = sums.column * OUTPUTS + output
        values = [sums.value(output, pixel, conv.activation) for pixel in range(PIXELS)]
        inside = tirx.all(channel < target.channels, row < target.height)
        if target.width % PIXELS == 0:
            four = ir.registers(PIXELS)
            for pixel, value in enumerate(values):
                ir.put(four, value, pixel)
            with ir.when(tirx.all(inside, column < target.width)):
                ir.store(out, ir.load(four, 0, PIXELS), target.offset(channel, row, column), PIXELS)
        else:
            for pixel, value in enumerate(values):
                with ir.when(tirx.all(inside, column + pixel < target.width)):
                    ir.put(out, value, target.offset(channel, row, column + pixel))


def write_parts(sums: Sums, conv: Convolution, weight: Buffer, parts: Buffer) -> None:
    """The last convolution's sums over a thread's own channels, to shared memory: [group of channels][pixel]."""
    for pixel in range(PIXELS):
        total: Any = tirx.const(0.0, "float32")
        for output in range(OUTPUTS):
            total = total + sums.value(output, pixel, conv.activation) * weight[sums.column * OUTPUTS + output]
        ir.put(parts, total, sums.column * sums.tile.pixels + sums.group * PIXELS + pixel)


def depthwise(name: str, conv: Convolution, source: Source, target: Flat, tile: Tile) -> Kernel:
    """A kernel of (source, weight, bias, map between): the first half of a block with a small map.

    A block of threads convolves ``tile.chunk`` channels of its pixels; ``tile.outputs`` means nothing here.
    """
    height, width, threads = target.height, target.width, 128
    window, filter_size = Window(conv, tile), tile.chunk * taps(conv.kernel)
    across = -(-width // tile.columns)
    reads = len(source.arguments)

    def body(x: Expr, y: Expr, thread: Expr, *buffers: Buffer) -> None:
        maps, (weight, bias, out) = list(buffers[:reads]), buffers[reads:]
        above, left = grid.split(x, across)
        top_row, left_column = above * tile.rows, left * tile.columns
        inputs, filters = grid.shared(window.size), grid.shared(filter_size)

        def put(c: Expr, row: Expr, column: Expr, four: Buffer) -> None:
            channel, at = y * tile.chunk + c, (top_row + row) * width + left_column + column
            for pixel in range(PIXELS):
                inside = (channel < conv.outputs, top_row + row < height, left_column + column + pixel < width)
                with ir.when(tirx.all(*inside)):
                    ir.put(out, four[pixel], channel * target.plane + at + pixel)

        window.stage(source, maps, inputs, (y * tile.chunk, top_row, left_column), threads, thread)
        grid.copy(filter_size, threads, thread, weight, y * filter_size, filters)
        grid.barrier()
        window.depthwise(inputs, filters, bias, y * tile.chunk, threads, thread, put)

    arguments = [*source.arguments, *depthwise_arguments(conv, tile.chunk), ("out", (target.size,), "float32")]
    blocks = (across * -(-height // tile.rows), -(-conv.outputs // tile.chunk))
    return grid.kernel(name, arguments, blocks, threads, body)


def pointwise(name: str, conv: Convolution, source: Flat, target: Map, tile: Tile) -> Kernel:
    """A kernel of (map between, weight, bias, map): the second half of a block with a small map.

    Args:
        tile: of one row of pixels; what is called a row is all pixels of the map.
    """
    width, chunk, threads, pixels = target.width, tile.chunk, tile.threads, target.height * target.width
    padded = round_up(conv.inputs, chunk)

    def body(x: Expr, y: Expr, thread: Expr, between: Buffer, weight: Buffer, bias: Buffer, out: Buffer) -> None:
        matrix, weights = grid.shared(chunk * tile.pixels), grid.shared(chunk * tile.outputs)
        sums = Sums.begin(tile, thread, bias, y * tile.outputs)
        with ir.serial(padded // chunk) as turn:
            with grid.dealt(chunk * tile.groups, threads, thread) as number:
                c, group = grid.split(number, tile.groups)
                # Beyond the map and its channels, what is read goes to no answer or is multiplied by a zero.
                channel = tirx.min(turn * chunk + c, conv.inputs - 1)
                at = tirx.min(x * tile.pixels + group * PIXELS, source.plane - PIXELS)
                four = ir.load(between, channel * source.plane + at, PIXELS)
                ir.store(matrix, four, number * PIXELS, PIXELS)
            start = (y * (padded // chunk) + turn) * (chunk * tile.outputs)
            grid.copy(chunk * tile.outputs, threads, thread, weight, start, weights)
            grid.barrier()
            sums.multiply(matrix, weights)
            grid.barrier()
        for pixel in range(PIXELS):
            at = x * tile.pixels + sums.group * PIXELS + pixel
            row, column = grid.split(at, width)
            with ir.when(at < pixels):
                for output in range(OUTPUTS):
                    channel = y * tile.outputs + sums.column * OUTPUTS + output
                    with ir.when(channel < target.channels):
                        ir.put(out, sums.value(output, pixel, conv.activation), target.offset(channel, row, column))

    arguments: list[ir.Argument] = [
        ("x", (source.size,), "float32"),
        *pointwise_arguments(conv, tile),
        ("out", (target.size,), "float32"),
    ]
    return grid.kernel(name, arguments, (-(-pixels // tile.pixels), -(-conv.outputs // tile.outputs)), threads, body)
