"""A flat scan from a depth map: the nearest thing between two heights above the floor, in each direction.

Heights are those of points in space: a camera may look down or stand askew, and the floor is no obstacle. (A band of
rows, as depthimage_to_laserscan takes it, holds other heights at each distance.)

A cell of the map is an area: it stands in every ray between its left and its right end. By REP-117 a ray is +Inf where
nothing was found up to the largest range, -Inf where something is nearer than the smallest, and NaN where most of what
lies in its direction has no depth.

Convention:
    The scan lies in a plane parallel to the floor, with x forward and y to the left; angles are counted from x towards
    y. Ranges are horizontal distances from its origin [m].
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from fastdepth_ros.arguments import Arrays, Bind, Call, bound
from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.filters import functions
from fastdepth_ros.filters.band import STEEP, Band, Map, Stand
from fastdepth_ros.filters.functions import CELL, COUNTS, MOST_RAYS
from fastdepth_ros.filters.scan_tables import ScanTables, each_step

WIDER = 2.0
"""Times that a cell may look as wide from the scan's origin as from the camera, at most."""


class ScanMaker:
    """Makes scans with one camera at one place above the floor; its tables are computed once.

    Args:
        camera: of the depth map.
        stand: where it is.
        band: what is an obstacle.
        bind: gives the compiled function, where there is one; the same in numpy otherwise.

    Attributes:
        angle_min, angle_increment: of the first ray, and from ray to ray [rad].
        count: of rays; 0 where the camera sees nothing of the band.
    """

    def __init__(self, camera: Intrinsics, stand: Stand, band: Band, bind: Bind | None = None) -> None:
        self._band, self._tables = band, ScanTables(camera, stand, band)
        tables = self._tables
        self.angle_min, self.angle_increment, self.count = tables.angle_min, tables.angle_increment, tables.count
        self._function = _Function.find(tables, (camera.height, camera.width), band, bind)

    def ranges(self, metres: Map) -> Map:
        """The scan of a depth map.

        Args:
            metres: (height, width) of the camera [m]: NaN no answer, -Inf too close, +Inf out of range.

        Returns:
            (count,) [m], with NaN, +Inf and -Inf as above; valid until the next.
        """
        tables = self._tables
        if not self.count:
            return np.empty(0, np.float32)
        if self._function is not None:
            found, doubtful = self._function.ranges(metres)
            if doubtful:
                self._doubt(np.isnan(metres.ravel()[tables.cells]), found)
            return found
        depth: Map = metres.ravel()
        if len(tables.cells) < len(depth):
            depth = depth.take(tables.cells, mode="clip")  # the quickest mode
        unknown = None
        if not cv2.checkRange(depth)[0]:
            unknown = np.isnan(depth)
            depth = np.where(depth == -np.inf, np.float32(0), depth)  # something is at the lens itself
        # What has no depth is in no band, nor is what is out of range.
        in_band = (depth >= tables.low) & (depth <= tables.high)
        nearest = self._from_here(depth, in_band) if tables.stays else self._from_elsewhere(depth, in_band)
        found = np.where(nearest < np.inf, nearest, tables.free)
        found[found > self._band.range_max] = np.inf
        found[found < self._band.range_min] = -np.inf
        if unknown is not None:
            self._doubt(unknown, found)
        return found

    def _from_here(self, depth: Map, hits: npt.NDArray[np.bool_]) -> Map:
        """Nearest points of each ray where the camera is at the scan's origin; +Inf where none is.

        Args:
            depth: of the cells [m].
            hits: whether they are obstacles.
        """
        tables = self._tables
        distances = np.where(hits, depth * tables.flat, np.float32(np.inf))
        nearest = np.full(self.count, np.inf, np.float32)
        nearest[tables.rays] = np.minimum.reduceat(distances.take(tables.order, mode="clip"), tables.starts)
        return nearest

    def _from_elsewhere(self, depth: Map, hits: npt.NDArray[np.bool_]) -> Map:
        """Nearest points of each ray where the camera is beside the scan's origin."""
        tables, numbers = self._tables, np.flatnonzero(hits)
        nearest = np.full(self.count + 2, np.inf, np.float32)
        depth, ahead, aside, flat, half = (
            table.take(numbers, mode="clip") for table in (depth, tables.ahead, tables.aside, tables.flat, tables.half)
        )
        if not len(depth):
            return nearest[1:-1]
        x = depth * ahead + np.float32(tables.origin[0])
        y = depth * aside + np.float32(tables.origin[1])
        from_origin, places = (each.ravel() for each in cv2.cartToPolar(x, y))
        places *= np.float32(1 / self.angle_increment)
        # What is beyond the first ray has a place before it, and so has what is behind the last.
        places += np.float32(tables.beginning)
        # A cell is as wide as it was, and seen from another distance.
        wider = depth * flat / np.maximum(from_origin, np.float32(STEEP))
        half *= np.minimum(wider, np.float32(WIDER))
        first, last = (np.clip(each, 0, self.count + 1).astype(np.intp) for each in (places - half, places + half))
        for step, cells in each_step(first, last):
            if step == 0:
                np.minimum.at(nearest, first, from_origin)
            else:
                np.minimum.at(nearest, first[cells] + step, from_origin[cells])
        return nearest[1:-1]

    def _doubt(self, unknown: npt.NDArray[np.bool_], found: Map) -> None:
        """Take back that nothing is there where most cells of a ray have no answer."""
        tables = self._tables
        counted = unknown.view(np.int8).take(tables.order, mode="clip")
        holes = np.add.reduceat(counted, tables.starts, dtype=np.int32)
        doubtful = tables.rays[2 * holes > tables.of_ray]
        found[doubtful[found[doubtful] == np.inf]] = np.nan


class _Function:
    """The compiled function with the tables of one place.

    Args:
        shape: rows and columns of cells.
        call: the function, bound to its arrays.
        arrays: by name.
        count: of rays.
    """

    def __init__(self, shape: tuple[int, int], call: Call, arrays: Arrays, count: int) -> None:
        self._call, self._counts = call, arrays["counts"]
        self._metres: Map = arrays["metres"].reshape(shape)
        self._ranges: Map = arrays["ranges"][:count]

    @classmethod
    def find(cls, tables: ScanTables, shape: tuple[int, int], band: Band, bind: Bind | None) -> _Function | None:
        """The function for cells of that shape; None where there is none, or the scan has too many rays."""
        known = functions.functions(CELL * shape[0], CELL * shape[1]).get("scan")
        made = bound(bind, *known) if known and 0 < tables.count <= MOST_RAYS else None
        if made is None:
            return None
        call, arrays = made
        cells = tables.cells
        arrays["low"][:] = 1.0  # to 0: what cannot be an obstacle is between no depths
        named = {"low": tables.low, "high": tables.high, "flat": tables.flat, "half": tables.half}
        named |= {"ahead": tables.ahead, "aside": tables.aside}
        for name, table in named.items():
            arrays[name][cells] = table
        # Before the first ray there is one for what lies beyond, and behind the last, too.
        arrays["begin"][cells], arrays["end"][cells] = tables.first + 1, tables.last + 2
        arrays["free"][: tables.count] = tables.free
        numbers = (*tables.origin, 1 / tables.angle_increment, tables.beginning, band.range_min, band.range_max)
        arrays["numbers"][:] = numbers
        arrays["counts"][COUNTS.index("rays")] = tables.count
        arrays["counts"][COUNTS.index("moved")] = not tables.stays
        return cls(shape, call, arrays, tables.count)

    def ranges(self, metres: Map) -> tuple[Map, bool]:
        """The scan, and whether a cell has no depth."""
        np.copyto(self._metres, metres)
        self._call()
        return self._ranges, bool(self._counts[COUNTS.index("unknown")])
