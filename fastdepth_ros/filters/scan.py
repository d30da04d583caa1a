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

import math
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.filters.band import STEEP, Band, Floats, Map, Stand, along, depths_between

MOST_PARTS = 6
"""Places between a cell's edges that are asked for their ray, at most."""

WIDEST = 1.25
"""Width of a ray, as a share of a usual cell's, up to which it is that of the widest cell."""

SEEN_FROM = 1.0
"""Distance before the camera from which on a ray has to be seen for "nothing there" to be said of it [m]."""

_TURN = 2 * math.pi


class ScanMaker:
    """Makes scans with one camera at one place above the floor; its tables are computed once.

    Args:
        camera: of the depth map.
        stand: where it is.
        band: what is an obstacle.

    Attributes:
        angle_min, angle_increment: of the first ray, and from ray to ray [rad].
        count: of rays; 0 where the camera sees nothing of the band.
    """

    def __init__(self, camera: Intrinsics, stand: Stand, band: Band) -> None:
        self._band = band
        self._stand = stand
        ahead, aside, falls = (along(axis, camera) for axis in (stand.forward, stand.left, stand.down))
        flat = np.hypot(ahead, aside)
        low, high = depths_between(falls, stand.height, band)
        steep = flat < STEEP
        seen = (high >= low) & (high > 0) & (low * flat <= band.range_max + math.hypot(*stand.origin)) & ~steep
        self._cells = np.flatnonzero(seen)
        self._flat, self._low, self._high = (
            table.ravel()[self._cells].astype(np.float32) for table in (flat, low, high)
        )
        self._axis = math.atan2(stand.left[2], stand.forward[2])
        # Where the camera looks is at half a turn, so that no angle of it goes beyond a whole one.
        turned = _turned(math.pi - self._axis, ahead, aside)
        self._ahead, self._aside = (table.ravel()[self._cells].astype(np.float32) for table in turned)
        self._origin = [np.float32(each) for each in _turned(math.pi - self._axis, *stand.origin)]
        sides = [
            np.abs(_wrapped(self._angles(stand, camera, x, y) - self._angles(stand, camera, -x, -y)))[self._cells]
            for x, y in ((0.5, 0.0), (0.0, 0.5))
        ]
        self._half = ((sides[0] + sides[1]) / 2).astype(np.float32)
        widest = 2 * float(self._half.max(initial=0.0))
        usual = 2 * float(np.median(self._half)) if len(self._half) else 1.0
        self.angle_increment = min(widest, WIDEST * usual) or usual
        self._parts = np.linspace(
            -1, 1, min(MOST_PARTS, 1 + math.ceil(widest / self.angle_increment)), dtype=np.float32
        )
        self._half_rays = self._half / np.float32(self.angle_increment)
        middle = self._angles(stand, camera)[self._cells]
        self._lay_out(middle)

    def _angles(self, stand: Stand, camera: Intrinsics, right: float = 0.0, below: float = 0.0) -> Floats:
        """Directions of all cells, from the camera's own, of a place so many pixels beside their centres."""
        moved = Intrinsics(camera.width, camera.height, camera.fx, camera.fy, camera.cx - right, camera.cy - below)
        angles = np.arctan2(along(stand.left, moved), along(stand.forward, moved))
        return _wrapped(angles - self._axis).ravel()

    def _lay_out(self, middle: Floats) -> None:
        """Find which cells stand in which ray."""
        if not len(middle):
            self.count, self.angle_min = 0, 0.0
            return
        least, most = float((middle - self._half).min()), float((middle + self._half).max())
        self._least = max(least, -math.pi)
        self.count = max(1, math.ceil((min(most, math.pi) - self._least) / self.angle_increment - 1e-6))
        self.angle_min = self._axis + self._least + self.angle_increment / 2
        rays = np.concatenate([self._ray_of(middle + part * self._half) for part in self._parts])
        inside = (rays >= 0) & (rays < self.count)
        cells = np.tile(np.arange(len(middle)), len(self._parts))[inside]
        pairs = np.unique(rays[inside].astype(np.int64) * len(middle) + cells)
        self._order = pairs % len(middle)
        self._rays, self._starts = np.unique(pairs // len(middle), return_index=True)
        self._of_ray = np.diff(np.append(self._starts, len(pairs)))
        self._clear = self._rays[self._enters(self._rays, most)]

    def _enters(self, rays: npt.NDArray[np.int64], most: float) -> npt.NDArray[np.bool_]:
        """Whether rays from the scan's origin are in the camera's view from :data:`SEEN_FROM` before it on.

        Beside the view nothing is found, and that says nothing of what is there.
        """
        angles = self._least + (rays + 0.5) * self.angle_increment + math.pi
        reach = SEEN_FROM + math.hypot(*self._stand.origin)
        x, y = reach * np.cos(angles) - self._origin[0], reach * np.sin(angles) - self._origin[1]
        from_camera = _wrapped(np.arctan2(y, x) - math.pi)
        return np.asarray((from_camera >= self._least) & (from_camera <= most))

    def _ray_of(self, angles: npt.NDArray[np.floating]) -> npt.NDArray[np.int32]:
        """Number of the ray in which directions from the camera's own lie. Edges lie within, not on the next one's."""
        places = (angles - self._least) / self.angle_increment
        return np.asarray(np.floor(np.clip(places, 0, self.count - 1e-3)), np.int32)

    def ranges(self, metres: Map) -> Map:
        """The scan of a depth map.

        Args:
            metres: (height, width) of the camera [m]: NaN no answer, -Inf too close, +Inf out of range.

        Returns:
            (count,) [m], with NaN, +Inf and -Inf as above.
        """
        found = np.full(self.count, np.nan, np.float32)
        if not self.count:
            return found
        depth: Map = metres.ravel()
        if len(self._cells) < len(depth):
            depth = depth.take(self._cells, mode="clip")  # the quickest mode
        unknown = None
        if not cv2.checkRange(depth)[0]:
            unknown = np.isnan(depth)
            depth = np.where(depth == -np.inf, np.float32(0), depth)  # something is at the lens itself
        # What has no depth is in no band, nor is what is out of range.
        in_band = (depth >= self._low) & (depth <= self._high)
        if self._stand.origin == (0.0, 0.0):
            outside = np.logical_not(in_band, out=in_band)
            distances = depth * self._flat
            np.copyto(distances, np.inf, where=outside)
            found[self._rays] = np.minimum.reduceat(distances.take(self._order, mode="clip"), self._starts)
        else:
            found[self._clear] = np.inf
            nearest = self._from_elsewhere(depth, np.flatnonzero(in_band))
            np.copyto(found, nearest, where=nearest < np.inf)
        if unknown is not None and unknown.any():
            self._doubt(unknown, found)
        found[found > self._band.range_max] = np.inf
        found[found < self._band.range_min] = -np.inf
        return found

    def _from_elsewhere(self, depth: Map, hits: npt.NDArray[np.intp]) -> Map:
        """Nearest points of each ray where the camera is not at the scan's origin; +Inf where none is.

        Args:
            depth: of the cells [m].
            hits: which of them are obstacles.
        """
        nearest = np.full(self.count + 2, np.inf, np.float32)
        if not len(hits):
            return nearest[1:-1]
        depth, ahead, aside, flat, half_rays = (
            table.take(hits, mode="clip") for table in (depth, self._ahead, self._aside, self._flat, self._half_rays)
        )
        x = depth * ahead + self._origin[0]
        y = depth * aside + self._origin[1]
        from_origin, places = (each.ravel() for each in cv2.cartToPolar(x, y))
        places *= np.float32(1 / self.angle_increment)
        # What is beyond the first ray has a place before it, and so has what is behind the last.
        places += np.float32(1 - (math.pi + self._least) / self.angle_increment)
        # A cell is as wide as it was, and seen from another distance.
        halves = depth * flat / np.maximum(from_origin, np.float32(STEEP))
        np.minimum(halves, 2, out=halves)
        halves *= half_rays
        for part in self._parts:
            rays = part * halves
            rays += places
            np.maximum(rays, 0, out=rays)
            np.minimum(rays, np.float32(self.count + 1), out=rays)
            np.minimum.at(nearest, rays.astype(np.intp), from_origin)
        return nearest[1:-1]

    def _doubt(self, unknown: npt.NDArray[np.bool_], found: Map) -> None:
        """Take back that nothing is there where most cells of a ray have no answer."""
        counted = unknown.view(np.int8).take(self._order, mode="clip")
        holes = np.add.reduceat(counted, self._starts, dtype=np.int32)
        doubtful = self._rays[2 * holes > self._of_ray]
        found[doubtful[np.isinf(found[doubtful])]] = np.nan


def _turned(angle: float, x: Any, y: Any) -> tuple[Any, Any]:
    """Places after a turn about the origin [rad]."""
    cosine, sine = math.cos(angle), math.sin(angle)
    return cosine * x - sine * y, sine * x + cosine * y


def _wrapped(angles: Floats) -> Floats:
    """Angles from -pi to pi [rad]."""
    return np.asarray((angles + math.pi) % _TURN - math.pi)
