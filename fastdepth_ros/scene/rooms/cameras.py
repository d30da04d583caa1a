"""Places where somebody, or a robot, might stand in a random room, and what the camera looks at."""

from __future__ import annotations

import math

import numpy as np

from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.scene.rooms.cast import Body, PinholeView, cast
from fastdepth_ros.scene.rooms.kinds import ROOMS, Kind
from fastdepth_ros.scene.rooms.layout import Room
from fastdepth_ros.scene.rooms.model import Array
from fastdepth_ros.scene.rooms.photo import HEIGHT, WIDTH
from fastdepth_ros.scene.rooms.plan import Placed
from fastdepth_ros.scene.shapes import Pose

PITCH = (-35.0, 10.0)
"""Angles that cameras look down and up [degrees]."""

TOP = 0.8
"""Height at which a camera looks that looks at a desk [m]."""


def random_camera(rng: np.random.Generator, room: Room, kind: Kind = ROOMS) -> tuple[Intrinsics, Pose]:
    """A camera of the kind's field of view and height; mostly it looks at a piece of furniture that is near."""
    focal = WIDTH / 2 / math.tan(math.radians(rng.uniform(*kind.fields)) / 2)
    cx, cy = (WIDTH - 1) / 2 + rng.normal(0, 3), (HEIGHT - 1) / 2 + rng.normal(0, 3)
    camera = Intrinsics(WIDTH, HEIGHT, focal, focal, cx, cy)
    best, pose = -1.0, _pose(rng, room, kind)
    for _ in range(12):
        candidate = _pose(rng, room, kind)
        worth = _worth(room.scene.body, camera, candidate, kind.near)
        if worth > best:
            best, pose = worth, candidate
        if worth >= 1:
            break
    return camera, pose


def _pose(rng: np.random.Generator, room: Room, kind: Kind) -> Pose:
    if room.upstairs and rng.random() < 0.4:
        return _looking(rng, *_from_above(rng, room, kind))
    if kind.along and rng.random() < kind.along:
        return _looking(rng, *_along(rng, room, kind))
    target = _target(rng, room, kind)
    for _ in range(20):
        height = _eye(rng, kind)
        away, angle = float(np.exp(rng.uniform(*np.log(kind.away)))), rng.uniform(0, 2 * math.pi)
        x, y = target[0] + away * math.cos(angle), target[1] + away * math.sin(angle)
        if _stands(x, y, height, room):
            break
    else:
        x, y = (rng.uniform(0.3, edge - 0.3) for edge in room.size[:2])
    return _looking(rng, np.array([x, y, min(height, room.size[2] - 0.3)]), target)


def _eye(rng: np.random.Generator, kind: Kind) -> float:
    """Height of a camera above what it stands on [m]."""
    if kind.eyes:
        return float(rng.uniform(*kind.eyes))
    return float(rng.choice([rng.uniform(0.25, 0.8), rng.uniform(0.8, 1.4), rng.uniform(1.2, 1.8)]))


def _along(rng: np.random.Generator, room: Room, kind: Kind) -> tuple[Array, Array]:
    """Position and target of a camera that looks along the room."""
    width, length, _ = room.size
    for _ in range(20):
        x, y, height = rng.uniform(0.25, width - 0.25), rng.uniform(0.3, length - 0.3), _eye(rng, kind)
        if _stands(x, y, height, room):
            break
    end = 0.0 if y > length / 2 else length
    return np.array([x, y, height]), np.array([x + rng.normal(0, 0.3), end, height + rng.normal(0, 0.3)])


def _from_above(rng: np.random.Generator, room: Room, kind: Kind) -> tuple[Array, Array]:
    """Position on raised ground, near the edge of it, and as the target the place that leads there."""
    ground = room.upstairs[int(rng.integers(len(room.upstairs)))]
    flight = next(piece for piece in room.placed if piece.wanted)
    x = rng.uniform(max(ground.left + 0.25, flight.left - 0.3), min(ground.right - 0.25, flight.right + 0.3))
    y = min(ground.front + rng.uniform(0.05, 0.6), ground.back - 0.3)
    target = flight.middle() + np.array([rng.normal(0, 0.3), rng.uniform(-0.5, 0.2) * (flight.back - flight.front), 0])
    return np.array([x, y, ground.top + _eye(rng, kind)]), target


def _looking(rng: np.random.Generator, position: Array, target: Array) -> Pose:
    """The pose at a position that looks about at a target, within :data:`PITCH` and hardly rolled."""
    x, y, height = position
    yaw = math.atan2(target[1] - y, target[0] - x) + math.radians(rng.normal(0, 8))
    level = math.atan2(target[2] - height, max(0.3, math.hypot(target[0] - x, target[1] - y)))
    pitch = math.radians(float(np.clip(math.degrees(level) + rng.normal(3, 6), *PITCH)))
    roll = math.radians(float(np.clip(rng.normal(0, 2), -6, 6)))
    return _oriented(position, yaw, pitch, roll)


def _target(rng: np.random.Generator, room: Room, kind: Kind) -> Array:
    wanted = [piece for piece in room.placed if piece.wanted]
    if wanted and rng.random() < kind.looks:
        middle = wanted[int(rng.integers(len(wanted)))].middle()
        return np.array([*(middle[:2] + rng.normal(0, 0.2, 2)), TOP]) if kind.desks else middle
    if room.sunny is not None and rng.random() < 0.4:
        return np.asarray(room.sunny + np.array((rng.normal(0, 0.3), rng.normal(0, 0.3), rng.uniform(0.2, 0.9))))
    free = [piece for piece in room.placed if piece.free and piece.top > 0]
    pieces = free if free and rng.random() < 0.7 else [piece for piece in room.placed if piece.top > 0]
    if pieces and rng.random() < 0.9:
        piece = pieces[int(rng.integers(len(pieces)))]
        x, y = (piece.left + piece.right) / 2, (piece.front + piece.back) / 2
        return np.array([x, y, min(1.3, piece.top) * rng.uniform(0.3, 0.9)])
    return np.array([rng.uniform(0, room.size[0]), rng.uniform(0, room.size[1]), rng.uniform(0.3, 1.2)])


def _stands(x: float, y: float, height: float, room: Room) -> bool:
    here = Placed(x - 0.1, x + 0.1, y - 0.1, y + 0.1, height, True)
    inside = 0.2 < x < room.size[0] - 0.2 and 0.2 < y < room.size[1] - 0.2
    return inside and not any(here.overlaps(piece, 0.05) and piece.top > height - 0.15 for piece in room.placed)


def _oriented(position: Array, yaw: float, pitch: float, roll: float) -> Pose:
    forward = np.array([math.cos(pitch) * math.cos(yaw), math.cos(pitch) * math.sin(yaw), math.sin(pitch)])
    right = np.array([math.sin(yaw), -math.cos(yaw), 0.0])
    down = np.cross(forward, right)
    c, s = math.cos(roll), math.sin(roll)
    return Pose(position, np.stack([c * right + s * down, c * down - s * right, forward]))


def _worth(body: Body, camera: Intrinsics, pose: Pose, wanted: float) -> float:
    """1 for a picture worth taking: near things, nothing on the lens, not one blank surface, not just a window."""
    step = 8
    x = np.asarray((np.arange(0, WIDTH, step) - camera.cx) / camera.fx, np.float64)
    y = np.asarray((np.arange(0, HEIGHT, step) - camera.cy) / camera.fy, np.float64)
    inverse, number = cast(body, PinholeView(pose, x, y))
    numbers, counts = np.unique(number, return_counts=True)
    outside = sum(int(n) for own, n in zip(numbers, counts, strict=True) if own >= 0 and body.surfaces[own].beyond)
    near, clear = float((inverse > 1 / 2.5).mean()), 1 / max(float(inverse.max()), 0.1)
    share, most, kinds = outside / number.size, int(counts.max()) / number.size, len(numbers)
    terms = (near / wanted, clear / 0.3, kinds / 12, 0.6 / most, 0.35 / max(share, 0.01))
    return float(np.prod(np.minimum(terms, 1)))
