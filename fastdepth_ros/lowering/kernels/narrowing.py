"""Numbers become bytes while a kernel runs: their range is looked at, and zero stays exactly zero.

A number x is the byte q = x / step + zero, rounded, where step is the range by :data:`STEPS` and zero the byte of 0
(Jacob et al., arXiv 1712.05877, section 2.1). The range is that of the numbers at hand, widened to 0, which borders are
made of, so that nothing is cut off and nothing has to be calibrated. Behind the words of all bytes stand what their
readers need: :data:`TAIL` words, by the places below.
"""

from __future__ import annotations

from typing import Any

from tvm import tirx
from tvm.tirx.script import builder as T  # noqa: N812 - TVM's own documentation calls it T

from fastdepth_ros.compiler import ir
from fastdepth_ros.compiler.byte_products import BYTE_KERNELS, SHIFT, WORD
from fastdepth_ros.compiler.ir import Buffer, Expr
from fastdepth_ros.compiler.layout import LARGEST_BYTE, SMALLEST_RANGE

STEPS = LARGEST_BYTE - 1
"""Steps of a range: one less than bytes have, for the rounding of zero moves the others by half a step."""

STEP, OFFSET, FACTOR, ZERO = range(4)
"""Places in the tail: step, and 1 / step, as float32; what sums of weights are multiplied by to make up for zero, as
int32; zero and a half, as float32."""

TAIL = 16
"""Words behind those of the bytes: a cache line."""

AT_ONCE = 2
"""Vectors whose range is found side by side; more would push a convolution's sums out of the registers."""


class Narrowing:
    """Way of float32 numbers into words of bytes, in one kernel while it is written.

    Args:
        products: name of the instructions that will multiply them (``BYTE_KERNELS``).
        lanes: of a vector.
        words: int32 buffer that they are written into.
        tail: place in it behind the last word.
    """

    def __init__(self, products: str, lanes: int, words: Buffer, tail: int) -> None:
        self.kernels, self.lanes, self.words, self.tail = BYTE_KERNELS[products], lanes, words, tail

    def begin(self) -> None:
        """Announce that :meth:`see` gets numbers."""
        self.low, self.high = (ir.registers(AT_ONCE * self.lanes) for _ in range(2))
        for n in range(AT_ONCE):
            for each in (self.low, self.high):
                ir.store(each, ir.splat(0.0, self.lanes), n * self.lanes, self.lanes)

    def see(self, value: Expr, number: int) -> None:
        """Look at a vector while it is in a register; ``number`` counts those that are looked at side by side."""
        at, lanes = number % AT_ONCE * self.lanes, self.lanes
        ir.store(self.low, tirx.min(ir.load(self.low, at, lanes), value), at, lanes)
        ir.store(self.high, tirx.max(ir.load(self.high, at, lanes), value), at, lanes)

    def seen(self) -> tuple[Expr, Expr]:
        """The least and the largest number of what was seen, 0 among them."""
        return least(self.low, AT_ONCE * self.lanes), largest(self.high, AT_ONCE * self.lanes)

    def settle(self, low: Expr, high: Expr) -> None:
        """Write the tail for numbers of a range."""
        found = ir.registers(3)
        ir.put(found, tirx.max(high - low, _float(SMALLEST_RANGE)) / _float(float(STEPS)), 0)
        ir.put(found, _float(1.0) / found[0], 1)
        zero = (_float(0.5) - low * found[1]).astype("int32")  # Cut off behind the point, and not below 0.
        ir.put(found, zero.astype("float32") + _float(0.5), 2)
        for place, value in ((STEP, found[0]), (FACTOR, found[1]), (ZERO, found[2])):
            ir.put(self.words, T.reinterpret("int32", value), self.tail + place)
        shift = tirx.const(SHIFT if self.kernels.signed else 0, "int32")
        ir.put(self.words, shift - zero, self.tail + OFFSET)

    def narrow(self, source: Buffer, start: Expr, place: Expr, count: int) -> None:
        """Write ``count`` numbers of ``source`` from ``start`` on as words from ``place`` on, by what was settled."""
        lanes = self.lanes
        # Short vectors several at once: what is narrowed fills a register.
        most = min(self.kernels.widest, count)
        wide = next(each * lanes for each in (4, 2, 1) if each == 1 or each * lanes <= most)
        factor, zero = (ir.splat(self.number(each), wide) for each in (FACTOR, ZERO))

        def convert(at: Expr) -> None:
            value = ir.load(source, start + at, wide) * factor + zero
            self.kernels.put(self.words, value, place + tirx.floordiv(at, WORD), wide)

        with ir.serial(count // wide) as i:
            convert(i * wide)
        if count % wide:  # The last of them, some once more.
            convert(ir.integer(count - wide))

    def number(self, place: int) -> Expr:
        """The float32 number in a place of the tail."""
        return T.reinterpret("float32", self.words[self.tail + place])


def least(buffer: Buffer, count: int) -> Expr:
    """The least of the first numbers of a buffer, and 0."""
    found: Any = _float(0.0)
    for at in range(count):
        found = tirx.min(found, buffer[at])
    return found


def largest(buffer: Buffer, count: int) -> Expr:
    """The largest of the first numbers of a buffer, and 0."""
    found: Any = _float(0.0)
    for at in range(count):
        found = tirx.max(found, buffer[at])
    return found


def _float(value: float) -> Expr:
    return tirx.const(value, "float32")
