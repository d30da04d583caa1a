"""A flight of stairs along a wall, up to a gallery over the room's end."""

from __future__ import annotations

import math

import numpy as np

from fastdepth_ros.scene.rooms.model import Placement
from fastdepth_ros.scene.rooms.plan import Placed, Plan
from fastdepth_ros.scene.rooms.style import Style
from fastdepth_ros.scene.rooms.surfaces import Surface

HEAD = 2.1
"""Room over the gallery, at least [m]."""

ABOVE = 2.0
"""Part of the room before the flight [m], at least."""


def furnish(plan: Plan) -> None:
    """The flight runs along y at the left or the right wall; the gallery ends at the wall behind it.

    Its place is ``plan.placed``, wanted, and the gallery is ``plan.upstairs``.
    """
    style, (w, d, h) = plan.style, plan.shell.size
    wide, going, rise = style.between(0.85, 1.5), style.between(0.24, 0.31), style.between(0.155, 0.195)
    deep = style.between(0.9, 1.8)
    steps = min(int((d - ABOVE - deep) / going), int((h - HEAD) / rise))
    top, start = steps * rise, d - deep - steps * going
    left = 0.0 if style.chance(0.5) else w - wide
    tread, body = style.solid(), Surface(style.white(0.08), "plaster") if style.chance(0.6) else style.solid()
    # Behind the flight's side that is seen, seen from the room.
    at = Placement(plan.shell.solids).at(left, start)
    open_below = style.chance(0.4)
    for number in range(steps):
        _step(at.at(0, number * going, number * rise), (wide, going, rise), number * rise, tread, body, open_below)
    free = wide if left == 0 else 0.0
    slope = (going, rise)
    if open_below:
        for x in (0.03, wide - 0.09):
            _string(at.at(x, 0), steps, slope, tread)
    _rail(at.at(free, 0), style, steps, slope)
    gallery = Placed(0.0, w, d - deep, d, top, True)
    _gallery(plan, gallery, body, tread, (left, left + wide))
    plan.placed.append(Placed(left, left + wide, start, d - deep, top, True, wanted=True))
    plan.placed.append(gallery)
    plan.upstairs.append(gallery)


def _step(
    at: Placement, size: tuple[float, float, float], low: float, tread: Surface, body: Surface, open_below: bool
) -> None:
    """A tread, and below it a solid block or nothing."""
    wide, going, rise = size
    if open_below:
        at.box((0, -0.02, rise - 0.04), (wide, going, rise), tread, skip="")
        return
    at.box((0, 0, -low), (wide, going, rise - 0.03), body, skip="bottom back top")
    at.box((0, -0.02, rise - 0.03), (wide, going, rise), tread, skip="back")


def _string(at: Placement, steps: int, slope: tuple[float, float], wood: Surface) -> None:
    """The beam that carries treads from below."""
    run, up = steps * slope[0], steps * slope[1]
    for x, edges in ((0.0, ((0, run, up), (0, 0, -0.22))), (0.06, ((0, 0, -0.22), (0, run, up)))):
        at.quad((x, 0, 0.1), edges[0], edges[1], wood, double=True)
    at.quad((0, 0, -0.12), (0.06, 0, 0), (0, run, up), wood, double=True)


def _rail(at: Placement, style: Style, steps: int, slope: tuple[float, float]) -> None:
    """A handrail with bars, along the free side."""
    metal, wood, height = style.metal(), style.solid(), style.between(0.85, 1.0)
    every = 1 if style.chance(0.5) else 2
    for number in range(0, steps, every):
        y, z = (number + 0.5) * slope[0], (number + 1) * slope[1]
        at.bar((0, y, z), (0, y, z + height), 0.01, metal)
    ends = [((0.5) * slope[0], slope[1] + height), ((steps - 0.5) * slope[0], steps * slope[1] + height)]
    at.pipe([(0, y, z) for y, z in ends], 0.025, wood)


def _gallery(plan: Plan, place: Placed, body: Surface, floor: Surface, gap: tuple[float, float]) -> None:
    """A floor on a slab, closed below, with a rail at its edge but where the stairs arrive."""
    style, at = plan.style, Placement(plan.shell.solids)
    at.box(
        (place.left, place.front, 0), (place.right, place.back, place.top - 0.03), body, skip="bottom back left right"
    )
    at.box(
        (place.left, place.front - 0.02, place.top - 0.03),
        (place.right, place.back, place.top),
        floor,
        skip="back left right",
    )
    metal, wood, y = style.metal(), style.solid(), place.front + 0.05
    for left, right in ((place.left, gap[0]), (gap[1], place.right)):
        if right - left < 0.3:
            continue
        for x in np.linspace(left + 0.03, right - 0.03, max(2, math.ceil((right - left) / 0.14))):
            at.bar((float(x), y, place.top), (float(x), y, place.top + 0.95), 0.009, metal)
        at.pipe([(left, y, place.top + 0.95), (right, y, place.top + 0.95)], 0.025, wood)
