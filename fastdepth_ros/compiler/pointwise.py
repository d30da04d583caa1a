"""The matrix product of a pointwise convolution, in float32 or in int8; float16 has a module of its own.

In int8 the weights are signed bytes with a scale for each output channel, and the inputs unsigned ones: they come from
a ReLU. Their scale is that of the largest input which the kernel's task has, found when it runs, so that nothing is cut
off and nothing has to be calibrated. Sums are int32 and exact on every processor, whatever it multiplies bytes with
(:mod:`~fastdepth_ros.compiler.byte_products`). Scales, bias and activation are float32; what is written is rounded to
the numbers of its map (:class:`~fastdepth_ros.compiler.layout.Map`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from tvm import tirx

from fastdepth_ros.compiler import ir, layout
from fastdepth_ros.compiler.byte_first import bytes_by
from fastdepth_ros.compiler.byte_products import BYTE_KERNELS, SHIFT, WORD, ByteProducts, Word
from fastdepth_ros.compiler.first import FLOAT32 as FLOAT32_FIRST
from fastdepth_ros.compiler.first import First
from fastdepth_ros.compiler.half_products import Float16
from fastdepth_ros.compiler.ir import Buffer, Expr, Panel
from fastdepth_ros.compiler.layout import LARGEST_BYTE, SMALLEST_RANGE, Floats
from fastdepth_ros.compiler.targets import Target
from fastdepth_ros.compiler.tile import PackedLayer, product
from fastdepth_ros.errors import SettingError
from fastdepth_ros.network import Convolution
from fastdepth_ros.runtime.processor import BYTE_PRODUCTS, Instructions, byte_products

Put = Callable[[int, int, Expr], None]


class Product(Protocol):
    """The product in one kernel, while it is written."""

    def begin(self) -> None:
        """Announce that :meth:`see` gets each number of the inputs, before :meth:`read` takes them."""

    def see(self, value: Expr) -> None:
        """Look at a vector of the inputs, while it is in a register."""

    def read(self, source: Buffer, size: int) -> None:
        """Take ``size`` numbers of ``source``, the map of a task, as the inputs."""

    def tile(self, start: Expr, plane: int, panel: Panel, pixels: int, unroll: int, put: Put) -> None:
        """``pixels`` times the vectors of a panel of the answer; the other arguments are :func:`tile.product`'s."""


class Precision(Protocol):
    """Arithmetic of pointwise convolutions."""

    name: str
    needs: frozenset[str]
    """Flags of /proc/cpuinfo without which this cannot be computed."""
    operands: int
    """Registers that a product takes beside its sums and its weights."""
    weights: int
    """Registers that the weights of a vector of outputs take."""
    fewest_sums: int
    """Fewer sums than this leave multipliers waiting for one another."""
    registers: tuple[int, int] | None
    """(panel, pixels) that fit the registers; None where those of the processor's family do."""
    whole: bool
    """Whether the first convolution and the blocks behind it are computed so, too."""
    doubled: bool
    """Whether the depthwise convolutions of maps that were doubled are, too (see ``byte_spatial``)."""
    short: bool
    """Whether a last vector, of which at most half holds channels, is computed as one of half as many lanes."""

    def arguments(self, conv: Convolution, lanes: int) -> list[ir.Argument]:
        """The arguments of a kernel that hold the weights."""

    def pack(self, weight: Floats, bias: Floats, lanes: int, panel: int) -> list[Any]:
        """The arrays for them."""

    def product(self, conv: Convolution, buffers: Sequence[Buffer], lanes: int) -> Product:
        """The product in a kernel that has these buffers as arguments."""

    def lost(self, weight: Floats, lanes: int) -> npt.NDArray[np.float64] | None:
        """(outputs, inputs) that rounding takes from weights; None where nothing makes up for it."""

    def first(self) -> First:
        """The network's first convolution."""


class Float32:
    """All in float32."""

    name = "float32"
    needs: frozenset[str] = frozenset()
    operands, weights, fewest_sums, whole, doubled, short = 1, 1, 8, True, False, False
    registers: tuple[int, int] | None = None

    def arguments(self, conv: Convolution, lanes: int) -> list[ir.Argument]:
        outputs = layout.vectors(conv.outputs, lanes) * lanes
        return [("pointwise_weight", (outputs * conv.inputs,), "float32"), ("pointwise_bias", (outputs,), "float32")]

    def pack(self, weight: Floats, bias: Floats, lanes: int, panel: int) -> list[Any]:
        return [layout.pack_pointwise(weight, lanes, panel), layout.pack_vector(bias, lanes)]

    def product(self, conv: Convolution, buffers: Sequence[Buffer], lanes: int) -> Product:
        return _Float32Product(PackedLayer(conv, buffers[0], buffers[1], lanes))

    def lost(self, _weight: Floats, _lanes: int) -> None:
        return None

    def first(self) -> First:
        return FLOAT32_FIRST


class _Float32Product:
    def __init__(self, layer: PackedLayer) -> None:
        self.layer, self.source = layer, None

    def begin(self) -> None: ...

    def see(self, _value: Expr) -> None: ...

    def read(self, source: Buffer, _size: int) -> None:
        self.source = source

    def tile(self, start: Expr, plane: int, panel: Panel, pixels: int, unroll: int, put: Put) -> None:
        product(self.layer, self.source, start, plane, panel.first, panel.vectors, pixels, unroll, put)


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
        self.weights, self.registers = self._products.at_once, self._products.registers
        self.whole, self.doubled, self.short = self._products.whole, self._products.doubled, self._products.short

    def arguments(self, conv: Convolution, lanes: int) -> list[ir.Argument]:
        outputs = layout.vectors(conv.outputs, lanes) * lanes
        inputs = layout.vectors(conv.inputs, lanes) * lanes
        arguments: list[ir.Argument] = [
            ("pointwise_weight", (outputs * inputs // WORD,), "int32"),
            ("pointwise_scale", (outputs,), "float32"),
            ("pointwise_bias", (outputs,), "float32"),
        ]
        return [*arguments, ("pointwise_shift", (outputs,), "int32")] if self._products.signed else arguments

    def pack(self, weight: Floats, bias: Floats, lanes: int, panel: int) -> list[Any]:
        steps, scale = layout.quantised(weight, lanes, self._products.sharing)
        words = layout.pack_panels(self._products.pack(steps, lanes), lanes, panel)
        arrays = [words, layout.pack_vector(scale, lanes), layout.pack_vector(bias, lanes)]
        return [*arrays, (SHIFT * steps.sum(1)).astype(np.int32)] if self._products.signed else arrays

    def product(self, conv: Convolution, buffers: Sequence[Buffer], lanes: int) -> Product:
        return _Int8Product(conv, buffers, lanes, self._products)

    def lost(self, weight: Floats, lanes: int) -> npt.NDArray[np.float64] | None:
        if not (self._products.sharing or self.whole):
            return None
        outputs, inputs = weight.shape[:2]
        steps, scale = layout.quantised(weight, lanes, self._products.sharing)
        return weight[:, :, 0, 0].astype(np.float64) - steps[:outputs, :inputs] * scale[:, None].astype(np.float64)

    def first(self) -> First:
        return bytes_by(self._products) if self.whole else FLOAT32_FIRST


class _Int8Product:
    def __init__(self, conv: Convolution, buffers: Sequence[Buffer], lanes: int, products: ByteProducts) -> None:
        self.conv, self.lanes, self.products = conv, lanes, products
        self.weight, self.scale, self.bias, *self.shift = buffers
        self.largest: Buffer = None
        """Largest inputs of each lane, where they were seen."""

    def begin(self) -> None:
        self.largest = ir.registers(self.lanes)
        ir.store(self.largest, ir.splat(0.0, self.lanes), 0, self.lanes)

    def see(self, value: Expr) -> None:
        ir.store(self.largest, tirx.max(ir.load(self.largest, 0, self.lanes), value), 0, self.lanes)

    def read(self, source: Buffer, size: int) -> None:
        lanes = self.lanes
        self.words = ir.scratch(size // WORD, "int32")
        self.step = ir.registers(1)
        """Worth of one step of a byte."""
        largest, count = (self.largest, lanes) if self.largest is not None else _largest(source, size, lanes)
        top = tirx.const(SMALLEST_RANGE, "float32")
        for at in range(count):
            top = tirx.max(top, largest[at])
        ir.put(self.step, top / tirx.const(float(LARGEST_BYTE), "float32"), 0)
        factor = ir.registers(1)
        ir.put(factor, tirx.const(1.0, "float32") / self.step[0], 0)
        # Short vectors several at once: what is narrowed fills a register.
        wide = next(each * lanes for each in (4, 2, 1) if each == 1 or each * lanes <= min(self.products.widest, size))

        def convert(at: Expr) -> None:
            value = ir.load(source, at, wide) * ir.splat(factor[0], wide) + ir.splat(0.5, wide)
            self.products.put(self.words, value, tirx.floordiv(at, WORD), wide)

        with ir.serial(size // wide) as i:
            convert(i * wide)
        if size % wide:  # The last of them, some once more.
            convert(ir.integer(size - wide))

    def spread(self, places: Sequence[Expr], pixels: int, wide: int) -> list[tuple[Word, ...]]:
        """The words of each of so many pixels that begin at ``places``, for products of ``wide`` lanes."""
        step = self.lanes // WORD
        found = (self.products.spread(self.words, place, pixels, step, wide) for place in places)
        return list(zip(*found, strict=True))

    def tile(self, start: Expr, plane: int, part: Panel, pixels: int, _unroll: int, put: Put) -> None:
        (vector, panel, own), lanes, at_once = part, self.lanes, self.products.at_once
        words, vectors = lanes // WORD, layout.vectors(self.conv.inputs, lanes)
        panel_start = vector * (lanes * vectors * words)
        width = [*[lanes] * (panel - 1), own]
        slots = [(pixel, n, (pixel * panel + n) * lanes) for pixel in range(pixels) for n in range(panel)]
        sums = ir.registers(pixels * panel * lanes, "int32")
        for _, n, at in slots:
            zero = tirx.Broadcast(tirx.const(0, "int32"), width[n])
            shift = [ir.load(each, (vector + n) * lanes, lanes) for each in self.shift]
            ir.store(sums, shift[0] if shift else zero, at, width[n])

        def add(group: Expr, count: int) -> None:
            """So many words of inputs, from those of the vector of channels ``group`` on."""
            for first in range(0, count, at_once):
                several = range(first, min(first + at_once, count))
                places = [tirx.floordiv(start + (group + w // words) * plane, WORD) + w % words for w in several]
                inputs = {wide: self.spread(places, pixels, wide) for wide in set(width)}
                for pixel, n, at in slots:
                    starts = (panel_start + ((group * words + word) * panel + n) * lanes for word in several)
                    weights = [ir.load(self.weight, each, width[n]) for each in starts]
                    value = self.products.add(ir.load(sums, at, width[n]), inputs[width[n]][pixel], weights, width[n])
                    ir.store(sums, value, at, width[n])

        # Words behind the last input are zeros, and left out.
        together = max(1, at_once // words)
        turns, rest = divmod(layout.vectors(self.conv.inputs, WORD), together * words)
        if turns:
            with ir.serial(turns) as turn:
                add(turn * together, together * words)
        if rest:
            add(ir.integer(turns * together), rest)
        for pixel, n, at in slots:
            channels, wide = (vector + n) * lanes, width[n]
            scale = ir.load(self.scale, channels, wide) * ir.splat(self.step[0], wide)
            value = ir.load(sums, at, wide).astype(f"float32x{wide}") * scale + ir.load(self.bias, channels, wide)
            put(pixel, n, ir.filled(ir.activate(value, self.conv.activation, wide), wide, lanes))


def _largest(source: Buffer, size: int, lanes: int) -> tuple[Buffer, int]:
    """The largest of so many numbers is one of these, and how many they are."""
    count = size // lanes
    several = next(n for n in (4, 2, 1) if count % n == 0)
    largest = ir.registers(several * lanes)
    for n in range(several):
        ir.store(largest, ir.splat(0.0, lanes), n * lanes, lanes)
    with ir.serial(count // several) as turn:
        for n in range(several):
            value = ir.load(source, (turn * several + n) * lanes, lanes)
            ir.store(largest, tirx.max(ir.load(largest, n * lanes, lanes), value), n * lanes, lanes)
    return largest, several * lanes


FLOAT32: Precision = Float32()
FLOAT16: Precision = Float16()
PRECISIONS = (FLOAT32.name, FLOAT16.name, Int8.name)


def find_precision(name: str, target: Target) -> Precision:
    """The precision of that name, for a target that can compute in it.

    Raises:
        SettingError: there is no such precision, or the target lacks its instructions.
    """
    if name not in PRECISIONS:
        raise SettingError(f"there is no precision {name!r}", f"Choose one of {', '.join(PRECISIONS)}.")
    if name == FLOAT32.name:
        return FLOAT32
    if name == FLOAT16.name:
        if FLOAT16.needs <= target.needs:
            return FLOAT16
        raise SettingError(f"{target.name} does not compute in float16", "Use float32; processors of ARMv8.2 have it.")
    if products := byte_products(target.needs, target.lanes):
        return Int8(products)
    lacking = " or ".join(each.name for each in BYTE_PRODUCTS if each.lanes == target.lanes)
    cause = f"{target.name} lacks {lacking}, which {name} needs"
    raise SettingError(cause, "Use float32; or compile for host, on a processor that has it.")
