"""Lengths of measurements and trainings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Progress = Callable[[str], object]


@dataclass(frozen=True)
class Budget:
    """Length of what the tables need.

    Attributes:
        rounds: turns of each network when it is timed.
        seconds: of a turn.
        pictures: computed rooms to learn from, and to validate on.
        images: views that each network is shown.
        side: of the square views [px].
    """

    rounds: int
    seconds: float
    pictures: int = 0
    images: int = 0
    side: int = 64


BUDGETS = {
    "small": Budget(2, 0.2, pictures=120, images=120, side=64),
    "full": Budget(7, 0.5, pictures=480, images=480, side=96),
}
