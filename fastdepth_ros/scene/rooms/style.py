"""The taste of a room: which woods, cloths, paints and metals its things are made of."""

from __future__ import annotations

import colorsys
from dataclasses import replace

import numpy as np

from fastdepth_ros.scene.rooms.surfaces import Surface

Rgb = tuple[float, float, float]

WOODS: tuple[Rgb, ...] = (
    (0.74, 0.72, 0.68), (0.62, 0.48, 0.31), (0.58, 0.40, 0.22), (0.42, 0.25, 0.12), (0.50, 0.28, 0.15),
    (0.30, 0.16, 0.08), (0.20, 0.10, 0.05), (0.09, 0.05, 0.035), (0.03, 0.03, 0.03), (0.45, 0.42, 0.38),
)  # fmt: skip
METALS: tuple[Rgb, ...] = (
    (0.45, 0.45, 0.46),
    (0.03, 0.03, 0.03),
    (0.75, 0.75, 0.74),
    (0.45, 0.33, 0.12),
    (0.25, 0.25, 0.26),
)
CLOTHS = ("cloth", "cloth2", "leather", "plain", "stripes", "stripes2", "checks", "checks2", "flowers", "carpet")


class Style:
    """Draws materials that go together.

    Args:
        rng: where chance comes from.
        pale: whether nearly everything is white or close to it.
    """

    def __init__(self, rng: np.random.Generator, pale: bool) -> None:
        self.rng = rng
        self.pale = pale
        self._woods = [self._any_wood() for _ in range(2)]
        self._cloths = [self._any_cloth() for _ in range(3)]

    def chance(self, share: float) -> bool:
        """True in ``share`` of all cases."""
        return bool(self.rng.random() < share)

    def between(self, low: float, high: float) -> float:
        """A number between two."""
        return float(self.rng.uniform(low, high))

    def white(self, dirt: float = 0.14) -> Rgb:
        """White, more or less."""
        level, warm = 0.84 - abs(self.rng.normal(0, dirt)) * 0.6, self.rng.normal(0, 0.02)
        level = max(level, 0.5)
        return (min(0.9, level * (1 + warm)), level, max(0.3, level * (1 - 1.6 * warm)))

    def colour(self, strong: float = 0.7) -> Rgb:
        """Any colour; greys are frequent, as they are in rooms."""
        if self.chance(0.3):
            level = float(np.exp(self.rng.uniform(np.log(0.025), np.log(0.8))))
            return (level, level, level)
        value = float(np.exp(self.rng.uniform(np.log(0.05), np.log(0.8))))
        hues = ((0.01, 0.14), (0.2, 0.45), (0.5, 0.68), (0.0, 1.0))  # browns and reds, greens, blues, any
        hue = self.between(*hues[int(self.rng.choice(4, p=(0.5, 0.15, 0.2, 0.15)))])
        red, green, blue = colorsys.hsv_to_rgb(hue, self.rng.uniform(0.1 * strong, strong), value)
        return (red, green, blue)

    def wood(self) -> Surface:
        """Mostly one of the room's two woods."""
        return self._woods[int(self.rng.integers(2))] if self.chance(0.75) else self._any_wood()

    def cloth(self) -> Surface:
        """Mostly one of the room's three cloths."""
        return self._cloths[int(self.rng.integers(3))] if self.chance(0.6) else self._any_cloth()

    def metal(self) -> Surface:
        """Chrome, black, white, brass, grey."""
        return Surface(METALS[2 if self.pale and self.chance(0.6) else int(self.rng.integers(len(METALS)))], gloss=0.5)

    def lacquer(self) -> Surface:
        """Paint or plastic; white is frequent."""
        share = 0.85 if self.pale else 0.4
        return Surface(self.white() if self.chance(share) else self.colour(0.9), gloss=0.3 if self.chance(0.5) else 0.0)

    def solid(self) -> Surface:
        """Material of cupboards and tables: wood or lacquer."""
        return self.wood() if self.chance(0.55) else self.lacquer()

    def stretched(self, texture: str, colour: Rgb = (1.0, 1.0, 1.0)) -> Surface:
        """A picture over a whole rectangle."""
        return Surface(colour, texture, 0.0)

    def toned(self, surface: Surface, factor: float) -> Surface:
        """A surface made lighter or darker."""
        red, green, blue = (min(0.9, factor * part) for part in surface.colour)
        return replace(surface, colour=(red, green, blue))

    def _any_wood(self) -> Surface:
        if self.pale and self.chance(0.7):
            return Surface(self.white(), "plain", 1.0, 0.2)
        tone = float(np.exp(self.rng.normal(0, 0.15)))
        red, green, blue = WOODS[int(self.rng.integers(len(WOODS)))]
        texture = "wood" if self.chance(0.7) else "wood2"
        return Surface((tone * red, tone * green, tone * blue), texture, self.between(0.5, 1.2), self.between(0, 0.4))

    def _any_cloth(self) -> Surface:
        colour = self.white() if self.chance(0.8 if self.pale else 0.2) else self.colour(0.9)
        texture = CLOTHS[int(self.rng.integers(4 if self.chance(0.7) else len(CLOTHS)))]
        return Surface(colour, texture, self.between(0.25, 0.6))
