"""Pinhole geometry: intrinsics, the part of a picture that the network sees, and points in space.

Convention:
    Pixel centres have whole coordinates: the first pixel is centred at (0, 0) and covers (-0.5, -0.5) to (0.5, 0.5).
    Points are in the camera's optical frame (REP-103): x to the right, y down, z forward [m]. Depth is z, not the
    length of the ray.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from fastdepth_ros.errors import CalibrationError

__all__ = ["Intrinsics", "PAPER_VIEW", "View", "ViewSpec"]

Floats = npt.NDArray[np.floating]

SMALLEST, LARGEST = 1e-3, 1e6
"""Numbers of any camera that was measured [px]; what lies outside overflows in float32 sooner or later."""

REMEDY = "Calibrate the camera, and check the camera_info that its driver publishes."

OFF_CENTRE = 0.25
"""Distance allowed between a principal point and its picture's centre, as a share of the side: the middle half."""

OFF_BOTH = 0.09
"""Share by which it may be off both ways as the matrix of another size is, or of the picture turned on its side."""

FOCAL_RATIO = 1.2
"""By how much fx and fy of a lens on square pixels may differ."""

FIELD_OF_VIEW = (15.0, 150.0)
"""Angles that cameras see along the longer side [degrees]."""


@dataclass(frozen=True)
class Intrinsics:
    """A pinhole camera: the size of its picture and its matrix, all in pixels.

    Attributes:
        doubt: why its numbers cannot be believed, see :func:`implausible`; empty where they can. A camera
            that was cropped or scaled from it is doubted, too.

    Raises:
        CalibrationError: a size or focal length is not positive, or a number is not finite.
    """

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float
    doubt: str = field(default="", kw_only=True)

    def __post_init__(self) -> None:
        if self.width < 1 or self.height < 1:
            raise CalibrationError(f"a camera matrix of a {self.width}x{self.height} picture", REMEDY)
        if not all(map(math.isfinite, (self.fx, self.fy, self.cx, self.cy))):
            raise CalibrationError("the camera matrix holds NaN or infinity", REMEDY)
        if self.fx <= 0 or self.fy <= 0:
            raise CalibrationError(f"the camera matrix has focal lengths {self.fx:g} and {self.fy:g}", REMEDY)

    def crop(self, x: int, y: int, width: int, height: int) -> Intrinsics:
        """The camera of a picture of which only ``width`` x ``height`` pixels from (x, y) on were kept."""
        return Intrinsics(width, height, self.fx, self.fy, self.cx - x, self.cy - y, doubt=self.doubt)

    def scale(self, width: int, height: int) -> Intrinsics:
        """The camera of the same picture, resampled to ``width`` x ``height`` pixels.

        The picture's edges, not its pixel centres, stay where they are, so the principal point moves by the half-pixel
        rule: cx' + 1/2 = s (cx + 1/2).
        """
        sx, sy = width / self.width, height / self.height
        cx, cy = sx * (self.cx + 0.5) - 0.5, sy * (self.cy + 0.5) - 0.5
        return Intrinsics(width, height, sx * self.fx, sy * self.fy, cx, cy, doubt=self.doubt)

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


def check_lens(camera: Intrinsics) -> None:
    """Refuse numbers beyond any lens. For cameras that somebody measured: what is cut and scaled from one is not asked.

    Raises:
        CalibrationError: a number lies outside of :data:`SMALLEST` to :data:`LARGEST`.
    """
    matrix = {name: getattr(camera, name) for name in ("fx", "fy", "cx", "cy")}
    if min(camera.fx, camera.fy) < SMALLEST or max(map(abs, matrix.values())) > LARGEST:
        numbers = ", ".join(f"{name} {value:g}" for name, value in matrix.items())
        raise CalibrationError(f"the camera matrix is beyond any lens ({numbers})", REMEDY)


def size_mismatch(
    camera: Intrinsics, width: int, height: int, picture: str = "the picture", camera_info: str = "camera_info"
) -> CalibrationError | None:
    """An error that names both sizes where a camera is not of a ``width`` x ``height`` picture; None where it is.

    Args:
        camera: as its camera_info says.
        width, height: of the picture [px].
        picture, camera_info: what the error calls them.
    """
    if (camera.width, camera.height) == (width, height):
        return None
    cause = f"{camera_info} is of {camera.width}x{camera.height}, {picture} of {width}x{height}"
    return CalibrationError(cause, "Let the driver publish the camera_info of the size that it sends.")


def implausible(camera: Intrinsics) -> str:
    """Name the number of a whole camera that no lens has, in words; empty where all can be believed.

    The matrix of another picture size has its centre elsewhere. One that was filled in by hand has the field of view
    or the ratio of focal lengths of no camera.

    Args:
        camera: of the whole sensor: the centre of a part of it may lie anywhere.
    """
    return _off_centre(camera) or _off_focus(camera)


def _off_centre(camera: Intrinsics) -> str:
    x, y = (camera.cx + 0.5) / camera.width - 0.5, (camera.cy + 0.5) / camera.height - 0.5
    both = min(abs(x), abs(y)) > OFF_BOTH
    words = f"the principal point ({camera.cx:.1f}, {camera.cy:.1f}) is far from the centre of"
    words += f" {camera.width}x{camera.height} pixels"
    if both and abs(x - y) < OFF_BOTH / 2:
        size = f"{camera.width * (1 + 2 * x):.0f}x{camera.height * (1 + 2 * y):.0f}"
        return f"{words}, as if the matrix were of {size}" if min(x, y) > -0.5 else words
    turned = camera.height / camera.width / 2 - 0.5, camera.width / camera.height / 2 - 0.5
    if both and max(abs(x - turned[0]), abs(y - turned[1])) < OFF_BOTH / 2:
        return f"{words}, as if the matrix were of {camera.height}x{camera.width}"
    return words if max(abs(x), abs(y)) >= OFF_CENTRE else ""


def _off_focus(camera: Intrinsics) -> str:
    if not 1 / FOCAL_RATIO <= camera.fx / camera.fy <= FOCAL_RATIO:
        return f"fx {camera.fx:.1f} and fy {camera.fy:.1f} differ by more than 20 %"
    angle = math.degrees(2 * math.atan(max(camera.width / camera.fx, camera.height / camera.fy) / 2))
    if not FIELD_OF_VIEW[0] <= angle <= FIELD_OF_VIEW[1]:
        size = f"{camera.width}x{camera.height}"
        return f"with fx {camera.fx:.1f} and fy {camera.fy:.1f} a picture of {size} sees {angle:.1f} degrees"
    return ""


@dataclass(frozen=True)
class ViewSpec:
    """Part of a camera's picture that a network was trained to see, as in the paper.

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

    Example:
        >>> view = View.of(PAPER_VIEW, 640, 480, input_width=224, input_height=224)
        >>> view
        View(x=28, y=21, width=584, height=438, input_width=224, input_height=224)
        >>> view.cut(np.zeros((480, 640, 3), np.uint8)).shape
        (438, 584, 3)
        >>> camera = Intrinsics(640, 480, fx=525.0, fy=525.0, cx=319.5, cy=239.5)
        >>> round(view.intrinsics(camera).fx, 2), round(view.intrinsics(camera).fy, 2)
        (201.37, 268.49)
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

    def transposed(self) -> View:
        """The view of a picture whose rows are this one's columns."""
        return View(self.y, self.x, self.height, self.width, self.input_height, self.input_width)

    def part(self, reduction: int = 1) -> tuple[slice, slice]:
        """Rows and columns of the rectangle, in a picture reduced as often as the view was made for."""
        x, y = self.x // reduction, self.y // reduction
        return slice(y, y + self.height // reduction), slice(x, x + self.width // reduction)

    def cut(self, pixels: npt.NDArray[np.uint8], reduction: int = 1) -> npt.NDArray[np.uint8]:
        """The rectangle of a (height, width, ...) array, reduced as often as the view was made for, as a view on it."""
        return pixels[self.part(reduction)]

    def intrinsics(self, camera: Intrinsics) -> Intrinsics:
        """The camera of the network's input."""
        return camera.crop(self.x, self.y, self.width, self.height).scale(self.input_width, self.input_height)


def _centred(whole: int, wanted: float, step: int) -> tuple[int, int]:
    """Start and length of the middle of a side, in whole steps."""
    length = min(whole // step, max(1, round(wanted / step))) * step
    return (whole - length) // 2 // step * step, length
