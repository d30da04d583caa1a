"""Sensors that a robot may have, simulated on pictures with known depth: what each would have measured.

Each is meant to be as bad as a real one. ``vo`` has its points on texture, Student t errors that grow with depth, a
common bias, and one in ten wrong; points that were triangulated from real pictures with known poses had 68 % of their
errors within 10 % and one in ten beyond 25 %. ``range`` is exact; ``range:5`` has errors of 5 %, and one in ten wrong.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from fastdepth_ros.anchoring import Anchors
from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.errors import SettingError

Depth = npt.NDArray[np.float32]
Rgb = npt.NDArray[np.uint8]

TOF_ANGLE, VIEW_ANGLE = 45.0, 52.0
"""Width of a VL53L5CX's field of view, and of the network's, about [degrees]."""

TOF_REACH = 4.0
"""Metres."""

MOST_NOISE = 50
"""Per cent."""

NAMES = "vo:N, uniform:N, tof:8x8, lidar, range, range:PERCENT, floor:HEIGHT"


class Scene(NamedTuple):
    """A picture that is measured.

    Attributes:
        truth: (h, w) [m], NaN where unknown.
        picture: (h, w, 3) RGB.
        camera: of both, or None.
    """

    truth: Depth
    picture: Rgb
    camera: Intrinsics | None


class Measured(NamedTuple):
    """Pixels (n, 2) and depths (n,) [m]."""

    pixels: npt.NDArray[np.floating]
    depths: npt.NDArray[np.floating]


class Sensor(NamedTuple):
    """A simulated sensor: how it was asked for, its source's name in the node, and what it measures.

    ``zone`` is the share of the picture's width and height that one measurement looks at.
    """

    name: str
    source: str
    measure: Callable[[Scene, np.random.Generator], Measured]
    zone: tuple[float, float] = (0.0, 0.0)

    def anchors(self, scene: Scene, seed: int, index: int) -> Anchors:
        """Its measurements of a scene; the same seed and index give the same."""
        rng = np.random.default_rng([zlib.crc32(self.name.encode()), seed, index])
        pixels, depths = self.measure(scene, rng)
        height, width = scene.truth.shape
        zone = (self.zone[0] * width / 2, self.zone[1] * height / 2)
        depths = np.asarray(depths, np.float32)
        nothing = np.full(len(depths), np.nan, np.float32)
        return Anchors(self.source, np.asarray(pixels, np.float32).reshape(-1, 2), depths, nothing, zone=zone)


def parse(text: str) -> list[Sensor]:
    """Sensors by name, as ``vo:150,range``; between them commas or bars.

    Raises:
        SettingError: one is not known.
    """
    return [_sensor(name.strip()) for name in text.replace("|", ",").split(",") if name.strip()]


def _sensor(name: str) -> Sensor:
    kind, _, value = name.partition(":")
    if kind in ("vo", "uniform") and value.isdecimal() and 0 < int(value) <= 100_000:
        return Sensor(name, "anchors", (_odometry if kind == "vo" else _uniform)(int(value)))
    if name == "tof:8x8":
        return Sensor(name, "anchor_depth", _time_of_flight, (TOF_ANGLE / VIEW_ANGLE / 8, 1 / 8))
    if name == "lidar":
        return Sensor(name, "scan", _lidar)
    if name == "range" or (kind == "range" and value.isdecimal() and 0 < int(value) <= MOST_NOISE):
        return Sensor(name, "range", _range(int(value or 0) / 100))
    if kind == "floor":
        try:
            height = float(value)
        except ValueError:
            height = 0.0
        if 0 < height < 20:
            return Sensor(name, "floor", _floor(height))
    raise SettingError(f"there is no sensor {name!r}", f"Use some of {NAMES}.")


def _odometry(count: int) -> Callable[[Scene, np.random.Generator], Measured]:
    def measure(scene: Scene, rng: np.random.Generator) -> Measured:
        grey = cv2.cvtColor(scene.picture, cv2.COLOR_RGB2GRAY)
        found = cv2.goodFeaturesToTrack(grey, 1500, 0.005, 1)
        if found is None:
            return _nothing()
        pixels = found[:, 0].astype(int)
        pixels = pixels[np.isfinite(scene.truth[pixels[:, 1], pixels[:, 0]])]
        pixels = pixels[rng.permutation(len(pixels))[:count]]
        depths = scene.truth[pixels[:, 1], pixels[:, 0]].astype(float)
        noise = 0.07 * np.maximum(1, depths / 3) * rng.standard_t(3, len(pixels))
        depths = depths * np.exp(rng.normal(0, 0.03) + noise)
        return Measured(pixels, _some_wrong(depths, rng))

    return measure


def _some_wrong(depths: npt.NDArray[np.floating], rng: np.random.Generator) -> npt.NDArray[np.floating]:
    """One in ten by a factor."""
    wrong = rng.random(len(depths)) < 0.1
    depths[wrong] *= np.exp(rng.normal(0, 0.6, int(wrong.sum())))
    return depths


def _uniform(count: int) -> Callable[[Scene, np.random.Generator], Measured]:
    def measure(scene: Scene, rng: np.random.Generator) -> Measured:
        rows, columns = np.nonzero(np.isfinite(scene.truth))
        kept = rng.choice(len(rows), min(count, len(rows)), replace=False)
        return Measured(np.stack((columns[kept], rows[kept]), 1), scene.truth[rows[kept], columns[kept]])

    return measure


def _time_of_flight(scene: Scene, rng: np.random.Generator) -> Measured:
    height, width = scene.truth.shape
    left = int(width * (1 - TOF_ANGLE / VIEW_ANGLE) / 2)
    across, down = (width - 2 * left) / 8, height / 8
    pixels, depths = [], []
    for row in range(8):
        for column in range(8):
            y, x = row * down, left + column * across
            zone = scene.truth[int(y) : int(y + down), int(x) : int(x + across)]
            seen = zone[np.isfinite(zone)]
            if seen.size > 20 and (near := float(np.percentile(seen, 30))) < TOF_REACH:
                pixels.append((int(x + across / 2), int(y + down / 2)))
                depths.append(near * np.exp(rng.normal(0, 0.03)))
    return Measured(np.array(pixels, float).reshape(-1, 2), np.array(depths))


def _lidar(scene: Scene, rng: np.random.Generator) -> Measured:
    height, width = scene.truth.shape
    columns = np.arange(2, width, 4)
    depths = scene.truth[height // 2, columns]
    seen = np.isfinite(depths)
    pixels = np.stack((columns[seen], np.full(int(seen.sum()), height // 2)), 1)
    return Measured(pixels, depths[seen] * np.exp(rng.normal(0, 0.01, int(seen.sum()))))


def _range(noise: float) -> Callable[[Scene, np.random.Generator], Measured]:
    def measure(scene: Scene, rng: np.random.Generator) -> Measured:
        height, width = scene.truth.shape
        patch = scene.truth[height // 2 - 4 : height // 2 + 4, width // 2 - 4 : width // 2 + 4]
        seen = patch[np.isfinite(patch)]
        if not seen.size:
            return _nothing()
        depths = np.array([np.median(seen)])
        if noise:
            depths = _some_wrong(depths * np.exp(rng.normal(0, noise, 1)), rng)
        return Measured(np.array([[width // 2, height // 2]]), depths)

    return measure


FLOOR_LEVEL = 0.7
"""Cosine of the angle between the floor's normal and the camera's y axis: at least."""

FLOOR_HEIGHT = 0.25
"""Share of the height by which a plane may differ and still be the floor."""


def _floor(height: float) -> Callable[[Scene, np.random.Generator], Measured]:
    def measure(scene: Scene, rng: np.random.Generator) -> Measured:
        if scene.camera is None:
            return _nothing()
        rows, columns = np.mgrid[4 : scene.truth.shape[0] : 8, 4 : scene.truth.shape[1] : 8].reshape(2, -1)
        depths = scene.truth[rows, columns].astype(float)
        seen = np.isfinite(depths)
        rows, columns, depths = rows[seen], columns[seen], depths[seen]
        camera = scene.camera
        rays = np.stack(((columns - camera.cx) / camera.fx, (rows - camera.cy) / camera.fy, np.ones(len(rows))), 1)
        normal = _plane(rays * depths[:, None], height, rng)
        if normal is None:
            return _nothing()
        # The plane is normal . p = 1 at its true distance; the robot believes it at its own height.
        facing = rays @ normal
        fits = np.abs(facing * depths - 1) < 0.03
        believed = height * np.linalg.norm(normal) / facing[fits]
        return Measured(np.stack((columns[fits], rows[fits]), 1), believed)

    return measure


def _plane(
    points: npt.NDArray[np.floating], height: float, rng: np.random.Generator
) -> npt.NDArray[np.floating] | None:
    """The normal n of the floor's plane n . p = 1, or None where there is no floor: the best of some random ones."""
    best, most = None, max(12, len(points) // 20)
    for _ in range(80):
        try:
            normal = np.linalg.solve(points[rng.choice(len(points), 3, replace=False)], np.ones(3))
        except (np.linalg.LinAlgError, ValueError):
            continue
        length = float(np.linalg.norm(normal))
        if normal[1] < FLOOR_LEVEL * length or abs(1 / length - height) > FLOOR_HEIGHT * height:
            continue
        count = int((np.abs(points @ normal - 1) < 0.03).sum())
        if count > most:
            best, most = normal, count
    return best


def _nothing() -> Measured:
    return Measured(np.zeros((0, 2)), np.zeros(0))
