"""Mirrors at walls and on the doors of wardrobes, and panes that stand in a room: what robots take for a way on.

Frames are those of ``cupboards``: front towards -y, the wall at y = 0. Functions return how much ground a piece takes.
"""

from __future__ import annotations

from dataclasses import replace

from fastdepth_ros.scene.rooms import cupboards
from fastdepth_ros.scene.rooms.chairs import Ground
from fastdepth_ros.scene.rooms.model import Placement, Solids
from fastdepth_ros.scene.rooms.plan import Piece, Plan, ground_of, top_of
from fastdepth_ros.scene.rooms.style import Style
from fastdepth_ros.scene.rooms.surfaces import Surface

SILVER = Surface((0.02, 0.02, 0.02), mirror=0.88)
TRIES = 6


def mirror(at: Placement, style: Style) -> Ground:
    """A mirror on the wall or, as often, one that reaches down to the floor, with a frame or without."""
    w, deep = style.between(0.4, 1.8), 0.03
    low = style.between(0.02, 0.1) if style.chance(0.5) else style.between(0.5, 1.1)
    high = max(low + 0.5, style.between(1.6, 2.1))
    at.box((-w / 2, -deep, low), (w / 2, 0, high), style.solid(), skip="back")
    edge = 0.002 if style.chance(0.4) else style.between(0.02, 0.08)
    corner = (-w / 2 + edge, -deep - 0.002, low + edge)
    at.quad(corner, (w - 2 * edge, 0, 0), (0, 0, high - low - 2 * edge), SILVER)
    return w, deep + 0.01


def mirror_wardrobe(at: Placement, style: Style) -> Ground:
    """A wardrobe with doors of which some are mirrors."""
    w, d, h = style.between(0.9, 2.2), style.between(0.45, 0.65), style.between(1.8, 2.25)
    count = max(1, round(w / style.between(0.5, 0.9)))
    cupboards.doors(at, style, w, d, h, count, style.solid())
    shown = style.rng.integers(count)
    for index in range(count):
        if index == shown or style.chance(0.5):
            left, wide = -w / 2 + index * w / count + 0.012, w / count - 0.024
            at.quad((left, -d - 0.02, 0.07), (wide, 0, 0), (0, 0, h - 0.1), SILVER)
    return w, d + 0.05


def pane(at: Placement, style: Style) -> Ground:
    """A wall of glass about the origin, seen from both sides, between posts or with a rail at the floor alone."""
    w, h = style.between(0.8, 2.6), style.between(1.8, 2.2)
    tint = style.between(0.3, 0.7)
    glass = Surface((0.9 * tint, tint, 0.95 * tint), mirror=0.08, clear=style.between(0.8, 0.96))
    at.quad((-w / 2, 0, 0.03), (w, 0, 0), (0, 0, h - 0.03), glass, double=True)
    frame, half = style.metal(), 0.02
    at.box((-w / 2, -half, 0), (w / 2, half, 0.04), frame)
    if style.chance(0.6):
        posts = (-w / 2, w / 2) if w < 1.5 or style.chance(0.5) else (-w / 2, 0.0, w / 2)
        for x in posts:
            at.box((x - half, -half, 0), (x + half, half, h), frame)
        at.box((-w / 2, -half, h - 0.04), (w / 2, half, h), frame)
    if style.chance(0.3):
        band, low, wide = Surface(style.white()), style.between(1.2, 1.5), style.between(0.04, 0.2)
        at.box((-w / 2, -0.003, low), (w / 2, 0.003, low + wide), band, skip="left right")
    return w, 2 * half


def furnish(plan: Plan, wanted: int) -> None:
    """Mirrors and panes, as far as there is place for them."""
    style = plan.style
    for _ in range(wanted):
        kind = style.rng.random()
        if kind < 0.4:
            _at_wall(plan, mirror)
        elif kind < 0.6:
            _at_wall(plan, mirror_wardrobe)
        else:
            _standing(plan)


def _at_wall(plan: Plan, make: Piece) -> None:
    """A piece with its back at a wall, mostly with nothing before it."""
    style, scratch, piece = plan.style, Solids(), Solids()
    w, d = make(Placement(scratch), style)
    Placement(piece).at(0, d / 2).put(scratch)
    for _ in range(TRIES):
        number = int(style.rng.integers(4))
        frame, length = plan.shell.walls[number]
        if w + 0.2 > length or top_of(scratch) > plan.shell.size[2]:
            continue
        x = style.between(w / 2 + 0.1, length - w / 2 - 0.1)
        if any(o.wall == number and o.left < x + w / 2 and x - w / 2 < o.right for o in plan.shell.openings):
            continue
        wall = Placement(plan.shell.solids, frame.axes, frame.origin)
        if plan.stand(piece, (w, d), wall.at(x, -d / 2), False):
            plan.placed[-1] = replace(plan.placed[-1], wanted=True)
            if style.chance(0.7):
                plan.placed.append(ground_of(wall.at(x, -d - 0.4), w, 0.7))  # keeps the view of it free
            return


def _standing(plan: Plan) -> None:
    """A pane that divides the room: from a wall into it, or free."""
    style, scratch = plan.style, Solids()
    w, d = pane(Placement(scratch), style)
    for _ in range(TRIES):
        if style.chance(0.6):
            frame, length = plan.shell.walls[int(style.rng.integers(4))]
            wall = Placement(plan.shell.solids, frame.axes, frame.origin)
            place = wall.at(style.between(0.5, length - 0.5), -w / 2 - 0.03, 0, 90)
        else:
            width, deep = (style.between(0.25, 0.75) * edge for edge in plan.shell.size[:2])
            place = Placement(plan.shell.solids).at(width, deep, 0, 90 * float(style.rng.integers(2)))
        if plan.stand(scratch, (w, d), place, True, 0.05):
            plan.placed[-1] = replace(plan.placed[-1], wanted=True)
            return
