"""The floor as an anchor: how far it is follows from the camera's height and tilt; where it is, from the answer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from fastdepth_ros.anchoring.anchors import Anchors
from fastdepth_ros.anchoring.in_view import Map
from fastdepth_ros.anchoring.sightings import Sighting
from fastdepth_ros.camera import Intrinsics

GRID = 4
"""The floor is looked for in squares of so many cells."""

FARTHEST = 8.0
"""Distance beyond which the floor's depth says more of the tilt than of the scale [m]."""

HEIGHT_OFF = 0.03
"""Standard deviation of a height, as a share of it."""

TILT_OFF = 0.02
"""Standard deviation of a tilt [rad]."""

SLOPE_OFF, SLOPE_LEAST = 0.5, 0.02
"""By how much the answer's inverse depth may change otherwise than the floor's from square to square: a share of that,
and of the inverse depth."""

NARROW = 0.12
"""Half the width of the band of log ratios between plane and answer in which the floor lies."""

FEWEST = 12
"""Squares that a floor has at least."""

WILDEST = 3.0
"""Factor by which the floor may be farther or nearer than the answer."""

MOST = 64
"""Anchors that a floor gives at most."""

NO_FLOOR = "no floor in the picture"
"""Why a floor gives no anchors."""


@dataclass(frozen=True)
class FloorMeasurement:
    """A plane below the camera.

    Attributes:
        down: unit vector down, in the camera's optical frame.
        height: of the camera above the plane [m].
        source: its name.
    """

    down: tuple[float, float, float]
    height: float
    source: str = "floor"

    def look(self, seen: Intrinsics) -> object:
        """Nothing: a floor is looked for in the answer."""

    def sight(self, metres: Map, seen: Intrinsics, lag: float) -> Sighting:  # noqa: ARG002
        """See :class:`~fastdepth_ros.anchoring.sightings.Measurement`."""
        grid = (metres.shape[1] // GRID, metres.shape[0] // GRID)
        if min(grid) < 3:
            return self._none()
        answers = cv2.resize(metres, grid, interpolation=cv2.INTER_AREA)
        inverse = _plane(self.down, self.height, seen, grid)
        fits = fitting(answers, inverse)
        if fits is None:
            return self._none()
        rows, columns = fits
        step = -(-len(rows) // MOST)
        rows, columns = rows[::step], columns[::step]
        depths = (1 / inverse[rows, columns]).astype(np.float32)
        width, height = seen.width / grid[0], seen.height / grid[1]
        pixels = np.stack(((columns + 0.5) * width - 0.5, (rows + 0.5) * height - 0.5), axis=1).astype(np.float32)
        sigmas = depths * np.hypot(np.float32(HEIGHT_OFF), TILT_OFF / self.height * depths)
        return Sighting(Anchors(self.source, pixels, depths, sigmas.astype(np.float32)), {})

    def _none(self) -> Sighting:
        nothing = np.empty(0, np.float32)
        return Sighting(Anchors(self.source, np.empty((0, 2), np.float32), nothing, nothing), {NO_FLOOR: 1})


@lru_cache(8)
def _plane(down: tuple[float, float, float], height: float, seen: Intrinsics, grid: tuple[int, int]) -> Map:
    """Inverse depth of the floor in squares of the view [1/m]: n . ray / height; not positive above the horizon."""
    right, below = seen.scale(*grid).slopes()
    plane: Map = ((down[0] * right + down[1] * below + down[2]) / height).astype(np.float32)
    return plane


def fitting(answers: Map, plane: Map) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]] | None:
    """Rows and columns of squares whose answer is the floor's, up to a scale; None where there is no floor.

    A square is of the floor if inverse depth changes about it as the plane's does (walls and things stand upright), and
    if the ratio of plane and answer is that of many such squares. A table's is greater, so the least of such ratios is
    the floor's.

    Args:
        answers: (rows, columns) [m]; 0 or not finite is "no answer".
        plane: inverse depth of the floor there [1/m].
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        inverse: Map = np.reciprocal(answers)
        below = (plane > 1 / FARTHEST) & (answers > 0) & np.isfinite(inverse)
        for each in (_changes_down, _changes_across):
            wanted = each(plane)
            below &= np.abs(each(inverse) - wanted) <= SLOPE_OFF * np.abs(wanted) + SLOPE_LEAST
        ratios = -np.log(plane * answers)
    rows, columns = np.nonzero(below & (np.abs(ratios) < math.log(WILDEST)))
    place = _least_peak(ratios[rows, columns])
    if place is None:
        return None
    near = np.flatnonzero(np.abs(ratios[rows, columns] - place) < NARROW)
    return rows[near], columns[near]


def _changes_down(inverse: Map) -> Map:
    """By what share of itself inverse depth changes from square to square; NaN at the edges."""
    changes = np.full(inverse.shape, np.nan, np.float32)
    np.divide(inverse[2:] - inverse[:-2], 2 * inverse[1:-1], out=changes[1:-1])
    return changes


def _changes_across(inverse: Map) -> Map:
    return _changes_down(inverse.T).T


def _least_peak(ratios: Map) -> float | None:
    """The least log ratio about which many lie: at least half as many as about any other."""
    if len(ratios) < FEWEST:
        return None
    ordered = np.sort(ratios)
    first = np.searchsorted(ordered, ordered - NARROW)
    beyond = np.searchsorted(ordered, ordered + NARROW, side="right")
    counts = beyond - first
    most = int(counts.max())
    if most < FEWEST:
        return None
    place = int(np.argmax(counts >= max(FEWEST, most / 2)))
    # The middle of that heap, not its edge.
    heap = slice(place, int(beyond[place]))
    return float(ordered[heap][np.argmax(counts[heap])])
