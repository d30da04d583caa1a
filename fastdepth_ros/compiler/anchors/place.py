"""The kernel from pixels to places: the side of an edge that a point fits, all that the process compares, what is said.

:meth:`fastdepth_ros.anchoring.fitter.Fitter.place` is the same in numpy.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager

from tvm import tirx

from fastdepth_ros.anchoring import layout
from fastdepth_ros.anchoring.layout import COUNTS, FEATURES, FIRST, HEARD, NUMBERS, POINTS, SOURCES
from fastdepth_ros.arguments import WORK
from fastdepth_ros.compiler import ir
from fastdepth_ros.compiler.anchors.frame import Body
from fastdepth_ros.compiler.anchors.gates import HELD, JUDGING, SETTLED, off
from fastdepth_ros.compiler.anchors.words import Cell, ordered, ranked, real, whole
from fastdepth_ros.compiler.ir import Buffer, Expr
from fastdepth_ros.compiler.mathematics import pick

AROUND = [(across, down) for down in (0, -1, 1) for across in (0, -1, 1)]
"""Steps in columns and rows to a cell and those beside it."""

PIXELS = 2
"""Pixels along each side of a cell."""


def place(rows: int, columns: int) -> Body:
    """The kernel for an answer of so many rows and columns."""
    names = [each.name for each in layout.place(rows, columns)]

    def body(*buffers: Buffer) -> None:
        work = _Placing(dict(zip(names, buffers, strict=True)), rows, columns)
        work.look()
        work.expect()
        work.move()
        work.write()
        work.hear()

    return body


class _Placing:
    """Arguments by name, and what is known of each point."""

    def __init__(self, given: dict[str, Buffer], rows: int, columns: int) -> None:
        self.given, self.rows, self.columns = given, rows, columns
        self.count = given["counts"][COUNTS.index("placed")]
        self.away, self.edges, self.expected = (given[WORK + name] for name in ("away", "edges", "expected"))

    def number(self, name: str) -> Expr:
        return self.given["numbers"][NUMBERS.index(name)]

    def pixel(self, axis: int, point: Expr) -> Expr:
        return self.given["pixels"][axis * POINTS + point]

    def cell(self, axis: int, point: Expr) -> Expr:
        return ((self.pixel(axis, point) + real(0.5)) * real(1 / PIXELS)).astype("int32")

    def inner(self, axis: int, point: Expr) -> Expr:
        """Column or row of the nearest cell that has all its neighbours."""
        last = (self.columns, self.rows)[axis] - 2
        return tirx.max(tirx.min(self.cell(axis, point), whole(last)), whole(1))

    def off_cell(self, point: Expr, cell: Expr) -> Expr:
        """Distance of a measurement from the answer in its cell."""
        return self.given["measured"][point] - self.given["answer"][cell]

    def look(self) -> None:
        """Write which points are at an edge."""
        with ir.serial(self.count) as i:
            middle = Cell(self.inner(1, i) * self.columns + self.inner(0, i), "int32")
            own = Cell(self.off_cell(i, middle.value))
            low, high = Cell(own.value), Cell(own.value)
            for across, down in AROUND[1:]:
                beside = Cell(self.off_cell(i, middle.value + whole(down * self.columns + across)))
                low.set(tirx.min(low.value, beside.value))
                high.set(tirx.max(high.value, beside.value))
            edge = tirx.all(
                high.value - low.value > self.number("edge"), self.given["traits"][self.given["source"][i]] > whole(0)
            )
            ir.put(self.away, own.value, i)
            ir.put(self.edges, edge.astype("int32"), i)

    def expect(self) -> None:
        """Write by how much each source's points are off in the middle."""
        with self.each() as (source, start, count):
            ir.put(self.expected, self.middle(self.away, start, count), source)

    @contextmanager
    def each(self) -> Iterator[tuple[Expr, Expr, Expr]]:
        """For each source that says anything: its number, where its points begin, and how many they are."""
        with ir.serial(self.given["counts"][COUNTS.index("sources")]) as source:
            start = Cell(self.given["parts"][source], "int32")
            count = Cell(self.given["parts"][source + whole(1)] - start.value, "int32")
            with ir.when(count.value > whole(0)):
                yield source, start.value, count.value

    def middle(self, values: Buffer, start: Expr, count: Expr) -> Expr:
        """The median of some neighbouring numbers, of two in the middle the upper."""
        return ranked(count, lambda i: ordered(values[start + i]), count >> whole(1))

    def move(self) -> None:
        """Move points at edges to the cell beside them that they fit best."""
        with ir.serial(self.count) as i, ir.when(self.edges[i] > whole(0)):
            column, row = Cell(self.inner(0, i), "int32"), Cell(self.inner(1, i), "int32")
            middle = Cell(row.value * self.columns + column.value, "int32")
            expected = Cell(self.expected[self.given["source"][i]])
            least, right, below = Cell(math.inf), Cell(0, "int32"), Cell(0, "int32")
            for across, down in AROUND:
                off = Cell(self.off_cell(i, middle.value + whole(down * self.columns + across)) - expected.value)
                size = tirx.max(off.value, real(0.0) - off.value)
                cost = Cell(size + self.number("stay") * real(math.hypot(across, down)))
                with ir.when(cost.value < least.value):
                    least.set(cost.value)
                    right.set(across)
                    below.set(down)
            for axis, cell in enumerate((column.value + right.value, row.value + below.value)):
                moved = cell.astype("float32") * real(PIXELS) + real(0.5)
                ir.put(self.given["pixels"], moved, axis * POINTS + i)

    def write(self) -> None:
        """Write places, features, and how far each point is off."""
        given, half = self.given, self.columns // 2
        with ir.serial(self.count) as i:
            column, row = Cell(self.cell(0, i), "int32"), Cell(self.cell(1, i), "int32")
            depth = Cell(given["answer"][row.value * self.columns + column.value])
            for axis, cells in enumerate((self.columns, self.rows)):
                ahead = Cell((self.pixel(axis, i) - real(cells - 0.5)) * self.number("unit"))
                self.found(ahead.value, axis, i)
                self.found(ahead.value * self.number("by_reach"), FIRST + axis, i)
            self.found(depth.value, 2, i)
            self.found(depth.value * self.number("by_alike"), FIRST + 2, i)
            self.found(given["measured"][i] - depth.value, 3, i)
            start = Cell(((row.value >> whole(1)) * half + (column.value >> whole(1))) * 3, "int32")
            for colour in range(3):
                # by_colour is 0 where there is no picture.
                value = given["colours"][start.value + whole(colour)].astype("float32") * self.number("by_colour")
                self.found(value, FIRST + FEATURES - 3 + colour, i)

    def found(self, value: Expr, plane: int, point: Expr) -> None:
        ir.put(self.given["found"], value, plane * POINTS + point)

    def hear(self) -> None:
        """Write what each source says, and by how much all are off what is held and settled."""
        given, heard = self.given, self.given["heard"]
        with self.each() as (source, start, count):
            ratio = Cell(self.middle_of_ratios(start, count))
            with ir.when(given["traits"][whole(SOURCES) + source] > whole(0)):
                self.silence(ratio.value, start, count)
            self.see_from(JUDGING, start, count)
            said = [self.middle(self.away, start, count), ratio.value, self.middle(given["sds"], start, count)]
            said += [self.mean(FIRST + feature, start, count) for feature in range(3)]
            at = source * len(HEARD)
            for number, value in enumerate(said):
                ir.put(heard, value, at + number)
            for number, value in enumerate(self.products(start, count)):
                ir.put(heard, value, at + len(said) + number)
        for number, mean in enumerate((HELD, SETTLED)):
            self.see_from(mean, whole(0), self.count)
            ir.put(heard, self.middle(self.away, whole(0), self.count), len(HEARD) * SOURCES + number)

    def middle_of_ratios(self, start: Expr, count: Expr) -> Expr:
        return ranked(count, lambda i: ordered(self.given["found"][3 * POINTS + start + i]), count >> whole(1))

    def see_from(self, mean: int, start: Expr, count: Expr) -> None:
        """Write how far points are off a mean."""
        with ir.serial(start, start + count) as i:
            ir.put(self.away, off(self.given["numbers"], self.given["found"], mean, i), i)

    def silence(self, ratio: Expr, start: Expr, count: Expr) -> None:
        """Take the say from points that are expected beyond the farthest that was measured."""
        given, farthest = self.given, Cell(-math.inf)
        with ir.serial(start, start + count) as i:
            farthest.set(tirx.max(farthest.value, given["measured"][i]))
        with ir.serial(start, start + count) as i:
            expected = given["found"][2 * POINTS + i] + (ratio + self.number("margin"))
            ir.put(given["sds"], pick(expected > farthest.value, self.number("silent"), given["sds"][i]), i)

    def mean(self, plane: int, start: Expr, count: Expr) -> Expr:
        """The mean of a plane of what was found."""
        total = Cell(0.0)
        with ir.serial(start, start + count) as i:
            total.add(self.given["found"][plane * POINTS + i])
        return total.value / count.astype("float32")

    def products(self, start: Expr, count: Expr) -> list[Expr]:
        """Centred sums: squares of depths answered and measured, in their logarithms, and products of both."""
        depths = self.given["found"]
        answered, said = Cell(self.mean(2, start, count)), Cell(0.0)
        with ir.serial(start, start + count) as i:
            said.add(self.away[i])
        # What was measured is what was answered and how far it is off.
        measured = Cell(answered.value + said.value / count.astype("float32"))
        sums = [Cell(0.0) for _ in range(3)]
        with ir.serial(start, start + count) as i:
            one = Cell(depths[2 * POINTS + i] - answered.value)
            other = Cell(depths[2 * POINTS + i] + self.away[i] - measured.value)
            for total, product in zip(
                sums, (one.value * one.value, other.value * other.value, one.value * other.value), strict=True
            ):
                total.add(product)
        return [each.value for each in sums]
