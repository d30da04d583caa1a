"""Tables, desks and beds, centred on the origin of their frame, standing on z = 0 with their front towards -y.

Each function returns how much ground it takes: width and depth [m].
"""

from __future__ import annotations

import math

import numpy as np

from fastdepth_ros.scene.rooms.chairs import Ground
from fastdepth_ros.scene.rooms.model import Placement
from fastdepth_ros.scene.rooms.style import Style
from fastdepth_ros.scene.rooms.surfaces import Surface
from fastdepth_ros.scene.rooms.things import scatter, table_lamp


def table(at: Placement, style: Style) -> Ground:
    """A dining table, angular or round, laid with things."""
    return _table(at, style, style.between(0.8, 1.7), style.between(0.65, 0.95), style.between(0.7, 0.78))


def worktop(at: Placement, style: Style) -> Ground:
    """A table full of things, as one works at it."""
    h = style.between(0.68, 0.78)
    w, d = _table(at, style, style.between(1.0, 1.9), style.between(0.6, 0.95), h)
    for row in (-0.3, 0.05, 0.35):
        scatter(at.at(0, row * d, h), style, 0.8 * w, 0.2, int(style.rng.integers(1, 5)))
    return w, d


def coffee_table(at: Placement, style: Style) -> Ground:
    """A low table."""
    return _table(at, style, style.between(0.45, 1.2), style.between(0.4, 0.7), style.between(0.3, 0.52))


def _table(at: Placement, style: Style, w: float, d: float, h: float) -> Ground:
    top, thick = style.solid(), style.between(0.015, 0.045)
    legs = top if style.chance(0.6) else style.metal()
    if style.chance(0.3):  # round
        d = w = min(w, 1.2)
        at.bar((0, 0, h - thick), (0, 0, h), w / 2, top)
        at.ball((0, 0, h), (w / 2, w / 2, 0.004), top)
        at.ball((0, 0, h - thick), (w / 2, w / 2, 0.004), top)
        if style.chance(0.5):
            at.bar((0, 0, 0), (0, 0, h - thick), 0.045, legs)
            at.bar((0, 0, 0), (0, 0, 0.03), w / 4, legs, w / 4.3)
            at.ball((0, 0, 0.03), (w / 4.3, w / 4.3, 0.012), legs)
        else:
            for angle in np.radians([45, 135, 225, 315]):
                x, y = 0.36 * w * math.cos(angle), 0.36 * w * math.sin(angle)
                at.bar((1.1 * x, 1.1 * y, 0), (x, y, h - thick), 0.016, legs, 0.024)
        scatter(at.at(0, 0, h + 0.003), style, 0.7 * w, 0.5 * w, int(style.rng.integers(0, 4)))
        return w, w
    at.box((-w / 2, -d / 2, h - thick), (w / 2, d / 2, h), top, skip="")
    x, y, leg, round_leg = w / 2 - 0.05, d / 2 - 0.05, style.between(0.015, 0.04), style.chance(0.4)
    for i in (-x, x):
        for j in (-y, y):
            if round_leg:
                at.bar((i, j, 0), (i, j, h - thick), 0.7 * leg, legs, leg)
            else:
                at.box((i - leg, j - leg, 0), (i + leg, j + leg, h - thick), legs, skip="top bottom")
    if style.chance(0.5):
        for j in (-y, y):
            at.box((-x, j - 0.01, h - thick - 0.08), (x, j + 0.01, h - thick), legs, skip="top")
    if style.chance(0.25):
        at.box((-x, -y, 0.12), (x, y, 0.14), legs, skip="")
    scatter(at.at(0, 0, h), style, w - 0.1, d, int(style.rng.integers(0, 5)))
    return w, d


def desk(at: Placement, style: Style) -> Ground:
    """A desk with monitor, keyboard and things; one works at its front."""
    top, w, d, h = style.solid(), style.between(1.0, 1.7), style.between(0.55, 0.8), style.between(0.7, 0.77)
    at.box((-w / 2, -d / 2, h - 0.028), (w / 2, d / 2, h), top, skip="")
    if style.chance(0.5):
        for x in (-w / 2, w / 2 - 0.03):
            at.box((x, -d / 2 + 0.02, 0), (x + 0.03, d / 2, h - 0.028), top, skip="bottom top")
    else:
        metal = style.metal()
        for x in (-w / 2 + 0.06, w / 2 - 0.06):
            at.pipe(
                [
                    (x, -d / 2 + 0.06, 0.015),
                    (x, -d / 2 + 0.06, h - 0.04),
                    (x, d / 2 - 0.06, h - 0.04),
                    (x, d / 2 - 0.06, 0.015),
                ],
                0.018,
                metal,
            )
    if style.chance(0.6):
        drawers(at.at(w / 2 - 0.25, -d / 2 + 0.03), style, 0.4, d - 0.06, h - 0.03, top)
    plastic = Surface(style.colour(0.05)) if style.chance(0.4) else Surface((0.02, 0.02, 0.02), gloss=0.2)
    for x in ([0.0], [-0.3, 0.32])[int(style.chance(0.25) and w > 1.35)]:
        screen = at.at(x - 0.1, 0.12, h, style.between(-15, 15))
        size = style.between(0.22, 0.32)
        screen.box((-0.1, -0.06, 0), (0.1, 0.1, 0.012), plastic)
        screen.box((-0.02, 0.03, 0), (0.02, 0.05, 0.2), plastic)
        screen.box((-size, 0, 0.11), (size, 0.03, 0.11 + 1.2 * size), plastic, skip="")
        on = Surface((1, 1, 1), "desktop", 0.0, glow=style.between(0.3, 0.9))
        shown = on if style.chance(0.5) else style.stretched("screen")
        screen.quad((-size + 0.01, -0.001, 0.12), (2 * size - 0.02, 0, 0), (0, 0, 1.2 * size - 0.02), shown)
    board = at.at(-0.1, -0.14, h, style.between(-6, 6))
    case = style.lacquer()
    board.box((-0.22, -0.07, 0), (0.22, 0.07, 0.018), case)
    board.quad((-0.21, -0.06, 0.019), (0.42, 0, 0), (0, 0.12, 0), style.stretched("keys", case.colour))
    at.ball((0.22, -0.15, h + 0.01), (0.03, 0.05, 0.018), case)
    scatter(at.at(0, d / 2 - 0.12, h), style, w - 0.1, 0.2, int(style.rng.integers(0, 4)))
    if style.chance(0.3):
        table_lamp(at.at(-w / 2 + 0.18, 0.1, h), style)
    return w, d


def drawers(at: Placement, style: Style, w: float, d: float, h: float, surface: Surface) -> None:
    """A chest: front on y = 0, centred on x = 0."""
    at.box((-w / 2, 0, 0.02), (w / 2, d, h), surface)
    count = max(1, round(h / 0.2))
    knob, front = style.metal(), surface if style.chance(0.6) else style.lacquer()
    for index in range(count):
        low = 0.05 + index * (h - 0.06) / count
        high = low + (h - 0.06) / count - 0.012
        at.box((-w / 2 + 0.012, -0.014, low), (w / 2 - 0.012, 0, high), front, skip="back")
        at.pipe([(-0.06, -0.03, (low + high) / 2), (0.06, -0.03, (low + high) / 2)], 0.007, knob)


def bedside(at: Placement, style: Style) -> Ground:
    """A bedside cupboard with things on it."""
    w, d, h = style.between(0.38, 0.55), style.between(0.35, 0.45), style.between(0.4, 0.65)
    drawers(at.at(0, -d / 2), style, w, d, h, style.solid())
    scatter(at.at(0, 0, h), style, w - 0.05, d - 0.1, 2)
    return w, d


def bed(at: Placement, style: Style) -> Ground:
    """A bed with its head at the back: mattress, blanket, pillows, folds."""
    w, d, h = style.between(0.9, 1.7), style.between(1.95, 2.1), style.between(0.3, 0.5)
    wood, sheet, cover = style.solid(), Surface(style.white(), "cloth", 0.6), style.cloth()
    at.box((-w / 2, -d / 2, 0.12), (w / 2, d / 2, h - 0.1), wood, skip="")
    for x in (-w / 2 + 0.05, w / 2 - 0.05):
        at.bar((x, -d / 2 + 0.06, 0), (x, -d / 2 + 0.06, 0.13), 0.03, wood)
    at.box((-w / 2, d / 2 - 0.04, 0.1), (w / 2, d / 2, h + style.between(0.2, 0.6)), wood, skip="")
    at.pad((-w / 2 + 0.02, -d / 2 + 0.02, h - 0.14), (w / 2 - 0.02, d / 2 - 0.05, h + 0.06), sheet)
    turned = style.between(0.15, 0.5)
    at.pad((-w / 2 - 0.03, -d / 2 - 0.02, h - 0.12), (w / 2 + 0.03, d / 2 - 0.4 - turned, h + 0.1), cover)
    for _ in range(int(style.rng.integers(2, 7))):
        fold = at.at(
            style.between(-w / 3, w / 3), style.between(-d / 2 + 0.3, d / 2 - 0.9), h + 0.065, style.between(0, 180)
        )
        fold.ball((0, 0, 0), (style.between(0.15, 0.4), 0.05, 0.05), cover)
    for x in (0.0,) if w < 1.2 else (-w / 4, w / 4):
        pillow = at.at(x + style.between(-0.05, 0.05), d / 2 - 0.3, h + 0.13, style.between(-15, 15), -10)
        pillow.ball((0, 0, 0), (0.32, 0.24, 0.09), sheet if style.chance(0.6) else style.cloth())
    return w, d
