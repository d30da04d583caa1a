"""A camera whose raw pictures are distorted: its pixels, and the rays that they see."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.errors import CalibrationError
from fastdepth_ros.lens.distortion import REMEDY, Distortion

Array = npt.NDArray[np.float64]

UPRIGHT = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
"""No rotation, row by row."""

CROOKED = 1e-3
"""By how much the product of a rotation and its transpose may differ from the identity."""


@dataclass(frozen=True)
class Lens:
    """A camera as it is, before its picture was rectified.

    Attributes:
        camera: matrix and size of the raw picture, K of its camera_info [px].
        distortion: of the lens.
        rotation: R of its camera_info, row by row: from the raw camera's frame to the rectified one's.

    Raises:
        CalibrationError: the rotation is none, or the distortion folds the picture over nearer than its nearest edge.

    Example:
        >>> camera = Intrinsics(640, 480, fx=500.0, fy=500.0, cx=319.5, cy=239.5)
        >>> lens = Lens(camera, Distortion("plumb_bob", (-0.3, 0.1, 0.0, 0.0, 0.0)))
        >>> lens.pixels(np.array([[0.5, 0.0]])).round(1)
        array([[552.3, 239.5]])
        >>> lens.rays(lens.pixels(np.array([[0.5, 0.0]]))).round(6)
        array([[0.5, 0. ]])
    """

    camera: Intrinsics
    distortion: Distortion
    rotation: tuple[float, ...] = UPRIGHT

    def __post_init__(self) -> None:
        turn = np.array(self.rotation, np.float64)
        if turn.shape != (9,) or not np.isfinite(turn).all():
            raise CalibrationError("R of camera_info holds no rotation", REMEDY)
        turn = turn.reshape(3, 3)
        # The first, because the products of what no rotation has overflow.
        if np.abs(turn).max() > 2 or np.abs(turn @ turn.T - np.eye(3)).max() > CROOKED or np.linalg.det(turn) < 0:
            raise CalibrationError("R of camera_info is no rotation", REMEDY)
        edge = _nearest_edge(self.camera)
        if self.distortion.folds_at < edge:
            at = self.distortion.folds_at * max(self.camera.fx, self.camera.fy)
            cause = f"D folds the picture over {at:.0f} px from its principal point, within the picture"
            raise CalibrationError(cause, REMEDY)

    @property
    def turned(self) -> bool:
        """Whether the rectified camera looks elsewhere than the raw one."""
        return self.rotation != UPRIGHT

    @property
    def _turn(self) -> Array:
        return np.array(self.rotation, np.float64).reshape(3, 3)

    def pixels(self, rays: Array) -> Array:
        """Raw pixel coordinates (..., 2) of rays of slopes (..., 2) in the rectified frame; NaN where it sees none."""
        if self.turned:
            rays = _slopes(_vectors(rays) @ self._turn)
        landed = self.distortion.distort(rays)
        camera = self.camera
        return np.asarray(landed * (camera.fx, camera.fy) + (camera.cx, camera.cy))

    def raw_rays(self, pixels: Array) -> Array:
        """Slopes (..., 2) in the raw camera's frame of the rays of raw pixels (..., 2); NaN where they see none."""
        camera = self.camera
        return self.distortion.undistort((pixels - (camera.cx, camera.cy)) / (camera.fx, camera.fy))

    def rays(self, pixels: Array) -> Array:
        """Slopes (..., 2) in the rectified frame of the rays of raw pixels (..., 2); NaN where they see none."""
        return self.rectified(self.raw_rays(pixels))

    def rectified(self, rays: Array) -> Array:
        """Slopes (..., 2) in the rectified frame of rays in the raw camera's; NaN for those behind it."""
        return _slopes(_vectors(rays) @ self._turn.T) if self.turned else rays

    def foreshortening(self, rays: Array) -> Array:
        """Depth z in the raw camera's frame for each metre of z in the rectified one, of rays in the raw frame."""
        return np.asarray(1 / (_vectors(rays) @ self._turn.T)[..., 2])

    def inside(self, pixels: Array) -> npt.NDArray[np.bool_]:
        """Whether raw pixel coordinates (..., 2) are within the picture."""
        size = np.array((self.camera.width, self.camera.height))
        return np.asarray(((pixels >= -0.5) & (pixels <= size - 0.5)).all(-1))


def pinhole(width: int, height: int, view_fov: float, doubt: str = "") -> Intrinsics:
    """The pinhole whose ``width`` x ``height`` picture sees ``view_fov`` degrees from its left to its right edge."""
    focal = width / 2 / math.tan(math.radians(view_fov) / 2)
    return Intrinsics(width, height, focal, focal, (width - 1) / 2, (height - 1) / 2, doubt=doubt)


def grid(columns: npt.ArrayLike, rows: npt.ArrayLike) -> Array:
    """Coordinates (rows, columns, 2) of every crossing."""
    return np.stack(np.meshgrid(np.asarray(columns, np.float64), np.asarray(rows, np.float64)), axis=-1)


def _vectors(rays: Array) -> Array:
    return np.concatenate((rays, np.ones((*rays.shape[:-1], 1))), axis=-1)


def _slopes(vectors: Array) -> Array:
    ahead = np.where(vectors[..., 2:] > 0, vectors[..., 2:], np.nan)
    return np.asarray(vectors[..., :2] / ahead)


def _nearest_edge(camera: Intrinsics) -> float:
    """Distance from the principal point to the nearest edge of the picture [focal lengths]; 0 where it is outside."""
    across = min(camera.cx + 0.5, camera.width - 0.5 - camera.cx) / camera.fx
    down = min(camera.cy + 0.5, camera.height - 0.5 - camera.cy) / camera.fy
    return max(0.0, min(across, down))
