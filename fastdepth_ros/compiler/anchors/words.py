"""Words that the kernels of anchors are written in, beside those of :mod:`~fastdepth_ros.compiler.ir`."""

from __future__ import annotations

from collections.abc import Callable

from tvm import tirx
from tvm.tirx.script import builder as T  # noqa: N812 - TVM's own documentation calls it T

from fastdepth_ros.compiler import ir
from fastdepth_ros.compiler.ir import Buffer, Expr
from fastdepth_ros.compiler.mathematics import pick

BLOCK = 32
"""Numbers of a row that are in registers at a time; right sides begin at a multiple of it."""

ROOTS = 24
"""Square roots after which a number between 0 and 1 has given all bits of its mantissa to a power."""


class Cell:
    """A number that changes while a kernel runs; kept in a register."""

    def __init__(self, value: Expr, dtype: str = "float32") -> None:
        self._buffer, self._dtype = ir.registers(1, dtype), dtype
        self.set(value)

    @property
    def value(self) -> Expr:
        return self._buffer[0]

    def set(self, value: Expr) -> None:
        ir.put(self._buffer, tirx.const(value, self._dtype) if isinstance(value, (int, float)) else value, 0)

    def add(self, value: Expr) -> None:
        self.set(self.value + value)


class Vector:
    """So many numbers side by side that change while a kernel runs."""

    def __init__(self, lanes: int) -> None:
        self._buffer, self._lanes = ir.registers(lanes), lanes
        self.set(ir.splat(0.0, lanes))

    @property
    def value(self) -> Expr:
        return ir.load(self._buffer, 0, self._lanes)

    def set(self, value: Expr) -> None:
        ir.store(self._buffer, value, 0, self._lanes)

    def add(self, value: Expr) -> None:
        self.set(self.value + value)

    @property
    def first(self) -> Expr:
        """The first of them."""
        return self._buffer[0]

    def sum(self) -> Expr:
        """Their sum."""
        total = self._buffer[0]
        for lane in range(1, self._lanes):
            total = total + self._buffer[lane]
        return total


def real(value: float) -> Expr:
    """A float32 constant."""
    return tirx.const(value, "float32")


def whole(value: int) -> Expr:
    """An int32 constant."""
    return tirx.const(value, "int32")


def vectors(count: Expr, lanes: int) -> Expr:
    """Vectors that hold so many numbers."""
    return tirx.shift_right(count + whole(lanes - 1), whole(lanes.bit_length() - 1))


def before(index: Expr, lanes: int) -> Expr:
    """The vector that holds this number."""
    return tirx.shift_right(index, whole(lanes.bit_length() - 1))


def square_root(value: Expr) -> Expr:
    """Square root, an instruction of every processor."""
    return tirx.sqrt(value)


def power(base: Expr, exponent: Expr) -> Expr:
    """``base`` of 1 or more to a power from 0 to below 1, by square roots: no library of mathematics is called."""
    root, left, out = Cell(base), Cell(exponent), Cell(1.0)
    with ir.serial(ROOTS):
        root.set(square_root(root.value))
        left.add(left.value)
        with ir.when(left.value >= real(1.0)):
            left.add(real(-1.0))
            out.set(out.value * root.value)
    return out.value


def ordered(value: Expr) -> Expr:
    """A whole number (int32) that is larger the larger a real number is."""
    bits = T.reinterpret("int32", value)
    return pick(bits < whole(0), bits ^ whole(0x7FFFFFFF), bits)


def number(key: Expr) -> Expr:
    """The inverse of :func:`ordered`."""
    return T.reinterpret("float32", pick(key < whole(0), key ^ whole(0x7FFFFFFF), key))


def ranked(count: Expr, key: Callable[[Expr], Expr], rank: Expr) -> Expr:
    """The number among ``count`` than which ``rank`` are smaller, by halving; ``key`` gives :func:`ordered` ones."""
    low, high = Cell(-(2**31), "int64"), Cell(2**31 - 1, "int64")
    with ir.serial(32):
        middle = Cell(tirx.shift_right(low.value + high.value, tirx.const(1, "int64")), "int64")
        least = Cell(middle.value.astype("int32"), "int32")
        below = Cell(0, "int32")
        with ir.serial(count) as i:
            below.add((key(i) <= least.value).astype("int32"))
        ir.choose(
            below.value > rank,
            lambda: high.set(middle.value),
            lambda: low.set(middle.value + tirx.const(1, "int64")),
        )
    return number(high.value.astype("int32"))


class Matrix:
    """A symmetric positive definite matrix with right sides behind each row, in rows of a fixed length.

    Args:
        buffer: of rows.
        stride: numbers from row to row.
        right: where right sides begin in a row.
        lanes: numbers of a vector.
    """

    def __init__(self, buffer: Buffer, stride: int, right: int, lanes: int) -> None:
        self.buffer, self.stride, self.right, self.lanes = buffer, stride, right, lanes

    def at(self, row: Expr, column: Expr) -> Expr:
        return self.buffer[row * self.stride + column]

    def put(self, value: Expr, row: Expr, column: Expr) -> None:
        ir.put(self.buffer, value, row * self.stride + column)

    def load(self, row: Expr, vector: Expr) -> Expr:
        return ir.load(self.buffer, row * self.stride + vector * self.lanes, self.lanes)

    def store(self, value: Expr, row: Expr, vector: Expr) -> None:
        ir.store(self.buffer, value, row * self.stride + vector * self.lanes, self.lanes)

    def first(self, row: Expr) -> Expr:
        """The first vector of a row that :meth:`eliminate` and :meth:`solve` read."""
        return before(row, BLOCK) * max(1, BLOCK // self.lanes)

    def pad(self, row: Expr, count: Expr) -> None:
        """Write zeros where :meth:`eliminate` reads behind a row's vectors: stale numbers there may grow, or fade."""
        several = max(1, BLOCK // self.lanes)
        with ir.serial(vectors(count, self.lanes), vectors(count, BLOCK) * several) as v:
            self.store(ir.splat(0.0, self.lanes), row, v)

    def eliminate(self, count: Expr, right: int, least: Buffer) -> None:
        """Turn S = U' U into U, and right sides R into U'^-1 R (Cholesky, row by row).

        Args:
            count: rows.
            right: vectors of right sides.
            least: no pivot can be smaller than the variance of its row's noise, but for rounding.
        """
        several = max(1, BLOCK // self.lanes)
        with ir.serial(count) as i:
            blocks = before(i, BLOCK), vectors(count, BLOCK)
            self._subtract(i, *blocks, 0, several)
            single = min(several, right)
            self._subtract(i, whole(0), whole(-(-right // single)), self.right // self.lanes, single)
            inverse = Cell(real(1.0) / square_root(tirx.max(self.at(i, i), least[i])))
            first, parts = self.right // self.lanes, ((blocks[0] * several, blocks[1] * several), (0, right))
            for offset, (start, stop) in zip((0, first), parts, strict=True):
                with ir.serial(start, stop) as v:
                    self.store(self.load(i, v + offset) * ir.splat(inverse.value, self.lanes), i, v + offset)
            self.put(inverse.value, i, i)

    def _subtract(self, row: Expr, start: Expr, stop: Expr, offset: int, several: int) -> None:
        """Take what the rows above explain from blocks of so many vectors of a row, which stay in registers."""
        with ir.serial(start, stop) as block:
            left = [Vector(self.lanes) for _ in range(several)]
            for number, vector in enumerate(left):
                vector.set(self.load(row, block * several + (offset + number)))
            with ir.serial(row) as j:
                factor = Cell(self.at(j, row))
                for number, vector in enumerate(left):
                    known = self.load(j, block * several + (offset + number)) * ir.splat(factor.value, self.lanes)
                    vector.set(vector.value - known)
            for number, vector in enumerate(left):
                self.store(vector.value, row, block * several + (offset + number))

    def solve(self, count: Expr, out: Buffer) -> None:
        """Solve U x = y for the first right side, after :meth:`eliminate`; ``out`` has whole vectors."""
        with ir.serial(vectors(count, self.lanes)) as v:
            ir.store(out, ir.splat(0.0, self.lanes), v * self.lanes, self.lanes)
        with ir.serial(count) as back:
            j = Cell(count - whole(1) - back, "int32")
            known = Vector(self.lanes)
            with ir.serial(before(j.value, self.lanes), vectors(count, self.lanes)) as v:
                known.add(self.load(j.value, v) * ir.load(out, v * self.lanes, self.lanes))
            # What is left of the diagonal, and on it, meets zeros.
            answer = (self.at(j.value, whole(self.right)) - known.sum()) * self.at(j.value, j.value)
            ir.put(out, answer, j.value)
