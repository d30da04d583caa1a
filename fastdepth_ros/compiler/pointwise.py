"""The matrix product of a pointwise convolution, in float32 or in int8.

In int8 the weights are signed bytes with a scale for each output channel, and the inputs unsigned ones: they come from
a ReLU. Their scale is that of the largest input which the kernel's task has, found when it runs, so that nothing is cut
off and nothing has to be calibrated. Sums are int32 and exact on every processor, whatever it multiplies bytes with
(:mod:`~fastdepth_ros.compiler.byte_products`). Scales, bias and activation are float32, and so is the map that is
written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from tvm import tirx

from fastdepth_ros.compiler import ir, layout
from fastdepth_ros.compiler.byte_products import BYTE_KERNELS, SHIFT, ByteProducts
from fastdepth_ros.compiler.ir import Buffer, Expr
from fastdepth_ros.compiler.layout import Floats
from fastdepth_ros.compiler.targets import Target
from fastdepth_ros.compiler.tile import PackedLayer, product
from fastdepth_ros.errors import SettingError
from fastdepth_ros.network import Convolution
from fastdepth_ros.runtime.processor import BYTE_PRODUCTS, Instructions, byte_products

Put = Callable[[int, int, Expr], None]

LARGEST_BYTE = 255
WIDEST = 16
"""Numbers that become bytes at once, where their count allows it: a register full of bytes on NEON."""
SMALLEST_RANGE = 1e-12
"""Range that inputs have at least, so that all zeros have a scale."""


class Product(Protocol):
    """The product in one kernel, while it is written."""

    def read(self, source: Buffer, size: int) -> None:
        """Take ``size`` numbers of ``source``, the map of a task, as the inputs."""

    def tile(self, start: Expr, plane: int, vector: Expr, panel: int, pixels: int, unroll: int, put: Put) -> None:
        """``pixels`` x ``panel`` vectors of the answer; the arguments are those of :func:`tile.product`."""


class Precision(Protocol):
    """Arithmetic of pointwise convolutions."""

    name: str
    needs: frozenset[str]
    """Flags of /proc/cpuinfo without which this cannot be computed."""
    operands: int
    """Registers that a product takes beside its sums and one for each vector of weights."""
    fewest_sums: int
    """Fewer sums than this leave multipliers waiting for one another."""

    def arguments(self, conv: Convolution, lanes: int) -> list[ir.Argument]:
        """The arguments of a kernel that hold the weights."""

    def pack(self, weight: Floats, bias: Floats, lanes: int, panel: int) -> list[Any]:
        """The arrays for them."""

    def product(self, conv: Convolution, buffers: Sequence[Buffer], lanes: int) -> Product:
        """The product in a kernel that has these buffers as arguments."""


class Float32:
    """All in float32."""

    name = "float32"
    needs: frozenset[str] = frozenset()
    operands, fewest_sums = 1, 8

    def arguments(self, conv: Convolution, lanes: int) -> list[ir.Argument]:
        outputs = layout.vectors(conv.outputs, lanes) * lanes
        return [("pointwise_weight", (outputs * conv.inputs,), "float32"), ("pointwise_bias", (outputs,), "float32")]

    def pack(self, weight: Floats, bias: Floats, lanes: int, panel: int) -> list[Any]:
        return [layout.pack_pointwise(weight, lanes, panel), layout.pack_vector(bias, lanes)]

    def product(self, conv: Convolution, buffers: Sequence[Buffer], lanes: int) -> Product:
        return _Float32Product(PackedLayer(conv, buffers[0], buffers[1], lanes))


class _Float32Product:
    def __init__(self, layer: PackedLayer) -> None:
        self.layer, self.source = layer, None

    def read(self, source: Buffer, _size: int) -> None:
        self.source = source

    def tile(self, start: Expr, plane: int, vector: Expr, panel: int, pixels: int, unroll: int, put: Put) -> None:
        product(self.layer, self.source, start, plane, vector, panel, pixels, unroll, put)


class Int8:
    """Bytes.

    Args:
        products: instructions that multiply them.
    """

    name = "int8"

    def __init__(self, products: Instructions) -> None:
        self.needs = products.needs
        self._products = BYTE_KERNELS[products.name]
        self.operands, self.fewest_sums = self._products.operands, self._products.fewest_sums

    def arguments(self, conv: Convolution, lanes: int) -> list[ir.Argument]:
        outputs = layout.vectors(conv.outputs, lanes) * lanes
        inputs = layout.vectors(conv.inputs, lanes) * lanes
        arguments: list[ir.Argument] = [
            ("pointwise_weight", (outputs * inputs // self._products.numbers,), "int32"),
            ("pointwise_scale", (outputs,), "float32"),
            ("pointwise_bias", (outputs,), "float32"),
        ]
        return [*arguments, ("pointwise_shift", (outputs,), "int32")] if self._products.signed else arguments

    def pack(self, weight: Floats, bias: Floats, lanes: int, panel: int) -> list[Any]:
        steps, scale = layout.quantised(weight, lanes)
        words = layout.pack_panels(self._products.pack(steps, lanes), lanes, panel)
        arrays = [words, layout.pack_vector(scale, lanes), layout.pack_vector(bias, lanes)]
        return [*arrays, (SHIFT * steps.sum(1)).astype(np.int32)] if self._products.signed else arrays

    def product(self, conv: Convolution, buffers: Sequence[Buffer], lanes: int) -> Product:
        return _Int8Product(conv, buffers, lanes, self._products)


class _Int8Product:
    def __init__(self, conv: Convolution, buffers: Sequence[Buffer], lanes: int, products: ByteProducts) -> None:
        self.conv, self.lanes, self.products = conv, lanes, products
        self.weight, self.scale, self.bias, *self.shift = buffers

    def read(self, source: Buffer, size: int) -> None:
        lanes, numbers = self.lanes, self.products.numbers
        count = size // lanes
        self.words = ir.scratch(size // numbers, "int32")
        self.step = ir.registers(1)
        """Worth of one step of a byte."""
        several = next(n for n in (4, 2, 1) if count % n == 0)
        largest = ir.registers(several * lanes)
        for n in range(several):
            ir.store(largest, ir.splat(0.0, lanes), n * lanes, lanes)
        with ir.serial(count // several) as turn:
            for n in range(several):
                value = ir.load(source, (turn * several + n) * lanes, lanes)
                ir.store(largest, tirx.max(ir.load(largest, n * lanes, lanes), value), n * lanes, lanes)
        top = tirx.const(SMALLEST_RANGE, "float32")
        for at in range(several * lanes):
            top = tirx.max(top, largest[at])
        ir.put(self.step, top / tirx.const(float(LARGEST_BYTE), "float32"), 0)
        factor = ir.registers(1)
        ir.put(factor, tirx.const(1.0, "float32") / self.step[0], 0)
        # Short vectors several at once: what is narrowed fills a register.
        wide = next(each * lanes for each in (4, 2, 1) if each == 1 or each * lanes <= min(WIDEST, size))

        def convert(at: Expr) -> None:
            value = ir.load(source, at, wide) * ir.splat(factor[0], wide) + ir.splat(0.5, wide)
            self.products.put(self.words, value, tirx.floordiv(at, numbers), wide)

        with ir.serial(size // wide) as i:
            convert(i * wide)
        if size % wide:  # The last of them, some once more.
            convert(ir.integer(size - wide))

    def tile(self, start: Expr, plane: int, vector: Expr, panel: int, pixels: int, _unroll: int, put: Put) -> None:
        lanes, numbers = self.lanes, self.products.numbers
        words, groups = lanes // numbers, layout.vectors(self.conv.inputs, lanes)
        panel_start = vector * (lanes * groups * words)
        slots = [(pixel, n, (pixel * panel + n) * lanes) for pixel in range(pixels) for n in range(panel)]
        sums = ir.registers(pixels * panel * lanes, "int32")
        for _, n, at in slots:
            zero = tirx.Broadcast(tirx.const(0, "int32"), lanes)
            shift = [ir.load(each, (vector + n) * lanes, lanes) for each in self.shift]
            ir.store(sums, shift[0] if shift else zero, at, lanes)
        with ir.serial(groups) as group:
            for word in range(words):
                place = tirx.floordiv(start + group * plane, numbers) + word
                inputs = list(self.products.spread(self.words, place, pixels, words, lanes))
                for pixel, n, at in slots:
                    weights = panel_start + ((group * words + word) * panel + n) * lanes
                    added = ir.load(sums, at, lanes), inputs[pixel], ir.load(self.weight, weights, lanes)
                    ir.store(sums, self.products.add(*added, lanes), at, lanes)
        for pixel, n, at in slots:
            channels = (vector + n) * lanes
            scale = ir.load(self.scale, channels, lanes) * ir.splat(self.step[0], lanes)
            value = ir.load(sums, at, lanes).astype(f"float32x{lanes}") * scale + ir.load(self.bias, channels, lanes)
            put(pixel, n, ir.activate(value, self.conv.activation, lanes))


FLOAT32: Precision = Float32()
PRECISIONS = (FLOAT32.name, Int8.name)


def find_precision(name: str, target: Target) -> Precision:
    """The precision of that name, for a target that can compute in it.

    Raises:
        SettingError: there is no such precision, or the target lacks its instructions.
    """
    if name not in PRECISIONS:
        raise SettingError(f"there is no precision {name!r}", f"Choose one of {', '.join(PRECISIONS)}.")
    if name == FLOAT32.name:
        return FLOAT32
    if products := byte_products(target.needs, target.lanes):
        return Int8(products)
    lacking = " or ".join(each.name for each in BYTE_PRODUCTS if each.lanes == target.lanes)
    cause = f"{target.name} lacks {lacking}, which {name} needs"
    raise SettingError(cause, "Use float32; or compile for host, on a processor that has it.")
