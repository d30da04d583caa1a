"""The matrix product of a pointwise convolution in float16, for processors that compute in it (ARMv8.2 and later).

Inputs and weights are rounded to float16: 11 bits, and at most 65504. A multiply-add is rounded once. The products of
:data:`TOGETHER` inputs are added in float16, and such sums in float32, so that an answer loses what a few roundings of
11 bits take from it and no more for many inputs. Biases, activations and the maps between kernels are float32.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from tvm import tirx
from tvm.tirx.script import builder as T  # noqa: N812 - TVM's own documentation calls it T

from fastdepth_ros.compiler import ir, layout
from fastdepth_ros.compiler.first import FLOAT32 as FLOAT32_FIRST
from fastdepth_ros.compiler.first import First
from fastdepth_ros.compiler.ir import Buffer, Expr, Panel
from fastdepth_ros.compiler.layout import Floats
from fastdepth_ros.network import Convolution
from fastdepth_ros.runtime.precision import FLOAT16
from fastdepth_ros.runtime.processor import flags

HALF = FLOAT16
"""TVM's name of the type of numbers, too."""

TOGETHER = 64
"""Inputs whose products are added in float16."""

NEEDS = flags("neon fphp asimdhp")
"""Flags of /proc/cpuinfo for float16 arithmetic of numbers and of vectors."""


class Float16:
    """Numbers of 16 bits. A vector holds twice as many as of float32."""

    name = HALF
    needs = NEEDS
    operands, weights, fewest_sums, whole, doubled, short = 4, 1, 8, True, False, False
    registers: tuple[int, int] | None = (4, 7)

    def arguments(self, conv: Convolution, lanes: int) -> list[ir.Argument]:
        outputs, inputs = (layout.vectors(count, lanes) * lanes for count in (conv.outputs, conv.inputs))
        return [("pointwise_weight", (outputs * inputs,), HALF), ("pointwise_bias", (outputs,), "float32")]

    def pack(self, weight: Floats, bias: Floats, lanes: int, panel: int) -> list[Any]:
        filled = np.pad(weight, ((0, 0), (0, -weight.shape[1] % lanes), (0, 0), (0, 0)))
        return [layout.pack_pointwise(filled, lanes, panel).astype(np.float16), layout.pack_vector(bias, lanes)]

    def product(self, conv: Convolution, buffers: Sequence[Buffer], lanes: int) -> Float16Product:
        return Float16Product(conv, buffers, lanes)

    def lost(self, _weight: Floats, _lanes: int) -> None:
        return None

    def first(self) -> First:
        return FLOAT32_FIRST


class _Sum(NamedTuple):
    """Outputs that share a register of float16: so many ``vectors`` of float32 from the ``first`` of the panel on.

    Attributes:
        pixel: of the tile.
        first, vectors: of the panel.
        at: place of its first number among the tile's sums.
    """

    pixel: int
    first: int
    vectors: int
    at: int


class Float16Product:
    """The product in one kernel, while it is written."""

    def __init__(self, conv: Convolution, buffers: Sequence[Buffer], lanes: int) -> None:
        self.conv, self.lanes = conv, lanes
        self.weight, self.bias = buffers

    def begin(self) -> None: ...

    def see(self, _value: Expr) -> None: ...

    def read(self, source: Buffer, size: int) -> None:
        self.halves = ir.scratch(size, HALF)
        wide = next(each * self.lanes for each in (4, 2, 1) if size % (each * self.lanes) == 0)
        with ir.serial(size // wide) as i:
            ir.store(self.halves, ir.load(source, i * wide, wide).astype(f"{HALF}x{wide}"), i * wide, wide)

    def tile(
        self,
        start: Expr,
        plane: int,
        part: Panel,
        pixels: int,
        _unroll: int,
        put: Callable[[int, int, Expr], None],
    ) -> None:
        vector, panel, _ = part
        lanes, width, vectors = self.lanes, panel * self.lanes, layout.vectors(self.conv.inputs, self.lanes)
        panel_start = vector * (lanes * vectors * lanes)
        parts = [(first, min(2, panel - first)) for first in range(0, panel, 2)]
        slots = [_Sum(pixel, *part, pixel * width + part[0] * lanes) for pixel in range(pixels) for part in parts]
        sums, few = ir.registers(pixels * width), ir.registers(pixels * width, HALF)
        for slot in slots:
            size = slot.vectors * lanes
            ir.store(sums, ir.load(self.bias, (vector + slot.first) * lanes, size), slot.at, size)

        def add_vector(group: Expr) -> None:
            """The inputs of one vector of channels."""
            own = [ir.load(self.halves, start + group * plane + pixel * lanes, lanes) for pixel in range(pixels)]
            for lane in range(lanes):
                for slot in slots:
                    size = slot.vectors * lanes
                    value = tirx.Broadcast(tirx.Shuffle([own[slot.pixel]], [lane]), size)
                    place = panel_start + (group * lanes + lane) * width + slot.first * lanes
                    term = (value, ir.load(self.weight, place, size), ir.load(few, slot.at, size))
                    ir.store(few, _multiply_add(*term, size), slot.at, size)

        def add(group: Expr, count: int) -> None:
            """The inputs of so many vectors of channels, in float16, to the sums of float32."""
            for slot in slots:
                size = slot.vectors * lanes
                ir.store(few, tirx.Broadcast(tirx.const(0, HALF), size), slot.at, size)
            with ir.serial(count) as each:
                add_vector(group + each)
            for slot in slots:
                size = slot.vectors * lanes
                more = ir.load(few, slot.at, size).astype(f"float32x{size}")
                ir.store(sums, ir.load(sums, slot.at, size) + more, slot.at, size)

        ir.along(vectors, max(1, TOGETHER // lanes), add)
        for pixel in range(pixels):
            for n in range(panel):
                value = ir.load(sums, pixel * width + n * lanes, lanes)
                put(pixel, n, ir.activate(value, self.conv.activation, lanes))


def _multiply_add(one: Expr, other: Expr, added: Expr, size: int) -> Expr:
    return T.call_llvm_pure_intrin(f"{HALF}x{size}", "llvm.fma", one, other, added)
