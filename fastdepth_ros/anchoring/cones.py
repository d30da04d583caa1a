"""Distances of the nearest surface in a cone, brought into the picture."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from fastdepth_ros.anchoring.anchors import Anchors, Known
from fastdepth_ros.anchoring.in_view import OUTSIDE, InView, in_view
from fastdepth_ros.anchoring.poses import Pose
from fastdepth_ros.anchoring.sightings import Sighting, lagged, unsure
from fastdepth_ros.camera import Intrinsics

Floats = npt.NDArray[np.float64]
Map = npt.NDArray[np.float32]

RAYS = 127
"""Rays of a cone that are looked at."""

CONE_IN_VIEW = 0.5
"""Share of a cone that has to lie in the view: else the nearest surface may be outside."""

NEAREST_SHARE, ALIKE = 0.97, 0.9
"""The share of a cone's rays that may be farther than its nearest surface, and how far the rest of that surface may
differ from its nearest place: the answer is noisy."""


@dataclass
class ConeMeasurement:
    """The distance of the nearest surface in a cone.

    Attributes:
        source: its name.
        pose: of the sensor in the camera's optical frame; the cone is about its x axis.
        field_of_view: the whole angle [rad].
        distance: from the sensor [m].
        sigma: standard deviation of the distance [m], NaN where it is not known.
    """

    source: str
    pose: Pose
    field_of_view: float
    distance: float
    sigma: float
    _known: tuple[Intrinsics, int, InView] | None = field(default=None, repr=False, compare=False)

    def look(self, seen: Intrinsics) -> tuple[int, InView]:
        """See :class:`Measurement`; how many rays were looked along, and what is in the view."""
        known = self._known
        if known is None or (known[0] is not seen and known[0] != seen):
            points = self.pose.apply(self.distance * rays_of(self.field_of_view))
            view = in_view(points, np.full(len(points), self.sigma), seen)
            known = self._known = (seen, len(points), view)
        return known[1:]

    def sight(self, metres: Map, seen: Intrinsics, lag: float) -> Sighting:
        """See :class:`Measurement`.

        Points at that distance on the cone's rays are compared with the answer. None of them lies behind a surface;
        where the answer is nearest beside them, one lies on it.
        """
        rays, (pixels, depths, sigmas, (cells, logs, _), _, left_out) = self.look(seen)
        if len(depths) < CONE_IN_VIEW * rays:
            return self._none(max(left_out, key=lambda each: left_out[each]))
        answers = metres.ravel().take(cells)
        there = np.flatnonzero(answers > 0)
        if not len(there):
            return self._none(OUTSIDE)
        place = there[_nearest(depths[there] / answers[there])]
        chosen = slice(place, place + 1)
        sigmas = lagged(sigmas[chosen], depths[chosen], lag, unsure(self.source))
        known = Known(cells[chosen], logs[chosen], None)
        return Sighting(Anchors(self.source, pixels[chosen], depths[chosen], sigmas, known=known), {})

    def _none(self, cause: str) -> Sighting:
        nothing = np.empty(0, np.float32)
        return Sighting(Anchors(self.source, np.empty((0, 2), np.float32), nothing, nothing), {cause: 1})


def _nearest(ratios: Map) -> int:
    """The ray that meets the nearest surface, in its middle: where ratios of distance and answer are greatest."""
    order = np.argsort(ratios)
    top = ratios[order[int(NEAREST_SHARE * (len(order) - 1))]]
    first = int(np.searchsorted(ratios[order], ALIKE * top))
    return int(order[(first + len(order) - 1) // 2])


@lru_cache(8)
def rays_of(field_of_view: float) -> Floats:
    """Unit vectors (n, 3), evenly spread in a cone about x: as the seeds of a sunflower lie."""
    count = np.arange(RAYS)
    away = np.arccos(1 - (1 - math.cos(field_of_view / 2)) * count / (RAYS - 1))
    about = count * math.pi * (3 - math.sqrt(5))
    return np.stack((np.cos(away), np.sin(away) * np.cos(about), np.sin(away) * np.sin(about)), axis=1)
