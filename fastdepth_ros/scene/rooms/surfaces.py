"""Materials of solids: a colour times a texture, in linear light, with or without gloss.

A texture is a square tile that stands for some metres of a surface and is repeated by reflection, so that it has no
seams, or a picture that is stretched over a whole rectangle. All tiles lie in one atlas, in five sizes; a pixel takes
the size whose texels are about as large as its own footprint.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fastdepth_ros.scene import textures as tx
from fastdepth_ros.scene.rooms import patterns as pt
from fastdepth_ros.scene.rooms.patterns import ONE
from fastdepth_ros.scene.textures import Paint

Floats = npt.NDArray[np.float32]

TILE = 256
LEVELS = 5
"""Sizes of a tile: 256, 128, 64, 32, 16 texels."""

COLUMNS = 8
UNIT = 128.0
"""The 8-bit value in the atlas that stands for 1."""


@dataclass(frozen=True)
class Surface:
    """A material.

    Attributes:
        colour: the share of light that comes back, linear RGB 0..1.
        texture: a name of `TEXTURES`.
        scale: metres that a tile of the texture covers; 0 stretches it over the rectangle.
        gloss: 0 matt .. 1 polished: how much of the window's image it shows.
        glow: light that it sends out itself, in units of white paper in good light.
        beyond: whether it is the world outside, whose depth nobody knows.
        mirror: share of the light that a plane surface reflects as a mirror, seen at right angles.
        clear: share of the rest that comes through it from behind.
    """

    colour: tuple[float, float, float]
    texture: str = "plain"
    scale: float = 1.0
    gloss: float = 0.0
    glow: float = 0.0
    beyond: bool = False
    mirror: float = 0.0
    clear: float = 0.0


_HILLS = ((0.14, 0.32, 0.42), (0.10, 0.24, 0.14), (0.30, 0.26, 0.12))

TEXTURES: dict[str, Paint] = {
    "plain": tx.plain(ONE, 0.02),
    "plaster": tx.plain(ONE, 0.06),
    "rough": pt.speckle(0.07, 60),
    "woodchip": pt.speckle(0.05, 30),
    "wood": tx.wood(ONE, 0.22),
    "wood2": tx.wood(ONE, 0.4),
    "boards": tx.planks(ONE, 10, 2),
    "boards2": tx.planks(ONE, 16, 3),
    "laminate": tx.planks(ONE, 7, 1),
    "herringbone": pt.herringbone,
    "cloth": tx.cloth(ONE, 0.08),
    "cloth2": tx.cloth(ONE, 0.2),
    "leather": pt.speckle(0.10, 40),
    "carpet": pt.speckle(0.14, 90),
    "terrazzo": pt.speckle(0.2, 50),
    "marble": pt.marble,
    "tiles": pt.tiles(0.6, 4, 0.06),
    "tiles2": pt.tiles(1.25, 6, 0.1),
    "tiles3": pt.tiles(0.35, 8, 0.04),
    "brick": pt.tiles(1.5, 12, 0.25),
    "stripes": tx.stripes(ONE, (0.7, 0.72, 0.75), 6),
    "stripes2": tx.stripes(ONE, (0.25, 0.25, 0.3), 10),
    "stripes3": tx.stripes(ONE, (0.85, 0.86, 0.84), 14),
    "checks": pt.checks(ONE, (0.35, 0.35, 0.4), 16),
    "checks2": pt.checks(ONE, (0.8, 0.4, 0.35), 8),
    "chequer": pt.checks((0.9, 0.9, 0.9), (0.1, 0.1, 0.1), 4),
    "flowers": pt.flowers,
    "rug": tx.rug((0.36, 0.07, 0.06), (0.07, 0.10, 0.20), (0.62, 0.50, 0.30)),
    "rug2": tx.rug((0.60, 0.56, 0.48), (0.30, 0.26, 0.22), (0.75, 0.72, 0.65)),
    "rug3": tx.rug((0.10, 0.20, 0.32), (0.55, 0.52, 0.45), (0.50, 0.16, 0.10)),
    "hills": tx.landscape((0.62, 0.70, 0.72), _HILLS),
    "sunset": tx.landscape((0.75, 0.50, 0.32), ((0.45, 0.22, 0.12), (0.26, 0.12, 0.10), (0.12, 0.07, 0.08))),
    "abstract": pt.abstract,
    "abstract2": pt.abstract,
    "garden": tx.garden,
    "street": pt.street,
    "door": tx.panels(ONE, (1.25, 1), 2),
    "door2": tx.panels(ONE, (1, 1, 1), 1),
    "fins": tx.fins(ONE, 18),
    "books": pt.books,
    "books2": pt.books,
    "keys": pt.keys,
    "desktop": pt.desktop,
    "screen": tx.screen,
    "dial": tx.dial,
    "leaf": tx.cloth(ONE, 0.25),
}
INDEX = {name: index for index, name in enumerate(TEXTURES)}


@cache
def atlas() -> list[npt.NDArray[np.uint8]]:
    """The tiles in all sizes, largest first; the same in every process."""
    rows = -(-len(TEXTURES) // COLUMNS)
    full = np.zeros((rows * TILE, COLUMNS * TILE, 3), np.uint8)
    for index, paint in enumerate(TEXTURES.values()):
        top, left = index // COLUMNS * TILE, index % COLUMNS * TILE
        tile = paint(np.random.default_rng([7, index]), TILE, TILE)
        full[top : top + TILE, left : left + TILE] = np.clip(tile * UNIT + 0.5, 0, 255)
    sizes: list[npt.NDArray[np.uint8]] = [full]
    for _ in range(LEVELS - 1):
        height, width = sizes[-1].shape[:2]
        sizes.append(
            np.asarray(cv2.resize(sizes[-1], (width // 2, height // 2), interpolation=cv2.INTER_AREA), np.uint8)
        )
    return sizes


def look_up(texture: npt.NDArray[np.int64], s: Floats, t: Floats, step: Floats) -> Floats:
    """The textures' values (n, 3), about 1, at tile coordinates.

    Args:
        texture: (n,) numbers of textures.
        s, t: (n,) tile coordinates, a whole number per tile; t up.
        step: (n,) the pixel's footprint in tiles.
    """
    fold_s, fold_t = np.abs((s + 1) % 2 - 1), 1 - np.abs((t + 1) % 2 - 1)
    level = np.clip(np.log2(np.maximum(step * TILE, 1e-6)) + 0.3, 0, LEVELS - 1).astype(np.int64)
    values = np.empty((len(s), 3), np.float32)
    for number, picture in enumerate(atlas()):
        chosen = np.flatnonzero(level == number)
        if not len(chosen):
            continue
        size = TILE >> number
        row, column = np.divmod(texture[chosen], COLUMNS)
        x = column * size + np.clip(fold_s[chosen] * size - 0.5, 0, size - 1)
        y = row * size + np.clip(fold_t[chosen] * size - 0.5, 0, size - 1)
        values[chosen] = remap(picture, x, y)
    return values * np.float32(1 / UNIT)


def remap(picture: npt.NDArray[Any], x: npt.NDArray[Any], y: npt.NDArray[Any]) -> Floats:
    """Bilinear values of a picture at (n,) points; OpenCV wants them in rows."""
    width = 512
    rows = -(-len(x) // width)
    maps = np.zeros((2, rows * width), np.float32)
    maps[0, : len(x)], maps[1, : len(x)] = x, y
    columns, lines = (each.reshape(rows, width) for each in maps)
    found = cv2.remap(picture, columns, lines, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found.reshape(rows * width, *picture.shape[2:])[: len(x)], np.float32)
