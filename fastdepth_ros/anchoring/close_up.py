"""Close-ups, which anchors tell of: what is nearer than networks have learned is answered as a room, much too far.

On shelves, desks and tables seen from 0.3 to 1 m the shipped weights answer 2 to 6 times too far, while they are within
a factor of 1.5 in rooms. So a source that says "all is nearer" may well be right where one that says "farther" by as
much is not, and the answer, a room that is none, is nothing to hold it against.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

CLOSEST = math.log(1 / 20)
"""Logarithm of how much nearer than answered things can be; what says that it is more has other units."""

AS_ROOM = math.log(1 / 2)
"""Logarithm of how much nearer than answered things are from which on the answer's form tells nothing of them."""

LIKELY = 0.1
"""Share of views that are close-ups, as far as is known before anything is measured."""

DENSITY = LIKELY / -CLOSEST
"""Density of what a right source says in one [1 / log m]: anything down to :data:`CLOSEST`."""

EXPECTED = 2.0
"""Standard deviations within which what a source says of a close-up lies."""


def is_possible(middle: float) -> bool:
    """Whether what a source says of depth as a whole, log(measured / expected), may be that of a close-up."""
    return CLOSEST < middle < 0


def hides(ratio: float) -> bool:
    """Whether a source says that this is a close-up of which the answer knows nothing: log(measured / answered)."""
    return CLOSEST < ratio < AS_ROOM


def variance(middles: Iterable[float], prior: float) -> float:
    """Variance of what was expected of depth as a whole, given what sources say of it.

    It has a long tail towards what is near: a Gaussian stands for it, wide enough for what the source says that sees
    least of a close-up.

    Args:
        middles: of all sources, log(measured / expected); at least one.
        prior: variance of what was expected without them.
    """
    least = max(middles)
    return max(prior, (least / EXPECTED) ** 2) if is_possible(least) else prior
