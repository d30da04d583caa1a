"""Put painted shapes into a scene: boxes, panels, tubes, cushions, each in the frame of the thing it belongs to."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from fastdepth_ros.scene.shapes import Array, Cone, Ellipsoid, Quad, Shape, box_faces
from fastdepth_ros.scene.textures import Paint

Point = tuple[float, float, float]


@dataclass(frozen=True)
class Surface:
    """A shape and its paint.

    Attributes:
        shape: where it is.
        paint: what it looks like.
        texel: size of a texel of its paint [m].
        glow: light that it sends out itself, in units of white paper in full light; 0 for all but lamps and the sky.
    """

    shape: Shape
    paint: Paint
    texel: float = 0.006
    glow: float = 0.0


@dataclass(frozen=True)
class Block:
    """A box that keeps light away, upright, turned by ``yaw`` about the z axis through ``origin``."""

    origin: Point
    yaw: float
    low: Point
    high: Point


@dataclass(frozen=True)
class Scene:
    """All that is in the room."""

    surfaces: list[Surface] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)


@dataclass(frozen=True)
class Builder:
    """Adds to a scene in a frame of its own: x to the right, y to the back, z up, turned by ``yaw`` [rad]."""

    scene: Scene
    origin: Point = (0.0, 0.0, 0.0)
    yaw: float = 0.0

    def at(self, x: float, y: float, z: float = 0.0, degrees: float = 0.0) -> Builder:
        """A builder whose frame stands at a point of this one's, turned anticlockwise."""
        moved = self._point((x, y, z))
        return replace(self, origin=(moved[0], moved[1], moved[2]), yaw=self.yaw + math.radians(degrees))

    def panel(self, corner: Point, a: Point, b: Point, paint: Paint, texel: float = 0.006, glow: float = 0.0) -> None:
        """A rectangle seen from where a x b points: ``a`` is its right, ``b`` its up."""
        self._add(Quad(self._point(corner), self._turn(a), self._turn(b)), paint, texel, glow)

    def leaf(self, stem: Point, along: Point, across: Point, paint: Paint) -> None:
        """A leaf from ``stem`` along one vector; ``across``, at a right angle to it, is its whole width."""
        corner = self._point(stem) - 0.5 * self._turn(across)
        self.scene.surfaces.append(Surface(Quad(corner, self._turn(along), self._turn(across), leaf=True), paint, 0.02))

    def box(
        self,
        low: Point,
        high: Point,
        paint: Paint | Mapping[str, Paint],
        *,
        skip: str = "bottom",
        texel: float = 0.006,
        shade: bool = True,
    ) -> None:
        """An upright box.

        Args:
            low, high: opposite corners.
            paint: of all faces, or by face name (front back left right top bottom) with ``rest`` for the others.
            skip: names of the faces that nobody can see, apart by spaces.
            texel: of its paint [m].
            shade: whether it keeps light away from others.
        """
        for name, (corner, a, b) in box_faces(low, high).items():
            if name not in skip.split():
                chosen = (paint.get(name) or paint["rest"]) if isinstance(paint, Mapping) else paint
                self.panel(corner, a, b, chosen, texel)
        if shade:
            self.shade(low, high)

    def tube(
        self,
        base: Point,
        lower: float,
        upper: float,
        height: float,
        paint: Paint,
        *,
        glow: float = 0.0,
        shade: bool = True,
    ) -> None:
        """The side of an upright cylinder or cone, without its ends."""
        self._add(Cone(self._point(base), lower, upper, height), paint, 0.006, glow)
        if shade:
            x, y, z = base
            half = 0.8 * min(lower, upper)
            self.shade((x - half, y - half, z), (x + half, y + half, z + height))

    def cushion(
        self, centre: Point, half: Point, paint: Paint, degrees: float = 0.0, lean: float = 0.0, *, glow: float = 0.0
    ) -> None:
        """An ellipsoid of half axes ``half``, leaned about its x axis by ``lean``, turned upright by ``degrees``."""
        tilt, turn = math.radians(lean), math.radians(degrees)
        rows = [
            (half[0], 0.0, 0.0),
            (0.0, half[1] * math.cos(tilt), half[1] * math.sin(tilt)),
            (0.0, -half[2] * math.sin(tilt), half[2] * math.cos(tilt)),
        ]
        spin = replace(self, yaw=self.yaw + turn)
        axes = np.stack([spin._turn(row) for row in rows])
        self._add(Ellipsoid(self._point(centre), axes), paint, 0.006, glow)
        if not glow:
            x, y, z = centre
            i, j, k = (0.6 * v for v in half)
            self.shade((x - i, y - j, z - k), (x + i, y + j, z + k))

    def shade(self, low: Point, high: Point) -> None:
        """A box that nobody sees but that keeps light away: the rough inside of a thing."""
        self.scene.blocks.append(Block(self.origin, self.yaw, low, high))

    def _add(self, shape: Shape, paint: Paint, texel: float, glow: float) -> None:
        self.scene.surfaces.append(Surface(shape, paint, texel, glow))

    def _turn(self, vector: Point) -> Array:
        cosine, sine = math.cos(self.yaw), math.sin(self.yaw)
        x, y, z = vector
        return np.array([cosine * x - sine * y, sine * x + cosine * y, z])

    def _point(self, point: Point) -> Array:
        return np.asarray(self.origin) + self._turn(point)
