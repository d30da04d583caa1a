"""Pictures and exact depth of a scene: paints and light baked into one atlas, then every pixel's ray is cast."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.scene.builder import Scene, Surface
from fastdepth_ros.scene.light import light_at, sun_at
from fastdepth_ros.scene.shapes import NEAR, Array, Cone, Pose

SEED = 20190520

CELL = 0.07
"""Light is worked out on a grid of about this size [m] and blurred in between."""

PAGE = 4096
"""Width of the atlas [texels]."""


class Rendering(NamedTuple):
    """View of the camera: ``picture`` (h, w, 3) uint8 RGB, ``depth`` (h, w) z [m]."""

    picture: npt.NDArray[np.uint8]
    depth: Array


@dataclass(frozen=True)
class Tile:
    """Place of a surface's texels in the atlas: texel centre of (s, t) is (x + s * width, y + (1 - t) * height)."""

    x: float
    y: float
    width: float
    height: float


class Atlas(NamedTuple):
    """Paints of a scene in their light, for any camera: ``pixels`` (h, w, 3) uint8 RGB, and a tile for each surface."""

    pixels: npt.NDArray[np.uint8]
    tiles: list[Tile]


class Renderer:
    """Casts the rays of one camera into a scene.

    Args:
        scene: what is there.
        camera: the intrinsics.
        atlas: of the scene, from :func:`bake`; None has it made here, which takes seconds.
    """

    def __init__(self, scene: Scene, camera: Intrinsics, atlas: Atlas | None = None) -> None:
        self.camera = camera
        self._surfaces = scene.surfaces
        self._x: Array = (np.arange(camera.width, dtype=np.float64) - camera.cx) / camera.fx
        self._y: Array = (np.arange(camera.height, dtype=np.float64) - camera.cy) / camera.fy
        self._atlas, self._tiles = atlas or bake(scene)

    def render(self, pose: Pose, noise_seed: int) -> Rendering:
        """The picture and the depth from ``pose``; the sensor's noise comes from the seed."""
        size = (self.camera.height, self.camera.width)
        depth = np.full(size, np.inf)
        map_x, map_y = np.zeros(size, np.float32), np.zeros(size, np.float32)
        for surface, tile in zip(self._surfaces, self._tiles, strict=True):
            if not surface.shape.faces(pose.position):
                continue
            part = self._part(pose.to_camera(surface.shape.hull()))
            if part is None:
                continue
            rows, columns = part
            hit = surface.shape.cast(pose, self._x[None, columns], self._y[rows, None])
            seen = hit.depth < depth[part]
            np.copyto(depth[part], hit.depth, where=seen)
            np.copyto(map_x[part], tile.x + tile.width * np.clip(hit.s, 0, 1), where=seen, casting="same_kind")
            np.copyto(map_y[part], tile.y + tile.height * (1 - np.clip(hit.t, 0, 1)), where=seen, casting="same_kind")
        picture = cv2.remap(self._atlas, map_x, map_y, cv2.INTER_LINEAR)
        return Rendering(self._expose(picture, noise_seed), depth)

    def _part(self, hull: Array) -> tuple[slice, slice] | None:
        """Rows and columns that a shape with this hull (camera frame) may cover; None where it is out of sight."""
        if (hull[:, 2] <= NEAR).all():
            return None
        if (hull[:, 2] <= NEAR).any():
            return slice(0, self.camera.height), slice(0, self.camera.width)
        pixels = self.camera.project(hull)
        left, top = (max(0, math.floor(v) - 1) for v in pixels.min(0))
        right = min(self.camera.width, math.ceil(pixels[:, 0].max()) + 2)
        bottom = min(self.camera.height, math.ceil(pixels[:, 1].max()) + 2)
        return (slice(top, bottom), slice(left, right)) if left < right and top < bottom else None

    def _expose(self, picture: npt.NDArray[np.uint8], seed: int) -> npt.NDArray[np.uint8]:
        """A plain camera: a soft lens, darker corners, a little noise."""
        soft = cv2.GaussianBlur(picture, (0, 0), 0.7).astype(np.float32)
        corner = (self._x[None, :] ** 2 + self._y[:, None] ** 2).astype(np.float32)
        soft *= (1 - 0.28 * corner)[..., None]
        rng = np.random.default_rng([SEED, seed])
        soft += (rng.random(soft.shape, np.float32) + rng.random(soft.shape, np.float32) - 1) * 4.0
        return np.asarray(np.clip(soft + 0.5, 0, 255), np.uint8)


def bake(scene: Scene) -> Atlas:
    """Every surface's paint in its light, as 8-bit sRGB. It takes seconds."""
    grids = [_grid(surface) for surface in scene.surfaces]
    samples = [surface.shape.sample(s, t) for surface, (s, t) in zip(scene.surfaces, grids, strict=True)]
    points = np.concatenate([point.reshape(-1, 3) for point, _ in samples])
    normals = np.concatenate([normal.reshape(-1, 3) for _, normal in samples])
    light, first = light_at(scene, points, normals), 0
    pictures = []
    for index, (surface, (s, _)) in enumerate(zip(scene.surfaces, grids, strict=True)):
        count = s.size
        own = light[first : first + count].reshape(*s.shape, 3)
        first += count
        pictures.append(_tile(scene, surface, own, index))
    return _pack(pictures)


def _grid(surface: Surface) -> tuple[Array, Array]:
    """Surface coordinates (rows, columns) at which light is worked out; row 0 is t = 1."""
    along, up = surface.shape.size()
    columns, rows = max(2, math.ceil(along / CELL)), max(2, math.ceil(up / CELL))
    s = (np.arange(columns) + 0.5) / columns
    t = 1 - (np.arange(rows) + 0.5) / rows
    return np.broadcast_to(s[None, :], (rows, columns)), np.broadcast_to(t[:, None], (rows, columns))


def _tile(scene: Scene, surface: Surface, light: npt.NDArray[np.float32], index: int) -> npt.NDArray[np.uint8]:
    along, up = surface.shape.size()
    width, height = (max(4, min(PAGE - 2, math.ceil(length / surface.texel))) for length in (along, up))
    albedo = surface.paint(np.random.default_rng([SEED, index]), height, width)
    if surface.glow:
        return _develop(albedo * np.float32(surface.glow))
    border = cv2.BORDER_WRAP if isinstance(surface.shape, Cone) else cv2.BORDER_REPLICATE
    smooth = cv2.GaussianBlur(cv2.copyMakeBorder(light, 2, 2, 2, 2, border), (3, 3), 0.7)[2:-2, 2:-2]
    full = cv2.resize(smooth, (width, height), interpolation=cv2.INTER_LINEAR)
    if width * height > 2000 and not isinstance(surface.shape, Cone):
        s = np.broadcast_to(((np.arange(width) + 0.5) / width)[None, :], (height, width))
        t = np.broadcast_to((1 - (np.arange(height) + 0.5) / height)[:, None], (height, width))
        points, normals = surface.shape.sample(s, t)
        full = full + sun_at(scene, points.reshape(-1, 3), normals.reshape(-1, 3)).reshape(full.shape)
    return _develop(albedo * full)


def _develop(light: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Linear light to 8-bit sRGB, with a shoulder that keeps bright windows from clipping hard."""
    exposed = np.maximum(light, 0) * np.float32(1.75)
    curve = exposed * (1 + exposed / 9) / (1 + exposed)
    return np.asarray(np.clip(255 * (1.25 * curve) ** (1 / 2.2), 0, 255) + 0.5, np.uint8)


def _pack(pictures: list[npt.NDArray[np.uint8]]) -> Atlas:
    """All tiles in one picture, row after row, tallest first, each with a border of its own edge."""
    order = sorted(range(len(pictures)), key=lambda i: -pictures[i].shape[0])
    places, x, y, row = {}, 0, 0, 0
    for index in order:
        height, width = pictures[index].shape[0] + 2, pictures[index].shape[1] + 2
        if x + width > PAGE:
            x, y, row = 0, y + row, 0
        places[index] = (x, y)
        x, row = x + width, max(row, height)
    atlas = np.zeros((y + row, PAGE, 3), np.uint8)
    tiles = []
    for index, picture in enumerate(pictures):
        left, top = places[index]
        height, width = picture.shape[:2]
        framed = cv2.copyMakeBorder(picture, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
        atlas[top : top + height + 2, left : left + width + 2] = framed
        tiles.append(Tile(left + 0.5, top + 0.5, width, height))
    return Atlas(atlas, tiles)
