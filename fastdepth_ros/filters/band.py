"""Obstacles: what stands between two heights above the floor, and not too far away.

Heights are those of points in space: a camera may look down or stand askew, and the floor is no obstacle.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fastdepth_ros.camera import Intrinsics

Map = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]
Three = tuple[float, float, float]

STEEP = 1e-3
"""Cosine of the angle to the floor's normal below which a direction has no angle."""

NOWHERE = np.float32(1e9)
"""Depth of what is out of range or has none, which no band holds [m]."""


class Stand(NamedTuple):
    """A camera above the floor, and a scan that is made with it. Vectors are in the camera's optical frame.

    Attributes:
        forward, left: unit vectors of the scan's x and y.
        down: unit vector to the floor.
        height: of the camera above the floor [m].
        origin: of the camera in the scan's x and y [m].
    """

    forward: Three
    left: Three
    down: Three
    height: float
    origin: tuple[float, float] = (0.0, 0.0)

    @classmethod
    def level(cls, down: Three, height: float) -> Stand:
        """A scan at the camera itself, whose x is where the camera looks.

        Args:
            down: as above.
            height: as above [m].

        Raises:
            ValueError: the camera looks straight down or up.
        """
        x, y, z = down
        length = math.hypot(x * z, y * z, 1 - z * z)
        if length < STEEP:
            raise ValueError("the camera looks straight down or up")
        # The optical axis without its part along down, and what is to the left of it.
        a, b, c = forward = (-x * z / length, -y * z / length, (1 - z * z) / length)
        return cls(forward, (b * z - c * y, c * x - a * z, a * y - b * x), down, height)


class Band(NamedTuple):
    """Limits of what is an obstacle.

    Attributes:
        min_height, max_height: above the floor [m].
        range_min, range_max: from the scan's origin [m].
    """

    min_height: float = 0.1
    max_height: float = 1.0
    range_min: float = 0.1
    range_max: float = 10.0


def depths_between(falls: Floats, height: float, band: Band) -> tuple[Floats, Floats]:
    """Depths at which each cell's ray enters and leaves the band [m]; the second is less where it never does."""
    with np.errstate(divide="ignore", invalid="ignore"):
        one, other = (height - band.max_height) / falls, (height - band.min_height) / falls
    low, high = np.minimum(one, other), np.maximum(one, other)
    even = np.abs(falls) < 1e-9
    inside = band.min_height <= height <= band.max_height
    low[even], high[even] = (0.0, np.inf) if inside else (1.0, 0.0)
    return np.maximum(low, 0.0), np.minimum(high, NOWHERE / 2)


def along(axis: Three, camera: Intrinsics) -> Floats:
    """Distances that the rays of all pixels go along an axis for each metre of depth: (height, width)."""
    columns = (np.arange(camera.width) - camera.cx) / camera.fx
    rows = (np.arange(camera.height) - camera.cy) / camera.fy
    return np.asarray(axis[0] * columns[None, :] + axis[1] * rows[:, None] + axis[2])
