"""Lets so many images a second through, evenly, and no more."""

from __future__ import annotations

import math

TOLERANCE = 0.25
"""Share of the period by which an image may come early: a camera at the very rate of the limit trembles."""

LAG = 0.5
"""Share of the period by which an image that came late may be made up for by the next."""


class RateLimit:
    """Decides image by image, by their stamps.

    Args:
        rate: images a second at most [Hz]; 0 is all of them.
    """

    def __init__(self, rate: float = 0.0) -> None:
        self.rate = rate
        self._due = -math.inf
        self._last = -math.inf

    def admits(self, stamp: float) -> bool:
        """Whether the image of that stamp [s] may pass.

        The next one is due a period after this one was due, not after it came, so that 30 Hz become 20 Hz by dropping
        every third. A stamp that jumps back, as when a recording starts again, starts anew.
        """
        if self.rate <= 0:
            return True
        period = 1 / self.rate
        if stamp < self._last:
            self._due = -math.inf
        self._last = stamp
        if stamp < self._due - TOLERANCE * period:
            return False
        late = stamp - self._due
        # After a pause nothing is made up for.
        self._due = stamp + period - (min(late, LAG * period) if late < period else 0.0)
        return True
