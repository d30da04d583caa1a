"""A picture as a camera takes it: lens, exposure, white balance, tone curve, noise."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.scene.rooms.cast import Floats
from fastdepth_ros.scene.rooms.kinds import ROOMS, Kind

WIDTH, HEIGHT = 320, 240


@dataclass(frozen=True)
class Photo:
    """Settings of one picture.

    Attributes:
        key: brightness to which the meter brings the picture's mean, 0..1 (linear).
        stops: exposure away from that [stops]; far over or under for some.
        tint: of the white balance, three factors.
        shoulder: 0 clips hard .. 1 rolls off.
        contrast: exponent about middle grey.
        veil: share of the light that the lens scatters over the picture.
        blur: of lens and focus [pixels].
        motion: way of the picture while the shutter is open, right and down [pixels].
        readout: way to the right from the first row that is read to the last, of a rolling shutter [pixels].
        vignette: what is missing at a slope of 1.
        noise: of the sensor at middle grey [8-bit levels].
        quality: of a first JPEG compression, 0 for none.
        seed: of the noise.
    """

    key: float
    stops: float
    tint: tuple[float, float, float]
    shoulder: float
    contrast: float
    veil: float
    blur: float
    vignette: float
    noise: float
    quality: int
    seed: int
    motion: tuple[float, float] = (0.0, 0.0)
    readout: float = 0.0


def random_photo(rng: np.random.Generator, of: Kind = ROOMS) -> Photo:
    """Settings as one meets them: most are well exposed, a third is not."""
    kind = rng.random()
    if kind < of.bright:
        stops = rng.uniform(0.8, 2.4)
    elif kind < of.bright + 0.13:
        stops = rng.uniform(-2.6, -0.9)
    else:
        stops = rng.normal(0, 0.35)
    dim, motion, readout = bool(of.dim) and rng.random() < of.dim, (0.0, 0.0), 0.0
    if of.shaky and rng.random() < of.shaky:
        # A robot turns more than it nods, and rows are read for longer than each is exposed.
        motion = (float(rng.uniform(-9, 9)), float(rng.normal(0, 1.5)))
        readout = float(motion[0] * rng.uniform(0, 3))
    warm, green = rng.normal(0, 0.07), rng.normal(0, 0.025)
    return Photo(
        key=rng.uniform(0.16, 0.30),
        stops=float(stops),
        tint=(float(np.exp(warm)), float(np.exp(green)), float(np.exp(-warm))),
        shoulder=float(rng.choice([0.0, 0.5, 1.0])),
        contrast=float(rng.uniform(0.9, 1.2)),
        veil=float(rng.uniform(0, 0.09)),
        blur=float(rng.choice([0.35, 0.5, 0.7, 1.1], p=[0.35, 0.35, 0.22, 0.08])),
        vignette=float(rng.uniform(0, 0.4)),
        noise=float(rng.uniform(5, 12) if dim else rng.choice([0.6, 1.5, 3.0, 6.0], p=[0.35, 0.35, 0.22, 0.08])),
        quality=int(rng.integers(35, 90)) if rng.random() < 0.4 else 0,
        seed=int(rng.integers(2**31)),
        motion=motion,
        readout=readout,
    )


def develop(light: Floats, camera: Intrinsics, photo: Photo) -> npt.NDArray[np.uint8]:
    """The picture (h, w, 3) RGB of linear light (h, w, 3)."""
    rng = np.random.default_rng(photo.seed)
    small = cv2.resize(np.minimum(light, 4), (camera.width // 8, camera.height // 8), interpolation=cv2.INTER_AREA)
    haze = cv2.resize(cv2.GaussianBlur(small, (0, 0), 4), (camera.width, camera.height), interpolation=cv2.INTER_LINEAR)
    soft = cv2.GaussianBlur(_moved(light, photo.motion), (0, 0), photo.blur) + np.float32(photo.veil) * haze
    x, y = camera.slopes()
    soft = soft * (1 - photo.vignette * (x * x + y * y) / (1 + x * x + y * y))[..., None]
    # A meter that weighs the logarithm is not dazzled by a window.
    mean = float(np.exp(np.log(np.maximum(soft.mean(2), 1e-3)).mean()))
    exposed = soft * np.float32(photo.key / mean * 2**photo.stops) * np.array(photo.tint, np.float32)
    exposed = np.maximum(0.18 * (exposed / 0.18) ** photo.contrast, 0)
    rolled = np.where(exposed > 0.6, 0.6 + 0.4 * np.tanh((exposed - 0.6) / 0.4), exposed)
    linear = np.clip(exposed + photo.shoulder * (rolled - exposed), 0, 1)
    # sRGB's curve (IEC 61966-2-1).
    coded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 1e-6) ** (1 / 2.4) - 0.055) * 255
    grain = rng.standard_normal(coded.shape, np.float32)
    shared = cv2.GaussianBlur(rng.standard_normal(coded.shape[:2], np.float32), (0, 0), 0.7)[..., None]
    clipped = np.clip(1.2 - coded / 255, 0.15, 1)  # a full well has no noise left
    noisy = coded + photo.noise * clipped * (0.5 * grain + 1.2 * shared)
    picture = np.asarray(np.clip(noisy + 0.5, 0, 255), np.uint8)
    if photo.quality:
        _, data = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, photo.quality])
        picture = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)[..., ::-1]
    return np.ascontiguousarray(picture)


def rolled(light: Floats, depth: Floats, readout: float) -> tuple[Floats, Floats]:
    """Light (h, w, 3) and depth (h, w) as a rolling shutter reads them while the camera turns about its upright axis.

    Each row is what it sees at its own time, the middle one where the camera is said to be; so is its depth. What comes
    in from beside the picture is not known: light repeats, depth is 0.

    Args:
        light, depth: of a still camera.
        readout: as of :class:`Photo`.
    """
    if abs(readout) < 0.5:
        return light, depth
    height, width = depth.shape
    shift = (readout * ((np.arange(height) + 0.5) / height - 0.5)).astype(np.float32)
    x = np.arange(width, dtype=np.float32)[None, :] - shift[:, None]
    y = np.broadcast_to(np.arange(height, dtype=np.float32)[:, None], x.shape)
    seen = cv2.remap(light, x, np.ascontiguousarray(y), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    deep = cv2.remap(depth, np.rint(x), np.ascontiguousarray(y), cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT)
    return np.asarray(seen, np.float32), np.asarray(deep, np.float32)


def _moved(light: Floats, motion: tuple[float, float]) -> Floats:
    """Light (h, w, 3) of a camera that turns while it is exposed: the mean along a straight way about each pixel."""
    across, down = motion
    if max(abs(across), abs(down)) < 0.5:
        return light
    steps = int(np.ceil(2 * max(abs(across), abs(down)))) + 1
    half = int(np.ceil(max(abs(across), abs(down)) / 2)) + 1
    kernel = np.zeros((2 * half + 1, 2 * half + 1), np.float32)
    for share in np.linspace(-0.5, 0.5, steps):
        x, y = half + share * across, half + share * down
        left, top = int(np.floor(x)), int(np.floor(y))
        for i, j in ((0, 0), (0, 1), (1, 0), (1, 1)):
            kernel[top + i, left + j] += (1 - abs(y - top - i)) * (1 - abs(x - left - j))
    return np.asarray(cv2.filter2D(light, -1, kernel / kernel.sum()), np.float32)
