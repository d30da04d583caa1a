"""The kernel that keeps planes of an answer planes; :mod:`fastdepth_ros.anchoring.planes` says why, in numpy."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tvm import tirx

from fastdepth_ros.anchoring import layout
from fastdepth_ros.anchoring.layout import COUNTS, NUMBERS, PLANE, PLANES
from fastdepth_ros.arguments import WORK
from fastdepth_ros.compiler import ir
from fastdepth_ros.compiler.anchors.apply import FINITE
from fastdepth_ros.compiler.anchors.frame import Body
from fastdepth_ros.compiler.anchors.words import Cell, Vector, ordered, ranked, real, whole
from fastdepth_ros.compiler.ir import Buffer, Expr
from fastdepth_ros.compiler.mathematics import exponential, pick, splat
from fastdepth_ros.compiler.mathematics import keep as held

BASIS = 3
"""Columns, rows and one."""

PAIRS = [(one, other) for one in range(BASIS) for other in range(one, BASIS)]
"""Products of two of them."""

BENT, BELIEVED = (PLANE.index(name) for name in ("bent", "believed"))
TINY = 1e-12


def keep(rows: int, columns: int, lanes: int) -> Body:
    """The kernel for a grid of so many nodes, both even numbers, with vectors of so many numbers."""
    names = [each.name for each in layout.keep(rows, columns)]

    def body(*buffers: Buffer) -> None:
        given = {name.removeprefix(WORK): each for name, each in zip(names, buffers, strict=True)}
        work = _Keeping(given, rows, columns, lanes)
        work.look()
        work.halve()
        with ir.serial(PLANES) as plane:
            work.fit(plane)
        work.believe()
        work.write()

    return body


class _Keeping:
    """Arguments by name."""

    def __init__(self, given: dict[str, Buffer], rows: int, columns: int, lanes: int) -> None:
        self.given, self.rows, self.columns, self.lanes = given, rows, columns, lanes
        self.count, self.coarse = rows * columns, rows * columns // 4

    def number(self, name: str) -> Expr:
        return self.given["numbers"][NUMBERS.index(name)]

    def load(self, name: str, start: Expr, length: int, plane: int = 0, size: int = 0) -> Expr:
        return ir.load(self.given[name], start + plane * size, length)

    def look(self) -> None:
        """Write inverse depths, the correction at the nodes with what depth's slope does, and whether it is finite."""
        given, halves, columns = self.given, self.given["halves"], 2 * self.columns
        wrong, slope = Cell(0.0), Cell(self.number("slope"))
        with ir.serial(self.rows) as row, ir.serial(self.columns) as column:
            first = Cell(row * (2 * columns) + column * 2, "int32")
            above = halves[first.value] + halves[first.value + whole(1)]
            below = halves[first.value + whole(columns)] + halves[first.value + whole(columns + 1)]
            place = row * self.columns + column
            total = Cell((above + below) * real(0.25) + slope.value * given["log_nodes"][place])
            ir.put(given["correction"], total.value, place)
            inside = tirx.all(total.value > real(-FINITE), total.value < real(FINITE))
            wrong.add(tirx.Select(inside, real(0.0), real(1.0)))
        finite = tirx.Select(wrong.value > real(0.0), whole(0), whole(1))
        ir.put(given["counts"], finite, COUNTS.index("finite"))

        def near(start: Expr, length: int) -> None:
            log = held(splat(0.0, length) - self.load("log_nodes", start, length), length)
            low, high = (ir.splat(self.number(name), length) for name in ("least_nearness", "most_nearness"))
            log = held(pick(log > low, log, low), length)
            log = held(pick(log < high, log, high), length)
            ir.store(given["nearness"], exponential(log, length), start, length)

        ir.along(self.count, self.lanes, near)

    def halve(self) -> None:
        """Write depth and correction of 2x2 nodes, and products of the basis there, over inverse depth."""
        given, columns = self.given, self.columns
        with ir.serial(self.rows // 2) as row, ir.serial(columns // 2) as column:
            first = Cell(row * (2 * columns) + column * 2, "int32")
            for source, out in (("nearness", "coarse_depth"), ("correction", "coarse_correction")):
                above = given[source][first.value] + given[source][first.value + whole(1)]
                below = given[source][first.value + whole(columns)] + given[source][first.value + whole(columns + 1)]
                mean = (above + below) * real(0.25)
                ir.put(
                    given[out], mean if out == "coarse_correction" else real(1.0) / mean, row * (columns // 2) + column
                )

        def multiply(start: Expr, length: int) -> None:
            depth = held(self.load("coarse_depth", start, length), length)
            lines = [
                held(self.load("coarse", start, length, each, self.coarse) * depth, length) for each in range(BASIS)
            ]
            for number, line in enumerate(lines):
                ir.store(given["lines"], line, start + number * self.coarse, length)
            for number, (one, other) in enumerate(PAIRS):
                ir.store(given["squares"], lines[one] * lines[other], start + number * self.coarse, length)

        ir.along(self.coarse, self.lanes, multiply)

    def fit(self, plane: Expr) -> None:
        """Find a plane of its part of the picture, what corrects its members, and how far that bends them."""
        self.put(plane, 0, self._solve(self._total(len(PAIRS) + BASIS, lambda at, many: self._seed(plane, at, many))))
        found = self._plane(plane, 0)
        totals = self._total(len(PAIRS) + BASIS + 1, lambda at, many: self._member(found, at, many))
        self.put(plane, BASIS, self._solve(totals[:-1]))
        fitted = self._plane(plane, BASIS)
        bent, weight = self._total(2, lambda at, many: self._gap(found, fitted, at, many))
        bent.set(bent.value / (weight.value + real(TINY)))
        count = totals[-1].value
        off = Cell(bent.value * self.number("by_bent"))
        square = Cell(off.value * off.value)
        believed = count / (count + self.number("members")) / (real(1.0) + square.value * square.value * off.value)
        self.put(plane, BENT, [bent, Cell(believed)])

    def put(self, plane: Expr, first: int, values: Sequence[Cell]) -> None:
        for number, value in enumerate(values):
            ir.put(self.given["planes"], value.value, plane * len(PLANE) + (first + number))

    def _plane(self, plane: Expr, first: int) -> list[Cell]:
        return [Cell(self.given["planes"][plane * len(PLANE) + (first + each)]) for each in range(BASIS)]

    def _total(self, count: int, values: Callable[[Expr, int], list[Expr]]) -> list[Cell]:
        """So many sums over 2x2 nodes."""
        totals = [Cell(0.0) for _ in range(count)]
        full, rest = divmod(self.coarse, self.lanes)
        vectors = [Vector(self.lanes) for _ in totals]
        with ir.serial(full) as i:
            for vector, value in zip(vectors, values(i * self.lanes, self.lanes), strict=True):
                vector.add(value)
        for total, vector in zip(totals, vectors, strict=True):
            total.add(vector.sum())
        if rest:
            for total, value in zip(totals, values(whole(full * self.lanes), rest), strict=True):
                left = Vector(rest)
                left.set(value)
                total.add(left.sum())
        return totals

    def _weighed(self, start: Expr, length: int, weight: Expr, right: Expr) -> list[Expr]:
        """Products of the basis, and those with a right side, by a weight."""
        squares = [self.load("squares", start, length, each, self.coarse) * weight for each in range(len(PAIRS))]
        return squares + [self.load("lines", start, length, each, self.coarse) * right for each in range(BASIS)]

    def _seed(self, plane: Expr, start: Expr, length: int) -> list[Expr]:
        part = tirx.EQ(self.load("seeds", start, length), ir.splat(plane, length))
        weight = held(pick(part, splat(1.0, length), splat(0.0, length)), length)
        return self._weighed(start, length, weight, weight)

    def _member(self, found: list[Cell], start: Expr, length: int) -> list[Expr]:
        member = held(self._membership(found, start, length), length)
        right = held(member * self.load("coarse_correction", start, length), length)
        return [*self._weighed(start, length, member, right), member]

    def _gap(self, found: list[Cell], fitted: list[Cell], start: Expr, length: int) -> list[Expr]:
        member = held(self._membership(found, start, length), length)
        weight = held(member * member, length)
        gap = held(self._at(fitted, start, length) - self.load("coarse_correction", start, length), length)
        return [tirx.min(gap * gap, ir.splat(self.number("most_gap"), length)) * weight, weight]

    def _at(self, plane: list[Cell], start: Expr, length: int) -> Expr:
        """Words of a plane, over inverse depth."""
        parts = [
            self.load("lines", start, length, number, self.coarse) * ir.splat(value.value, length)
            for number, value in enumerate(plane)
        ]
        return parts[0] + parts[1] + parts[2]

    def _membership(self, found: list[Cell], start: Expr, length: int) -> Expr:
        return self._members(self._at(found, start, length), length)

    def _members(self, nearness: Expr, length: int) -> Expr:
        """Memberships in a plane, from its inverse depths over the nodes' own."""
        off = held((nearness - splat(1.0, length)) * ir.splat(self.number("by_fits"), length), length)
        square = held(off * off, length)
        return splat(1.0, length) / (square * square + splat(1.0, length))

    def _solve(self, sums: list[Cell]) -> list[Cell]:
        """Coefficients of least squares from sums of products, a little drawn to zero."""
        a, b, c, d, e, f, *right = (each.value for each in sums)
        little = Cell(f * self.number("little") + self.number("nearly_none"))
        first = Cell(a + little.value)
        down, along = Cell(b / first.value), Cell(c / first.value)
        second = Cell(d + little.value - down.value * b)
        mixed = Cell(e - along.value * b)
        last = Cell(mixed.value / second.value)
        third = Cell(f + little.value - along.value * c - last.value * mixed.value)
        y = Cell(right[1] - down.value * right[0])
        z = Cell((right[2] - along.value * right[0] - last.value * y.value) / third.value)
        y.set((y.value - mixed.value * z.value) / second.value)
        return [Cell((right[0] - b * y.value - c * z.value) / first.value), y, z]

    def believe(self) -> None:
        """Believe all planes less where the one in the middle is bent."""
        planes = self.given["planes"]
        middle = ranked(whole(PLANES), lambda i: ordered(planes[i * len(PLANE) + BENT]), whole(PLANES // 2))
        off = Cell(middle * self.number("by_middle"))
        by = Cell(real(1.0) / (real(1.0) + off.value * off.value * off.value))
        with ir.serial(PLANES) as plane:
            place = plane * len(PLANE) + BELIEVED
            ir.put(planes, planes[place] * by.value, place)

    def write(self) -> None:
        """Write the change of the correction, and how far each node is a member of a plane."""
        given, planes = self.given, self.given["planes"]

        def some(start: Expr, length: int) -> None:
            depth = held(splat(1.0, length) / self.load("nearness", start, length), length)
            lines = [held(self.load("fine", start, length, each, self.count) * depth, length) for each in range(BASIS)]
            share, weights, *means = (Vector(length) for _ in range(2 + BASIS))
            with ir.serial(PLANES) as plane:
                own = [ir.splat(planes[plane * len(PLANE) + each], length) for each in range(len(PLANE))]
                nearness = own[0] * lines[0] + own[1] * lines[1] + own[2] * lines[2]
                member = held(self._members(nearness, length) * own[BELIEVED], length)
                share.set(tirx.max(share.value, member))
                weight = held(member * member, length)
                weights.add(weight)
                for number, mean in enumerate(means):
                    mean.add(weight * own[BASIS + number])
            total = means[0].value * lines[0] + means[1].value * lines[1] + means[2].value * lines[2]
            change = total / (weights.value + splat(TINY, length)) - self.load("correction", start, length)
            change = held(change * share.value, length)
            off = held(change * ir.splat(self.number("by_farthest"), length), length)
            ir.store(given["change"], change / (off * off + splat(1.0, length)), start, length)
            ir.store(given["planar"], share.value, start, length)

        ir.along(self.count, self.lanes, some)
