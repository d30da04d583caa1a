"""The kernel from a correction to depth: bent as planes want it, averaged with those before it, and between its cells.

:mod:`fastdepth_ros.anchoring.applying` and :mod:`fastdepth_ros.anchoring.memory` are the same in numpy and OpenCV.
"""

from __future__ import annotations

from tvm import tirx

from fastdepth_ros.anchoring import layout
from fastdepth_ros.anchoring.layout import COUNTS, NODE, NUMBERS, RIM
from fastdepth_ros.arguments import WORK
from fastdepth_ros.compiler import ir
from fastdepth_ros.compiler.anchors.frame import Body
from fastdepth_ros.compiler.anchors.grid import node
from fastdepth_ros.compiler.anchors.words import Cell, Vector, real, whole
from fastdepth_ros.compiler.ir import Buffer, Expr
from fastdepth_ros.compiler.mathematics import exponential, keep, pick, splat

FINITE = 1e30
"""Numbers from here on are none."""

REACH = 2
"""Cells to each side whose changes are averaged."""

SIDE = 2 * REACH + 1


def apply(rows: int, columns: int, lanes: int) -> Body:
    """The kernel for a grid of so many nodes, with vectors of so many numbers."""
    names = [each.name for each in layout.apply(rows, columns)]

    def body(*buffers: Buffer) -> None:
        given = {name.removeprefix(WORK): each for name, each in zip(names, buffers, strict=True)}
        work = _Applying(given, 2 * rows, 2 * columns, lanes)
        with ir.when(work.number("bends") > real(0.0)):
            work.bend()
        finite = work.look()
        with ir.when(tirx.all(finite > whole(0), work.number("decay") > real(0.0))):
            work.average()
        work.remember(finite)
        work.write()

    return body


class _Applying:
    """Arguments by name; rows and columns are those of the correction."""

    def __init__(self, given: dict[str, Buffer], rows: int, columns: int, lanes: int) -> None:
        self.given, self.rows, self.columns, self.lanes = given, rows, columns, lanes
        self.count = rows * columns
        self.halves, self.row = given["halves"], given["row"]

    def number(self, name: str) -> Expr:
        return self.given["numbers"][NUMBERS.index(name)]

    def sloped(self, name: str, start: Expr, length: int) -> Expr:
        """Effect of depth's slope, at so many logarithms of depth."""
        return ir.load(self.given[name], start, length) * ir.splat(self.number("slope"), length)

    def bend(self) -> None:
        """Add what planes change, between their nodes."""
        with ir.serial(self.rows) as row, ir.serial(self.columns) as column:
            total = Cell(self.halves[row * self.columns + column])
            for upper in (True, False):
                line, tall = node(row, self.rows // 2, before=upper)
                for left in (True, False):
                    across, wide = node(column, self.columns // 2, before=left)
                    total.add(self.given["change"][line * (self.columns // 2) + across] * (tall * wide))
            ir.put(self.halves, total.value, row * self.columns + column)

    def look(self) -> Expr:
        """Add what depth's slope does; returns and writes whether all are numbers."""
        wrong = Cell(0.0)

        def some(start: Expr, length: int) -> None:
            answer = keep(ir.load(self.given["log_halves"], start, length), length)
            total = answer * ir.splat(self.number("slope"), length) + ir.load(self.halves, start, length)
            total = keep(total, length)
            ir.store(self.halves, total, start, length)
            bad = Vector(length)
            for value in (answer, total):
                inside = tirx.all(value > splat(-FINITE, length), value < splat(FINITE, length))
                bad.add(pick(inside, splat(0.0, length), splat(1.0, length)))
            wrong.add(bad.sum())

        ir.along(self.count, self.lanes, some)
        finite = Cell(tirx.Select(wrong.value > real(0.0), whole(0), whole(1)), "int32")
        ir.put(self.given["counts"], finite.value, COUNTS.index("finite"))
        return finite.value

    def average(self) -> None:
        """Average with what is held wherever the answer is what it was, and write how far it is."""
        given, row, columns = self.given, self.row, self.columns
        by_change = Cell(self.number("by_changed") * real(1 / SIDE**2))
        with ir.serial(self.rows) as y:
            lines = [
                Cell(_mirrored(y + whole(step), self.rows) * columns, "int32") for step in range(-REACH, REACH + 1)
            ]

            def down(start: Expr, length: int) -> None:
                total = splat(0.0, length)
                for line in lines:
                    now, before = (
                        ir.load(given[name], line.value + start, length) for name in ("log_halves", "held_answer")
                    )
                    total = total + (now - before)
                ir.store(row, total, start + RIM, length)

            ir.along(columns, self.lanes, down)
            for step in range(1, REACH + 1):
                ir.put(row, row[RIM + step], RIM - step)
                ir.put(row, row[RIM + columns - 1 - step], RIM + columns - 1 + step)

            def across(start: Expr, length: int) -> None:
                total = splat(0.0, length)
                for step in range(-REACH, REACH + 1):
                    total = total + ir.load(row, start + (RIM + step), length)
                changed = keep(total * ir.splat(by_change.value, length), length)
                still = keep(changed * changed + splat(1.0, length), length)
                kept = keep(ir.splat(self.number("decay"), length) / (still * still), length)
                place = y * columns + start
                ir.store(given["kept"], kept, place, length)
                own = keep(ir.load(self.halves, place, length), length)
                away = ir.load(given["held_correction"], place, length) - own
                ir.store(self.halves, own + away * kept * ir.splat(self.number("used"), length), place, length)

            ir.along(columns, self.lanes, across)

    def remember(self, finite: Expr) -> None:
        """Hold the correction and the answer, and take out what depth's slope does."""
        with ir.when(finite > whole(0)):

            def hold(start: Expr, length: int) -> None:
                for name, source in (("held_correction", "halves"), ("held_answer", "log_halves")):
                    ir.store(self.given[name], ir.load(self.given[source], start, length), start, length)

            ir.along(self.count, self.lanes, hold)

        def take_out(start: Expr, length: int) -> None:
            left = ir.load(self.halves, start, length) - self.sloped("log_halves", start, length)
            ir.store(self.halves, left, start, length)

        ir.along(self.count, self.lanes, take_out)

    def write(self) -> None:
        """Write depth: each cell's own, times the exponential of what corrects it."""
        given, row, columns = self.given, self.row, self.columns
        with ir.serial(2 * self.rows) as y:
            lines = [node(y, self.rows, before=upper) for upper in (True, False)]
            starts = [Cell(line * columns, "int32") for line, _ in lines]
            shares = [Cell(share) for _, share in lines]

            def down(start: Expr, length: int) -> None:
                parts = [
                    ir.load(self.halves, at.value + start, length) * ir.splat(share.value, length)
                    for at, share in zip(starts, shares, strict=True)
                ]
                ir.store(row, parts[0] + parts[1], start + RIM, length)

            ir.along(columns, self.lanes, down)
            ir.put(row, row[RIM], RIM - 1)
            ir.put(row, row[RIM + columns - 1], RIM + columns)

            def across(start: Expr, length: int) -> None:
                before, own, after = (keep(ir.load(row, start + (RIM + step), length), length) for step in (-1, 0, 1))
                quarter, rest = splat(0.25, length), splat(0.75, length)
                even = keep(before * quarter + own * rest, length)
                odd = keep(own * rest + after * quarter, length)
                mixed = [part * length + lane for lane in range(length) for part in (0, 1)]
                wide = 2 * length
                place = y * (2 * columns) + start * 2
                log = tirx.Shuffle([even, odd], mixed) + self.sloped("answer", place, wide)
                # Compared so that what is no number stays none.
                log, most = keep(log, wide), ir.splat(self.number("largest"), wide)
                log = keep(pick(log > most, most, log), wide)
                log = keep(pick(log < splat(0.0, wide) - most, splat(0.0, wide) - most, log), wide)
                depth = ir.load(given["metres"], place, wide) * exponential(log, wide)
                ir.store(given["depth"], depth, place, wide)

            ir.along(columns, self.lanes, across)


def _mirrored(index: Expr, count: int) -> Expr:
    """A number beyond the ends as in a mirror at the last one."""
    above = tirx.Select(index < whole(0), whole(0) - index, index)
    return tirx.Select(above > whole(count - 1), whole(2 * count - 2) - above, above)


assert NODE == 4, "a correction has two cells for each node along each side, and an answer two for each of these"
