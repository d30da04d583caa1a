"""The last convolution, from the last decoder block's channels to metres.

It is pointwise with one output, so it is a dot product per pixel. It and its ReLU give the same for the four copies of
a pixel that nearest-neighbour upsampling makes; it is computed once, and the answer is a map of half the input's size.
"""

from __future__ import annotations

from dataclasses import dataclass

from tvm import tirx
from tvm.tirx.script import builder as T  # noqa: N812 - TVM's own documentation calls it T

from fastdepth_ros.compiler import ir
from fastdepth_ros.compiler.ir import Buffer, Expr
from fastdepth_ros.compiler.tile import PackedLayer

MANY, QUARTER = 16, 4
"""Numbers of an AVX-512 vector, whose pixels are summed as many at once, and those that its shuffles keep together."""


def arguments(vectors: int, lanes: int) -> list[ir.Argument]:
    """Weights as one vector per vector of channels, and the bias."""
    return [("last_weight", (vectors * lanes,), "float32"), ("last_bias", (1,), "float32")]


@dataclass(frozen=True)
class Parts:
    """The dot products of a row of pixels, still spread over the lanes.

    Attributes:
        layer: the last convolution.
        sums: [pixel][lane].
        single: whether one vector holds all channels, so that there is nothing to add to.
    """

    layer: PackedLayer
    sums: Buffer
    single: bool

    def clear(self, width: int) -> None:
        """Begin a row."""
        if not self.single:
            ir.zero(self.sums, 0, width * self.layer.lanes, self.layer.lanes)

    def add(self, column: Expr, vector: Expr, value: Expr) -> None:
        """Add one vector of channels of a pixel, times its weights."""
        lanes = self.layer.lanes
        part = value * ir.load(self.layer.weight, vector * lanes, lanes)
        if not self.single:
            part = part + ir.load(self.sums, column * lanes, lanes)
        ir.store(self.sums, part, column * lanes, lanes)

    def answer(self, width: int, out: Buffer, row: Expr) -> None:
        """Write a row of depths: the lanes of each pixel summed, plus bias, after the ReLU."""
        lanes = self.layer.lanes
        if lanes == MANY and width % lanes == 0:
            with ir.serial(width // lanes) as turn:
                total = self._many(turn * lanes) + ir.splat(self.layer.bias[0], lanes)
                T.buffer_store(out, ir.activate(total, "relu", lanes), [row, tirx.Ramp(turn * lanes, 1, lanes)])
            return
        with ir.serial(width) as pixel:
            self._answer_one(out, row, pixel)

    def _answer_one(self, out: Buffer, row: Expr, pixel: Expr) -> None:
        lanes = self.layer.lanes
        total = ir.load(self.sums, pixel * lanes, lanes)
        while lanes > 2:
            lanes //= 2
            total = tirx.vectorlow(f"float32x{lanes}", total) + tirx.vectorhigh(f"float32x{lanes}", total)
        total = tirx.Shuffle([total], [0]) + tirx.Shuffle([total], [1])
        ir.put(out, tirx.max(total + self.layer.bias[0], tirx.const(0, "float32")), row, pixel)

    def _many(self, first: Expr) -> Expr:
        """The lanes' sums of :data:`MANY` pixels; each is summed in the order in which a single one is.

        Two vectors become one: the lower halves of what each has of a pixel are added to the upper ones.
        """
        order = [4 * n % MANY + 4 * n // MANY for n in range(MANY)]  # So that pixels end in their own order.
        parts = [ir.load(self.sums, (first + n) * MANY, MANY) for n in order]
        for size in (16, 8, 4, 2):
            # Parts of a pixel that are shorter than four numbers stay in their place of four.
            place = MANY if size > QUARTER else QUARTER
            lower = [
                vector + at + part + lane
                for at in range(0, MANY, place)
                for vector in (0, MANY)
                for part in range(0, place, size)
                for lane in range(size // 2)
            ]
            upper = [n + size // 2 for n in lower]
            pairs = zip(parts[::2], parts[1::2], strict=True)
            parts = [tirx.Shuffle([*pair], lower) + tirx.Shuffle([*pair], upper) for pair in pairs]
        return parts[0]
