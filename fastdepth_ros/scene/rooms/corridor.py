"""Doors, radiators, notices, handrails and lamps along a corridor, and furniture that stands there."""

from __future__ import annotations

import math

import numpy as np

from fastdepth_ros.scene.rooms import chairs, cupboards, things
from fastdepth_ros.scene.rooms.chairs import Ground
from fastdepth_ros.scene.rooms.model import Placement, Solids
from fastdepth_ros.scene.rooms.plan import Piece, Plan, ground_of
from fastdepth_ros.scene.rooms.style import Style
from fastdepth_ros.scene.rooms.surfaces import Surface

LONG = (1, 3)
"""Walls along the corridor."""

ENDS = (0, 2)
DARK = Surface((0.03, 0.03, 0.035), beyond=True)
"""Darkness behind a door that is ajar, whose depth nobody knows."""

STANDING: tuple[tuple[Piece, bool], ...] = (
    (chairs.bench, True), (cupboards.chest, False), (things.boxes, True), (chairs.dining_chair, True),
    (things.tall_plant, True), (cupboards.wardrobe, False),
)  # fmt: skip
"""Furniture at the wall, and whether its frame's origin is its middle (else its back)."""


def furnish(plan: Plan) -> None:
    """Doors that are alike along both walls, and between them what corridors have; lamps in a row."""
    style, (w, d, h) = plan.style, plan.shell.size
    wide, tall = style.between(0.75, 0.98), min(style.between(1.95, 2.12), h - 0.15)
    # All doors are alike: one is drawn, and put where a door is.
    closed, ajar = Solids(), Solids()
    state = style.rng.bit_generator.state
    cupboards.door(Placement(closed), style, wide, tall)
    now = style.rng.bit_generator.state
    style.rng.bit_generator.state = state
    _ajar(Placement(ajar), style, wide, tall)
    style.rng.bit_generator.state = now
    for number in LONG:
        _along(plan, number, (wide, tall), closed, ajar)
    for number in ENDS:
        _end(plan, number, tall)
    _rails(plan)
    _lamps(plan)
    if style.chance(0.25):
        cloth = Surface(style.colour(0.8), ("carpet", "stripes2", "checks")[int(style.rng.integers(3))], 0.6)
        half = style.between(0.3, 0.42) * w
        Placement(plan.shell.solids).quad((w / 2 - half, 0.4, 0.006), (2 * half, 0, 0), (0, d - 0.8, 0), cloth)


def _along(plan: Plan, number: int, size: tuple[float, float], closed: Solids, ajar: Solids) -> None:
    style = plan.style
    frame, length = plan.shell.walls[number]
    wall = Placement(plan.shell.solids, frame.axes, frame.origin)
    openings = [(o.left - 0.6, o.right + 0.6) for o in plan.shell.openings if o.wall == number]
    x = style.between(0.6, 1.6)
    while x < length - 0.7:
        kind = style.rng.random()
        if any(left < x < right for left, right in openings):
            x += 0.5
            continue
        if kind < 0.5:
            wall.at(x, 0).put(ajar if style.chance(0.12) else closed)
            plan.placed.append(ground_of(wall.at(x, -0.3), size[0] + 0.2, 0.6))  # keeps the way to it free
            if style.chance(0.6):
                plate = Surface(style.white())
                wall.box((x + size[0] / 2 + 0.12, -0.008, 1.45), (x + size[0] / 2 + 0.27, 0, 1.55), plate, skip="back")
        elif kind < 0.6:
            cupboards.radiator(wall.at(x, 0), style, style.between(0.6, 1.2), 0.12, style.between(0.5, 0.9))
        elif kind < 0.75:
            cupboards.picture(
                wall.at(x, 0, style.between(1.35, 1.6)), style, style.between(0.3, 0.9), style.between(0.3, 0.7)
            )
        elif kind < 0.82:
            _extinguisher(wall.at(x, 0), style)
        elif kind < 0.95:
            _stand(plan, wall, x)
        x += style.between(0.9, 1.9)


def _stand(plan: Plan, wall: Placement, x: float) -> None:
    """Furniture at a wall, where it leaves a way of 0.7 m."""
    style, scratch = plan.style, Solids()
    make, central = STANDING[int(style.rng.integers(len(STANDING)))]
    w, d = make(Placement(scratch), style)
    if d + 0.75 > plan.shell.size[0]:
        return
    piece = scratch
    if not central:
        piece = Solids()
        Placement(piece).at(0, d / 2).put(scratch)
    plan.stand(piece, (w, d), wall.at(x, -d / 2 - 0.03), False)


def _ajar(at: Placement, style: Style, width: float, height: float) -> Ground:
    """A door whose leaf stands into the corridor; behind it it is dark."""
    half = width / 2
    at.quad((-half, -0.002, 0), (width, 0, 0), (0, 0, height), DARK)
    leaf = Solids()
    cupboards.door(Placement(leaf), style, width, height)
    # The frame stays at the wall; leaf and handle turn about the hinge on the left.
    angle = -style.between(25, 100)
    hinge = at.at(-half, -0.02, 0, angle)
    for kind, rows in enumerate((leaf.quads, leaf.bars, leaf.balls)):
        for row, surface in zip(rows, leaf.surfaces[kind], strict=True):
            # Leaf and handle, which begin above the floor; the frame stands on it.
            inner = abs(float(row[0])) <= half + 1e-6 and 0.001 < float(row[2]) < height - 0.01
            part = Solids()
            (part.quads, part.bars, part.balls)[kind].append(row)
            part.surfaces[kind].append(surface)
            if kind == 0:
                part.shell.append(False)
            (hinge.at(half, 0) if inner else at).put(part)
    back = Surface(leaf.surfaces[0][0].colour)
    hinge.quad((width, 0.0, 0.005), (-width, 0, 0), (0, 0, height - 0.005), back)
    return width, 0.1


def _extinguisher(at: Placement, style: Style) -> None:
    """A fire extinguisher on the wall, with its sign."""
    red, z = Surface((0.55, 0.02, 0.02), gloss=0.5), style.between(0.5, 0.9)
    at.bar((0, -0.1, z), (0, -0.1, z + 0.42), 0.075, red)
    at.ball((0, -0.1, z + 0.42), (0.075, 0.075, 0.06), red)
    at.pipe([(0, -0.1, z + 0.48), (0.06, -0.13, z + 0.42), (0.08, -0.13, z + 0.1)], 0.012, Surface((0.03, 0.03, 0.03)))
    at.box((-0.1, -0.006, z + 0.75), (0.1, 0, z + 0.95), Surface((0.6, 0.03, 0.03)), skip="back")


def _end(plan: Plan, number: int, tall: float) -> None:
    """A double door, a picture or nothing at an end without a window."""
    style = plan.style
    frame, length = plan.shell.walls[number]
    wall = Placement(plan.shell.solids, frame.axes, frame.origin)
    if any(o.wall == number for o in plan.shell.openings):
        return
    if style.chance(0.6):
        wide, paint = min(0.9, 0.42 * length), style.lacquer()
        for x in (length / 2 - wide / 2, length / 2 + wide / 2):
            panel = style.stretched("door2", paint.colour) if style.chance(0.5) else paint
            wall.box((x - wide / 2 + 0.005, -0.03, 0.005), (x + wide / 2 - 0.005, 0, tall), paint, panel, skip="back")
        for x in (-0.09, 0.09):
            wall.pipe([(length / 2 + x, -0.07, 0.85), (length / 2 + x, -0.07, 1.25)], 0.014, style.metal())
    elif style.chance(0.5):
        cupboards.picture(wall.at(length / 2, 0, 1.5), style, style.between(0.3, 0.8), style.between(0.3, 0.7))


def _rails(plan: Plan) -> None:
    """A handrail, or a board that keeps beds and trolleys off the wall."""
    style = plan.style
    kind = style.rng.random()
    if kind > 0.3:
        return
    wood = style.solid()
    for number in LONG:
        frame, length = plan.shell.walls[number]
        wall = Placement(plan.shell.solids, frame.axes, frame.origin)
        taken = sorted(
            (p.front, p.back)
            for p in plan.placed
            if (p.right > plan.shell.size[0] - 0.1 if number == LONG[0] else p.left < 0.1)
        )
        start = 0.1
        for front, back in [*taken, (length - 0.1, length)]:
            # Wall 1 runs against y, wall 3 with it.
            if front - start > 0.6:
                ends = (start, front - 0.1)
                left, right = ends if number == LONG[1] else (length - ends[1], length - ends[0])
                if kind < 0.15:
                    wall.bar((left, -0.07, 0.9), (right, -0.07, 0.9), 0.02, wood)
                    for x in np.linspace(left + 0.1, right - 0.1, max(2, math.ceil((right - left) / 1.5))):
                        wall.bar((float(x), -0.07, 0.9), (float(x), 0, 0.85), 0.008, style.metal())
                else:
                    wall.box((left, -0.02, 0.75), (right, 0, 0.95), wood, skip="back")
            start = max(start, back + 0.1)


def _lamps(plan: Plan) -> None:
    style, (w, d, h) = plan.style, plan.shell.size
    on, across, every = style.chance(0.8), style.chance(0.5), style.between(1.8, 3.2)
    colour = (1.0, 0.97, 0.9)
    shade = Surface(colour, glow=style.between(1.5, 4)) if on else Surface(style.white())
    at = Placement(plan.shell.solids)
    half = (min(0.6, 0.3 * w), 0.0) if across else (0.0, 0.6)
    for y in np.arange(every / 2, d, every):
        x = w / 2
        at.bar((x - half[0], float(y) - half[1], h - 0.06), (x + half[0], float(y) + half[1], h - 0.06), 0.03, shade)
        at.box(
            (x - half[0] - 0.05, float(y) - half[1] - 0.05, h - 0.03),
            (x + half[0] + 0.05, float(y) + half[1] + 0.05, h),
            Surface(style.white(0.03)),
            skip="top",
        )
