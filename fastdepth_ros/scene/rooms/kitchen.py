"""Fitted kitchens: rows of cupboards under a worktop and above it, with what is built in and what stands on it."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace

import numpy as np

from fastdepth_ros.scene.rooms.model import Placement
from fastdepth_ros.scene.rooms.plan import Plan, ground_of
from fastdepth_ros.scene.rooms.style import Style
from fastdepth_ros.scene.rooms.surfaces import Surface
from fastdepth_ros.scene.rooms.things import scatter

DEEP = 0.6
"""Depth of cupboards under the worktop [m]."""

BLACK = Surface((0.015, 0.015, 0.018), gloss=0.8)


@dataclass(frozen=True)
class _Look:
    """Finishes and heights that all cupboards of a kitchen share [m]."""

    front: Surface
    face: Surface
    handle: Surface
    long_handles: bool
    worktop: Surface
    height: float
    above: tuple[float, float]


def furnish(plan: Plan) -> None:
    """Rows along one or two walls, if possible without a window."""
    style, shell = plan.style, plan.shell
    look = _look(style, shell.size[2])
    with_windows = {opening.wall for opening in shell.openings}
    walls = sorted((int(number) for number in style.rng.permutation(4)), key=lambda number: number in with_windows)
    for number in walls[: 2 if style.chance(0.5) else 1]:
        frame, length = shell.walls[number]
        wall = Placement(shell.solids, frame.axes, frame.origin)
        low = [opening.low for opening in shell.openings if opening.wall == number]
        if low and min(low) < look.height + 0.05:
            continue
        start, end = style.between(0.02, 0.5), length - style.between(0.02, 0.5)
        if plan.placed:  # a row at another wall may reach into this corner
            start, end = start + DEEP, end - DEEP
        if end - start > 1.2:
            _row(plan, wall, look, (start, end), bool(low))


def _look(style: Style, height: float) -> _Look:
    front = style.solid()
    stone = Surface(style.colour(0.3), ("marble", "terrazzo", "plain")[int(style.rng.integers(3))], 0.8, 0.4)
    bottom = style.between(1.35, 1.5)
    return _Look(
        front=front,
        face=style.stretched("door2", front.colour) if style.chance(0.3) else front,
        handle=style.metal(),
        long_handles=style.chance(0.5),
        worktop=style.wood() if style.chance(0.4) else stone,
        height=style.between(0.86, 0.94),
        above=(bottom, min(bottom + style.between(0.55, 0.9), height - 0.1)),
    )


def _row(plan: Plan, wall: Placement, look: _Look, span: tuple[float, float], window: bool) -> None:
    """Cupboards from left to right; under a window none hang."""
    style, (start, end) = plan.style, span
    ends = (start, end)
    if style.chance(0.6):
        wide = style.between(0.55, 0.7)
        left = start if style.chance(0.5) else end - wide
        _fridge(wall.at(left + wide / 2, 0), style, look, wide)
        _take(plan, wall, left, left + wide)
        ends = (start + wide, end) if left == start else (start, end - wide)
    count = max(2, round((ends[1] - ends[0]) / 0.6))
    edges = [float(edge) for edge in np.linspace(*ends, count + 1)]
    hob, sink = (int(number) for number in style.rng.permutation(count)[:2])
    left, right = edges[0], edges[-1]
    splash = Surface(
        style.white(0.1) if style.chance(0.6) else style.colour(0.6), "tiles", style.between(0.4, 0.9), 0.5
    )
    if not window:
        wall.quad((left, -0.004, look.height), (right - left, 0, 0), (0, 0, look.above[0] - look.height), splash)
    wall.box((left, -DEEP + 0.05, 0), (right, 0, 0.1), style.toned(look.front, 0.4), skip="back bottom top")
    wall.box((left, -DEEP - 0.03, look.height - 0.04), (right, 0, look.height), look.worktop, skip="back")
    hanging = not window and style.chance(0.8)
    for number, (low, high) in enumerate(itertools.pairwise(edges)):
        at, wide = wall.at((low + high) / 2, 0), high - low
        _below(at, style, look, wide, number == hob)
        if number == hob:
            _hob(at.at(0, -DEEP / 2, look.height), style, wide)
        elif number == sink:
            _sink(at.at(0, -DEEP / 2, look.height), style, wide)
        else:
            scatter(at.at(0, -DEEP / 2, look.height), style, wide, 0.45, int(style.rng.integers(0, 4)))
        if hanging and number == hob:
            _hood(at, look, wide)
        elif hanging and style.chance(0.85):
            _cupboard(at, look, wide, look.above, 0.34, 1, low_handle=True)
        _take(plan, wall, low, high)


def _take(plan: Plan, wall: Placement, left: float, right: float) -> None:
    own = ground_of(wall.at((left + right) / 2, -DEEP / 2), right - left, DEEP + 0.06)
    plan.placed.append(replace(own, top=2.1, wanted=True))


def _cupboard(
    at: Placement, look: _Look, w: float, z: tuple[float, float], d: float, fronts: int, low_handle: bool = False
) -> None:
    """A body with fronts above each other; one front is a door, several are drawers."""
    at.box((-w / 2, -d, z[0]), (w / 2, 0, z[1]), look.front, skip="back")
    each = (z[1] - z[0]) / fronts
    for number in range(fronts):
        low, high = z[0] + number * each + 0.004, z[0] + (number + 1) * each - 0.004
        at.box((-w / 2 + 0.003, -d - 0.018, low), (w / 2 - 0.003, -d, high), look.front, look.face, skip="back")
        level = low + 0.05 if low_handle else high - 0.05
        half = 0.4 * w if look.long_handles else 0.06
        at.pipe([(-half, -d - 0.045, level), (half, -d - 0.045, level)], 0.007, look.handle)


def _below(at: Placement, style: Style, look: _Look, w: float, oven: bool) -> None:
    z = (0.1, look.height - 0.04)
    if oven and style.chance(0.8):
        at.box((-w / 2, -DEEP - 0.02, z[0]), (w / 2, 0, z[1]), look.handle, skip="back")
        at.quad((-0.42 * w, -DEEP - 0.021, z[0] + 0.08), (0.84 * w, 0, 0), (0, 0, 0.5 * (z[1] - z[0])), BLACK)
        level = z[0] + 0.66 * (z[1] - z[0])
        at.pipe([(-0.38 * w, -DEEP - 0.06, level), (0.38 * w, -DEEP - 0.06, level)], 0.01, look.handle)
        for x in np.linspace(-0.35 * w, 0.35 * w, 5):
            at.bar((float(x), -DEEP - 0.05, level + 0.1), (float(x), -DEEP - 0.02, level + 0.1), 0.018, BLACK)
        return
    _cupboard(at, look, w, z, DEEP, int(style.rng.choice([1, 1, 3, 4])))


def _hob(at: Placement, style: Style, w: float) -> None:
    """A plate of black glass with rings, and a pot or a pan on it."""
    at.box((-0.47 * w, -0.25, 0), (0.47 * w, 0.25, 0.006), BLACK, skip="bottom")
    grey = Surface((0.12, 0.12, 0.12))
    places = [(x * w, y) for x in (-0.23, 0.23) for y in (-0.12, 0.12)]
    for x, y in places:
        at.ball((x, y, 0.007), (0.09, 0.09, 0.001), grey)
    for place in style.rng.permutation(4)[: int(style.rng.integers(0, 3))]:
        x, y = places[place]
        pot, r, h = style.metal(), style.between(0.08, 0.12), style.between(0.05, 0.2)
        at.bar((x, y, 0.007), (x, y, h), r, pot)
        at.ball((x, y, h - 0.005), (r, r, 0.012), pot if style.chance(0.6) else BLACK)
        turn = style.between(0, 2 * math.pi)
        out = (math.cos(turn), math.sin(turn))
        reach = r + (0.18 if h < 0.09 else 0.04)
        at.pipe(
            [(x + r * out[0], y + r * out[1], 0.8 * h), (x + reach * out[0], y + reach * out[1], 0.9 * h)], 0.01, BLACK
        )


def _sink(at: Placement, style: Style, w: float) -> None:
    """A basin, dark inside, with a tap and what waits to be dried."""
    steel, left, right = Surface((0.5, 0.5, 0.5), gloss=0.7), -0.42 * w, 0.42 * w
    at.box((left, -0.22, 0), (right, 0.2, 0.004), steel, skip="bottom")
    at.quad(
        (left + 0.03, -0.19, 0.005), (right - left - 0.06, 0, 0), (0, 0.36, 0), Surface((0.16, 0.16, 0.16), gloss=0.5)
    )
    rise = style.between(0.15, 0.35)
    at.pipe([(0, 0.22, 0), (0, 0.22, rise), (0, 0.1, rise + 0.05), (0, 0.02, rise - 0.03)], 0.013, steel, 3)
    if style.chance(0.5):
        scatter(at.at(0.5 * w, 0), style, 0.3, 0.3, 1)


def _hood(at: Placement, look: _Look, w: float) -> None:
    """An extractor hood: a flat box and a duct."""
    low, high = look.above
    at.box((-w / 2, -0.48, low + 0.1), (w / 2, 0, low + 0.17), look.handle, skip="back")
    at.box((-0.13, -0.3, low + 0.17), (0.13, 0, high), look.handle, skip="back bottom top")


def _fridge(at: Placement, style: Style, look: _Look, w: float) -> None:
    """A tall refrigerator, or a cupboard as tall."""
    high, split = style.between(1.6, 2.05), style.between(0.55, 1.2)
    body = look.front if style.chance(0.4) else Surface(style.white(0.03), gloss=0.4)
    at.box((-w / 2, -DEEP - 0.02, 0.02), (w / 2, 0, high), body, skip="back bottom")
    for low, top in ((0.06, split), (split + 0.01, high - 0.01)):
        at.box((-w / 2 + 0.004, -DEEP - 0.06, low), (w / 2 - 0.004, -DEEP - 0.02, top), body, skip="back")
    side = 0.43 * w if style.chance(0.5) else -0.43 * w
    for level in (split - 0.2, split + 0.2):
        at.pipe([(side, -DEEP - 0.09, level - 0.12), (side, -DEEP - 0.09, level + 0.12)], 0.01, look.handle)
