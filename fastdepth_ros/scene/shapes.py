"""Shapes that a ray can hit, and the camera that sends the rays.

Convention:
    World: metres, z up. Camera: optical frame, x right, y down, z forward. The ray of the pixel whose slopes are (X, Y)
    is  camera + depth * (X * right + Y * down + forward),  so the ray's parameter *is* the depth z, not a length.

Every shape has surface coordinates (s, t) in 0..1 for its paint, and answers ``cast`` with depth, s and t per pixel.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Corner = tuple[float, float, float]

NEAR = 0.05
"""Nothing nearer than this is seen [m]."""

EDGE = 1e-4
"""Shapes reach this far over their edges [m], so that no ray slips between two that touch."""


class Pose(NamedTuple):
    """Pose of the camera.

    Attributes:
        position: world (3,) [m].
        axes: (3, 3), the rows are the camera's right, down and forward in the world.
    """

    position: Array
    axes: Array

    def to_camera(self, points: Array) -> Array:
        """World points (..., 3) in the camera's frame."""
        return (points - self.position) @ self.axes.T

    def to_world(self, points: Array) -> Array:
        """Camera points (..., 3) in the world."""
        return points @ self.axes + self.position


class Hit(NamedTuple):
    """Points where rays meet a shape: depth [m] and surface coordinates, one of each per ray; inf for a miss."""

    depth: Array
    s: Array
    t: Array


class Shape(Protocol):
    """Shape as the renderer and the lighting need it."""

    def hull(self) -> Array:
        """World points (n, 3) whose convex hull holds the shape."""

    def faces(self, position: Array) -> bool:
        """Whether anything of it may be seen from ``position``."""

    def cast(self, pose: Pose, x: Array, y: Array) -> Hit:
        """Meet the rays of slopes ``x`` (1, w) and ``y`` (h, 1)."""

    def size(self) -> tuple[float, float]:
        """Lengths along s and t [m]."""

    def sample(self, s: Array, t: Array) -> tuple[Array, Array]:
        """World points and unit normals (..., 3) at surface coordinates."""


def _vector(values: npt.ArrayLike) -> Array:
    return np.asarray(values, np.float64)


def _along(pose: Pose, direction: Array, x: Array, y: Array) -> Array:
    """The component along a world direction of every ray (per metre of depth)."""
    right, down, forward = (float(axis @ direction) for axis in pose.axes)
    return x * right + (y * down + forward)


@dataclass(frozen=True)
class Quad:
    """A rectangle: a corner and two edges at right angles. Seen from where ``a x b`` points; leaves from both sides."""

    corner: Array
    a: Array
    b: Array
    leaf: bool = False

    @cached_property
    def normal(self) -> Array:
        normal = np.cross(self.a, self.b)
        return np.asarray(normal / math.sqrt(normal @ normal))

    def hull(self) -> Array:
        return np.stack([self.corner, self.corner + self.a, self.corner + self.b, self.corner + self.a + self.b])

    def faces(self, position: Array) -> bool:
        return self.leaf or float((position - self.corner) @ self.normal) > 0

    def size(self) -> tuple[float, float]:
        return math.sqrt(self.a @ self.a), math.sqrt(self.b @ self.b)

    def sample(self, s: Array, t: Array) -> tuple[Array, Array]:
        points = self.corner + s[..., None] * self.a + t[..., None] * self.b
        return points, np.broadcast_to(self.normal, points.shape)

    def cast(self, pose: Pose, x: Array, y: Array) -> Hit:
        normal, start = self.normal, pose.position - self.corner
        with np.errstate(divide="ignore", invalid="ignore"):
            depth = float(-(start @ normal)) / _along(pose, normal, x, y)
            coordinates = []
            inside = depth > NEAR
            for edge in (self.a, self.b):
                unit = edge / (edge @ edge)
                value = float(start @ unit) + depth * _along(pose, unit, x, y)
                slack = EDGE / math.sqrt(edge @ edge)
                inside &= (value >= -slack) & (value <= 1 + slack)
                coordinates.append(value)
            s, t = coordinates
            if self.leaf:
                # A leaf is as wide as the parabola 4 s (1 - s) between its ends.
                inside &= np.abs(2 * t - 1) <= 4 * s * (1 - s)
        return Hit(np.where(inside, depth, np.inf), s, t)


@dataclass(frozen=True)
class Cone:
    """The side of an upright cone, or of a cylinder where both radii are the same. s goes around, t upwards."""

    base: Array
    lower: float
    upper: float
    height: float

    def hull(self) -> Array:
        radius = max(self.lower, self.upper)
        corners = [(dx, dy, dz) for dx in (-radius, radius) for dy in (-radius, radius) for dz in (0, self.height)]
        return self.base + _vector(corners)

    def faces(self, position: Array) -> bool:  # noqa: ARG002  some of its side is seen from everywhere outside
        return True

    def size(self) -> tuple[float, float]:
        return 2 * math.pi * max(self.lower, self.upper), math.hypot(self.height, self.upper - self.lower)

    def sample(self, s: Array, t: Array) -> tuple[Array, Array]:
        cosine, sine = np.cos(2 * np.pi * s), np.sin(2 * np.pi * s)
        radius = self.lower + t * (self.upper - self.lower)
        points = self.base + np.stack([radius * cosine, radius * sine, t * self.height], -1)
        length = math.hypot(self.height, self.lower - self.upper)
        flat, rise = self.height / length, (self.lower - self.upper) / length
        return points, np.stack([flat * cosine, flat * sine, np.full_like(s, rise)], -1)

    def cast(self, pose: Pose, x: Array, y: Array) -> Hit:
        """Solve |p_xy|^2 = (lower + slope p_z)^2 for p on the ray, and take the nearer solution on the side."""
        slope = (self.upper - self.lower) / self.height
        ox, oy, oz = (float(v) for v in pose.position - self.base)
        dx, dy, dz = (_along(pose, axis, x, y) for axis in np.eye(3))
        radius = self.lower + slope * oz
        quadratic = dx * dx + dy * dy - (slope * dz) ** 2
        linear = ox * dx + oy * dy - radius * slope * dz
        constant = ox * ox + oy * oy - radius * radius
        with np.errstate(divide="ignore", invalid="ignore"):
            root = np.sqrt(linear * linear - quadratic * constant)
            best = np.full(root.shape, np.inf)
            for sign in (1.0, -1.0):  # the nearer solution last: it wins
                depth = (-linear + sign * root) / quadratic
                level = oz + depth * dz
                on_side = (depth > NEAR) & (level >= -EDGE) & (level <= self.height + EDGE)
                best = np.where(on_side, depth, best)
            finite = np.where(np.isfinite(best), best, 0.0)
            s = np.arctan2(oy + finite * dy, ox + finite * dx) / (2 * np.pi) % 1.0
        return Hit(best, s, (oz + finite * dz) / self.height)


@dataclass(frozen=True)
class Ellipsoid:
    """Centre and three half axes at right angles (rows). s goes around the third axis, t along it."""

    centre: Array
    half_axes: Array

    def _inverse(self) -> Array:
        return np.asarray(self.half_axes / (self.half_axes**2).sum(1, keepdims=True))

    def hull(self) -> Array:
        signs = _vector([(i, j, k) for i in (-1, 1) for j in (-1, 1) for k in (-1, 1)])
        return self.centre + signs @ self.half_axes

    def faces(self, position: Array) -> bool:  # noqa: ARG002
        return True

    def size(self) -> tuple[float, float]:
        lengths = np.sqrt((self.half_axes**2).sum(1))
        return float(2 * math.pi * max(lengths[0], lengths[1])), float(math.pi * max(lengths[2], lengths[0]))

    def sample(self, s: Array, t: Array) -> tuple[Array, Array]:
        angle, level = 2 * np.pi * s, np.cos(np.pi * (1 - t))
        ring = np.sin(np.pi * t)
        unit = np.stack([ring * np.cos(angle), ring * np.sin(angle), level], -1)
        normals = unit @ self._inverse()
        return self.centre + unit @ self.half_axes, normals / np.sqrt((normals**2).sum(-1, keepdims=True))

    def cast(self, pose: Pose, x: Array, y: Array) -> Hit:
        """Solve |q| = 1 for q on the ray in the frame in which the ellipsoid is the unit ball."""
        inverse = self._inverse()
        origin = [float(v) for v in inverse @ (pose.position - self.centre)]
        ray = [_along(pose, axis, x, y) for axis in inverse]
        quadratic = ray[0] ** 2 + ray[1] ** 2 + ray[2] ** 2
        linear = origin[0] * ray[0] + origin[1] * ray[1] + origin[2] * ray[2]
        constant = sum(v * v for v in origin) - 1
        with np.errstate(divide="ignore", invalid="ignore"):
            depth = (-linear - np.sqrt(linear * linear - quadratic * constant)) / quadratic
            seen = depth > NEAR
            finite = np.where(seen, depth, 0.0)
            qx, qy, qz = (o + finite * d for o, d in zip(origin, ray, strict=True))
            s = np.arctan2(qy, qx) / (2 * np.pi) % 1.0
            t = np.arccos(np.clip(-qz, -1, 1)) / np.pi
        return Hit(np.where(seen, depth, np.inf), s, t)


def box_faces(low: Sequence[float] | Array, high: Sequence[float] | Array) -> dict[str, tuple[Corner, Corner, Corner]]:
    """Faces of an upright box between opposite corners: name -> lower left corner, right and up, seen from outside."""
    (x0, y0, z0), (x1, y1, z1) = low, high
    w, d, h = x1 - x0, y1 - y0, z1 - z0
    return {
        "front": ((x0, y0, z0), (w, 0, 0), (0, 0, h)),
        "back": ((x1, y1, z0), (-w, 0, 0), (0, 0, h)),
        "left": ((x0, y1, z0), (0, -d, 0), (0, 0, h)),
        "right": ((x1, y0, z0), (0, d, 0), (0, 0, h)),
        "top": ((x0, y0, z1), (w, 0, 0), (0, d, 0)),
        "bottom": ((x0, y1, z0), (w, 0, 0), (0, -d, 0)),
    }
