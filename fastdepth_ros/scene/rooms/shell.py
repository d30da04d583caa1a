"""Floor, ceiling, walls with windows and glass doors, skirting boards: an empty room of random size and finish."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fastdepth_ros.scene.rooms.cupboards import curtain, radiator
from fastdepth_ros.scene.rooms.kinds import Kind
from fastdepth_ros.scene.rooms.model import Array, Placement, Solids
from fastdepth_ros.scene.rooms.style import Rgb, Style
from fastdepth_ros.scene.rooms.surfaces import Surface

WALLS = ("plain", "plaster", "rough", "woodchip", "stripes3", "stripes", "flowers", "brick")
FLOORS = (
    "boards",
    "boards2",
    "laminate",
    "herringbone",
    "tiles",
    "tiles2",
    "tiles3",
    "carpet",
    "terrazzo",
    "plain",
    "chequer",
)


BARE_WALLS = ("plain", "plaster", "rough", "brick")
BARE_FLOORS = ("plain", "rough", "terrazzo", "tiles", "tiles2", "carpet")
"""Finishes of workplaces."""


@dataclass(frozen=True)
class Opening:
    """A window or glass door.

    Attributes:
        wall: number of its wall.
        left, right, low, high: its edges in the wall's frame [m].
    """

    wall: int
    left: float
    right: float
    low: float
    high: float


@dataclass(frozen=True)
class Shell:
    """An empty room.

    Attributes:
        solids: what it is made of; furniture is added to it.
        size: width (x), length (y), height (z) [m].
        walls: a frame for each wall: x to the right seen from inside, y into the wall; and the wall's length [m].
        openings: windows.
        floor: the colour of the floor, which tints the light from below.
        wall: the colour of the walls, which tints the light from everywhere.
    """

    solids: Solids
    size: tuple[float, float, float]
    walls: list[tuple[Placement, float]]
    openings: list[Opening]
    floor: Rgb
    wall: Rgb

    def edges(self, opening: Opening) -> Array:
        """Corner and two edges of an opening in the room (3, 3)."""
        frame = self.walls[opening.wall][0]
        corner = frame.point((opening.left, 0, opening.low))
        u = frame.axes @ np.array([opening.right - opening.left, 0, 0])
        return np.stack([corner, u, np.array([0, 0, opening.high - opening.low])])


def build_shell(style: Style, kind: Kind) -> Shell:
    """A room with one to three windows."""
    rng = style.rng
    w, d, h = style.between(*kind.width), style.between(*kind.length), style.between(*kind.height)
    solids = Solids()
    at = Placement(solids, shell=True)
    floor = _floor(style, BARE_FLOORS if kind.bare else FLOORS)
    wall = Surface(
        style.white(0.1) if style.chance(0.9 if style.pale else 0.55) else _tone(style),
        _name(style, BARE_WALLS if kind.bare else WALLS, 4),
        style.between(0.6, 1.5),
    )
    ceiling = Surface(style.white(0.05), "plain", 1.5)
    at.quad((0, 0, 0), (w, 0, 0), (0, d, 0), floor)
    at.quad((0, d, h), (w, 0, 0), (0, -d, 0), ceiling)
    walls = [
        (at.at(0, d), w),
        (at.at(w, d, 0, -90), d),
        (at.at(w, 0, 0, 180), w),
        (at.at(0, 0, 0, 90), d),
    ]
    count = 1 + int(rng.random() < 0.3) + int(rng.random() < 0.1)
    openings = [
        _opening(style, int(number), walls[number][1], h, kind.windows) for number in rng.permutation(4)[:count]
    ]
    board = Surface(style.white(0.08)) if style.chance(0.6) else style.wood()
    tall, skirting = style.between(0.05, 0.14), style.chance(0.85)
    accent = (
        Surface(style.colour(0.6) if style.chance(0.4) else _tone(style), wall.texture, wall.scale)
        if style.chance(0.2)
        else wall
    )
    for number, (frame, length) in enumerate(walls):
        mine = [opening for opening in openings if opening.wall == number]
        _wall(frame, length, h, mine, accent if number == 0 else wall)
        gaps = [(o.left, o.right) for o in mine if o.low < tall]
        left = 0.0
        for start, end in [*gaps, (length, length)]:
            if skirting and start > left:
                frame.box((left, -0.014, 0), (start, 0, tall), board, skip="back bottom left right")
            left = end
        for opening in mine:
            _window(frame, style, opening)
    return Shell(solids, (w, d, h), walls, openings, floor.colour, wall.colour)


def _name(style: Style, names: tuple[str, ...], frequent: int) -> str:
    return names[int(style.rng.integers(frequent if style.chance(0.75) else len(names)))]


def _tone(style: Style) -> Rgb:
    """A wall's colour: few walls are dark."""
    colour, level = style.colour(0.5), style.between(0.25, 0.75)
    red, green, blue = (level * part / max(colour) for part in colour)
    return (red, green, blue)


def _floor(style: Style, names: tuple[str, ...]) -> Surface:
    texture = names[int(style.rng.integers(len(names)))]
    gloss = style.between(0, 0.9) if style.chance(0.5) else 0.0
    scale = style.between(1.2, 2.4)
    if texture in ("boards", "boards2", "laminate", "herringbone"):
        colour = style.wood().colour
        return Surface(colour, texture, scale, gloss)
    if texture.startswith("tiles") or texture == "terrazzo":
        colour = style.white() if style.chance(0.6) else style.colour(0.4)
        return Surface(colour, texture, scale, gloss)
    return Surface(style.colour(0.4), texture, scale, 0.0 if texture == "carpet" else gloss)


def _opening(style: Style, number: int, length: float, height: float, widest: float) -> Opening:
    glass_door = style.chance(0.35)
    width = min(style.between(0.8, widest), length - 0.5)
    left = style.between(0.25, length - width - 0.25)
    low = 0.06 if glass_door else style.between(0.5, 1.05)
    high = style.between(1.95, min(2.4, height - 0.1)) if height > 2.1 else height - 0.1
    return Opening(number, left, left + width, low, high)


def _wall(at: Placement, length: float, height: float, openings: list[Opening], surface: Surface) -> None:
    parts = [(0.0, length, 0.0, height)]
    for o in openings:
        parts = [
            (0, o.left, 0, height),
            (o.right, length, 0, height),
            (o.left, o.right, 0, o.low),
            (o.left, o.right, o.high, height),
        ]
    for left, right, low, high in parts:
        at.quad((left, 0, low), (right - left, 0, 0), (0, 0, high - low), surface)


def _window(at: Placement, style: Style, opening: Opening) -> None:
    left, right, low, high = opening.left, opening.right, opening.low, opening.high
    deep = style.between(0.12, 0.3)
    white = Surface(style.white(0.06)) if style.chance(0.8) else style.wood()
    at.quad((left, 0, low), (0, deep, 0), (0, 0, high - low), white)
    at.quad((right, deep, low), (0, -deep, 0), (0, 0, high - low), white)
    at.quad((left, 0, low), (right - left, 0, 0), (0, deep, 0), white)
    at.quad((left, deep, high), (right - left, 0, 0), (0, -deep, 0), white)
    view = ("garden", "street", "plain")[int(style.rng.integers(3))]
    sky = Surface((1, 1, 1), view, 0.0, glow=style.between(2.0, 9.0), beyond=True)
    at.quad((left, deep, low), (right - left, 0, 0), (0, 0, high - low), sky)
    inside = Placement(at.solids, at.axes, at.origin)
    bar, y = style.between(0.04, 0.08), deep - 0.06
    panes = max(1, round((right - left) / style.between(0.5, 1.1)))
    for x in np.linspace(left, right - bar, panes + 1):
        inside.box((x, y, low), (x + bar, y + 0.05, high), white, skip="back top bottom")
    levels = [low, high - bar]
    if style.chance(0.5):
        levels += [low + (high - low) * share for share in ((0.7,), (0.33, 0.66))[int(style.rng.integers(2))]]
    for z in levels:
        inside.box((left, y, z), (right, y + 0.05, z + bar), white, skip="back left right")
    if low > 0.3:
        inside.box((left - 0.06, -style.between(0.05, 0.25), low - 0.03), (right + 0.06, 0.0, low), white, skip="back")
        if style.chance(0.6):
            radiator(inside.at((left + right) / 2, 0), style, 0.8 * (right - left), 0.12, max(0.35, low - 0.15))
    if style.chance(0.5):
        cloth, bottom = style.cloth(), 0.03 if style.chance(0.7) else max(0.03, low - 0.15)
        width = style.between(0.2, 0.4) * (right - left)
        inside.bar((left - 0.3, -0.08, high + 0.09), (right + 0.3, -0.08, high + 0.09), 0.012, style.metal())
        for x in (left - 0.25, right + 0.25 - width):
            curtain(inside.at(x, -0.06), style, width, bottom, high + 0.08, cloth)
