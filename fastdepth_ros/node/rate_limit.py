"""Lets so many images a second through, evenly, and no more."""

from __future__ import annotations

import math
import sys

TOLERANCE = 0.25
"""Share of the period by which an image may come early: a camera at the very rate of the limit trembles."""

LAG = 0.5
"""Share of the period by which an image that came late may be made up for by the next."""

BURST = 2.0
"""Images that may arrive at once: what was held up on the way comes together."""

DRIFT = 1.05
"""Factor by which the stamps' clock may go faster than ours before images are held back by their arrival."""

LONGEST = 1e6
"""Seconds between two images at most: the smallest of numbers has no reciprocal."""


class RateLimit:
    """Decides image by image, by their stamps, and by their arrival where more come than the stamps say.

    A stamp that stands still, as of one picture that is published again and again, says nothing of time: the time of
    arrival then counts on from it. Stamps that jump to and fro let nothing pass that the time of arrival would not.

    Args:
        rate: images a second at most [Hz]; 0 is all of them.

    Attributes:
        missed: how many more would have passed since the last one did, had they come; 0 where the latest does not pass.
    """

    def __init__(self, rate: float = 0.0) -> None:
        self.rate = rate
        self.missed = 0
        self._due = -math.inf
        self._last = -math.inf
        self._came = 0.0
        self._stood = 0.0
        self._left = BURST
        self._counted = -math.inf

    def admits(self, stamp: float, arrival: float) -> bool:
        """Whether the image of that stamp [s] may pass; ``arrival`` [s] is by any clock that goes on.

        The next one is due a period after this one was due, not after it came, so that 30 Hz become 20 Hz by dropping
        every third. A stamp that jumps back, as when a recording starts again, starts anew.
        """
        if self.rate <= 0:
            self.missed = sys.maxsize
            return True
        period = min(1 / self.rate, LONGEST)
        if stamp < self._last:
            self._due = -math.inf
        self.missed = 0
        if stamp != self._last:
            self._due -= self._stood
            self._came = arrival
        self._last, self._stood = stamp, arrival - self._came
        time = stamp + self._stood
        if time < self._due - TOLERANCE * period:
            return False
        late = time - self._due
        if not self._room(arrival, period):
            return False
        self.missed = int(min(late / period + TOLERANCE, sys.maxsize))
        # After a pause nothing is made up for.
        self._due = time + period - (min(late, LAG * period) if late < period else 0.0)
        return True

    def _room(self, arrival: float, period: float) -> bool:
        """Whether one more may pass by the time of arrival alone; then it is counted."""
        self._left = min(BURST, self._left + max(0.0, arrival - self._counted) * DRIFT / period)
        self._counted = arrival
        if self._left < 1:
            return False
        self._left -= 1
        return True
