"""Furniture that stands or hangs along walls: front towards -y, the wall at y = 0, centred on x = 0, standing on z = 0.

Functions of furniture return how much ground they take: width and depth [m].
"""

from __future__ import annotations

from fastdepth_ros.scene.rooms.chairs import Ground
from fastdepth_ros.scene.rooms.model import Placement
from fastdepth_ros.scene.rooms.style import Style
from fastdepth_ros.scene.rooms.surfaces import Surface
from fastdepth_ros.scene.rooms.tables import drawers
from fastdepth_ros.scene.rooms.things import scatter


def shelf(at: Placement, style: Style) -> Ground:
    """An open shelf with books and things, with a back or without."""
    w, d, h = style.between(0.5, 1.4), style.between(0.24, 0.4), style.between(0.8, 2.2)
    wood, thick = style.solid(), style.between(0.016, 0.03)
    for x in (-w / 2, w / 2 - thick):
        at.box((x, -d, 0), (x + thick, 0, h), wood)
    if style.chance(0.7):
        at.quad((-w / 2, -0.01, 0), (w, 0, 0), (0, 0, h), style.toned(wood, 0.85))
    rows = max(2, round(h / style.between(0.28, 0.42)))
    step = (h - 0.06 - thick) / rows
    for row in range(rows + 1):
        level = 0.06 + row * step
        at.box((-w / 2 + thick, -d, level - thick), (w / 2 - thick, -0.012, level), wood, skip="left right back")
        if row == rows:
            break
        kind = style.rng.integers(4)
        x, end = -w / 2 + thick + 0.01, w / 2 - thick - 0.01
        if kind == 0:
            scatter(at.at(0, -d / 2, level), style, w - 0.1, 0.1, 3)
        elif kind == 1:
            tall = min(step - 0.06, style.between(0.17, 0.28))
            right = x + (end - x) * style.between(0.4, 1.0)
            at.box(
                (x, -d + 0.06, level),
                (right, -0.02, level + tall),
                Surface((0.6, 0.58, 0.52)),
                style.stretched("books" if style.chance(0.5) else "books2"),
            )
        elif kind == 2:
            while x < end - 0.06 and style.chance(0.95):
                wide, tall = style.between(0.018, 0.06), min(step - 0.05, style.between(0.16, 0.32))
                at.box(
                    (x, -d + style.between(0.02, 0.09), level),
                    (x + wide, -0.03, level + tall),
                    Surface(style.colour(0.9)),
                    skip="bottom back",
                )
                x += wide + 0.002
    scatter(at.at(0, -d / 2, h), style, w, 0.1, int(style.rng.integers(0, 3)))
    return w, d


def chest(at: Placement, style: Style) -> Ground:
    """A chest of drawers, or a sideboard, with things or a television on it."""
    w, d, h = style.between(0.6, 1.7), style.between(0.38, 0.5), style.between(0.45, 1.1)
    surface, left = style.solid(), -w / 2
    columns = max(1, round(w / 0.6))
    for index in range(columns):
        middle = left + (index + 0.5) * w / columns
        if style.chance(0.5):
            drawers(at.at(middle, -d), style, w / columns, d, h - 0.03, surface)
        else:
            doors(at.at(middle, 0), style, w / columns, d, h - 0.03, 1, surface)
    at.box((left - 0.01, -d - 0.02, h - 0.03), (w / 2 + 0.01, 0, h), surface, skip="")
    if h < 0.75 and w > 0.9 and style.chance(0.5):
        size, black = style.between(0.4, 0.62), Surface((0.015, 0.015, 0.015), gloss=0.3)
        at.box((-0.2, -d / 2 - 0.1, h), (0.2, -d / 2 + 0.1, h + 0.015), black)
        at.box((-0.03, -d / 2, h), (0.03, -d / 2 + 0.03, h + 0.1), black)
        at.box(
            (-size, -d / 2, h + 0.07),
            (size, -d / 2 + 0.04, h + 0.07 + 1.13 * size),
            black,
            style.stretched("screen"),
            skip="",
        )
    else:
        scatter(at.at(0, -d / 2, h), style, w - 0.1, 0.2, int(style.rng.integers(0, 5)))
    return w, d


def wardrobe(at: Placement, style: Style) -> Ground:
    """A tall cupboard."""
    w, d, h = style.between(0.7, 1.9), style.between(0.4, 0.62), style.between(1.7, 2.25)
    doors(at, style, w, d, h, max(1, round(w / 0.5)), style.solid())
    return w, d


def doors(at: Placement, style: Style, w: float, d: float, h: float, count: int, surface: Surface) -> None:
    """A cupboard's body with doors side by side."""
    at.box((-w / 2, -d, 0.03), (w / 2, 0, h), surface)
    front = surface if style.chance(0.6) else style.lacquer()
    panelled, handle = style.chance(0.4), style.metal()
    for index in range(count):
        left, right = -w / 2 + index * w / count + 0.005, -w / 2 + (index + 1) * w / count - 0.005
        face = style.stretched("door2" if h > 1.2 else "door", front.colour) if panelled else front
        at.box((left, -d - 0.018, 0.05), (right, -d, h - 0.01), front, face, skip="back")
        x = right - 0.05 if index % 2 == 0 else left + 0.05
        at.pipe([(x, -d - 0.04, h * 0.5 - 0.06), (x, -d - 0.04, h * 0.5 + 0.06)], 0.007, handle)


def radiator(at: Placement, style: Style, width: float, low: float, high: float) -> None:
    """A radiator of flat ribs, or of tubes."""
    white = Surface(style.white(0.05), gloss=0.2)
    if style.chance(0.5):
        at.box(
            (-width / 2, -0.13, low), (width / 2, -0.03, high), white, style.stretched("fins", white.colour), skip=""
        )
        return
    count = round(width / 0.06)
    for index in range(count):
        x = -width / 2 + (index + 0.5) * width / count
        at.pipe([(x, -0.08, low), (x, -0.08, high)], 0.02, white)
    for level in (low, high):
        at.bar((-width / 2, -0.08, level), (width / 2, -0.08, level), 0.025, white)


def door(at: Placement, style: Style, width: float, height: float) -> None:
    """A closed door in its frame."""
    paint = style.lacquer() if style.chance(0.7) else style.wood()
    frame = paint if style.chance(0.7) else Surface(style.white())
    leaf = paint if style.chance(0.4) else style.stretched(("door", "door2")[int(style.rng.integers(2))], paint.colour)
    half = width / 2
    at.box((-half, -0.015, 0.005), (half, 0, height), paint, leaf, skip="back")
    for x in (-half - 0.07, half):
        at.box((x, -0.035, 0), (x + 0.07, 0, height + 0.07), frame, skip="back")
    at.box((-half, -0.035, height), (half, 0, height + 0.07), frame, skip="back")
    steel = style.metal()
    at.pipe([(half - 0.07, -0.01, 1.03), (half - 0.07, -0.055, 1.03), (half - 0.18, -0.055, 1.03)], 0.009, steel)


def curtain(at: Placement, style: Style, width: float, low: float, high: float, cloth: Surface) -> None:
    """Folds of cloth from x = 0 to ``width``."""
    folds = max(3, round(width / style.between(0.08, 0.13)))
    each, deep = width / folds, style.between(0.03, 0.06)
    for index in range(folds):
        y, step = (-deep, deep) if index % 2 else (0.0, -deep)
        at.quad((index * each, y - 0.03, low), (each, step, 0), (0, 0, high - low), cloth, double=True)


def picture(at: Placement, style: Style, width: float, height: float) -> None:
    """A framed picture about the origin; its back hangs on the wall."""
    frame, w, h = style.solid(), width / 2, height / 2
    names = ("hills", "sunset", "abstract", "abstract2", "marble", "flowers", "dial")
    shown = style.stretched(names[int(style.rng.integers(len(names)))])
    at.box((-w, -0.025, -h), (w, 0, h), frame, skip="back")
    edge = style.between(0.015, 0.05)
    if style.chance(0.5):
        at.quad(
            (-w + edge, -0.026, -h + edge), (2 * (w - edge), 0, 0), (0, 0, 2 * (h - edge)), Surface(style.white(0.05))
        )
        edge += style.between(0.03, 0.08)
    if w > edge and h > edge:
        at.quad((-w + edge, -0.027, -h + edge), (2 * (w - edge), 0, 0), (0, 0, 2 * (h - edge)), shown)
