"""Views of a picture that the network is shown: the paper's augmentation as one affine warp, colour jitter, light.

Scale 1-1.5, rotation +-5 degrees, flip, and brightness, contrast and saturation by 0.6-1.4 (Ma and Karaman, ICRA 2018,
arXiv 1709.07492, section IV-C, which FastDepth's training takes over).

Geometry. The paper's view of a 640 x 480 Kinect picture is 4:3 squeezed into a square, so that the network sees focal
lengths of 199.1 and 265.8 px at 224 x 224. Depth from one picture is only defined for a known camera; everything
here is brought to that one: of a picture of any shape a 4:3 part is squeezed in the same way, and depth is divided by
how much longer the focal length of the view is (which contains the paper's "depth divided by the scale").

Light. A shadow's edge is no edge of a thing, and a wall in full sun is as far away as one in the shade. Sun patches,
shadows and a wrong exposure can be laid over a picture without changing its depth, and a teacher can be asked about
the picture before that, so that it is not deceived.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from fastdepth_ros.evaluation.dataset import Frame

VIEW_FOCAL = (199.1, 265.8)
VIEW_SIZE = 224
VIEW_ASPECT = 4 / 3
ASPECT_TOLERANCE = 0.05
CROPPED = (640, 480)
"""Width and height of the picture that crops are told for [px]."""

GAMMA = 2.2
"""Exponent between light and a camera's pixel, about (IEC 61966-2-1)."""


@dataclass(frozen=True)
class Crop:
    """A part of a picture that is squeezed into the view, in pixels of 640 x 480; of another picture the same share."""

    width: int
    height: int

    @property
    def fits(self) -> bool:
        """Whether it is a part of such a picture."""
        return 0 < self.width <= CROPPED[0] and 0 < self.height <= CROPPED[1]


@dataclass(frozen=True)
class Ranges:
    """Ranges of the augmentation; the defaults are the paper's.

    Attributes:
        scale: largest zoom.
        rotation: largest turn to either side [degrees].
        jitter: of brightness, contrast and saturation, as a share.
        shift: whether the view's middle moves.
        exposure: most that a picture is over- or underexposed [stops]; what leaves the sensor's range is clipped.
        light: most that a patch of sun or shadow differs from what is around it [stops].
        undeceived: whether a teacher sees the view as it was taken, before its colours and its light are changed.
        crops: parts of the picture of which each view is one, at a random place, in place of ``scale``: the R2 crop
            (Li et al., "LiteDepth", arXiv 2209.00961). Depth is divided by how much longer the focal length becomes,
            as for a zoom.
        mix: share of the views that are blended with another one, in any proportion: a picture of nothing, about which
            only a teacher says anything (Beyer et al., "Knowledge distillation: a good teacher is patient and
            consistent", arXiv 2106.05237: function matching).
    """

    scale: float = 1.5
    rotation: float = 5.0
    jitter: float = 0.4
    shift: bool = True
    exposure: float = 0.0
    light: float = 0.0
    undeceived: bool = False
    crops: tuple[Crop, ...] = ()
    mix: float = 0.0


@dataclass(frozen=True)
class TrainingView:
    """View of the network, and the truth at half that resolution.

    Attributes:
        pixels: (size, size, 3) uint8 RGB.
        depth: (size / 2, size / 2) float32 metres for a camera of :data:`VIEW_FOCAL`, 0 = unknown; None without truth.
        taught: what a teacher is asked about, where that is not ``pixels``.
        sigma: standard deviation of ``depth`` [m], divided as that; None where the picture has none.
    """

    pixels: npt.NDArray[np.uint8]
    depth: npt.NDArray[np.float32] | None
    taught: npt.NDArray[np.uint8] | None = None
    sigma: npt.NDArray[np.float32] | None = None


def view_focal(height: int, width: int) -> tuple[float, float]:
    """Focal length (x, y) of the view in a network's input of ``height`` x ``width`` [px]."""
    return VIEW_FOCAL[0] * width / VIEW_SIZE, VIEW_FOCAL[1] * height / VIEW_SIZE


def plain_view(picture: Frame, size: int, across: int | None = None) -> TrainingView:
    """The middle of the picture as validation sees it: see :func:`seen_part`; depth as measured, not divided.

    Args:
        picture: any shape.
        size: height of the view [px], and its width unless ``across`` is that.
        across: width of a view that is not square.
    """
    across = across or size
    rows, columns = plain_part(picture)
    pixels = cv2.resize(picture.pixels[rows, columns], (across, size), interpolation=cv2.INTER_LINEAR)
    half = (across // 2, size // 2)
    depth, sigma = (
        None if each is None else cv2.resize(each[rows, columns], half, interpolation=cv2.INTER_NEAREST)
        for each in (picture.depth, picture.sigma)
    )
    return TrainingView(np.asarray(pixels), depth, None, sigma)


def plain_part(picture: Frame) -> tuple[slice, slice]:
    """Rows and columns of a picture that :func:`plain_view` shows."""
    height, width = picture.pixels.shape[:2]
    part_w, part_h = seen_part(picture)
    x, y = round((width - part_w) / 2), round((height - part_h) / 2)
    return slice(y, y + round(part_h)), slice(x, x + round(part_w))


def random_view(
    picture: Frame, size: int, ranges: Ranges, rng: np.random.Generator, across: int | None = None
) -> TrainingView:
    """A randomly scaled, turned, flipped and recoloured view of a picture.

    Args:
        picture: any shape.
        size: height of the view [px], and its width unless ``across`` is that.
        ranges: how far to go.
        rng: where the chance comes from; the same state gives the same view.
        across: width of a view that is not square.
    """
    across = across or size
    height, width = picture.pixels.shape[:2]
    part_w, part_h = seen_part(picture)
    zoom = rng.uniform(1.0, ranges.scale)
    angle = np.deg2rad(rng.uniform(-ranges.rotation, ranges.rotation))
    flip = rng.random() < 0.5
    shift_x, shift_y = rng.uniform(-0.5, 0.5, 2) if ranges.shift else (0.0, 0.0)
    seen_w, seen_h = part_w / zoom, part_h / zoom
    if ranges.crops:
        crop = ranges.crops[rng.integers(len(ranges.crops))]
        seen_w, seen_h = part_w * crop.width / CROPPED[0], part_h * crop.height / CROPPED[1]
    centre_x = (width - 1) / 2 + shift_x * (width - seen_w)
    centre_y = (height - 1) / 2 + shift_y * (height - seen_h)
    # view pixel -> picture pixel: scale, turn about the view's centre, flip.
    cos, sin = np.cos(angle), np.sin(angle)
    sx, sy = seen_w / across * (-1 if flip else 1), seen_h / size
    linear = np.array([[cos * sx, -sin * sy], [sin * sx, cos * sy]])
    offset = np.array([centre_x, centre_y]) - linear @ np.array([(across - 1) / 2, (size - 1) / 2])
    matrix = np.column_stack([linear, offset])
    plain = _warp(picture.pixels, matrix, (across, size), cv2.INTER_LINEAR, cv2.BORDER_REFLECT_101)
    pixels = _jitter(plain, ranges.jitter, rng)
    if ranges.exposure or ranges.light:
        pixels = _relight(pixels, ranges, rng)
    taught = plain if ranges.undeceived else None
    if picture.depth is None:
        return TrainingView(pixels, None, taught)
    # The depth map has every second pixel's place: its pixel u sits at 2 u + 0.5 of the view.
    offset = offset + linear @ np.array([0.5, 0.5])
    matrix = np.column_stack([linear * 2, offset])
    ratio = focal_ratio(picture, seen_w, seen_h)
    half = (across // 2, size // 2)
    depth, sigma = (
        None
        if each is None
        else (_warp(each, matrix, half, cv2.INTER_NEAREST, cv2.BORDER_CONSTANT) / ratio).astype(np.float32)
        for each in (picture.depth, picture.sigma)
    )
    return TrainingView(pixels, depth, taught, sigma)


def mixed(one: TrainingView, other: TrainingView, share: float) -> TrainingView:
    """A share of one view over the rest of another: without truth, and a teacher is asked about just that."""
    pixels = cv2.addWeighted(one.pixels, share, other.pixels, 1 - share, 0)
    return TrainingView(np.asarray(pixels), None, np.asarray(pixels))


def focal_ratio(picture: Frame, seen_w: float, seen_h: float) -> float:
    """Ratio of a view's focal length to the network's, as a geometric mean of both directions.

    A view of ``seen_w`` x ``seen_h`` picture pixels, squeezed into the network's input, whose size is no matter; 1
    where the camera is unknown.
    """
    if picture.camera is None:
        return 1.0
    fx, fy = picture.camera.fx * VIEW_SIZE / seen_w, picture.camera.fy * VIEW_SIZE / seen_h
    unit = VIEW_FOCAL[0] * VIEW_FOCAL[1]
    return float(np.sqrt(fx * fy / unit))


def seen_part(picture: Frame) -> tuple[float, float]:
    """Width and height [px] of the part of a picture that the network's own camera would see.

    For a 640 x 480 Kinect picture that is the paper's view, 584 x 438. If the picture is smaller than that, as NYU's
    labelled ones are, or the camera is unknown, it is the largest 4:3 part, or all of a picture that is nearly 4:3.
    """
    height, width = picture.pixels.shape[:2]
    if abs(width / height / VIEW_ASPECT - 1) < ASPECT_TOLERANCE:
        part_w, part_h = float(width), float(height)
    else:
        part_w, part_h = min(width, height * VIEW_ASPECT), min(height, width / VIEW_ASPECT)
    if picture.camera is None:
        return part_w, part_h
    view_w, view_h = picture.camera.fx * VIEW_SIZE / VIEW_FOCAL[0], picture.camera.fy * VIEW_SIZE / VIEW_FOCAL[1]
    return min(part_w, view_w), min(part_h, view_h)


def _warp(
    image: npt.NDArray[np.uint8] | npt.NDArray[np.float32],
    matrix: npt.NDArray[np.float64],
    size: tuple[int, int],
    interpolation: int,
    border: int,
) -> npt.NDArray[np.uint8]:
    flags = interpolation | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(image, matrix, size, flags=flags, borderMode=border))


def _jitter(pixels: npt.NDArray[np.uint8], amount: float, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Brightness, contrast and saturation, each by a factor of 1 - amount .. 1 + amount, as one matrix per pixel."""
    brightness, contrast, saturation = rng.uniform(1 - amount, 1 + amount, 3)
    grey = np.array([0.299, 0.587, 0.114])
    matrix = saturation * np.eye(3) + (1 - saturation) * np.tile(grey, (3, 1))
    mean = float(np.mean(cv2.mean(pixels)[:3])) * brightness
    matrix = matrix * (brightness * contrast)
    offset = np.full((3, 1), (1 - contrast) * mean)
    return np.asarray(cv2.transform(pixels, np.hstack([matrix, offset])))


def _relight(pixels: npt.NDArray[np.uint8], ranges: Ranges, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Another exposure with another tint, and in half of the views patches of sun or shadow with straight edges.

    Light multiplies before the picture's gamma, so a stop is a factor of 2^(1 / 2.2) on its numbers.
    """
    height, width = pixels.shape[:2]
    tint = rng.uniform(-0.15, 0.15, 3) * ranges.exposure
    gain = 2.0 ** ((rng.uniform(-ranges.exposure, ranges.exposure) + tint) / GAMMA)
    patches = int(rng.integers(1, 4)) if ranges.light and rng.random() < 0.5 else 0
    if not patches:
        return np.asarray(cv2.transform(pixels, np.diag(gain)))
    stops = np.zeros((height, width), np.float32)
    for _ in range(patches):
        mask = np.zeros((height, width), np.uint8)
        cv2.fillConvexPoly(mask, _quadrangle(width, height, rng), 1, cv2.LINE_8)
        if rng.random() < 0.5:
            mask = 1 - mask
        stops += mask * np.float32(rng.uniform(-ranges.light, ranges.light))
    blur = int(rng.integers(0, 4)) * 2 + 1  # the sun is no point: shadows have soft edges
    factor = np.exp2(cv2.blur(stops, (blur, blur)) / np.float32(GAMMA))
    lit = pixels * (factor[..., None] * gain.astype(np.float32))
    return np.asarray(cv2.convertScaleAbs(lit))


def _quadrangle(width: int, height: int, rng: np.random.Generator) -> npt.NDArray[np.int32]:
    """Corners of a turned parallelogram somewhere on a view, as a window throws it on a floor or a wall."""
    size = min(width, height)
    along, across = rng.uniform(0.1, 1.0) * size, rng.uniform(0.05, 0.5) * size
    angle = rng.uniform(0, np.pi)
    a = along * np.array([np.cos(angle), np.sin(angle)])
    lean = angle + rng.uniform(0.25, 0.75) * np.pi
    b = across * np.array([np.cos(lean), np.sin(lean)])
    corner = rng.uniform(0, 1, 2) * (width, height) - (a + b) / 2
    return np.round([corner, corner + a, corner + a + b, corner + b]).astype(np.int32)
