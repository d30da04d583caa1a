"""Light in the room, worked out once for every surface: window, lamps, sun, and the dimmer light of corners.

Direct light of a lamp at distance r: brightness * cos(incidence) / r^2, where no block is in the way; of the window,
the mean over points of it, with the cosine at the window as well. Light from everywhere is held back near other
things (ambient occlusion: the share of the hemisphere that is open, near blocks counting most).
"""

from __future__ import annotations

from itertools import groupby

import numpy as np
import numpy.typing as npt

from fastdepth_ros.scene.builder import Block, Scene
from fastdepth_ros.scene.room import LENGTH, WINDOW_LEFT, WINDOW_RIGHT, WINDOW_SILL, WINDOW_TOP
from fastdepth_ros.scene.shapes import Array

Light = npt.NDArray[np.float32]

DAYLIGHT = np.array((0.92, 1.0, 1.10), np.float32)
LAMPLIGHT = np.array((1.0, 0.78, 0.50), np.float32)
SUNLIGHT = np.array((1.0, 0.86, 0.66), np.float32)
BOUNCE_UP = np.array((0.160, 0.150, 0.140), np.float32)
BOUNCE_DOWN = np.array((0.185, 0.150, 0.115), np.float32)

LAMPS = (((2.55, 3.6, 1.92), 0.75, 0.12), ((4.48, 4.88, 1.46), 0.38, 0.14))
"""Position [m], brightness, radius [m]."""

SUN = np.array((-0.47, 0.55, 0.69))
"""Towards the sun."""

REACH = 0.9
"""Blocks farther away than this do not darken a corner [m]."""

CLEAR = 0.012
"""Rays start this far from their surface [m]."""


class Blocks:
    """All blocks, grouped by the frame in which they are upright, to be asked by many rays at once."""

    def __init__(self, blocks: list[Block]) -> None:
        def frame(block: Block) -> tuple[tuple[float, float, float], float]:
            return block.origin, block.yaw

        self._groups = [
            (np.array(origin), float(np.cos(yaw)), float(np.sin(yaw)), [(b.low, b.high) for b in members])
            for (origin, yaw), members in ((key, list(g)) for key, g in groupby(sorted(blocks, key=frame), frame))
        ]

    def nearest(self, points: Array, rays: Array, limit: float) -> Light:
        """Distance along each ray, in lengths of the ray, to the first block; ``limit`` where none is nearer.

        Args:
            points: (n, 3) [m].
            rays: (n, 3), or (3,) for the same ray from every point.
            limit: in lengths of the ray.
        """
        found = np.full(len(points), limit, np.float32)
        rays = np.broadcast_to(rays, points.shape) if rays.ndim == 2 else rays[None, :]
        for origin, cosine, sine, boxes in self._groups:
            start, ray = points - origin, rays
            starts = [cosine * start[:, 0] + sine * start[:, 1], cosine * start[:, 1] - sine * start[:, 0], start[:, 2]]
            along = [cosine * ray[:, 0] + sine * ray[:, 1], cosine * ray[:, 1] - sine * ray[:, 0], ray[:, 2]]
            with np.errstate(divide="ignore"):
                inverse = [(1.0 / np.where(np.abs(v) < 1e-9, 1e-9, v)).astype(np.float32) for v in along]
            starts32 = [v.astype(np.float32) for v in starts]
            for low, high in boxes:
                enter, leave = np.float32(0.0), found
                for axis in range(3):
                    one = (np.float32(low[axis]) - starts32[axis]) * inverse[axis]
                    other = (np.float32(high[axis]) - starts32[axis]) * inverse[axis]
                    enter = np.maximum(enter, np.minimum(one, other))
                    leave = np.minimum(leave, np.maximum(one, other))
                np.copyto(found, enter, where=(enter < leave) & (enter > 0))
        return found


def light_at(scene: Scene, points: Array, normals: Array) -> Light:
    """The light (n, 3) that falls on surface points (n, 3) [m] with unit normals; 1 is white paper in good light."""
    blocks = Blocks(scene.blocks)
    start = points + CLEAR * normals
    light = _ambient(blocks, start, normals)
    light += _window(blocks, start, normals)
    for position, brightness, radius in LAMPS:
        light += _lamp(blocks, start, normals, np.array(position), brightness, radius)
    return light


def sun_at(scene: Scene, points: Array, normals: Array) -> Light:
    """The sunlight (n, 3) that comes through the panes straight onto surface points."""
    light = np.zeros((len(points), 3), np.float32)
    with np.errstate(divide="ignore", invalid="ignore"):
        way = (LENGTH + 0.08 - points[:, 1]) / SUN[1]
    x, z = points[:, 0] + way * SUN[0], points[:, 2] + way * SUN[2]
    middle = (WINDOW_LEFT + WINDOW_RIGHT) / 2
    pane = (x > WINDOW_LEFT + 0.05) & (x < WINDOW_RIGHT - 0.05) & (np.abs(x - middle) > 0.025)
    pane &= (z > WINDOW_SILL + 0.05) & (z < WINDOW_TOP - 0.05) & (np.abs(z - 1.797) > 0.018)
    slant = normals @ SUN
    lit = np.flatnonzero(pane & (slant > 0.02) & (way > 0))
    if len(lit):
        start = points[lit] + CLEAR * normals[lit]
        free = Blocks(scene.blocks).nearest(start, SUN, 9.0) > 8.9
        light[lit] = (2.6 * slant[lit] * free)[:, None] * SUNLIGHT
    return light


def _ambient(blocks: Blocks, start: Array, normals: Array) -> Light:
    """Light from everywhere: cooler from above, warmer from the floor, less in corners."""
    directions = _sphere(72)
    total = np.zeros(len(start), np.float32)
    open_share = np.zeros(len(start), np.float32)
    for direction in directions:
        cosine = (normals @ direction).astype(np.float32)
        facing = np.flatnonzero(cosine > 0.05)
        if not len(facing):
            continue
        reach = blocks.nearest(start[facing], direction, REACH)
        weight = cosine[facing]
        total[facing] += weight
        open_share[facing] += weight * (reach / REACH)
    share = open_share / np.maximum(total, 1e-6)
    # The shell of the room is not made of blocks: darken by hand where two of its planes meet.
    for axis, high in ((0, 4.8), (1, LENGTH), (2, 2.6)):
        inner = np.minimum(start[:, axis], high - start[:, axis]).clip(0)
        across = 1 - np.abs(normals[:, axis])
        share *= (1 - 0.38 * across * np.exp(-inner / 0.22)).astype(np.float32)
    up = (0.5 + 0.5 * normals[:, 2]).astype(np.float32)[:, None]
    glow = BOUNCE_UP * up + BOUNCE_DOWN * (1 - up)
    return np.asarray(share[:, None] * glow, np.float32)


def _window(blocks: Blocks, start: Array, normals: Array) -> Light:
    light = np.zeros(len(start), np.float32)
    columns, rows = 4, 3
    for column in range(columns):
        for row in range(rows):
            x = WINDOW_LEFT + (WINDOW_RIGHT - WINDOW_LEFT) * (column + 0.5) / columns
            z = WINDOW_SILL + (WINDOW_TOP - WINDOW_SILL) * (row + 0.5) / rows
            ray = np.array((x, LENGTH - 0.02, z)) - start
            light += _arrives(blocks, start, normals, ray) * np.maximum(ray[:, 1], 0).astype(np.float32)
    # `_arrives` is cos / r^2 and the cosine at the window ray_y / r; without that last / r far corners are less dark.
    return np.asarray((1.8 / (columns * rows) * light)[:, None] * DAYLIGHT, np.float32)


def _lamp(blocks: Blocks, start: Array, normals: Array, position: Array, brightness: float, radius: float) -> Light:
    offsets = _sphere(6) * radius
    light = np.zeros(len(start), np.float32)
    for offset in offsets:
        light += _arrives(blocks, start, normals, position + offset - start)
    return np.asarray((brightness / len(offsets) * light)[:, None] * LAMPLIGHT, np.float32)


def _arrives(blocks: Blocks, start: Array, normals: Array, ray: Array) -> Light:
    """cos(incidence) / max(r, 0.35 m)^2 where the way is free, else 0."""
    square = (ray * ray).sum(1)
    cosine = (normals * ray).sum(1) / np.sqrt(np.maximum(square, 1e-9))
    strength = np.where(cosine > 0, cosine, 0) / np.maximum(square, 0.12)
    light = strength.astype(np.float32)
    facing = np.flatnonzero(light > 0.004)
    light[facing] *= blocks.nearest(start[facing], ray[facing], 1.0) > 0.999
    return np.asarray(light)


def _sphere(count: int) -> Array:
    """Directions spread evenly over the sphere (Fibonacci)."""
    index = np.arange(count) + 0.5
    z = 1 - 2 * index / count
    angle = np.pi * (1 + 5**0.5) * index
    ring = np.sqrt(1 - z * z)
    return np.stack([ring * np.cos(angle), ring * np.sin(angle), z], 1)
