"""Sources held against each other and against what is remembered: one that lies as a whole is left out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fastdepth_ros.anchoring import close_up
from fastdepth_ros.anchoring.line import Array, quadratic

Floats = npt.NDArray[np.float32]

GATE = 3.5
"""Standard deviations beyond which a source is not believed: about a factor of 2.5 for many points that stand alone."""

INDEPENDENT = 6
"""Anchors of one source count as so many independent looks at the local part, at most."""


WRONG = 0.01
"""Share of sources that are wrong as a whole, before anything is known."""

ANYTHING = 1 / 3
"""Density of what a wrong source says of the scale [1 / log m]: within a factor of 4.5 either way, alike."""


class Offset(NamedTuple):
    """One source's word on depth as a whole.

    Attributes:
        middle: median of its residuals, log(measured / expected).
        variance: how far that may be from the truth by local errors, its bias and its sigmas.
        prior: variance of what was expected.
    """

    middle: float
    variance: float
    prior: float


def offset(count: int, middle: float, spread: float, line: Array, belief: Array, local: float, bias: float) -> Offset:
    """The offset of a source with so many anchors.

    Args:
        count: of anchors; without any, what is said counts for nothing.
        middle: median of their residuals.
        spread: median of their standard deviations.
        line: (6,) mean of their rows of the line's design matrix.
        belief: (6, 6) covariance of the line.
        local, bias: standard deviations of the local part, and of what a source's anchors have in common.
    """
    variance = bias**2 + local**2 / max(min(count, INDEPENDENT), 1) + spread**2 / max(count, 1)
    return Offset(middle, variance, quadratic(line, belief))


def doubt_of(middle: float, prior: float) -> float:
    """Doubt of the logarithm of depth where one source alone says the scale (standard deviation).

    It is right, and says what was to be expected, or wrong, and says anything: the less likely what it says is, the
    more likely it is wrong (Bayes). If it is, depth is off by all that it says.

    Args:
        middle: median of its residuals, log(measured / answered).
        prior: variance of what was expected of it.
    """
    likely = (1 - WRONG) * math.exp(-0.5 * middle**2 / prior) / math.sqrt(2 * math.pi * prior)
    if close_up.is_possible(middle):
        likely += (1 - WRONG) * close_up.DENSITY
    wrong = WRONG * ANYTHING / (WRONG * ANYTHING + likely)
    return abs(middle) * math.sqrt(wrong)


def believed(offsets: Sequence[Offset | None], word: Callable[[int, int], Offset | None]) -> list[bool]:
    """Sources that agree with the others and with what was expected.

    The one that disagrees most goes first, then the rest is looked at again.

    Args:
        offsets: of each source; None stands for one that says nothing of scale.
        word: gives what the second says of depth where the first looks; None where it does not look there.
    """
    keep = [own is not None for own in offsets]
    while True:
        worst, most = -1, GATE
        for i, own in enumerate(offsets):
            if own is None or not keep[i]:
                continue
            others = [j for j in range(len(offsets)) if keep[j] and j != i]
            away = _away(own, [each for j in others if (each := offsets[j]) is not None])
            if away > most and others:  # as wholes; where they look is asked only then, for it takes longer
                away = _away(own, [each for j in others if (each := word(i, j)) is not None])
            if away > most:
                worst, most = i, away
        if worst < 0:
            return [good or own is None for good, own in zip(keep, offsets, strict=True)]
        keep[worst] = False


def _away(own: Offset, others: list[Offset]) -> float:
    """Standard deviations between a source and what the others and the belief expect of it."""
    prior = close_up.variance((each.middle for each in (own, *others)), own.prior)
    precision = 1 / prior + sum(1 / other.variance for other in others)
    middle = sum(other.middle / other.variance for other in others) / precision
    return abs(own.middle - middle) / math.sqrt(own.variance + 1 / precision)
