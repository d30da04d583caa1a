"""Points of obstacles from a depth map: as few as a costmap needs, and none without a place."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.filters.band import STEEP, Band, Map, Three, along, depths_between


class ObstacleMaker:
    """Finds the obstacles in depth maps of one camera at one place above the floor; its tables are computed once.

    Args:
        camera: of the depth map.
        down: unit vector to the floor, in the camera's optical frame.
        height: of the camera above the floor [m].
        band: what is an obstacle; ranges are counted from the camera, along the floor.
    """

    def __init__(self, camera: Intrinsics, down: Three, height: float, band: Band) -> None:
        falls = along(down, camera)
        right, below = camera.slopes()
        flat = np.sqrt(np.maximum(right**2 + below**2 + 1 - falls**2, STEEP**2))
        low, high = depths_between(falls, height, band)
        self._right, self._below = (np.broadcast_to(each, falls.shape).ravel() for each in (right, below))
        self._low = np.maximum(low, band.range_min / flat).astype(np.float32).ravel()
        self._high = np.minimum(high, band.range_max / flat).astype(np.float32).ravel()
        self._beyond = (band.range_max / flat).astype(np.float32).ravel()
        self._flat = flat.astype(np.float32).ravel()

    def points(self, metres: Map, leaf: float = 0.0, clearing: float = 0.0) -> Map:
        """The obstacles of a depth map.

        Args:
            metres: (height, width) of the camera [m]; NaN is no answer, +Inf out of range.
            leaf: side of the cubes of which one point is left, the mean of those within [m]; 0 leaves all.
            clearing: range of points that stand where nothing was found up to the largest range [m]: whoever clears a
                map up to each point clears it there. 0 is none.

        Returns:
            (n, 3) x, y, z in the camera's optical frame [m], all finite; clearing points are the last.
        """
        depth = metres.ravel()
        found = self._placed(depth, np.flatnonzero((depth >= self._low) & (depth <= self._high)))
        if leaf > 0 and len(found):
            found = _thinned(found, leaf)
        if clearing <= 0:
            return found
        free = np.flatnonzero(depth > self._beyond)
        return np.concatenate((found, self._placed(clearing / self._flat[free], free, whole=False)))

    def _placed(self, depth: Map, cells: npt.NDArray[np.int64], whole: bool = True) -> Map:
        """Points of some cells; ``depth`` is of all of them, or of those alone."""
        points = np.empty((len(cells), 3), np.float32)
        z = points[:, 2]
        z[:] = depth.take(cells) if whole else depth
        np.multiply(z, self._right.take(cells), out=points[:, 0])
        np.multiply(z, self._below.take(cells), out=points[:, 1])
        return points


def _thinned(points: Map, leaf: float) -> Map:
    """The mean of the points of each cube."""
    columns = np.ascontiguousarray(points.T)
    x, y, z = np.floor(columns * np.float32(1 / leaf)).astype(np.int64)
    for cubes in (x, y, z):
        cubes -= cubes.min()
    cube = (x * (y.max() + 1) + y) * (z.max() + 1) + z
    # Numbers of cube and point together: to sort those is quicker than to find the order of cubes.
    many = len(points)
    cube *= many
    cube += np.arange(many)
    cube.sort()
    cube, order = np.divmod(cube, many)
    starts = np.flatnonzero(np.diff(cube, prepend=-1))
    counts = np.diff(starts, append=many).astype(np.float32)
    means = np.empty((len(starts), 3), np.float32)
    for axis, column in enumerate(columns):
        np.divide(np.add.reduceat(column.take(order), starts), counts, out=means[:, axis])
    return means
