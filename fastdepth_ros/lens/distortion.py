"""Distortion models of lenses: where a ray of slopes (x, y) = (X / Z, Y / Z) lands, in focal lengths from the centre.

Convention:
    Formulas and order of coefficients are OpenCV's (calib3d, and its namespace fisheye), names are those of
    sensor_msgs/CameraInfo. With r^2 = x^2 + y^2:

    plumb_bob             k1 k2 p1 p2 k3: radial 1 + k1 r^2 + k2 r^4 + k3 r^6, tangential by p1 and p2 (Brown 1966)
    rational_polynomial   k1 k2 p1 p2 k3 k4 k5 k6: that over 1 + k4 r^2 + k5 r^4 + k6 r^6; four more are a thin prism's
    equidistant, fisheye  k1 k2 k3 k4: t (1 + k1 t^2 + k2 t^4 + k3 t^6 + k4 t^8), t = atan r (Kannala and Brandt 2006)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fastdepth_ros.errors import CalibrationError, shortened

Array = npt.NDArray[np.float64]

LENGTHS = {
    "plumb_bob": (4, 5),
    "rational_polynomial": (8, 12, 14),
    "equidistant": (4,),
    "fisheye": (4,),
}
"""Model -> how many coefficients it may have; some leave out the last, which are 0 then."""

FISHEYE = ("equidistant", "fisheye")

LARGEST = 1e4
"""Coefficients of any lens that was measured."""

WIDEST = math.radians(89.0)
"""Angle from the axis up to which a pinhole can see at all [rad]."""

STEPS = 8192
"""Samples of the radial curve; between them it is as good as straight: 1e-7 focal lengths."""

ROUNDS = 12
"""Steps at most in which the tangential part, which is small, is taken off."""

NEAR = 1e-6
"""Distance within which a ray has to land on the point that it was found for [focal lengths]."""

REMEDY = "Calibrate the camera (camera_calibration), or set rectify to off."


@dataclass(frozen=True)
class Distortion:
    """The distortion of one lens.

    Args:
        model: one of :data:`LENGTHS`.
        coefficients: in the model's order.

    Raises:
        CalibrationError: the model is not known, it has another number of coefficients, or one is no lens's.
    """

    model: str
    coefficients: tuple[float, ...]

    def __post_init__(self) -> None:
        lengths = LENGTHS.get(self.model)
        if lengths is None:
            cause = f"the distortion model {shortened(self.model) or 'without a name'} is not known"
            raise CalibrationError(cause, f"Calibrate the camera with one of {', '.join(LENGTHS)}, or rectify it.")
        if len(self.coefficients) not in lengths:
            cause = f"{self.model} has {' or '.join(map(str, lengths))} coefficients, D holds {len(self.coefficients)}"
            raise CalibrationError(cause, REMEDY)
        if not all(math.isfinite(each) and abs(each) <= LARGEST for each in self.coefficients):
            raise CalibrationError("D holds numbers that no lens has (NaN, infinity or huge)", REMEDY)
        if any(self.coefficients[12:]):
            raise CalibrationError("D holds a tilted sensor, which is not known", REMEDY)

    @classmethod
    def of(cls, model: str, coefficients: Sequence[float]) -> Distortion:
        """The distortion that a camera_info says. Raises as the class does."""
        return cls(model, tuple(map(float, coefficients)))

    @cached_property
    def _all(self) -> Array:
        """Twelve coefficients, in OpenCV's order; what is left out is 0."""
        return np.array((*self.coefficients[:12], *[0.0] * (12 - min(12, len(self.coefficients)))))

    def _radius(self, slope: Array) -> Array:
        """Distance from the centre at which rays of these slopes r land, but for the tangential part."""
        if self.model in FISHEYE:
            k1, k2, k3, k4 = self.coefficients
            angle = np.arctan(slope)
            s = angle * angle
            return np.asarray(angle * (1 + s * (k1 + s * (k2 + s * (k3 + s * k4)))))
        k1, k2, _, _, k3, k4, k5, k6 = self._all[:8]
        s = slope * slope
        below = 1 + s * (k4 + s * (k5 + s * k6))
        return np.asarray(slope * (1 + s * (k1 + s * (k2 + s * k3))) / np.where(below > 0, below, np.nan))

    @cached_property
    def _curve(self) -> tuple[Array, Array]:
        """Slopes and distances from the centre, as far as the one grows with the other."""
        slopes = np.tan(np.linspace(0, WIDEST, STEPS))
        with np.errstate(all="ignore"):
            distances = self._radius(slopes)
            grows = np.diff(distances) > 0
        last = len(grows) if grows.all() else int(np.argmin(grows))
        return slopes[: last + 1], distances[: last + 1]

    @property
    def folds_at(self) -> float:
        """Distance from the centre at which the picture turns back on itself [focal lengths]; infinite if nowhere."""
        return float(self._curve[1][-1]) if len(self._curve[1]) < STEPS else math.inf

    def distort(self, rays: Array) -> Array:
        """Points (..., 2) where rays of slopes (..., 2) land; NaN for those beyond what the lens sees once."""
        x, y = rays[..., 0], rays[..., 1]
        slope = np.hypot(x, y)
        with np.errstate(all="ignore"):
            ratio = np.where(slope > 0, self._radius(slope) / slope, 1.0)
        ratio = np.where(slope <= self._curve[0][-1], ratio, np.nan)
        return np.stack((x * ratio, y * ratio), axis=-1) + self._shift(x, y)

    def undistort(self, points: Array) -> Array:
        """Slopes (..., 2) of the rays that land at points (..., 2); NaN where none does that a pinhole sees."""
        slopes, distances = self._curve
        rays, shift = np.array(points), np.zeros_like(points)
        for _ in range(ROUNDS):
            target = points - shift
            distance = np.hypot(target[..., 0], target[..., 1])
            found = np.interp(distance, distances, slopes, right=np.nan)
            ratio = np.where(distance > 0, found / np.where(distance > 0, distance, 1), 1.0)
            rays = target * ratio[..., None]
            before, shift = shift, self._shift(rays[..., 0], rays[..., 1])
            if not np.nanmax(np.abs(shift - before), initial=0.0) > NEAR / 100:
                break
        with np.errstate(invalid="ignore"):
            off = np.abs(self.distort(rays) - points).max(-1)
            rays[~(off < NEAR)] = np.nan
        return rays

    @property
    def _is_tangential(self) -> bool:
        return self.model not in FISHEYE and bool(self._all[2:4].any() or self._all[8:].any())

    def _shift(self, x: Array, y: Array) -> Array:
        """The tangential and thin-prism part."""
        if not self._is_tangential:
            return np.zeros((*x.shape, 2))
        p1, p2, (s1, s2, s3, s4) = self._all[2], self._all[3], self._all[8:12]
        s = x * x + y * y
        across = 2 * p1 * x * y + p2 * (s + 2 * x * x) + s * (s1 + s * s2)
        return np.stack((across, p1 * (s + 2 * y * y) + 2 * p2 * x * y + s * (s3 + s * s4)), axis=-1)
