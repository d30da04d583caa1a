"""Light in a random room: the sun's hard patch, the soft window, lamps, and the dim light of corners.

Every light is a pinhole view of the furniture that keeps the depth of what it sees first (shadow mapping, L. Williams
1978). The sun compares depths, for a hard edge. The others keep exp(c z), blurred, so that their shadows are soft
(exponential shadow maps, T. Annen et al. 2008).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from fastdepth_ros.scene.rooms.cast import Body, Floats, PinholeView, cast
from fastdepth_ros.scene.rooms.model import Array, dots
from fastdepth_ros.scene.rooms.surfaces import remap
from fastdepth_ros.scene.shapes import Pose

FAR = 60.0
"""From this far away rays are as good as parallel [m]."""

BIAS = 0.008
"""A surface does not shade itself where it lies this little behind what the light saw [m]."""


@dataclass(frozen=True)
class Lit:
    """Points that want light: positions and unit normals (n, 3)."""

    points: Array
    normals: Array


@dataclass(frozen=True)
class Sun:
    """Parallel light through an opening.

    Attributes:
        towards: unit vector towards the sun.
        view: from the sun, bounded by the opening's own bounds.
        inverse: 1/z of what it sees.
        opening: corner and two edges of the opening (3, 3).
        colour: on a surface at right angles.
    """

    towards: Array
    view: PinholeView
    inverse: Floats
    opening: Array
    colour: Floats

    def on(self, lit: Lit) -> Floats:
        """Its light (n, 3)."""
        light = np.zeros((len(lit.points), 3), np.float32)
        slant = lit.normals @ self.towards
        corner, u, v = self.opening
        normal = np.cross(u, v)
        way = ((corner - lit.points) @ normal) / (self.towards @ normal)
        place = lit.points + way[:, None] * self.towards - corner
        s, t = place @ u / (u @ u), place @ v / (v @ v)
        found = np.flatnonzero((slant > 0) & (way > 0) & (s > 0) & (s < 1) & (t > 0) & (t < 1))
        if len(found):
            column, row, z = self.view.place(lit.points[found])
            column = np.clip(np.rint(column), 0, len(self.view.x) - 1).astype(np.int64)
            row = np.clip(np.rint(row), 0, len(self.view.y) - 1).astype(np.int64)
            free = self.inverse[row, column] * (z - BIAS - 0.02 * (1 - slant[found])) < 1
            light[found] = (slant[found] * free).astype(np.float32)[:, None] * self.colour
        return light


@dataclass(frozen=True)
class Soft:
    """A light with soft shadows.

    Attributes:
        view: from the light.
        kept: exp(sharp (z - far)), blurred.
        sharp, far: of `kept` [1/m, m].
        colour: at a distance of 1 m, or everywhere where `near` is false.
        near: whether it fades with the distance.
        flat: whether it leaves a surface (a window), and goes with the cosine there.
    """

    view: PinholeView
    kept: Floats
    sharp: float
    far: float
    colour: Floats
    near: bool
    flat: bool

    def on(self, lit: Lit) -> Floats:
        """Its light (n, 3)."""
        position = self.view.pose.position
        ray = (position - lit.points).astype(np.float32)
        square = np.maximum(dots(ray, ray), 1e-6)
        strength = np.maximum(dots(ray, lit.normals.astype(np.float32)), 0) / np.sqrt(square)
        column, row, z = self.view.place(lit.points)
        if self.near:
            strength /= np.maximum(square, 0.09)
        if self.flat:
            strength *= np.maximum(z.astype(np.float32), 0) / np.sqrt(square)
        height, width = self.kept.shape
        inside = (column > 0) & (column < width - 1) & (row > 0) & (row < height - 1) & (z > 0)
        seen = remap(self.kept, np.where(inside, column, 0), np.where(inside, row, 0))
        free = np.minimum(seen * np.exp(-self.sharp * (z - BIAS - self.far)), 1)
        return np.asarray((strength * np.where(inside, free, 1)).astype(np.float32)[:, None] * self.colour)


@dataclass(frozen=True)
class Glow:
    """Light that a bright patch (where the sun falls) sends back into the room, without shadows."""

    position: Array
    normal: Array
    colour: Floats

    def on(self, lit: Lit) -> Floats:
        """Its light (n, 3)."""
        ray = (self.position - lit.points).astype(np.float32)
        square = dots(ray, ray)
        length = np.sqrt(np.maximum(square, 1e-6))
        there = np.maximum(dots(ray, lit.normals.astype(np.float32)) / length, 0)
        here = np.maximum(-(ray @ self.normal.astype(np.float32)) / length, 0)
        return np.asarray((there * here / np.maximum(square, 0.5))[:, None] * self.colour, np.float32)


@dataclass(frozen=True)
class Dim:
    """Light that comes from everywhere without being held back: from the floor upwards, and the rest."""

    up: Floats
    down: Floats

    def on(self, lit: Lit) -> Floats:
        """Its light (n, 3); ``up`` on what faces upwards, ``down`` on what faces the floor."""
        share = (0.5 + 0.5 * lit.normals[:, 2]).astype(np.float32)[:, None]
        return np.asarray(share * self.up + (1 - share) * self.down)


@dataclass(frozen=True)
class Everywhere:
    """Light from all sides, less of it under furniture and where the room's planes meet.

    Attributes:
        sides: parallel soft lights from above, all around.
        dim: the rest.
        size: width, length, height of the room [m].
    """

    sides: list[Soft]
    dim: Dim
    size: tuple[float, float, float]

    def on(self, lit: Lit) -> Floats:
        """Its light (n, 3)."""
        light = self.dim.on(lit)
        for side in self.sides:
            light += side.on(lit)
        for axis, edge in enumerate(self.size):
            inner = np.clip(np.minimum(lit.points[:, axis], edge - lit.points[:, axis]), 0, None).astype(np.float32)
            across = 1 - np.abs(lit.normals[:, axis]).astype(np.float32)
            light *= (1 - 0.4 * across * np.exp(inner / np.float32(-0.2)))[:, None]
        return light


Light = Sun | Soft | Glow | Everywhere


def looking(position: Array, target: Array, roll: float = 0.0) -> Pose:
    """The pose at ``position`` that looks at ``target``, turned by ``roll`` [rad] about its view."""
    forward = target - position
    forward = forward / math.sqrt(float(forward @ forward))
    side = np.array([0.0, 0.0, 1.0]) if abs(forward[2]) < 0.999 else np.array([0.0, 1.0, 0.0])
    right = np.cross(forward, side)
    right /= math.sqrt(float(right @ right))
    down = np.cross(forward, right)
    c, s = math.cos(roll), math.sin(roll)
    return Pose(position, np.stack([c * right + s * down, c * down - s * right, forward]))


def sun(body: Body, opening: Array, towards: Array, colour: Floats, size: int = 900) -> Sun:
    """The sun through an opening (corner and two edges, (3, 3))."""
    corner, u, v = opening
    centre = corner + (u + v) / 2
    pose = looking(centre + FAR * towards, centre)
    corners = pose.to_camera(np.stack([corner, corner + u, corner + v, corner + u + v]))
    low, high = (corners[:, :2] / corners[:, 2:]).min(0), (corners[:, :2] / corners[:, 2:]).max(0)
    view = PinholeView(pose, np.linspace(low[0], high[0], size), np.linspace(low[1], high[1], size))
    inverse, _ = cast(body, view, body.shade)
    return Sun(towards, view, inverse, opening, colour)


def point(
    body: Body, position: Array, target: Array, spread: float, colour: Floats, blur: float, flat: bool = False
) -> Soft:
    """A lamp or a point of a window that shines towards ``target`` within slopes of ``spread``."""
    size = 192
    slopes = np.linspace(-spread, spread, size, dtype=np.float64)
    view = PinholeView(looking(position, target), slopes, slopes)
    return _soft(body, view, 9.0, colour, (True, flat), blur)


def distant(body: Body, towards: Array, centre: Array, radius: float, colour: Floats, blur: float) -> Soft:
    """Parallel soft light: a part of the bright ceiling and walls."""
    size = 128
    slopes: Array = np.linspace(-radius, radius, size, dtype=np.float64) / FAR
    view = PinholeView(looking(centre + FAR * towards, centre), slopes, slopes)
    return _soft(body, view, FAR + radius, colour, (False, False), blur)


def _soft(body: Body, view: PinholeView, far: float, colour: Floats, kind: tuple[bool, bool], blur: float) -> Soft:
    inverse, _ = cast(body, view, body.shade)
    with np.errstate(divide="ignore"):
        z = np.minimum(1 / inverse, np.float32(far))
    sharp = 8.0
    kept = np.asarray(cv2.GaussianBlur(np.exp(sharp * (z - np.float32(far))), (0, 0), blur), np.float32)
    return Soft(view, kept, sharp, far, colour, *kind)


def total(lights: list[Light], lit: Lit) -> npt.NDArray[np.float32]:
    """All light (n, 3) on points; 1 is white paper in good light."""
    light = np.zeros((len(lit.points), 3), np.float32)
    for each in lights:
        light += each.on(lit)
    return light
