"""From a number a piece to one a cell: two steps up a pyramid (OpenCV's pyrUp), as machine code."""

from __future__ import annotations

from collections.abc import Iterator

from tvm import tirx

from fastdepth_ros.compiler import ir
from fastdepth_ros.compiler.anchors.words import Cell, real, whole
from fastdepth_ros.compiler.filters.words import Buffers
from fastdepth_ros.compiler.ir import Buffer, Expr
from fastdepth_ros.compiler.mathematics import splat

BY = 64.0
"""Sum of the weights of a step: 8 along rows and 8 along columns."""

EDGE = 2
"""Rows and columns of the second step before those of the first cell."""


class Pyramid:
    """Rises from ``factors``, which get a row and a column before the others.

    Args:
        given: ``factors``, and arrays to work in.
        down, across: rows and columns of pieces.
    """

    def __init__(self, given: Buffers, down: int, across: int) -> None:
        self._given, self._down, self._across = given, down, across
        self._broad = across + 1

    def rise(self) -> None:
        """Write ``wider``: all but the last step along columns."""
        given, rows, broad = self._given, self._down + 1, self._broad
        with ir.serial(rows) as y:
            line = Cell(tirx.max(y - whole(1), whole(0)) * self._across, "int32")
            with ir.serial(broad) as x:
                before, own, after = (
                    given["factors"][line.value + tirx.max(at - whole(1), whole(0))]
                    for at in (_before(x), x, _after(x, broad))
                )
                _put(given["wide"], y * (2 * broad) + x * 2, before, own, after, 1.0)
        with ir.serial(rows) as y:
            lines = [Cell(at * (2 * broad), "int32") for at in (_before(y), y, _after(y, rows))]
            with ir.serial(2 * broad) as x:
                before, own, after = (given["wide"][line.value + x] for line in lines)
                even, odd = _step(before, own, after)
                start = y * (4 * broad) + x
                ir.put(given["twice"], even * real(1 / BY), start)
                ir.put(given["twice"], odd * real(1 / BY), start + whole(2 * broad))
        with ir.serial(2 * rows) as y:
            line = Cell(y * (2 * broad), "int32")
            with ir.serial(2 * broad) as x:
                before, own, after = (given["twice"][line.value + at] for at in (_before(x), x, _after(x, 2 * broad)))
                _put(given["wider"], y * (4 * broad) + x * 2, before, own, after, 1 / BY)

    def cells(self, lanes: int) -> Iterator[tuple[Expr, Expr, Expr]]:
        """Vectors of cells: row, column of the first, and their numbers; a loop's body, written twice."""
        wider, stride = self._given["wider"], 4 * self._broad
        with ir.serial(2 * self._down) as pair, ir.serial(4 * self._across // lanes) as i:
            # The row of the step below that both rows lie in; there is one before and one behind.
            y, start = pair + whole(1), i * lanes + EDGE
            before, own = (ir.load(wider, at * stride + start, lanes) for at in (y - whole(1), y))
            after = ir.load(wider, _after(y, 2 * (self._down + 1)) * stride + start, lanes)
            six, four = splat(6.0, lanes), splat(4.0, lanes)
            yield pair * 2, i * lanes, before + own * six + after
            yield pair * 2 + whole(1), i * lanes, (own + after) * four


def _before(at: Expr) -> Expr:
    """The one before; of the first that behind it, as in a mirror."""
    return tirx.Select(at > whole(0), at - whole(1), whole(1))


def _after(at: Expr, count: int) -> Expr:
    return tirx.min(at + whole(1), whole(count - 1))


def _step(before: Expr, own: Expr, after: Expr) -> tuple[Expr, Expr]:
    """The two numbers that one becomes, times 8."""
    return before + own * real(6.0) + after, (own + after) * real(4.0)


def _put(buffer: Buffer, start: Expr, before: Expr, own: Expr, after: Expr, by: float) -> None:
    even, odd = _step(before, own, after)
    ir.put(buffer, even * real(by), start)
    ir.put(buffer, odd * real(by), start + whole(1))
