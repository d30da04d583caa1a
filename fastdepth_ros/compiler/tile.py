"""The two inner loops that do nearly all of the arithmetic, and the choices that they leave open."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fastdepth_ros.compiler import ir
from fastdepth_ros.compiler.ir import Buffer, Expr
from fastdepth_ros.compiler.sources import Source
from fastdepth_ros.network import Convolution


@dataclass(frozen=True)
class Tiling:
    """Choice of `fastdepth tune` for one block.

    Attributes:
        panel: vectors of output channels that the matrix product holds in registers.
        pixels: pixels that it holds in registers; ``panel * pixels`` sums and the weights have to fit.
        unroll: input channels per turn of its inner loop; divides the lanes.
        strip: pixels that the depthwise convolution computes at a time.
        rows: rows of the output that one task computes; the intermediate of so many rows has to fit the cache.
    """

    panel: int = 3
    pixels: int = 7
    unroll: int = 4
    strip: int = 7
    rows: int = 4


@dataclass(frozen=True)
class PackedLayer:
    """A convolution inside a kernel: what it is, and the buffers that hold its packed weights and biases."""

    conv: Convolution
    weight: Buffer
    bias: Buffer
    lanes: int


def depthwise(
    layer: PackedLayer,
    source: Source,
    buffers: list[Buffer],
    vector: Expr,
    row: Expr,
    column: Expr,
    length: int,
    put: Callable[[int, Expr], None],
    own: int = 0,
) -> None:
    """``length`` neighbouring output pixels of one vector of channels of a depthwise convolution.

    Args:
        layer: packed by ``pack_depthwise`` and ``pack_vector``.
        source, buffers: the input map, and the arguments that hold it.
        vector, row, column: of the first output pixel.
        length: output pixels; their sums stay in registers.
        put: called with the number of a pixel and its value after the activation.
        own: lanes that are computed, where they are not all; the others are zeros.
    """
    own = own or layer.lanes
    lanes, kernel, stride = layer.lanes, layer.conv.kernel, layer.conv.stride
    sums = ir.registers(length * own)
    for pixel in range(length):
        ir.store(sums, ir.load(layer.bias, vector * lanes, own), pixel * own, own)
    for kernel_row in range(kernel):
        input_row = row * stride + kernel_row - kernel // 2
        # Each input is read once per row and goes to all the outputs that it touches.
        for input_column in range((length - 1) * stride + kernel):
            value = source.read(buffers, vector, input_row, column * stride, input_column - kernel // 2, own)
            for kernel_column in range(kernel):
                pixel, between = divmod(input_column - kernel_column, stride)
                if between == 0 and 0 <= pixel < length:
                    tap = (vector * kernel * kernel + kernel_row * kernel + kernel_column) * lanes
                    term = value * ir.load(layer.weight, tap, own)
                    ir.store(sums, ir.load(sums, pixel * own, own) + term, pixel * own, own)
    for pixel in range(length):
        value = ir.activate(ir.load(sums, pixel * own, own), layer.conv.activation, own)
        put(pixel, ir.filled(value, own, lanes))


def product(
    layer: PackedLayer,
    source: Buffer,
    start: Expr,
    plane: int,
    vector: Expr,
    panel: int,
    pixels: int,
    unroll: int,
    put: Callable[[int, int, Expr], None],
) -> None:
    """``pixels`` x ``panel`` vectors of a pointwise convolution, that is, of a matrix product.

    Args:
        layer: packed by ``pack_pointwise`` and ``pack_vector``.
        source, start, plane: the pixels lie one after the other from ``start``, vectors of channels ``plane`` apart.
        vector: first vector of output channels, where a packed panel begins.
        panel, pixels: size of the tile; all its sums stay in registers.
        unroll: input channels per turn of the inner loop.
        put: called with pixel and vector, counted from the tile's corner, and the value after the activation.
    """
    lanes, inputs, width = layer.lanes, layer.conv.inputs, panel * layer.lanes
    panel_start = vector * (lanes * inputs)
    slots = [(pixel, n, pixel * width + n * lanes) for pixel in range(pixels) for n in range(panel)]
    sums = ir.registers(pixels * width)
    for _, n, at in slots:
        ir.store(sums, ir.load(layer.bias, (vector + n) * lanes, lanes), at, lanes)

    def add_channel(group: Expr, lane: Expr) -> None:
        for pixel, n, at in slots:
            value = ir.splat(source[start + group * plane + pixel * lanes + lane], lanes)
            weight = ir.load(layer.weight, panel_start + (group * lanes + lane) * width + n * lanes, lanes)
            ir.store(sums, ir.load(sums, at, lanes) + value * weight, at, lanes)

    def add_group(group: Expr, count: int) -> None:
        step = next(step for step in (unroll, unroll // 2, 2, 1) if step and count % step == 0)
        with ir.serial(count // step) as turn:
            for lane in range(step):
                add_channel(group, turn * step + lane)

    groups, rest = divmod(inputs, lanes)
    if groups:
        with ir.serial(groups) as group:
            add_group(group, lanes)
    if rest:
        add_group(ir.integer(groups), rest)
    for pixel, n, at in slots:
        put(pixel, n, ir.activate(ir.load(sums, at, lanes), layer.conv.activation, lanes))
