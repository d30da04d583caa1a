"""A random furnished room: furniture along the walls and in the middle that does not collide, and its light."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from fastdepth_ros.scene.rooms import chairs, corridor, cupboards, glazing, kitchen, stairs, tables, things, warehouse
from fastdepth_ros.scene.rooms.cast import Body
from fastdepth_ros.scene.rooms.kinds import ROOMS, Kind
from fastdepth_ros.scene.rooms.light import Glow
from fastdepth_ros.scene.rooms.lighting import light_room
from fastdepth_ros.scene.rooms.model import Array, Placement, Solids
from fastdepth_ros.scene.rooms.plan import Piece, Placed, Plan, ground_of, top_of
from fastdepth_ros.scene.rooms.render import Scene
from fastdepth_ros.scene.rooms.shell import build_shell
from fastdepth_ros.scene.rooms.style import Style
from fastdepth_ros.scene.rooms.surfaces import Surface

ALONG_WALLS: tuple[tuple[Piece, bool], ...] = (
    (chairs.sofa, True), (tables.desk, True), (tables.bed, True), (cupboards.shelf, False), (cupboards.chest, False),
    (cupboards.wardrobe, False), (cupboards.shelf, False), (cupboards.chest, False), (tables.bedside, True),
    (chairs.bench, True), (tables.table, True),
)  # fmt: skip
"""Furniture that stands at a wall, and whether its frame's origin is its middle (else its back)."""

ANYWHERE: tuple[Piece, ...] = (
    *chairs.CHAIRS, chairs.easy_chair, chairs.easy_chair, chairs.armchair, chairs.dining_chair, chairs.bentwood_chair,
    tables.coffee_table, tables.table, chairs.stool, chairs.stool, things.tall_plant, things.floor_lamp, things.boxes,
    tables.bedside,
)  # fmt: skip


IN_KITCHENS: tuple[Piece, ...] = (chairs.stool, chairs.stool, chairs.dining_chair, things.boxes, things.tall_plant)


@dataclass(frozen=True)
class Room:
    """A furnished room.

    Attributes:
        scene: all that can be photographed.
        size: width, length, height [m].
        placed: where furniture stands.
        sunny: where the sun falls, if it does.
        upstairs: raised ground on which a camera may stand.
    """

    scene: Scene
    size: tuple[float, float, float]
    placed: list[Placed]
    sunny: Array | None
    upstairs: list[Placed] = field(default_factory=list)


def build_room(rng: np.random.Generator, kind: Kind = ROOMS) -> Room:
    """A room of a kind, the same for a generator in the same state."""
    style = Style(rng, pale=bool(rng.random() < kind.pale))
    shell = build_shell(style, kind)
    plan = Plan(shell, style)
    if kind.holds == "racks":
        warehouse.furnish(plan)
    elif kind.holds == "doors":
        corridor.furnish(plan)
    elif kind.holds == "kitchen":
        kitchen.furnish(plan)
        _in_a_kitchen(plan)
        _ceiling_lamp(plan)
    else:
        if kind.holds == "stairs":
            stairs.furnish(plan)
        _furnish(plan, kind)
    body = Body(shell.solids)
    wanted = [piece for piece in plan.placed if piece.wanted]
    lights = light_room(style, shell, [piece.middle() for piece in wanted or plan.placed], body, kind.sunny)
    patches = [each.position for each in lights if isinstance(each, Glow)]
    return Room(Scene(body, lights), shell.size, plan.placed, patches[0] if patches else None, plan.upstairs)


def _furnish(plan: Plan, kind: Kind) -> None:
    """Furniture of a dwelling or an office."""
    glazing.furnish(plan, kind.glass)
    _seats(plan, kind.seats)
    _desks(plan, kind.desks)
    _at_walls(plan)
    _in_the_middle(plan)
    _rug(plan)
    _ceiling_lamp(plan)


def _seats(plan: Plan, wanted: int) -> None:
    """Chairs that stand free, most of them a step before a wall and more or less with their back to it."""
    style = plan.style
    for _ in range(wanted):
        make = chairs.CHAIRS[int(style.rng.integers(len(chairs.CHAIRS)))]
        make = chairs.easy_chair if style.chance(0.4) else make
        scratch = Solids()
        ground = make(Placement(scratch), style)
        for _ in range(6):
            frame, length = plan.shell.walls[int(style.rng.integers(4))]
            wall = Placement(plan.shell.solids, frame.axes, frame.origin)
            away = ground[1] / 2 + abs(style.rng.normal(0.1, 0.5))
            place = wall.at(style.between(0.3, length - 0.3), -away, 0, style.rng.normal(0, 50))
            if plan.stand(scratch, ground, place, True, 0.25):
                plan.placed[-1] = replace(plan.placed[-1], wanted=True)
                break


def _desks(plan: Plan, wanted: int) -> None:
    """Desks and tables full of things, most of them at a wall."""
    style = plan.style
    for _ in range(wanted):
        make = tables.worktop if style.chance(0.6) else tables.desk
        scratch = Solids()
        ground = make(Placement(scratch), style)
        for _ in range(6):
            frame, length = plan.shell.walls[int(style.rng.integers(4))]
            wall = Placement(plan.shell.solids, frame.axes, frame.origin)
            at_wall = style.chance(0.7)
            away = ground[1] / 2 + (style.between(0.02, 0.15) if at_wall else style.between(0.7, 1.5))
            turn = style.rng.normal(0, 2) if at_wall else style.between(-60, 60)
            if plan.stand(scratch, ground, wall.at(style.between(0.3, length - 0.3), -away, 0, turn), True, 0.1):
                plan.placed[-1] = replace(plan.placed[-1], wanted=True)
                break


def _at_walls(plan: Plan) -> None:
    style, shell = plan.style, plan.shell
    for number in style.rng.permutation(4):
        frame, length = shell.walls[number]
        wall = Placement(shell.solids, frame.axes, frame.origin)
        openings = [o for o in shell.openings if o.wall == number]
        if not openings and style.chance(0.5):
            width, x = style.between(0.75, 0.95), style.between(0.7, length - 0.7)
            if plan.stand(Solids(), (width + 0.2, 1.2), wall.at(x, -0.6), False):
                plan.placed.pop()  # nobody stands in it, but nothing is there to collide with either
                plan.placed.append(ground_of(wall.at(x, -0.4), width + 0.2, 0.8))
                cupboards.door(wall.at(x, 0), style, width, style.between(1.95, 2.1))
        for _ in range(int(style.rng.integers(1, 4))):
            make, central = ALONG_WALLS[int(style.rng.integers(len(ALONG_WALLS)))]
            scratch = Solids()
            w, d = make(Placement(scratch), style)
            if w > length:
                continue
            for _ in range(4):
                x = style.between(w / 2, length - w / 2)
                shades = any(o.left < x + w / 2 and x - w / 2 < o.right and o.low < top_of(scratch) for o in openings)
                if shades:
                    continue
                away = 0.18 if openings else style.between(0.01, 0.08)
                if central:
                    stood = plan.stand(scratch, (w, d), wall.at(x, -d / 2 - away), False)
                else:
                    shifted = Solids()
                    Placement(shifted).at(0, d / 2).put(scratch)
                    stood = plan.stand(shifted, (w, d), wall.at(x, -d / 2 - away), False)
                if stood:
                    _before(plan, wall.at(x, -d - away), make, w)
                    break
        for _ in range(int(style.rng.integers(0, 3))):
            w, h, x = style.between(0.25, 0.9), style.between(0.25, 0.7), style.between(0.5, length - 0.5)
            if not any(o.left - 0.5 < x < o.right + 0.5 for o in openings):
                cupboards.picture(wall.at(x, 0, style.between(1.35, 1.75)), style, w, h)


def _before(plan: Plan, front: Placement, make: Piece, width: float) -> None:
    """Furniture before a piece at a wall: a chair at a desk, a low table before a sofa."""
    style, scratch = plan.style, Solids()
    if make is tables.desk and style.chance(0.85):
        seat = chairs.office_chair if style.chance(0.6) else chairs.dining_chair
        ground = seat(Placement(scratch), style)
        plan.stand(scratch, ground, front.at(style.between(-0.2, 0.2), -0.4, 0, 180 + style.between(-50, 50)), True, 0)
    elif make is chairs.sofa and style.chance(0.7):
        ground = tables.coffee_table(Placement(scratch), style)
        plan.stand(
            scratch, ground, front.at(style.between(-0.2, 0.2) * width, -0.75, 0, style.between(-10, 10)), True, 0
        )


def _in_the_middle(plan: Plan) -> None:
    style, (w, d, _) = plan.style, plan.shell.size
    _dining_table(plan)
    wanted = int(style.rng.integers(3, 4 + int(w * d / 4)))
    for _ in range(wanted):
        plan.try_anywhere(ANYWHERE[int(style.rng.integers(len(ANYWHERE)))])


def _in_a_kitchen(plan: Plan) -> None:
    _dining_table(plan)
    for _ in range(int(plan.style.rng.integers(0, 4))):
        plan.try_anywhere(IN_KITCHENS[int(plan.style.rng.integers(len(IN_KITCHENS)))])


def _dining_table(plan: Plan) -> None:
    """A table with chairs around it, in some rooms."""
    style, (w, d, _) = plan.style, plan.shell.size
    at = Placement(plan.shell.solids)
    if style.chance(0.45):
        scratch = Solids()
        ground = tables.table(Placement(scratch), style)
        turn = style.between(-15, 15) + 90 * float(style.rng.integers(2))
        place = at.at(style.between(0.25, 0.75) * w, style.between(0.25, 0.75) * d, 0, turn)
        if plan.stand(scratch, ground, place, True):
            _chairs_around(plan, place, ground)


def _chairs_around(plan: Plan, table: Placement, ground: chairs.Ground) -> None:
    style = plan.style
    make = chairs.dining_chair if style.chance(0.7) else chairs.shell_chair
    state = style.rng.bit_generator.state
    sides = [(0, -ground[1] / 2, 180), (0, ground[1] / 2, 0), (-ground[0] / 2, 0, 90), (ground[0] / 2, 0, 270)]
    for x, y, turn in sides:
        # All chairs are alike: each is drawn from the same state.
        chair, now = Solids(), style.rng.bit_generator.state
        style.rng.bit_generator.state = state
        size = make(Placement(chair), style)
        style.rng.bit_generator.state = now
        if style.chance(0.75):
            away = style.between(0.3, 0.6)
            out = np.array([np.sign(x) * away, np.sign(y) * away])
            place = table.at(x + out[0], y + out[1], 0, turn + style.between(-20, 20))
            plan.stand(chair, size, place, True, -0.08)


def _rug(plan: Plan) -> None:
    style, (w, d, _) = plan.style, plan.shell.size
    if style.chance(0.4):
        a, b = style.between(0.3, 0.7) * w, style.between(0.3, 0.6) * d
        name = ("rug", "rug2", "rug3", "checks", "carpet", "stripes2")[int(style.rng.integers(6))]
        colour = (1.0, 1.0, 1.0) if name.startswith("rug") else style.colour(0.8)
        pile = Surface(colour, name, 0.0 if name.startswith("rug") else 0.6)
        place = Placement(plan.shell.solids).at(
            style.between(0.3, 0.7) * w, style.between(0.3, 0.7) * d, 0, style.between(-15, 15)
        )
        half = np.array([a, b]) / 2.3
        place.quad((-half[0], -half[1], 0.008), (2 * half[0], 0, 0), (0, 2 * half[1], 0), pile)


def _ceiling_lamp(plan: Plan) -> None:
    style, (w, d, h) = plan.style, plan.shell.size
    if style.chance(0.5):
        r, drop, on = style.between(0.12, 0.22), style.between(0.1, 0.6), style.chance(0.4)
        shade = Surface((1.0, 0.9, 0.75) if on else style.white(), glow=style.between(1.5, 4) if on else 0.0)
        at = Placement(plan.shell.solids).at(w / 2, d / 2, h)
        at.bar((0, 0, -drop), (0, 0, 0), 0.006, style.metal())
        at.ball((0, 0, -drop - r), (r, r, style.between(0.5, 1) * r), shade)
