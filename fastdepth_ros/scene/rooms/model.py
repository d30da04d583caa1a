"""Solids out of rectangles, round bars and ellipsoids, built in frames that turn and tilt."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from fastdepth_ros.scene.rooms.surfaces import Surface
from fastdepth_ros.scene.shapes import box_faces

Array = npt.NDArray[np.float64]
Point = Sequence[float] | npt.NDArray[np.float64]


@dataclass
class Solids:
    """All that rays can hit, as rows of numbers.

    Attributes:
        quads: corner, two edges (9 numbers), and 1 where it is seen from both
            sides. Others are seen only from where u x v points.
        bars: base, end, radius at the base and at the end (8 numbers): the side of a cylinder or cone.
        balls: centre and three half axes at right angles (12 numbers).
        surfaces: what the quads, then the bars, then the balls are made of (three lists).
        shell: for each quad, whether it belongs to floor, ceiling and walls, which shade nothing in the room.
    """

    quads: list[Array] = field(default_factory=list)
    bars: list[Array] = field(default_factory=list)
    balls: list[Array] = field(default_factory=list)
    surfaces: tuple[list[Surface], list[Surface], list[Surface]] = field(default_factory=lambda: ([], [], []))
    shell: list[bool] = field(default_factory=list)


@dataclass(frozen=True)
class Placement:
    """Adds to solids in a frame of its own: x to the right, y to the back, z up.

    Attributes:
        solids: what it adds to.
        axes: (3, 3), the columns are the frame's x, y and z in the room.
        origin: (3,) [m].
        shell: marks rectangles as part of the room's shell.
    """

    solids: Solids
    axes: Array = field(default_factory=lambda: np.eye(3))
    origin: Array = field(default_factory=lambda: np.zeros(3))
    shell: bool = False

    def at(self, x: float, y: float, z: float = 0.0, turn: float = 0.0, tilt: float = 0.0) -> Placement:
        """A frame at a point of this one, turned about z anticlockwise, then tilted about its own x [degrees].

        A positive tilt lifts what is in front and lowers what is at the back: a backrest leans backwards.
        """
        a, b = math.radians(turn), math.radians(-tilt)
        spin = np.array([[math.cos(a), -math.sin(a), 0], [math.sin(a), math.cos(a), 0], [0, 0, 1.0]])
        lean = np.array([[1.0, 0, 0], [0, math.cos(b), -math.sin(b)], [0, math.sin(b), math.cos(b)]])
        return replace(self, axes=self.axes @ spin @ lean, origin=self.point((x, y, z)))

    def point(self, point: Point) -> Array:
        """A point of this frame in the room [m]."""
        return np.asarray(self.axes @ np.asarray(point, np.float64) + self.origin)

    def put(self, piece: Solids) -> None:
        """Add solids that were built about the origin of a frame like this one."""
        for quad in piece.quads:
            edges = (self.axes @ quad[3:6], self.axes @ quad[6:9])
            self.solids.quads.append(np.concatenate([self.point(quad[:3]), *edges, quad[9:]]))
        for bar in piece.bars:
            self.solids.bars.append(np.concatenate([self.point(bar[:3]), self.point(bar[3:6]), bar[6:]]))
        for ball in piece.balls:
            half = ball[3:].reshape(3, 3) @ self.axes.T
            self.solids.balls.append(np.concatenate([self.point(ball[:3]), half.ravel()]))
        for own, theirs in zip(self.solids.surfaces, piece.surfaces, strict=True):
            own.extend(theirs)
        self.solids.shell.extend(piece.shell)

    def quad(self, corner: Point, u: Point, v: Point, surface: Surface, double: bool = False) -> None:
        """A parallelogram, seen from where u x v points, or from both sides."""
        edges = (self.axes @ np.asarray(edge, np.float64) for edge in (u, v))
        self.solids.quads.append(np.concatenate([self.point(corner), *edges, [float(double)]]))
        self.solids.surfaces[0].append(surface)
        self.solids.shell.append(self.shell)

    def box(self, low: Point, high: Point, surface: Surface, front: Surface | None = None, skip: str = "") -> None:
        """A box between opposite corners.

        Args:
            low, high: the corners.
            surface: what it is made of.
            front: another surface for its front.
            skip: faces that nobody can see: front back left right top bottom, apart by spaces.
        """
        hidden = skip.split()
        for name, (corner, u, v) in box_faces(low, high).items():
            if name not in hidden:
                self.quad(corner, u, v, front if front and name == "front" else surface)

    def bar(self, start: Point, end: Point, radius: float, surface: Surface, tip: float | None = None) -> None:
        """A round bar without ends, from ``radius`` to ``tip`` (default: the same) thick."""
        radii = (radius, radius if tip is None else tip)
        self.solids.bars.append(np.concatenate([self.point(start), self.point(end), radii]))
        self.solids.surfaces[1].append(surface)

    def ball(self, centre: Point, half: Point, surface: Surface) -> None:
        """An ellipsoid with half axes ``half`` along this frame's axes."""
        axes = (self.axes * np.asarray(half, np.float64)).T
        self.solids.balls.append(np.concatenate([self.point(centre), axes.ravel()]))
        self.solids.surfaces[2].append(surface)

    def pipe(self, points: Sequence[Sequence[float]], radius: float, surface: Surface, smooth: int = 0) -> None:
        """A bent tube through points, with round joints and ends.

        Args:
            points: its course.
            radius: [m].
            surface: what it is made of.
            smooth: pieces between two points, of a Catmull-Rom spline; 0 for straight pieces.
        """
        course = spline(points, smooth) if smooth else [np.asarray(point, np.float64) for point in points]
        for start, end in pairwise(course):
            self.bar(start.tolist(), end.tolist(), radius, surface)
        for joint in course:
            self.ball(joint.tolist(), (radius, radius, radius), surface)

    def band(
        self, points: Sequence[Sequence[float]], width: float, thick: float, surface: Surface, smooth: int = 0
    ) -> None:
        """A bent board through points (y, z) of the plane x = 0, ``width`` wide: plywood, a seat shell."""
        flat = [(0.0, *point) for point in points]
        course = spline(flat, smooth) if smooth else [np.asarray(point, np.float64) for point in flat]
        for start, end in pairwise(course):
            step = end - start
            across = np.array([0.0, -step[2], step[1]]) / math.sqrt(step @ step) * thick
            x, left = np.array([width, 0.0, 0.0]), np.array([-width / 2, 0.0, 0.0])
            self.quad((start + left + across).tolist(), x.tolist(), step.tolist(), surface)
            self.quad((start + left).tolist(), step.tolist(), x.tolist(), surface)
            self.quad((start + left).tolist(), across.tolist(), step.tolist(), surface)
            self.quad((start - left).tolist(), step.tolist(), across.tolist(), surface)

    def pad(self, low: Point, high: Point, surface: Surface) -> None:
        """A cushion: a box with round edges; its thickness is its least extent."""
        centre = (np.asarray(low, np.float64) + np.asarray(high, np.float64)) / 2
        half = (np.asarray(high, np.float64) - np.asarray(low, np.float64)) / 2
        thin = int(np.argmin(half))
        radius = float(half[thin])
        one, two = ((thin + 1) % 3, (thin + 2) % 3)
        reach = [np.zeros(3), np.zeros(3), np.zeros(3)]
        for axis in (one, two):
            reach[axis][axis] = max(half[axis] - radius, 0.005)
        reach[thin][thin] = radius
        u, v, out = reach[one], reach[two], reach[thin]
        self.quad((centre - u - v + out).tolist(), (2 * u).tolist(), (2 * v).tolist(), surface)
        self.quad((centre - u - v - out).tolist(), (2 * v).tolist(), (2 * u).tolist(), surface)
        corners = [centre + i * u + j * v for i, j in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
        for start, end in zip(corners, corners[1:] + corners[:1], strict=True):
            self.bar(start.tolist(), end.tolist(), radius, surface)
            self.ball(start.tolist(), (radius, radius, radius), surface)


def spline(points: Sequence[Sequence[float]], pieces: int) -> list[Array]:
    """Points on a Catmull-Rom spline (E. Catmull, R. Rom 1974, uniform) through ``points``, ends repeated."""
    course = np.asarray(points, np.float64)
    course = np.concatenate([2 * course[:1] - course[1:2], course, 2 * course[-1:] - course[-2:-1]])
    found = []
    for a, b, c, d in zip(course, course[1:], course[2:], course[3:], strict=False):
        for t in np.arange(pieces) / pieces:
            bend = (2 * a - 5 * b + 4 * c - d) * t * t + (3 * b - a - 3 * c + d) * t**3
            found.append(np.asarray(b + 0.5 * ((c - a) * t + bend)))
    return [*found, course[-2]]


def dots(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The dot products (n,) of rows (n, 3)."""
    return np.asarray(np.einsum("ij,ij->i", one, other))
