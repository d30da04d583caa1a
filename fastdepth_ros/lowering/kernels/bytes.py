"""A map as bytes, and sums of products of bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tvm import tirx
from tvm.tirx.script import builder as T  # noqa: N812 - TVM's own documentation calls it T

from fastdepth_ros.compiler import ir
from fastdepth_ros.compiler.byte_products import BYTE_KERNELS, WORD, Word
from fastdepth_ros.compiler.ir import Buffer, Expr
from fastdepth_ros.compiler.layout import Map
from fastdepth_ros.lowering.kernels.narrowing import AT_ONCE, OFFSET, STEP, TAIL, Narrowing, largest, least

PARTS = 16
"""Tasks that look for the range of a map."""


@dataclass(frozen=True)
class Words:
    """Layout of a map's bytes: those of :class:`Map`, four in a word, and the tail.

    Attributes:
        map: the numbers that they stand for.
    """

    map: Map

    @property
    def tail(self) -> int:
        """Place of the tail."""
        return self.map.size // WORD

    @property
    def size(self) -> int:
        return self.tail + TAIL


@dataclass(frozen=True)
class Narrow:
    """A kernel of (map, words): the map as bytes, borders with it, by its own range.

    Attributes:
        source: what is read.
        products: name of the instructions that will multiply them.
    """

    source: Map
    products: str

    def make(self, name: str) -> Any:
        source, lanes = self.source, self.source.lanes
        layout = Words(source)
        rows = source.vectors * source.height
        share = -(-rows // PARTS)
        stored = source.height + 2 * source.border

        def body(x: Buffer, words: Buffer) -> None:
            lows, highs = ir.scratch(PARTS), ir.scratch(PARTS)
            with ir.parallel(PARTS) as task:
                seen = Narrowing(self.products, lanes, words, layout.tail)
                seen.begin()
                count = tirx.max(tirx.min(ir.integer(share), ir.integer(rows) - task * share), ir.integer(0))
                with ir.serial(count) as n:
                    row = task * share + n
                    start = source.offset(tirx.floordiv(row, source.height), tirx.floormod(row, source.height), 0)

                    def look(column: Expr, length: int, start: Expr = start) -> None:
                        for pixel in range(length):
                            seen.see(ir.load(x, start + (column + pixel) * lanes, lanes), pixel)

                    ir.along(source.width, AT_ONCE, look)
                low, high = seen.seen()
                ir.put(lows, low, task)
                ir.put(highs, high, task)
            narrowing = Narrowing(self.products, lanes, words, layout.tail)
            narrowing.settle(least(lows, PARTS), largest(highs, PARTS))
            with ir.parallel(source.vectors * stored) as row:
                start = tirx.floordiv(row, stored) * source.plane + tirx.floormod(row, stored) * source.row
                narrowing.narrow(x, start, tirx.floordiv(start, WORD), source.row)

        return ir.kernel(name, [("x", (source.size,), "float32"), ("words", (layout.size,), "int32")], body)


@dataclass(frozen=True)
class ByteProduct:
    """Sums of a tile, as ``full.Product``, of bytes; float32 where they are put.

    Attributes:
        vectors: of channels that are multiplied.
        plane, row: words between two vectors of channels, and between two rows.
        lanes: of a vector.
        products: name of the instructions.
        tail: place behind the words, where their step stands.
        taps: rows and columns of taps.
        stride: pixels between neighbouring pixels of the tile.
    """

    vectors: int
    plane: int
    row: int
    lanes: int
    products: str
    tail: int
    taps: tuple[int, int] = (1, 1)
    stride: int = 1

    def arguments(self, outputs: int) -> list[ir.Argument]:
        """Weights of so many outputs, whole vectors: words of bytes, what their steps are worth, bias, their sums."""
        words = self.vectors * self.lanes // WORD * self.taps[0] * self.taps[1]
        return [
            ("weight", (outputs * words,), "int32"),
            ("scale", (outputs,), "float32"),
            ("bias", (outputs,), "float32"),
            ("weight_sum", (outputs,), "int32"),
        ]

    def tile(
        self, x: Buffer, weights: Sequence[Buffer], start: Expr, vector: Expr, panel: int, pixels: int, put: Any
    ) -> None:
        """``pixels`` x ``panel`` vectors; the arguments are those of ``full.Product.tile``, ``x`` is of words."""
        weight, scale, bias, weight_sum = weights
        kernels, lanes, words = BYTE_KERNELS[self.products], self.lanes, self.lanes // WORD
        rows, columns = self.taps
        panel_start = vector * (lanes * self.vectors * words * rows * columns)
        slots = [(pixel, n, (pixel * panel + n) * lanes) for pixel in range(pixels) for n in range(panel)]
        sums = ir.registers(pixels * panel * lanes, "int32")
        for _, n, at in slots:
            made_up = ir.load(weight_sum, (vector + n) * lanes, lanes) * tirx.Broadcast(x[self.tail + OFFSET], lanes)
            ir.store(sums, made_up, at, lanes)
        begin = tirx.floordiv(start, WORD)

        with ir.serial(rows) as row, ir.serial(columns) as column:
            source, first = begin + row * self.row + column * words, (row * columns + column) * (self.vectors * words)

            def add(group: Expr, count: int) -> None:
                """The inputs of so many vectors of channels, of which ``group`` is the first."""
                for near in range(0, count * words, kernels.at_once):
                    several = range(near, min(near + kernels.at_once, count * words))
                    places = (source + (group + w // words) * self.plane + w % words for w in several)
                    inputs = list(zip(*(self._spread(x, place, pixels) for place in places), strict=True))
                    for pixel, n, at in slots:
                        starts = (
                            panel_start + ((first + group * words + word) * panel + n) * lanes for word in several
                        )
                        own = [ir.load(weight, each, lanes) for each in starts]
                        ir.store(sums, kernels.add(ir.load(sums, at, lanes), inputs[pixel], own, lanes), at, lanes)

            ir.along(self.vectors, max(1, kernels.at_once // words), add)
        step = T.reinterpret("float32", x[self.tail + STEP])
        for pixel, n, at in slots:
            channels = (vector + n) * lanes
            worth = ir.load(scale, channels, lanes) * ir.splat(step, lanes)
            value = ir.load(sums, at, lanes).astype(f"float32x{lanes}") * worth + ir.load(bias, channels, lanes)
            put(pixel, n, value)

    def _spread(self, x: Buffer, place: Expr, pixels: int) -> Iterator[Word]:
        """The word of each of so many pixels, from ``place`` on."""
        kernels, step = BYTE_KERNELS[self.products], self.lanes // WORD * self.stride
        if not kernels.signed or step == 1:
            yield from kernels.spread(x, place, pixels, step, self.lanes)
            return
        for pixel in range(pixels):
            yield Word(tirx.Broadcast(x[place + pixel * step], self.lanes), 0, self.lanes)
