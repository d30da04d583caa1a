"""Furniture, each piece in its own frame: it stands on z = 0 with its front towards -y."""

from __future__ import annotations

import math

import numpy as np

from fastdepth_ros.scene import textures as tx
from fastdepth_ros.scene.builder import Builder
from fastdepth_ros.scene.textures import Colour, Paint

OAK = (0.42, 0.25, 0.12)
WALNUT = (0.20, 0.10, 0.05)
PINE = (0.58, 0.40, 0.22)
WHITE = (0.74, 0.73, 0.70)
STEEL = (0.30, 0.30, 0.31)
GREEN = (0.10, 0.24, 0.07)

BOOK_COLOURS: tuple[Colour, ...] = (
    (0.45, 0.07, 0.06), (0.07, 0.16, 0.36), (0.10, 0.28, 0.14), (0.62, 0.45, 0.13), (0.55, 0.53, 0.46),
    (0.05, 0.05, 0.06), (0.30, 0.11, 0.26), (0.08, 0.32, 0.36), (0.60, 0.24, 0.07), (0.24, 0.15, 0.09),
)  # fmt: skip


def sofa(at: Builder, width: float, colour: Colour, pillows: tuple[Colour, ...]) -> None:
    """A sofa with arms, seat cushions and scattered pillows; its back is at y = 0.9."""
    fabric = tx.cloth(colour)
    at.box((-width / 2, 0.05, 0.12), (width / 2, 0.88, 0.34), fabric)
    at.box((-width / 2, 0.66, 0.34), (width / 2, 0.90, 0.82), fabric)
    for side in (-1, 1):
        outer, inner = side * width / 2, side * (width / 2 - 0.2)
        at.box((min(outer, inner), 0.02, 0.12), (max(outer, inner), 0.9, 0.60), fabric)
    seats = max(1, round((width - 0.4) / 0.65))
    each = (width - 0.4) / seats
    for index in range(seats):
        left = -width / 2 + 0.2 + index * each
        at.box((left + 0.01, 0.0, 0.34), (left + each - 0.01, 0.68, 0.47), fabric)
        at.box((left + 0.015, 0.54, 0.47), (left + each - 0.015, 0.68, 0.88), fabric)
    for index, tone in enumerate(pillows):
        place = -width / 2 + 0.42 + (width - 0.84) * index / max(1, len(pillows) - 1)
        at.cushion((place, 0.42, 0.66), (0.21, 0.085, 0.2), tx.cloth(tone, 0.2), degrees=12 * (-1) ** index, lean=-18)
    for x in (-width / 2 + 0.08, width / 2 - 0.08):
        for y in (0.1, 0.82):
            at.tube((x, y, 0), 0.02, 0.028, 0.12, tx.wood(WALNUT))


def table(at: Builder, width: float, depth: float, height: float, paint: Paint, thick: float = 0.035) -> None:
    """A table on four square legs, centred on the origin."""
    at.box((-width / 2, -depth / 2, height - thick), (width / 2, depth / 2, height), paint, skip="")
    x, y = width / 2 - 0.07, depth / 2 - 0.07
    for i in (-x, x):
        for j in (-y, y):
            at.box((i - 0.025, j - 0.025, 0), (i + 0.025, j + 0.025, height - thick), paint, skip="top bottom")
    at.box((-x, -y - 0.01, height - 0.11), (x, -y + 0.01, height - thick), paint, skip="top", shade=False)
    at.box((-x, y - 0.01, height - 0.11), (x, y + 0.01, height - thick), paint, skip="top", shade=False)


def chair(at: Builder, paint: Paint, seat: Paint) -> None:
    """A dining chair, centred on the origin; its back is at +y."""
    for x in (-0.19, 0.19):
        at.box((x - 0.018, -0.19, 0), (x + 0.018, -0.154, 0.45), paint)
        at.box((x - 0.018, 0.17, 0), (x + 0.018, 0.206, 0.92), paint)
    at.box((-0.22, -0.21, 0.43), (0.22, 0.21, 0.475), seat, skip="")
    for level in (0.60, 0.72, 0.84):
        at.box((-0.17, 0.178, level), (0.17, 0.198, level + 0.06), paint, skip="", shade=False)


def bookshelf(at: Builder, width: float, height: float, shelves: int, seed: int) -> None:
    """A bookcase full of books, its back at y = 0.32."""
    paint, upright, depth = tx.wood(OAK), tx.wood(OAK, vertical=True), 0.32
    at.box((-width / 2, 0, 0), (-width / 2 + 0.025, depth, height), upright)
    at.box((width / 2 - 0.025, 0, 0), (width / 2, depth, height), upright)
    at.panel((-width / 2, depth - 0.015, 0), (width, 0, 0), (0, 0, height), tx.wood((0.30, 0.18, 0.09)))
    at.box((-width / 2, 0, height - 0.025), (width / 2, depth, height), paint)
    at.box((-width / 2 + 0.025, 0.02, 0), (width / 2 - 0.025, depth, 0.08), paint)
    step = (height - 0.08) / shelves
    rng = np.random.default_rng(seed)
    for row in range(shelves):
        floor = 0.08 + row * step
        if row:
            at.box(
                (-width / 2 + 0.025, 0.01, floor - 0.02), (width / 2 - 0.025, depth, floor), paint, shade=False, skip=""
            )
        x, end = -width / 2 + 0.04, width / 2 - 0.04
        while x < end - 0.05:
            if rng.random() < 0.08:  # a gap between the books
                x += 0.05 + 0.12 * rng.random()
                continue
            thick, tall = 0.022 + 0.04 * rng.random(), min(step - 0.05, 0.19 + 0.11 * rng.random())
            back = tx.spine(BOOK_COLOURS[rng.integers(len(BOOK_COLOURS))], (0.62, 0.55, 0.36))
            front = 0.05 + 0.05 * rng.random()
            low, high = (x, front, floor), (min(end, x + thick), depth - 0.02, floor + tall)
            at.box(low, high, back, skip="bottom back", texel=0.005, shade=False)
            x += thick + 0.002
        at.shade((-width / 2, 0.1, floor), (width / 2, depth, floor + 0.6 * step))


def sideboard(at: Builder, width: float, height: float, doors: int) -> None:
    """A low cupboard with panelled doors and knobs, its back at y = 0.42."""
    body = tx.wood(PINE)
    at.box((-width / 2, 0.02, 0.06), (width / 2, 0.42, height), body)
    at.box((-width / 2 - 0.02, 0, height), (width / 2 + 0.02, 0.43, height + 0.03), body, skip="")
    at.box((-width / 2 + 0.04, 0.06, 0), (width / 2 - 0.04, 0.4, 0.06), tx.plain((0.05, 0.04, 0.03)), skip="top bottom")
    each = (width - 0.04) / doors
    for index in range(doors):
        left = -width / 2 + 0.02 + index * each
        door = tx.panels((0.62, 0.44, 0.25), (1,))
        at.box((left + 0.006, 0.0, 0.09), (left + each - 0.006, 0.02, height - 0.03), door, skip="back", shade=False)
        at.cushion(
            (left + (0.06 if index % 2 else each - 0.06), -0.012, height * 0.6), (0.013, 0.013, 0.013), tx.plain(STEEL)
        )


def floor_lamp(at: Builder, height: float) -> None:
    """A lamp on a thin pole with a glowing shade."""
    at.tube((0, 0, 0), 0.15, 0.14, 0.025, tx.plain(STEEL))
    at.panel((-0.1, -0.1, 0.026), (0.2, 0, 0), (0, 0.2, 0), tx.plain(STEEL))
    at.tube((0, 0, 0.025), 0.013, 0.013, height - 0.2, tx.plain(STEEL), shade=False)
    at.tube((0, 0, height - 0.28), 0.21, 0.15, 0.28, tx.cloth((0.95, 0.78, 0.50), 0.06), glow=1.15, shade=False)


def pendant(at: Builder, drop: float) -> None:
    """A globe that hangs from the ceiling at z = 0."""
    at.tube((0, 0, -drop), 0.006, 0.006, drop, tx.plain((0.08, 0.08, 0.08)), shade=False)
    at.tube((0, 0, -drop), 0.05, 0.02, 0.07, tx.plain(STEEL), shade=False)
    at.cushion((0, 0, -drop - 0.13), (0.15, 0.15, 0.15), tx.plain((1.0, 0.90, 0.72), 0.01), glow=1.25)


def plant(at: Builder, height: float, seed: int) -> None:
    """A tall house plant in a pot."""
    at.tube((0, 0, 0), 0.13, 0.18, 0.32, tx.plain((0.50, 0.22, 0.12), 0.08))
    at.panel((-0.12, -0.12, 0.30), (0.24, 0, 0), (0, 0.24, 0), tx.plain((0.06, 0.04, 0.03), 0.3))
    at.tube((0, 0, 0.28), 0.018, 0.01, height - 0.45, tx.wood((0.20, 0.14, 0.07)))
    rng = np.random.default_rng(seed)
    for index in range(34):
        angle, level = 2.4 * index + 0.4 * rng.random(), 0.42 + (height - 0.55) * index / 34
        reach, rise = 0.34 + 0.16 * rng.random(), 0.55 - 0.9 * rng.random()
        along = (reach * math.cos(angle), reach * math.sin(angle), reach * rise)
        wide = 0.11 + 0.06 * rng.random()
        tone = 0.7 + 0.7 * rng.random()
        leaf = tx.cloth([tone * c for c in GREEN], 0.15)
        at.leaf((0, 0, level), along, (-wide * math.sin(angle), wide * math.cos(angle), 0.0), leaf)


def curtain(at: Builder, width: float, height: float, folds: int, colour: Colour) -> None:
    """Folds of cloth from x = 0 on, hanging from z = ``height`` to the ground; seen from -y."""
    fabric, each = tx.cloth(colour, 0.10), width / (2 * folds)
    for index in range(2 * folds):
        out = 0.07 if index % 2 else 0.0
        step = -0.07 if index % 2 else 0.07
        at.panel((index * each, -out, 0), (each, -step, 0), (0, 0, height), fabric, texel=0.01)
    at.shade((0, -0.05, 0), (width, -0.01, height))


def picture(at: Builder, width: float, height: float, paint: Paint, frame: Colour) -> None:
    """A framed picture whose back hangs on y = 0, centred on x = 0 and z = 0."""
    w, h, edge = width / 2, height / 2, 0.035
    timber = tx.wood(frame)
    at.box((-w, -0.03, -h), (-w + edge, 0, h), timber, skip="back", shade=False)
    at.box((w - edge, -0.03, -h), (w, 0, h), timber, skip="back", shade=False)
    at.box((-w + edge, -0.03, -h), (w - edge, 0, -h + edge), timber, skip="back left right", shade=False)
    at.box((-w + edge, -0.03, h - edge), (w - edge, 0, h), timber, skip="back left right", shade=False)
    at.panel((-w + edge, -0.01, -h + edge), (width - 2 * edge, 0, 0), (0, 0, height - 2 * edge), paint, texel=0.003)
    at.shade((-w, -0.03, -h), (w, 0, h))


def vase(at: Builder, colour: Colour, seed: int) -> None:
    """A vase with a few stems."""
    at.tube((0, 0, 0), 0.05, 0.075, 0.12, tx.plain(colour))
    at.tube((0, 0, 0.12), 0.075, 0.03, 0.10, tx.plain(colour))
    rng = np.random.default_rng(seed)
    for index in range(7):
        angle, lean = index * 0.9, 0.35 + 0.25 * rng.random()
        tip = 0.22 + 0.1 * rng.random()
        along = (lean * tip * math.cos(angle), lean * tip * math.sin(angle), tip)
        at.leaf((0, 0, 0.2), along, (-0.05 * math.sin(angle), 0.05 * math.cos(angle), 0), tx.cloth(GREEN))
        petal = BOOK_COLOURS[index % 4]
        at.cushion((along[0], along[1], 0.2 + along[2]), (0.03, 0.03, 0.025), tx.cloth(petal, 0.3))


def books_flat(at: Builder, seed: int) -> None:
    """A small pile of books."""
    rng, level = np.random.default_rng(seed), 0.0
    for index in range(3):
        thick = 0.02 + 0.015 * rng.random()
        pile = at.at(0, 0, level, degrees=float(rng.integers(-18, 18)))
        cover = tx.plain(BOOK_COLOURS[(seed + 3 * index) % len(BOOK_COLOURS)])
        pile.box((-0.12, -0.085, 0), (0.12, 0.085, thick), {"rest": tx.plain((0.7, 0.68, 0.6)), "top": cover})
        level += thick


def mug(at: Builder, colour: Colour) -> None:
    """A mug."""
    at.tube((0, 0, 0), 0.038, 0.042, 0.095, tx.plain(colour))
    at.panel((-0.028, -0.028, 0.08), (0.056, 0, 0), (0, 0.056, 0), tx.plain((0.07, 0.04, 0.02)))


def bowl_of_fruit(at: Builder) -> None:
    """A wide bowl with oranges and apples."""
    at.tube((0, 0, 0), 0.07, 0.16, 0.08, tx.plain((0.16, 0.26, 0.38)))
    for index, colour in enumerate([(0.80, 0.32, 0.03), (0.62, 0.08, 0.05), (0.80, 0.36, 0.04), (0.35, 0.48, 0.08)]):
        angle = 1.6 * index
        centre = (0.065 * math.cos(angle), 0.065 * math.sin(angle), 0.085)
        at.cushion(centre, (0.043, 0.043, 0.04), tx.plain(colour, 0.1))
