"""Procedural paints: the share of light that a surface sends back, as float32 (height, width, 3) RGB in 0..1, linear.

A paint takes a random generator and the number of texels; the same generator gives the same picture.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

Texels = npt.NDArray[np.float32]
Paint = Callable[[np.random.Generator, int, int], Texels]
Colour = Sequence[float]


def noise(rng: np.random.Generator, height: int, width: int, cells: tuple[float, float], octaves: int = 3) -> Texels:
    """Smooth noise (height, width), about -1..1: octaves of random grids of ``cells`` (rows, columns), blown up."""
    total = np.zeros((height, width), np.float32)
    for octave in range(octaves):
        rows, columns = (max(2, round(count * 2**octave)) for count in cells)
        grid = rng.random((min(rows, height + 1), min(columns, width + 1)), np.float32) * 2 - 1
        total += cv2.resize(grid, (width, height), interpolation=cv2.INTER_CUBIC) * 0.5**octave
    return total


def grain(rng: np.random.Generator, height: int, width: int) -> Texels:
    """White noise, -1..1."""
    return rng.random((height, width), np.float32) * 2 - 1


def _tint(colour: Colour, shade: Texels) -> Texels:
    tinted: Texels = np.asarray(colour, np.float32) * shade[..., None]
    return tinted


def plain(colour: Colour, rough: float = 0.03) -> Paint:
    """One colour, a little uneven: painted wood, plaster, metal."""

    def paint(rng: np.random.Generator, height: int, width: int) -> Texels:
        shade = 1 + rough * noise(rng, height, width, (3, 4)) + 0.5 * rough * grain(rng, height, width)
        return _tint(colour, shade)

    return paint


def cloth(colour: Colour, contrast: float = 0.12) -> Paint:
    """Woven fabric: threads across and along, and worn patches."""

    def paint(rng: np.random.Generator, height: int, width: int) -> Texels:
        across = grain(rng, 1, width) * 0.5
        along = grain(rng, height, 1) * 0.5
        shade = 1 + contrast * (across + along + 0.8 * grain(rng, height, width) + noise(rng, height, width, (3, 3)))
        return _tint(colour, shade)

    return paint


def wood(colour: Colour, contrast: float = 0.25, vertical: bool = False) -> Paint:
    """Grain along the width, or along the height where ``vertical``."""

    def paint(rng: np.random.Generator, height: int, width: int) -> Texels:
        if vertical:
            return np.ascontiguousarray(wood(colour, contrast)(rng, width, height).transpose(1, 0, 2))
        bend = noise(rng, height, width, (2, 2), 2)
        across = np.linspace(0, 9, height, dtype=np.float32)[:, None]
        rings = np.sin((across + 1.6 * bend) * 2.2)
        fibres = noise(rng, height, width, (height / 2.5, 3), 1)
        return _tint(colour, np.asarray(1 + contrast * (0.45 * rings + 0.5 * fibres), np.float32))

    return paint


def planks(colour: Colour, across: int, along: int) -> Paint:
    """A floor of ``across`` rows of boards, each row of ``along`` boards, staggered."""

    def paint(rng: np.random.Generator, height: int, width: int) -> Texels:
        picture = np.empty((height, width, 3), np.float32)
        edges = np.linspace(0, height, across + 1).astype(int)
        length = width // along
        for top, bottom in pairwise(edges.tolist()):
            joints = [0, *(np.arange(along) * length + int(rng.integers(length // 5, length))).tolist(), width]
            for left, right in pairwise(joints):
                if right <= left:
                    continue
                tone = 0.72 + 0.5 * rng.random()
                board = wood(colour, 0.2)(rng, bottom - top, right - left) * np.float32(tone)
                board[-1:] *= 0.45
                board[:, -1:] *= 0.45
                picture[top:bottom, left:right] = board
        return picture

    return paint


def stripes(first: Colour, second: Colour, count: int) -> Paint:
    """Upright stripes: wallpaper."""

    def paint(rng: np.random.Generator, height: int, width: int) -> Texels:
        phase = np.linspace(0, count, width, endpoint=False, dtype=np.float32) % 1
        mix = np.clip((np.abs(phase - 0.5) - 0.25) * 40 + 0.5, 0, 1)[None, :, None]
        picture = np.asarray(first, np.float32) * mix + np.asarray(second, np.float32) * (1 - mix)
        shade = 1 + 0.03 * noise(rng, height, width, (4, 6)) + 0.02 * grain(rng, height, width)
        return np.asarray(picture * shade[..., None], np.float32)

    return paint


def rug(field: Colour, border: Colour, figure: Colour) -> Paint:
    """A carpet: bands along its edge, and rows of diamonds."""

    def paint(rng: np.random.Generator, height: int, width: int) -> Texels:
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        edge = np.minimum(np.minimum(x, width - 1 - x), np.minimum(y, height - 1 - y)) / height
        cell = height / 5
        diamonds = np.abs((x / cell) % 1 - 0.5) + np.abs((y / cell) % 1 - 0.5)
        picture = np.broadcast_to(np.asarray(field, np.float32), (height, width, 3)).copy()
        picture[diamonds < 0.3] = figure
        picture[diamonds < 0.14] = border
        picture[edge < 0.12] = border
        picture[(edge > 0.04) & (edge < 0.065)] = figure
        pile = 1 + 0.16 * grain(rng, height, width) + 0.08 * noise(rng, height, width, (5, 7))
        return np.asarray(picture * pile[..., None], np.float32)

    return paint


def landscape(sky: Colour, hills: Sequence[Colour]) -> Paint:
    """A painting: sky, a low sun and rows of hills."""

    def paint(rng: np.random.Generator, height: int, width: int) -> Texels:
        y = np.linspace(0, 1, height, dtype=np.float32)[:, None]
        glow = (0.55 + 0.65 * y)[..., None]
        picture = np.broadcast_to(np.asarray(sky, np.float32) * glow, (height, width, 3)).copy()
        columns = np.arange(width)
        sun = np.hypot(columns[None, :] - width * (0.2 + 0.6 * rng.random()), y * height - 0.3 * height)
        picture[sun < 0.1 * height] = (0.95, 0.85, 0.55)
        for index, colour in enumerate(hills):
            level = 0.42 + 0.16 * index
            ridge = level + 0.09 * noise(rng, 1, width, (1, 3 + index), 3)[0]
            mask = y > ridge[None, :]
            picture[mask] = colour
        return np.asarray(picture * (1 + 0.1 * noise(rng, height, width, (12, 16), 2))[..., None], np.float32)

    return paint


def garden(rng: np.random.Generator, height: int, width: int) -> Texels:
    """View through the window: bright sky, clouds, tree tops."""
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    picture = np.broadcast_to(
        np.asarray((0.55, 0.75, 1.0), np.float32) * (0.8 + 0.35 * y)[..., None], (height, width, 3)
    )
    clouds = np.clip(noise(rng, height, width, (3, 4), 4) * 1.4 + 0.1, 0, 1)[..., None]
    picture = picture * (1 - 0.8 * clouds) + 0.8 * clouds * np.float32(1.1)
    crowns = 0.62 + 0.16 * noise(rng, 1, width, (1, 4), 4)
    leaves = noise(rng, height, width, (16, 24), 3)
    trees = y + 0.03 * leaves > crowns
    green = np.asarray((0.16, 0.30, 0.09), np.float32) * (1 + 0.5 * leaves)[..., None]
    return np.asarray(np.where(trees[..., None], green, picture), np.float32)


def panels(colour: Colour, rows: Sequence[float], columns: int = 1) -> Paint:
    """A door: raised panels, lit edge and shaded edge. ``rows`` are the panels' relative heights, from the top."""

    def paint(rng: np.random.Generator, height: int, width: int) -> Texels:
        picture = plain(colour)(rng, height, width)
        gap = max(3, width // (6 * columns))
        panel_width = (width - gap * (columns + 1)) // columns
        free = height - gap * (len(rows) + 1)
        top = gap
        for share in rows:
            tall = int(free * share / sum(rows))
            for column in range(columns):
                left = gap + column * (panel_width + gap)
                cv2.rectangle(picture, (left, top), (left + panel_width, top + tall), [0.7 * c for c in colour], 3)
                cv2.line(
                    picture, (left, top + tall), (left + panel_width, top + tall), [min(1, 1.25 * c) for c in colour], 2
                )
            top += tall + gap
        return picture

    return paint


def fins(colour: Colour, count: int) -> Paint:
    """A radiator: upright fins with dark gaps."""

    def paint(rng: np.random.Generator, height: int, width: int) -> Texels:
        phase = np.linspace(0, count, width, endpoint=False, dtype=np.float32) % 1
        shade = 0.55 + 0.5 * np.sin(np.pi * phase) ** 0.5
        return _tint(colour, np.broadcast_to(shade[None, :], (height, width)) * (1 + 0.02 * grain(rng, height, width)))

    return paint


def spine(colour: Colour, accent: Colour) -> Paint:
    """The back of a book: a title block and two bands."""

    def paint(rng: np.random.Generator, height: int, width: int) -> Texels:
        picture = cloth(colour, 0.08)(rng, height, width)
        start = int(height * (0.15 + 0.15 * rng.random()))
        picture[start : start + max(2, height // 4), width // 4 : max(width // 4 + 1, 3 * width // 4)] = accent
        for level in (0.06, 0.9):
            row = int(height * level)
            picture[row : row + max(1, height // 40)] = accent
        return picture

    return paint


def dial(rng: np.random.Generator, height: int, width: int) -> Texels:
    """A clock's face in a dark ring, on a square."""
    picture = plain((0.78, 0.77, 0.72))(rng, height, width)
    centre, radius = (width // 2, height // 2), min(width, height) // 2
    cv2.rectangle(picture, (0, 0), (width - 1, height - 1), (0.10, 0.08, 0.07), max(2, radius // 6))
    for hour in range(12):
        angle = np.pi * hour / 6
        outer = (int(centre[0] + 0.75 * radius * np.sin(angle)), int(centre[1] - 0.75 * radius * np.cos(angle)))
        inner = (int(centre[0] + 0.6 * radius * np.sin(angle)), int(centre[1] - 0.6 * radius * np.cos(angle)))
        cv2.line(picture, inner, outer, (0.05, 0.05, 0.05), 2)
    cv2.line(picture, centre, (centre[0] + radius // 3, centre[1] - radius // 4), (0.05, 0.05, 0.05), 3)
    cv2.line(picture, centre, (centre[0] - radius // 8, centre[1] - radius // 2), (0.05, 0.05, 0.05), 2)
    return picture


def screen(rng: np.random.Generator, height: int, width: int) -> Texels:
    """A dark television with the pale reflection of a window."""
    picture = np.full((height, width, 3), 0.012, np.float32)
    y, x = np.mgrid[0 : 1 : complex(height), 0 : 1 : complex(width)].astype(np.float32)
    band = np.clip(1 - np.abs(x - 0.35 - 0.25 * y) * 6, 0, 1)
    picture += (0.05 * band * (1 - y))[..., None]
    picture[: max(1, height // 30)] = picture[-max(1, height // 30) :] = 0.02
    return picture * (1 + 0.1 * grain(rng, height, width))[..., None]
