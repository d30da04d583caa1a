"""Tables of a scan that do not change from frame to frame: where each cell looks, and in which rays it stands.

A cell of the map is an area: it stands in every ray between its left and its right end.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.filters.band import STEEP, Band, Floats, Map, Stand, along, depths_between

WIDEST = 1.25
"""Width of a ray, as a share of a usual cell's, up to which it is that of the widest cell."""

SEEN_FROM = 1.0
"""Distance before the camera from which on a ray has to be seen for "nothing there" to be said of it [m]."""

_TURN = 2 * math.pi
_INSIDE = 1e-3

Indices = npt.NDArray[np.intp]


class ScanTables:
    """Tables of one camera at one place above the floor; the convention is that of :mod:`~.scan`.

    Args:
        camera: of the depth map.
        stand: where it is.
        band: what is an obstacle.

    Attributes:
        angle_min, angle_increment: of the first ray, and from ray to ray [rad].
        count: of rays; 0 where the camera sees nothing of the band.
        cells: numbers of those that may see an obstacle; tables below are of them.
        low, high: depths between which they do [m].
        flat, ahead, aside: their distance along the floor for each metre of depth, and its parts. Where the camera
            looks is at half a turn, so that no angle of it goes beyond a whole one.
        half: of their width [rays].
        first, last: rays in which they stand, where the camera is at the scan's origin.
        origin: of the camera in the scan, turned likewise [m].
        beginning: the ray that lies in direction 0, where the first has number 1.
        order, rays, starts: cells ray by ray; rays with any; where each of these begins in the order.
        free: (count,) what a ray says in which nothing is.
    """

    def __init__(self, camera: Intrinsics, stand: Stand, band: Band) -> None:
        self._stand = stand
        ahead, aside, falls = (along(axis, camera) for axis in (stand.forward, stand.left, stand.down))
        flat = np.hypot(ahead, aside)
        low, high = depths_between(falls, stand.height, band)
        steep = flat < STEEP
        seen = (high >= low) & (high > 0) & (low * flat <= band.range_max + math.hypot(*stand.origin)) & ~steep
        self.cells: Indices = np.flatnonzero(seen)
        self.flat, self.low, self.high = (self._own(table) for table in (flat, low, high))
        self._axis = math.atan2(stand.left[2], stand.forward[2])
        self.ahead, self.aside = (self._own(table) for table in _turned(math.pi - self._axis, ahead, aside))
        x, y = _turned(math.pi - self._axis, *stand.origin)
        self.origin = float(x), float(y)
        sides = [
            np.abs(_wrapped(self._angles(camera, x, y) - self._angles(camera, -x, -y)))[self.cells]
            for x, y in ((0.5, 0.0), (0.0, 0.5))
        ]
        half = ((sides[0] + sides[1]) / 2).astype(np.float32)
        widest = 2 * float(half.max(initial=0.0))
        usual = 2 * float(np.median(half)) if len(half) else 1.0
        self.angle_increment = min(widest, WIDEST * usual) or usual
        self.half: Map = half / np.float32(self.angle_increment)
        self._lay_out(self._angles(camera)[self.cells], half)

    def _own(self, table: Floats) -> Map:
        return table.ravel()[self.cells].astype(np.float32)

    def _angles(self, camera: Intrinsics, right: float = 0.0, below: float = 0.0) -> Floats:
        """Directions of all cells, from the camera's own, of a place so many pixels beside their centres."""
        moved = Intrinsics(camera.width, camera.height, camera.fx, camera.fy, camera.cx - right, camera.cy - below)
        angles = np.arctan2(along(self._stand.left, moved), along(self._stand.forward, moved))
        return _wrapped(angles - self._axis).ravel()

    def _lay_out(self, middle: Floats, half: Map) -> None:
        """Find which cells stand in which ray."""
        if not len(middle):
            self.count, self.angle_min = 0, 0.0
            return
        least, most = float((middle - half).min()), float((middle + half).max())
        self._least = max(least, -math.pi)
        self.count = max(1, math.ceil((min(most, math.pi) - self._least) / self.angle_increment - 1e-6))
        self.angle_min = self._axis + self._least + self.angle_increment / 2
        self.beginning = 1 - (math.pi + self._least) / self.angle_increment
        self.first, self.last = self._ray_of(middle - half), self._ray_of(middle + half)
        pairs = [(self.first[cells] + step, cells) for step, cells in each_step(self.first, self.last)]
        rays, cells = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
        sorted_ = np.lexsort((cells, rays))
        self.order: Indices = cells[sorted_]
        self.rays, self.starts = np.unique(rays[sorted_], return_index=True)
        self.of_ray = np.diff(np.append(self.starts, len(self.order)))
        free = self.rays if self.stays else self.rays[self._enters(self.rays, most)]
        self.free: Map = np.full(self.count, np.nan, np.float32)
        self.free[free] = np.inf

    @property
    def stays(self) -> bool:
        """Whether the camera is at the scan's origin, so that cells stay in their rays whatever their depth."""
        return self._stand.origin == (0.0, 0.0)

    def _enters(self, rays: Indices, most: float) -> npt.NDArray[np.bool_]:
        """Whether rays from the scan's origin are in the camera's view from :data:`SEEN_FROM` before it on.

        Beside the view nothing is found, and that says nothing of what is there.
        """
        angles = self._least + (rays + 0.5) * self.angle_increment + math.pi
        reach = SEEN_FROM + math.hypot(*self._stand.origin)
        x, y = reach * np.cos(angles) - self.origin[0], reach * np.sin(angles) - self.origin[1]
        from_camera = _wrapped(np.arctan2(y, x) - math.pi)
        return np.asarray((from_camera >= self._least) & (from_camera <= most))

    def _ray_of(self, angles: npt.NDArray[np.floating]) -> Indices:
        """Number of the ray in which directions from the camera's own lie. Edges lie within, not on the next one's."""
        places = (angles - self._least) / self.angle_increment
        return np.floor(np.clip(places, 0, self.count - _INSIDE)).astype(np.intp)


def each_step(first: Indices, last: Indices) -> list[tuple[int, Indices]]:
    """Steps from the first ray of cells on, and the cells that reach so far."""
    spans = last - first
    steps: list[tuple[int, Indices]] = [(0, np.arange(len(first)))]
    for step in range(1, int(spans.max(initial=0)) + 1):
        steps.append((step, np.flatnonzero(spans >= step)))
    return steps


def _turned(angle: float, x: Any, y: Any) -> tuple[Any, Any]:
    """Places after a turn about the origin [rad]."""
    cosine, sine = math.cos(angle), math.sin(angle)
    return cosine * x - sine * y, sine * x + cosine * y


def _wrapped(angles: Floats) -> Floats:
    """Angles from -pi to pi [rad]."""
    return np.asarray((angles + math.pi) % _TURN - math.pi)
