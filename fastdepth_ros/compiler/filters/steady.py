"""The kernel that steadies an answer; :mod:`fastdepth_ros.filters.steadiness` is the same in numpy, and says why."""

from __future__ import annotations

from collections.abc import Callable

from tvm import tirx

from fastdepth_ros.compiler import ir
from fastdepth_ros.compiler.anchors.words import Cell, Vector, real, square_root, whole
from fastdepth_ros.compiler.filters.pyramid import Pyramid
from fastdepth_ros.compiler.filters.words import Body, Buffers, between, named
from fastdepth_ros.compiler.ir import Buffer, Expr
from fastdepth_ros.compiler.mathematics import exponential, keep, logarithm, pick, size, splat
from fastdepth_ros.filters import functions
from fastdepth_ros.filters.functions import CELL, HELD, PIECE, STEADY
from fastdepth_ros.filters.limits import (
    ANSWERED,
    FITS,
    JUMP,
    LEAST,
    MOST,
    NEAR,
    NEAR_STANDING,
    NOISE,
    OUTLYING,
    SHOWS,
    STANDS,
)

DEPTH, BRIGHTNESS, COUNT = (HELD.index(name) for name in ("depth", "brightness", "count"))


def steady(rows: int, columns: int, lanes: int) -> Body:
    """The kernel for a picture of so many pixels, with vectors of so many numbers."""
    cells = rows // CELL, columns // CELL
    names = [each.name for each in functions.steady(*cells)]

    def body(*buffers: Buffer) -> None:
        work = _Steadying(named(names, buffers), *cells, lanes)
        work.take()
        known = work.join()
        ir.choose(known.value > real(0.0), work.apply, work.begin)
        work.hold(known)

    return body


class _Steadying:
    """Arguments by name, and numbers of the whole that are found on the way."""

    def __init__(self, given: Buffers, rows: int, columns: int, lanes: int) -> None:
        self.given, self.rows, self.columns, self.lanes = given, rows, columns, lanes
        self.down, self.across = rows // PIECE, columns // PIECE
        self.pieces = self.down * self.across
        self.pyramid = Pyramid(given, self.down, self.across)

    def number(self, name: str) -> Expr:
        return self.given["numbers"][STEADY.index(name)]

    def load(self, name: str, plane: int, start: Expr) -> Expr:
        return ir.load(self.given[name], start + plane * self.pieces, self.lanes)

    def store(self, name: str, value: Expr, plane: int, start: Expr) -> None:
        ir.store(self.given[name], value, start + plane * self.pieces, self.lanes)

    def splat(self, value: Expr) -> Expr:
        return splat(value, self.lanes)

    def each(self, body: Callable[[Expr], None]) -> None:
        """Call ``body(start)`` for vectors of pieces."""
        with ir.serial(self.pieces // self.lanes) as i:
            body(i * self.lanes)

    def answered(self, metres: Expr, then: Expr, otherwise: Expr) -> Expr:
        """One of two where depths are answers, the other elsewhere."""
        low, high = self.splat(LEAST), self.splat(MOST)
        return pick(tirx.all(metres > low, metres < high), then, otherwise)

    def take(self) -> None:
        """Write logarithms of an answer's and of a picture's pieces, and whether they have any."""
        given, lanes = self.given, self.lanes
        nothing, one = self.splat(0.0), self.splat(1.0)
        with ir.serial(self.down) as y:
            with ir.serial(self.columns // lanes) as i:
                total, many = nothing, nothing
                for row in range(PIECE):
                    metres = keep(ir.load(given["metres"], (y * PIECE + row) * self.columns + i * lanes, lanes), lanes)
                    total = total + self.answered(metres, metres, nothing)
                    many = many + self.answered(metres, one, nothing)
                ir.store(given["sums"], total, i * lanes, lanes)
                ir.store(given["counts"], many, i * lanes, lanes)
            with ir.serial(self.across) as x:
                sums, counts = (
                    [given[name][x * PIECE + whole(cell)] for cell in range(PIECE)] for name in ("sums", "counts")
                )
                total, many = Cell(sum(sums[1:], sums[0])), Cell(sum(counts[1:], counts[0]))
                enough = many.value >= real(ANSWERED * PIECE**2)
                piece = y * self.across + x
                mean = total.value / tirx.max(many.value, real(1.0))
                ir.put(given["now"], pick(enough, mean, real(1.0)), piece)
                ir.put(given["there"], pick(enough, real(1.0), real(0.0)), piece)
                light = given["lights"][given["grey"][piece].astype("int32")]
                ir.put(given["now"], light, piece + whole(BRIGHTNESS * self.pieces))
        self.each(lambda at: self.store("now", logarithm(self.load("now", DEPTH, at), lanes), DEPTH, at))

    def join(self) -> Cell:
        """Write logarithms of factors, the new mean and its counts; returns the share of pieces that go on, or 0."""
        known = Cell(0.0)
        with ir.when(self.number("goes_on") > real(0.0)):
            seen, stands = self._fetch()
            with ir.when(seen.value >= real(1.0)):
                shift = self._shift(seen)
                showing = self._fit(stands)
                with ir.when(showing.value >= seen.value * real(SHOWS)):
                    weight, off, share = self._weigh()
                    with ir.when(share.value >= real(FITS)):
                        more = Cell(off.value / weight.value)
                        shift.add(more.value)
                        with ir.when(tirx.max(shift.value, real(0.0) - shift.value) <= real(JUMP)):
                            self._mix(stands, shift, more)
                            known.set(share.value)
        return known

    def _fetch(self) -> tuple[Cell, Cell]:
        """Fetch what is held from where each piece was; returns the sum of counts, and from 0 to 1 how it stands."""
        given, flow = self.given, self.given["flow"]
        way, seen = Cell(0.0), Cell(0.0)
        with ir.serial(self.down) as y, ir.serial(self.across) as x:
            piece = Cell(y * self.across + x, "int32")
            right, below = Cell(flow[piece.value * 2]), Cell(flow[piece.value * 2 + whole(1)])
            way.add(right.value * right.value + below.value * below.value)
            column, wide = _place(x, right.value, self.across)
            row, tall = _place(y, below.value, self.down)
            totals = [Cell(0.0) for _ in HELD]
            for lower in (0, 1):
                for further in (0, 1):
                    here, there = Cell(column.value + further, "int32"), Cell(row.value + lower, "int32")
                    inside = tirx.all(
                        here.value >= whole(0),
                        here.value < whole(self.across),
                        there.value >= whole(0),
                        there.value < whole(self.down),
                    )
                    weight = (wide.value if further else real(1.0) - wide.value) * (
                        tall.value if lower else real(1.0) - tall.value
                    )
                    share = Cell(pick(inside, weight, real(0.0)))
                    at = Cell(pick(inside, there.value * self.across + here.value, whole(0)), "int32")
                    for plane, total in enumerate(totals):
                        total.add(share.value * given["held"][at.value + whole(plane * self.pieces)])
            totals[COUNT].set(totals[COUNT].value * given["there"][piece.value])
            seen.add(totals[COUNT].value)
            for plane, total in enumerate(totals):
                ir.put(given["before"], total.value, piece.value + whole(plane * self.pieces))
        moved = square_root(way.value * real(1 / self.pieces))
        return seen, Cell(tirx.min(tirx.max(real(2.0) - moved * real(1 / STANDS), real(0.0)), real(1.0)))

    def _shift(self, seen: Cell) -> Cell:
        """Write how far the mean is from the answer, but for a shift of all, which is returned."""
        limits = {DEPTH: OUTLYING, BRIGHTNESS: 4 * NOISE}
        totals = {plane: Vector(self.lanes) for plane in limits}

        def measure(at: Expr) -> None:
            count = self.load("before", COUNT, at)
            for plane, limit in limits.items():
                off = keep(self.load("before", plane, at) - self.load("now", plane, at), self.lanes)
                self.store("off", off, plane, at)
                totals[plane].add(between(off, self.splat(-limit), self.splat(limit)) * count)

        self.each(measure)
        shifts = {plane: Cell(total.sum() / seen.value) for plane, total in totals.items()}

        def take_out(at: Expr) -> None:
            for plane, shift in shifts.items():
                self.store("off", self.load("off", plane, at) - self.splat(shift.value), plane, at)

        self.each(take_out)
        return shifts[DEPTH]

    def _fit(self, stands: Cell) -> Cell:
        """Write how well depth and brightness fit; returns the sum of counts, each by how much it shows the same."""
        near = real(NEAR) + stands.value * real(NEAR_STANDING - NEAR)
        slopes = {DEPTH: Cell(real(1.0) / near), BRIGHTNESS: Cell(1 / NOISE)}
        showing = Vector(self.lanes)

        def fit(at: Expr) -> None:
            for plane, slope in slopes.items():
                off = size(self.load("off", plane, at), self.lanes)
                less = keep(self.splat(2.0) - off * self.splat(slope.value), self.lanes)
                fits = keep(between(less, self.splat(0.0), self.splat(1.0)), self.lanes)
                self.store("fits", fits, plane, at)
                if plane == BRIGHTNESS:
                    showing.add(fits * self.load("before", COUNT, at))

        self.each(fit)
        return Cell(showing.sum())

    def _weigh(self) -> tuple[Cell, Cell, Cell]:
        """Write weights; returns their sum, that of what is off by them, and the share of pieces that go on."""
        weight, off, going, there = (Vector(self.lanes) for _ in range(4))

        def weigh(at: Expr) -> None:
            fits = self.load("fits", DEPTH, at) * self.load("fits", BRIGHTNESS, at)
            own = keep(fits * self.load("before", COUNT, at), self.lanes)
            self.store("weights", own, 0, at)
            weight.add(own)
            off.add(own * self.load("off", DEPTH, at))
            going.add(tirx.min(own, self.splat(FITS)))
            there.add(self.load("there", 0, at))

        self.each(weigh)
        pieces = tirx.max(there.sum(), real(1.0))
        return Cell(weight.sum()), Cell(off.sum()), Cell(going.sum() / (pieces * real(FITS)))

    def _mix(self, stands: Cell, shift: Cell, more: Cell) -> None:
        """Write factors' logarithms, and the new mean and its counts."""
        most, going = self.number("most"), self.number("most_going")
        longest = stands.value * most + (real(1.0) - stands.value) * going
        frames = Cell(tirx.min(self.number("frames"), longest - real(1.0)) + real(1.0))
        ir.put(self.given["numbers"], frames.value, STEADY.index("frames"))
        whole_shift = Cell((real(1.0) - real(1.0) / frames.value) * shift.value)
        fewer = Cell(most - real(1.0))

        def mix(at: Expr) -> None:
            weight = keep(tirx.min(self.load("weights", 0, at), self.splat(fewer.value)), self.lanes)
            count = keep(weight + self.splat(1.0), self.lanes)
            own = (self.load("off", DEPTH, at) - self.splat(more.value)) * weight / count
            moved = keep(own + self.splat(whole_shift.value), self.lanes)
            rest = keep(between(moved, self.splat(-JUMP), self.splat(JUMP)), self.lanes)
            self.store("now", self.load("now", DEPTH, at) + rest, DEPTH, at)
            self.store("now", count * self.load("there", 0, at), COUNT, at)
            self.store("factors", exponential(rest, self.lanes), 0, at)

        self.each(mix)

    def apply(self) -> None:
        """Multiply the answer by smooth factors."""
        metres, lanes = self.given["metres"], self.lanes
        self.pyramid.rise()
        for row, column, factor in self.pyramid.cells(lanes):
            start = row * self.columns + column
            depth = keep(ir.load(metres, start, lanes), lanes)
            ir.store(metres, self.answered(depth, depth * factor, depth), start, lanes)

    def begin(self) -> None:
        """Begin anew."""
        self.each(lambda at: self.store("now", self.load("there", 0, at), COUNT, at))
        ir.put(self.given["numbers"], real(1.0), STEADY.index("frames"))

    def hold(self, known: Cell) -> None:
        """Write what is held, and the share of pieces that go on."""

        def keep(at: Expr) -> None:
            for plane in range(len(HELD)):
                self.store("held", self.load("now", plane, at), plane, at)

        self.each(keep)
        ir.put(self.given["numbers"], known.value, STEADY.index("goes_on"))


def _place(index: Expr, step: Expr, count: int) -> tuple[Cell, Cell]:
    """Place of a piece in the picture before, along an axis: the piece before it, and how far beyond its centre."""
    place = Cell(between(index.astype("float32") + step, real(-2.0), real(count + 1.0)))
    # From 2 before the first: what is cut off behind the point has to be positive.
    first = Cell((place.value + real(2.0)).astype("int32") - whole(2), "int32")
    return first, Cell(place.value - first.value.astype("float32"))
