"""The kernel of a scan: each cell's distance and rays, and the nearest of each ray.

:mod:`fastdepth_ros.filters.scan` is the same in numpy, and says what the arguments are.
"""

from __future__ import annotations

import math

from tvm import tirx

from fastdepth_ros.compiler import ir
from fastdepth_ros.compiler.anchors.words import Cell, Vector, square_root, whole
from fastdepth_ros.compiler.filters.words import Body, Buffers, between, named
from fastdepth_ros.compiler.ir import Buffer, Expr
from fastdepth_ros.compiler.mathematics import angle, keep, pick, splat
from fastdepth_ros.filters import functions
from fastdepth_ros.filters.band import STEEP
from fastdepth_ros.filters.functions import CELL, COUNTS, MOST_RAYS, SCAN


def scan(rows: int, columns: int, lanes: int) -> Body:
    """The kernel for a picture of so many pixels, with vectors of so many numbers."""
    cells = rows // CELL * (columns // CELL)
    names = [each.name for each in functions.scan(rows // CELL, columns // CELL)]

    def body(*buffers: Buffer) -> None:
        work = _Scanning(named(names, buffers), cells, lanes)
        work.measure()
        work.find_nearest()
        work.write()

    return body


class _Scanning:
    """Arguments by name."""

    def __init__(self, given: Buffers, cells: int, lanes: int) -> None:
        self.given, self.cells, self.lanes = given, cells, lanes

    def number(self, name: str) -> Expr:
        return splat(self.given["numbers"][SCAN.index(name)], self.lanes)

    def count(self, name: str) -> Expr:
        return self.given["counts"][COUNTS.index(name)]

    def load(self, name: str, start: Expr) -> Expr:
        return ir.load(self.given[name], start, self.lanes)

    def measure(self) -> None:
        """Write each cell's distance, infinite where it is no obstacle, and its rays where they depend on it."""
        lanes, given = self.lanes, self.given
        nothing, infinite = splat(0.0, lanes), splat(math.inf, lanes)
        unknown = Vector(lanes)
        with ir.serial(self.cells // lanes) as i:
            start = i * lanes
            metres = keep(self.load("metres", start), lanes)
            known = metres <= infinite  # no number is not
            unknown.set(pick(known, unknown.value, splat(1.0, lanes)))
            # Something at the lens itself has a depth of less than nothing.
            depth = keep(pick(metres < nothing, nothing, metres), lanes)
            lies = tirx.all(depth >= self.load("low", start), depth <= self.load("high", start))
            ir.store(given["distances"], pick(lies, depth, infinite), start, lanes)
        ir.put(given["counts"], (unknown.sum() > tirx.const(0.0, "float32")).astype("int32"), COUNTS.index("unknown"))
        ir.choose(self.count("moved") > whole(0), self._from_elsewhere, self._from_here)

    def _from_here(self) -> None:
        """Depths to distances, for the scan's origin at the camera."""
        lanes = self.lanes
        with ir.serial(self.cells // lanes) as i:
            # Straight down nothing is an obstacle, and infinity times nothing is no number.
            depth = self.load("distances", i * lanes)
            far = pick(depth < splat(math.inf, lanes), depth * self.load("flat", i * lanes), depth)
            ir.store(self.given["distances"], far, i * lanes, lanes)

    def _from_elsewhere(self) -> None:
        """Depths to distances and rays, for a camera beside the scan's origin."""
        lanes, given = self.lanes, self.given
        last = splat((self.count("rays") + whole(1)).astype("float32"), lanes)
        nothing = splat(0.0, lanes)
        with ir.serial(self.cells // lanes) as i:
            start = i * lanes
            found = keep(self.load("distances", start), lanes)
            hit = found < splat(math.inf, lanes)
            depth = keep(pick(hit, found, splat(1.0, lanes)), lanes)
            x = keep(depth * self.load("ahead", start) + self.number("origin_ahead"), lanes)
            y = keep(depth * self.load("aside", start) + self.number("origin_aside"), lanes)
            distance = keep(square_root(x * x + y * y), lanes)
            place = keep(angle(x, y, lanes) * self.number("rays_a_radian") + self.number("first"), lanes)
            # A cell is as wide as it was, and seen from another distance.
            wider = depth * self.load("flat", start) / tirx.max(distance, splat(STEEP, lanes))
            half = keep(tirx.min(wider, splat(2.0, lanes)) * self.load("half", start), lanes)
            first, behind = (keep(each, lanes) for each in (place - half, place + half))
            ir.store(given["begin"], between(first, nothing, last).astype(f"int32x{lanes}"), start, lanes)
            end = between(behind, nothing, last).astype(f"int32x{lanes}") + splat(1, lanes, "int32")
            ir.store(given["end"], end, start, lanes)
            ir.store(given["distances"], pick(hit, distance, found), start, lanes)

    def find_nearest(self) -> None:
        """Write the nearest of each ray; before the first and behind the last there is one for what lies beyond."""
        given, lanes = self.given, self.lanes
        with ir.serial(MOST_RAYS // lanes) as i:
            ir.store(given["nearest"], splat(math.inf, lanes), i * lanes, lanes)
        ir.put(given["nearest"], tirx.const(math.inf, "float32"), MOST_RAYS)
        ir.put(given["nearest"], tirx.const(math.inf, "float32"), MOST_RAYS + 1)
        with ir.serial(self.cells) as i:
            distance = Cell(given["distances"][i])
            with (
                ir.when(distance.value < tirx.const(math.inf, "float32")),
                ir.serial(given["begin"][i], given["end"][i]) as ray,
            ):
                ir.put(given["nearest"], tirx.min(given["nearest"][ray], distance.value), ray)

    def write(self) -> None:
        """Write the ranges."""
        given, lanes = self.given, self.lanes
        infinite = splat(math.inf, lanes)
        with ir.serial(MOST_RAYS // lanes) as i:
            nearest = keep(ir.load(given["nearest"], i * lanes + 1, lanes), lanes)
            found = keep(pick(nearest < infinite, nearest, self.load("free", i * lanes)), lanes)
            found = keep(pick(found > self.number("range_max"), infinite, found), lanes)
            found = pick(found < self.number("range_min"), splat(-math.inf, lanes), found)
            ir.store(given["ranges"], found, i * lanes, lanes)
