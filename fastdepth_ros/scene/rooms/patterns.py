"""More paints, for random rooms: floors, cloths, screens, books, and what is seen through a window.

They are relative, about 1 where nothing is to be seen, and are multiplied with a surface's colour.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from fastdepth_ros.scene import textures as tx
from fastdepth_ros.scene.textures import Colour, Paint, Texels

ONE = (1.0, 1.0, 1.0)


def tiles(joint: float, count: int, uneven: float) -> Paint:
    """Square tiles: ``count`` in a row, grout of relative brightness ``joint``, each a little different."""

    def paint(rng: np.random.Generator, height: int, width: int) -> Texels:
        each = cv2.resize(1 + uneven * tx.grain(rng, count, count), (width, height), interpolation=cv2.INTER_NEAREST)
        shade = each * (1 + 0.4 * uneven * tx.noise(rng, height, width, (6, 6)))
        step = width / count
        for line in range(count + 1):
            at = round(line * step)
            shade[max(0, at - 1) : at + 1] = joint
            shade[:, max(0, at - 1) : at + 1] = joint
        return _grey(shade)

    return paint


def herringbone(rng: np.random.Generator, height: int, width: int) -> Texels:
    """Short boards that alternate in direction and tone."""
    cell = width // 8
    picture = np.empty((height, width, 3), np.float32)
    for row in range(0, height, cell):
        for column in range(0, width, cell):
            board = tx.wood(ONE, 0.18, vertical=(row // cell + column // cell) % 2 == 0)(rng, cell, cell)
            board *= np.float32(0.75 + 0.5 * rng.random())
            board[-1] *= 0.6
            board[:, -1] *= 0.6
            picture[row : row + cell, column : column + cell] = board
    return picture


def flowers(rng: np.random.Generator, height: int, width: int) -> Texels:
    """Blots in a few colours on white: printed cloth, wallpaper."""
    picture = np.ones((height, width, 3), np.float32)
    for _ in range(26):
        centre = (int(rng.integers(width)), int(rng.integers(height)))
        tone = [float(v) for v in rng.uniform(0.2, 1.1, 3)]
        for petal in range(5):
            angle = 2 * np.pi * petal / 5
            spot = (int(centre[0] + 9 * np.cos(angle)), int(centre[1] + 9 * np.sin(angle)))
            cv2.circle(picture, spot, int(rng.integers(4, 9)), tone, -1)
    return picture


def checks(first: Colour, second: Colour, count: int) -> Paint:
    """A woven check of two tones."""

    def paint(rng: np.random.Generator, height: int, width: int) -> Texels:
        row = (np.arange(height) * count // height % 2)[:, None]
        column = (np.arange(width) * count // width % 2)[None, :]
        mix = ((row + column) / 2).astype(np.float32)[..., None]
        picture = np.asarray(first, np.float32) * mix + np.asarray(second, np.float32) * (1 - mix)
        return np.asarray(picture * (1 + 0.1 * tx.grain(rng, height, width))[..., None], np.float32)

    return paint


def marble(rng: np.random.Generator, height: int, width: int) -> Texels:
    """Veined stone."""
    veins = np.abs(tx.noise(rng, height, width, (4, 4), 5))
    return _grey(np.clip(0.72 + 0.9 * veins, 0, 1.05) * (1 + 0.05 * tx.grain(rng, height, width)))


def speckle(amount: float, cells: int) -> Paint:
    """Carpet, terrazzo, rough plaster: grains of a size."""

    def paint(rng: np.random.Generator, height: int, width: int) -> Texels:
        return _grey(
            1 + amount * (tx.noise(rng, height, width, (cells, cells), 2) + 0.6 * tx.grain(rng, height, width))
        )

    return paint


def keys(rng: np.random.Generator, height: int, width: int) -> Texels:
    """A keyboard from above."""
    picture = np.full((height, width, 3), 0.3, np.float32)
    for row in range(5):
        for column in range(15):
            x, y = int((column + 0.15) * width / 15), int((row + 0.12) * height / 5)
            cv2.rectangle(picture, (x, y), (x + int(0.7 * width / 15), y + int(0.74 * height / 5)), (1.0, 1.0, 1.0), -1)
    return picture * np.float32(0.9 + 0.2 * rng.random())


def desktop(rng: np.random.Generator, height: int, width: int) -> Texels:
    """A monitor that is on: windows with lines of text."""
    picture = np.full((height, width, 3), rng.uniform(0.05, 0.5, 3), np.float32)
    for _ in range(3):
        x, y = int(rng.integers(0, width // 2)), int(rng.integers(0, height // 2))
        right, low = x + int(rng.integers(width // 3, width // 2)), y + int(rng.integers(height // 3, height // 2))
        paper = float(rng.choice([0.05, 0.9]))
        cv2.rectangle(picture, (x, y), (right, low), (paper, paper, paper), -1)
        for line in range(y + 8, low - 6, 9):
            end = int(rng.integers(x + 12, right - 3))
            cv2.line(picture, (x + 6, line), (end, line), (0.5, 0.5, 0.55), 2)
    return picture


def books(rng: np.random.Generator, height: int, width: int) -> Texels:
    """A row of book spines."""
    picture, x = np.empty((height, width, 3), np.float32), 0
    while x < width:
        thick = int(rng.integers(8, 26))
        colour = rng.uniform(0.04, 0.75, 3) * rng.uniform(0.5, 1.0)
        picture[:, x : x + thick] = tx.spine(colour.tolist(), (0.6, 0.55, 0.4))(rng, height, min(thick, width - x))
        picture[:, x : x + 1] = 0.03
        x += thick
    return picture


def street(rng: np.random.Generator, height: int, width: int) -> Texels:
    """View through the window of a town: pale sky over fronts of houses."""
    picture = np.full((height, width, 3), (0.9, 0.95, 1.0), np.float32)
    x = 0
    while x < width:
        house, top = int(rng.integers(30, 80)), int(rng.integers(height // 5, height // 2))
        picture[top:, x : x + house] = rng.uniform(0.15, 0.5) * np.array([1.0, 0.93, 0.85])
        for y in range(top + 12, height - 8, 24):
            for column in range(x + 6, min(x + house, width) - 8, 18):
                picture[y : y + 12, column : column + 9] = 0.07
        x += house
    return picture


def abstract(rng: np.random.Generator, height: int, width: int) -> Texels:
    """A painting of shapes."""
    picture = np.full((height, width, 3), rng.uniform(0.2, 0.9, 3), np.float32)
    for _ in range(9):
        centre, radius = (int(rng.integers(width)), int(rng.integers(height))), int(rng.integers(10, 90))
        tone = [float(v) for v in rng.uniform(0.02, 0.9, 3)]
        if rng.random() < 0.5:
            cv2.circle(picture, centre, radius, tone, -1)
        else:
            cv2.rectangle(picture, centre, (centre[0] + radius, centre[1] + 2 * radius), tone, -1)
    return picture


def _grey(shade: npt.NDArray[np.floating]) -> Texels:
    return np.repeat(np.asarray(shade, np.float32)[..., None], 3, axis=2)
