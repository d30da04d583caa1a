"""Pinhole geometry: intrinsics, the part of a picture that the network sees, and points in space.

Convention:
    Pixel centres have whole coordinates: the first pixel is centred at (0, 0) and covers (-0.5, -0.5) to (0.5, 0.5).
    Points are in the camera's optical frame (REP-103): x to the right, y down, z forward [m]. Depth is z, not the
    length of the ray.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fastdepth_ros.errors import CalibrationError

Floats = npt.NDArray[np.floating]


@dataclass(frozen=True)
class Intrinsics:
    """A pinhole camera: the size of its picture and its matrix, all in pixels.

    Raises:
        CalibrationError: a size or focal length is not positive, or a number is not finite.
    """

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float

    def __post_init__(self) -> None:
        remedy = "Calibrate the camera, and check the camera_info that its driver publishes."
        if self.width < 1 or self.height < 1:
            raise CalibrationError(f"a camera matrix of a {self.width}x{self.height} picture", remedy)
        if not all(map(math.isfinite, (self.fx, self.fy, self.cx, self.cy))):
            raise CalibrationError("the camera matrix holds NaN or infinity", remedy)
        if self.fx <= 0 or self.fy <= 0:
            raise CalibrationError(f"the camera matrix has focal lengths {self.fx:g} and {self.fy:g}", remedy)

    def crop(self, x: int, y: int, width: int, height: int) -> Intrinsics:
        """The camera of a picture of which only ``width`` x ``height`` pixels from (x, y) on were kept."""
        return Intrinsics(width, height, self.fx, self.fy, self.cx - x, self.cy - y)

    def scale(self, width: int, height: int) -> Intrinsics:
        """The camera of the same picture, resampled to ``width`` x ``height`` pixels.

        The picture's edges, not its pixel centres, stay where they are, so the principal point moves by the half-pixel
        rule: cx' + 1/2 = s (cx + 1/2).
        """
        sx, sy = width / self.width, height / self.height
        return Intrinsics(
            width, height, sx * self.fx, sy * self.fy, sx * (self.cx + 0.5) - 0.5, sy * (self.cy + 0.5) - 0.5
        )

    def project(self, points: Floats) -> Floats:
        """Pixel coordinates (..., 2) of points (..., 3) [m]: u = fx x / z + cx, v = fy y / z + cy."""
        return np.stack(
            (
                self.fx * points[..., 0] / points[..., 2] + self.cx,
                self.fy * points[..., 1] / points[..., 2] + self.cy,
            ),
            axis=-1,
        )

    def slopes(self, stride: int = 1) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Slopes x/z of every ``stride``-th column and y/z of every ``stride``-th row: the rays through those pixels.

        Returns:
            Arrays of shape (1, ceil(width / stride)) and (ceil(height / stride), 1); times a depth map of every
            ``stride``-th pixel they give x and y [m].
        """
        columns = (np.arange(0, self.width, stride) - self.cx) / self.fx
        rows = (np.arange(0, self.height, stride) - self.cy) / self.fy
        return columns.astype(np.float32)[None, :], rows.astype(np.float32)[:, None]


@dataclass(frozen=True)
class ViewSpec:
    """Which part of a camera's picture a network was trained to see, as in the paper.

    The picture is scaled to ``resize_height`` rows, then the centre ``crop_width`` x ``crop_height`` is cut out and
    scaled to the network's input. All in pixels.
    """

    resize_height: int = 250
    crop_width: int = 304
    crop_height: int = 228


PAPER_VIEW = ViewSpec()
"""The view of the paper's training and evaluation: 91 % of a 640x480 picture, cut to 4:3."""


@dataclass(frozen=True)
class View:
    """A rectangle of the camera's picture, and the size to which it is scaled for the network [px].

    The rectangle has whole pixels, so that it can be cut out without resampling; the scaling follows in one step.
    """

    x: int
    y: int
    width: int
    height: int
    input_width: int
    input_height: int

    @classmethod
    def of(
        cls, spec: ViewSpec, width: int, height: int, input_width: int, input_height: int, reduction: int = 1
    ) -> View:
        """The view of a ``width`` x ``height`` picture.

        A picture that is too narrow for the crop is cut to the same shape at its full width.

        Args:
            spec: what the network was trained to see.
            width, height: of the camera's picture [px].
            input_width, input_height: of the network's input [px].
            reduction: how many times fewer pixels of the picture there are; the rectangle is of whole ones of those.
        """
        unit = min(height / spec.resize_height, width / spec.crop_width, height / spec.crop_height)
        x, crop_width = _centred(width, spec.crop_width * unit, reduction)
        y, crop_height = _centred(height, spec.crop_height * unit, reduction)
        return cls(x, y, crop_width, crop_height, input_width, input_height)

    def cut(self, pixels: npt.NDArray[np.uint8], reduction: int = 1) -> npt.NDArray[np.uint8]:
        """The rectangle of a (height, width, ...) array, reduced as often as the view was made for, as a view on it."""
        x, y = self.x // reduction, self.y // reduction
        return pixels[y : y + self.height // reduction, x : x + self.width // reduction]

    def intrinsics(self, camera: Intrinsics) -> Intrinsics:
        """The camera of the network's input."""
        return camera.crop(self.x, self.y, self.width, self.height).scale(self.input_width, self.input_height)


def _centred(whole: int, wanted: float, step: int) -> tuple[int, int]:
    """Start and length of the middle of a side, in whole steps."""
    length = min(whole // step, max(1, round(wanted / step))) * step
    return (whole - length) // 2 // step * step, length
