"""Whether sources agree where they look at the same place: two that differ by a factor are not both right.

Their anchors are compared in pairs, near in the picture and alike in the answer, so that what the network errs by is
the same for both. Honest sensors of real rooms differ by 7 % at most, as medians over some seconds
(docs/log/2026-11-trust.md).
"""

from __future__ import annotations

import math
from collections import deque
from itertools import combinations

import numpy as np
import numpy.typing as npt

from fastdepth_ros.anchoring.pool import Placed

Floats = npt.NDArray[np.float32]

EVERY = 5
"""Frames of which one is looked at."""

FEWEST, MOST = 5, 96
"""Anchors of a source that can be compared; of more, every n-th is looked at."""

REACH, ALIKE = 10.0, 0.1
"""Distance in the picture (1/224 of its width) and in the answer [log m] up to which two look at the same."""

PAIRS = 8
"""Pairs of a frame that say something, at least."""

LOOKS, KEPT = 8, 20
"""Frames that decide, at least, and that are remembered."""

PATIENCE = 90
"""Frames without one of two sources after which what they said of each other is given up."""

APART, TOGETHER = 0.15, 0.1
"""Median difference [log m] from which on two sources contradict each other, and below which they agree again."""

EXPECTED = 0.27
"""Standard deviation of what a source says of the scale, before anything is known [log m]."""

VAGUER = 2.0
"""Log-odds against the source whose own standard deviations are larger."""

DECIDED = 1.5
"""Log-odds between two from which on one of them is left out; else both are used, and depth is less sure."""

OTHER_WAY = 0.45
"""Share of the difference that is doubt: the square root of how likely the other source is the right one."""


class Agreement:
    """Differences of sources over the last seconds.

    Attributes:
        spread: doubt of the logarithm of depth, while sources contradict each other (standard deviation).
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Drop all evidence."""
        self.spread = 0.0
        self._frames = 0
        self._differences: dict[tuple[str, str], deque[float]] = {}
        self._scales: dict[tuple[str, str], deque[tuple[float, float]]] = {}
        self._lost: dict[tuple[str, str], tuple[str, bool]] = {}
        self._absent: dict[tuple[str, str], int] = {}
        self._doubts: dict[str, str] = {}
        self._left_out: set[str] = set()

    def doubt(self, source: str) -> str:
        """Why a source is perhaps not to be believed, in words; empty where it is."""
        return self._doubts.get(source, "")

    def leaves_out(self, source: str) -> bool:
        """Whether a source is not to be used."""
        return source in self._left_out

    def hear(self, sources: list[str], aside: list[bool], placed: Placed) -> None:
        """Take in a frame's anchors.

        Args:
            sources: their names.
            aside: whether each of them is not to be compared: it knows its depths up to a factor only, or is doubted.
            placed: their anchors.
        """
        usable = [
            number for number, mine in enumerate(placed.parts) if mine.stop - mine.start >= FEWEST and not aside[number]
        ]
        if self._lost:
            self._wait({sources[number] for number in usable})
        if len(usable) < 2:
            return
        self._frames += 1
        if self._frames % EVERY != 1:
            return
        for one, other in combinations(sorted(usable, key=lambda number: sources[number]), 2):
            apart = difference(placed, placed.parts[one], placed.parts[other])
            if math.isfinite(apart):
                self._take(sources, placed, one, other, apart)
        self._settle()

    def _wait(self, present: set[str]) -> None:
        """Give up what was said against who is no longer there, or of them, after a while."""
        for names in list(self._lost):
            self._absent[names] = 0 if present.issuperset(names) else self._absent.get(names, 0) + 1
            if self._absent[names] > PATIENCE:
                del self._lost[names], self._differences[names], self._scales[names], self._absent[names]
                self._settle()

    def _take(self, sources: list[str], placed: Placed, one: int, other: int, apart: float) -> None:
        names = sources[one], sources[other]
        known = self._differences.setdefault(names, deque(maxlen=KEPT))
        known.append(apart)
        scales = self._scales.setdefault(names, deque(maxlen=KEPT))
        scales.append((placed.heard[one].ratio, placed.heard[other].ratio))
        middle = abs(float(np.median(known)))
        if names in self._lost:
            if middle < TOGETHER:
                del self._lost[names]
        elif len(known) >= LOOKS and middle > APART:
            # Of one view the network errs by as much as decides.
            against = [_against(scale) for scale in np.median(scales, axis=0)]
            against[_vaguer(placed, one, other)] += VAGUER
            decided = abs(against[1] - against[0]) > DECIDED
            self._lost[names] = names[int(against[1] > against[0])], decided

    def _settle(self) -> None:
        """Say who lost, and how much doubt that leaves."""
        self._doubts, self._left_out, self.spread = {}, set(), 0.0
        for names, (loser, decided) in self._lost.items():
            one, other = names
            ratio = math.exp(float(np.median(self._differences[names])))
            says = f"{ratio:.2f} times as far" if loser == one else f"{1 / ratio:.2f} times as far"
            winner = other if loser == one else one
            self.spread = max(self.spread, OTHER_WAY * abs(math.log(ratio)))
            if decided:
                self._left_out.add(loser)
            words = f"says {says} as {winner}, where both look, and one of them is wrong"
            self._doubts[loser] = f"{words}. Check units, extrinsics and calibration of both"


def difference(placed: Placed, one: slice, other: slice) -> float:
    """Median of log(one's depth / the other's) where both look at the same; NaN where hardly any do."""
    one, other = (slice(each.start, each.stop, -(-(each.stop - each.start) // MOST)) for each in (one, other))
    u, v, log_depth = placed.place.u, placed.place.v, placed.place.log_depth
    near = np.square(u[one][:, None] - u[other]) + np.square(v[one][:, None] - v[other]) < REACH**2
    near &= np.abs(log_depth[one][:, None] - log_depth[other]) < ALIKE
    mine, theirs = np.nonzero(near)
    if len(mine) < PAIRS:
        return math.nan
    return float(np.median(placed.ratios[one][mine] - placed.ratios[other][theirs]))


def _against(scale: float) -> float:
    """Log-odds against a source because of what it says of the scale: as a multiple of the picture's [log m]."""
    return 0.5 * (scale / EXPECTED) ** 2


def _vaguer(placed: Placed, one: int, other: int) -> int:
    return int(placed.heard[other].spread > placed.heard[one].spread)
