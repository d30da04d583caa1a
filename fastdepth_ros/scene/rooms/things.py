"""Lamps, plants and what lies about: each stands on z = 0 of its frame, about its origin."""

from __future__ import annotations

import math

import numpy as np

from fastdepth_ros.scene.rooms.model import Placement
from fastdepth_ros.scene.rooms.style import Style
from fastdepth_ros.scene.rooms.surfaces import Surface

WARM = (1.0, 0.82, 0.58)


def scatter(at: Placement, style: Style, width: float, depth: float, count: int) -> None:
    """Things side by side on a rectangle about the origin."""
    lanes = max(1, int(width / 0.24))
    for lane in style.rng.permutation(lanes)[:count]:
        x = (lane + 0.5) / lanes * width - width / 2
        y = style.between(-0.3, 0.3) * max(0.0, depth - 0.2)
        THINGS[int(style.rng.integers(len(THINGS)))](at.at(x, y, 0, style.between(-40, 40)), style)


def mug(at: Placement, style: Style) -> None:
    """A mug with its handle."""
    glaze, r, h = style.lacquer(), style.between(0.032, 0.045), style.between(0.07, 0.11)
    at.bar((0, 0, 0), (0, 0, h), r, glaze)
    at.ball((0, 0, h - 0.01), (r, r, 0.008), Surface((0.05, 0.03, 0.02)))
    at.pipe([(r, 0, 0.02), (r + 0.025, 0, h / 2), (r, 0, h - 0.02)], 0.006, glaze, 2)


def bottle(at: Placement, style: Style) -> None:
    """A bottle or a carafe."""
    glass = Surface(style.colour(0.9), gloss=0.8)
    r, h = style.between(0.03, 0.045), style.between(0.18, 0.32)
    at.bar((0, 0, 0), (0, 0, 0.65 * h), r, glass)
    at.bar((0, 0, 0.65 * h), (0, 0, 0.78 * h), r, glass, 0.013)
    at.bar((0, 0, 0.78 * h), (0, 0, h), 0.013, glass)
    at.ball((0, 0, h), (0.014, 0.014, 0.006), style.lacquer())


def vase(at: Placement, style: Style) -> None:
    """A vase, with or without flowers."""
    glaze, h, r = style.lacquer(), style.between(0.15, 0.35), style.between(0.05, 0.09)
    at.bar((0, 0, 0), (0, 0, 0.45 * h), 0.55 * r, glaze, r)
    at.bar((0, 0, 0.45 * h), (0, 0, h), r, glaze, 0.5 * r)
    at.ball((0, 0, h - 0.01), (0.48 * r, 0.48 * r, 0.004), Surface((0.03, 0.03, 0.03)))
    if style.chance(0.6):
        bloom, green = Surface(style.colour(1.0), "leaf", 0.1), Surface((0.08, 0.2, 0.05), "leaf", 0.1)
        for _ in range(int(style.rng.integers(3, 8))):
            x, y, z = style.between(-0.12, 0.12), style.between(-0.12, 0.12), h + style.between(0.1, 0.3)
            at.bar((0, 0, h - 0.02), (x, y, z), 0.003, green)
            at.ball((x, y, z), (0.035, 0.035, 0.025), bloom)


def pile(at: Placement, style: Style) -> None:
    """Books or magazines that lie on each other."""
    level = 0.0
    for _ in range(int(style.rng.integers(1, 6))):
        thick, w = style.between(0.01, 0.04), style.between(0.09, 0.13)
        cover = Surface(style.colour(0.9))
        at.at(0, 0, level, style.between(-20, 20)).box((-w, -0.75 * w, 0), (w, 0.75 * w, thick), cover)
        level += thick


def bowl(at: Placement, style: Style) -> None:
    """A bowl of fruit."""
    at.bar((0, 0, 0), (0, 0, 0.07), 0.06, style.lacquer(), 0.14)
    for index in range(int(style.rng.integers(3, 7))):
        fruit = Surface((style.between(0.3, 0.8), style.between(0.08, 0.5), 0.05))
        at.ball((0.07 * math.cos(1.7 * index), 0.07 * math.sin(1.7 * index), 0.075), (0.04, 0.04, 0.038), fruit)


def carton(at: Placement, style: Style) -> None:
    """A box: cardboard, a radio, a basket."""
    w, d, h = style.between(0.06, 0.14), style.between(0.05, 0.12), style.between(0.05, 0.2)
    cover = style.lacquer() if style.chance(0.6) else Surface((0.42, 0.28, 0.16), "rough", 0.3)
    at.box((-w, -d, 0), (w, d, h), cover)


def laptop(at: Placement, style: Style) -> None:
    """An open laptop."""
    body = Surface(style.colour(0.05))
    at.box((-0.17, -0.12, 0), (0.17, 0.12, 0.016), body)
    at.quad((-0.15, -0.02, 0.017), (0.3, 0, 0), (0, 0.12, 0), style.stretched("keys", (0.05, 0.05, 0.05)))
    lid = at.at(0, 0.12, 0.016, tilt=style.between(5, 30))
    lid.box((-0.17, 0, 0), (0.17, 0.008, 0.23), body)
    shown = (
        Surface((1, 1, 1), "desktop", 0.0, glow=style.between(0.3, 0.9))
        if style.chance(0.6)
        else style.stretched("screen")
    )
    lid.quad((-0.16, -0.001, 0.012), (0.32, 0, 0), (0, 0, 0.2), shown)


def table_lamp(at: Placement, style: Style) -> None:
    """A small lamp; whether it is on shows only in its shade."""
    foot, h, r = style.lacquer(), style.between(0.3, 0.5), style.between(0.09, 0.16)
    at.bar((0, 0, 0), (0, 0, 0.03), 0.08, foot)
    at.ball((0, 0, 0.03), (0.08, 0.08, 0.01), foot)
    at.bar((0, 0, 0.03), (0, 0, h - 0.1), 0.012, foot)
    on = style.chance(0.4)
    shade = Surface(WARM if on else style.white(), "cloth", 0.3, glow=style.between(0.9, 2.5) if on else 0)
    at.bar((0, 0, h - 0.17), (0, 0, h), r, shade, 0.7 * r)
    at.ball((0, 0, h - 0.005), (0.68 * r, 0.68 * r, 0.004), shade)


def pot_plant(at: Placement, style: Style) -> None:
    """A small plant in a pot."""
    plant(at, style, style.between(0.2, 0.4), 0.08)


THINGS = (mug, mug, bottle, vase, pile, pile, bowl, carton, laptop, table_lamp, pot_plant)


def plant(at: Placement, style: Style, height: float, pot: float) -> None:
    """A plant: long leaves from the ground, broad ones along a stem, or a bush."""
    clay = style.lacquer() if style.chance(0.5) else Surface((0.45, 0.2, 0.11), "rough", 0.3)
    at.bar((0, 0, 0), (0, 0, 1.7 * pot), 0.75 * pot, clay, pot)
    at.ball((0, 0, 1.6 * pot), (0.96 * pot, 0.96 * pot, 0.01), Surface((0.04, 0.03, 0.02)))
    tone = style.between(0.6, 1.6)
    base, kind = 1.6 * pot, style.rng.integers(3)
    stem = Surface((0.12, 0.09, 0.05), "wood")
    if kind:
        at.bar((0, 0, base), (0, 0, base + 0.75 * height), 0.02 * height, stem, 0.01 * height)
    for index in range(int(style.rng.integers(14, 34))):
        angle, own = 2.4 * index + style.between(0, 0.5), tone * style.between(0.7, 1.3)
        green = Surface((0.09 * own, 0.2 * own, 0.06 * own), "leaf", 0.3, gloss=0.2)
        leaf = at.at(0, 0, 0, math.degrees(angle))
        if kind == 0:
            out, up = style.between(0.1, 0.6) * height, style.between(0.5, 1.0) * height
            middle = (0.4 * out, -0.02 * height, base + 0.7 * up)
            _leaf(leaf, (0, 0, base), middle, 0.05 * height, green)
            _leaf(leaf, middle, (out, 0, base + up), 0.04 * height, green)
        elif kind == 1:
            level, out = base + style.between(0.25, 0.8) * height, style.between(0.25, 0.45) * height
            _leaf(leaf, (0, 0, level), (out, 0, level + style.between(-0.15, 0.25) * height), 0.16 * height, green)
        else:
            level, out = base + style.between(0.4, 0.9) * height, style.between(0.05, 0.3) * height
            leaf.at(out, 0, level, 0, style.between(-50, 50)).ball(
                (0, 0, 0), (0.08 * height, 0.12 * height, 0.02 * height), green
            )


def _leaf(
    at: Placement, start: tuple[float, float, float], end: tuple[float, float, float], width: float, green: Surface
) -> None:
    way = np.subtract(end, start)
    at.quad((start[0], start[1] - width / 2, start[2]), way.tolist(), (0, width, 0), green, double=True)


def floor_lamp(at: Placement, style: Style) -> tuple[float, float]:
    """A lamp on a pole; the returned ground is that of its foot."""
    metal, h = style.metal(), style.between(1.2, 1.8)
    at.bar((0, 0, 0), (0, 0, 0.02), 0.14, metal)
    at.ball((0, 0, 0.02), (0.14, 0.14, 0.01), metal)
    at.bar((0, 0, 0), (0, 0, h), 0.012, metal)
    on = style.chance(0.4)
    r = style.between(0.12, 0.24)
    shade = Surface(WARM if on else style.white(), "cloth", 0.3, glow=style.between(0.9, 3.0) if on else 0)
    at.bar((0, 0, h - 0.15), (0, 0, h + 0.12), r, shade, style.between(0.5, 1) * r)
    return 0.4, 0.4


def tall_plant(at: Placement, style: Style) -> tuple[float, float]:
    """A plant that stands on the ground."""
    plant(at, style, style.between(0.6, 1.5), style.between(0.12, 0.2))
    return 0.6, 0.6


def boxes(at: Placement, style: Style) -> tuple[float, float]:
    """Removal boxes or baskets, one or two on each other."""
    paper = Surface((0.42, 0.28, 0.16), "rough", 0.5) if style.chance(0.6) else style.lacquer()
    w, d, h = style.between(0.18, 0.3), style.between(0.15, 0.25), style.between(0.2, 0.4)
    at.box((-w, -d, 0), (w, d, h), paper)
    if style.chance(0.4):
        at.at(0, 0, h, style.between(-15, 15)).box(
            (-0.9 * w, -0.9 * d, 0), (0.9 * w, 0.9 * d, 0.8 * h), style.toned(paper, 1.1)
        )
    return 2 * w, 2 * d
