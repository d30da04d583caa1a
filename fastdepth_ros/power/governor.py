"""Holds the budget of age by answering fewer images, never by letting them wait."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

LOWER = 0.75
"""What is left of the rate after a step down."""

RAISE = 1.25
"""What a step up makes of it."""

EASY = 0.8
"""Part of the budget below which the rate may go up."""

ENOUGH = 5
"""Frames on which a p95 may be judged, if they took :data:`PERIOD`."""

PERIOD = 1.0
"""Seconds between two decisions at least: one late frame of 30 is no reason."""

PATIENCE = 3.0
"""Seconds after which fewer frames must do: at a low rate they take long to come."""

WAIT = 5.0
"""Seconds of ease before a step up; doubled each time that a step up was too much."""

LONGEST_WAIT = 60.0


@dataclass(frozen=True)
class Decision:
    """What the governor wants.

    Attributes:
        rate: images a second that are answered at most [Hz]; 0 is all of them.
        reason: why, in words.
        held: whether the budget is held.
        lowered: whether the rate is below what the owner allows.
    """

    rate: float
    reason: str
    held: bool = True
    lowered: bool = False


class Governor:
    """Decides on the rate, from the ages of the frames since the last decision.

    Args:
        budget: p95 of the age that is allowed [s]; None to hold nothing.
        cap: the rate that the owner allows [Hz]; 0 for any.
        floor: the rate below which it does not go [Hz].
        clock: the time [s].
    """

    def __init__(
        self,
        budget: float | None,
        cap: float = 0.0,
        floor: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._floor = floor
        self._budget = budget
        self._cap = cap
        self._wait = WAIT
        self._rate = math.inf
        self._since = self._easy_since = clock()
        self._raised_at = self._lowered_at = -math.inf
        self._reason = "the age is within its budget"
        self._held = True

    @property
    def decision(self) -> Decision:
        """The decision in force, without new ages."""
        return self._decide(self._held)

    def set(self, budget: float | None, cap: float = 0.0) -> Decision:
        """Another budget [s] and cap [Hz], as a profile brings them; what was learned of the old ones is forgotten."""
        if (budget, cap) != (self._budget, self._cap):
            self._budget, self._cap = budget, cap
            self._rate, self._wait = math.inf, WAIT
            self._since = self._easy_since = self._clock()
            self._raised_at = self._lowered_at = -math.inf
            self._reason = "the age is within its budget"
            self._held = True
        return self.decision

    def ready(self, frames: int) -> bool:
        """Whether so many frames since the last decision are enough for one."""
        now = self._clock()
        if now < self._since:  # the clock jumped back, as /clock does when a recording starts again
            self._since = self._easy_since = now
            self._raised_at = self._lowered_at = -math.inf
        waited = now - self._since
        return (frames >= ENOUGH and waited >= PERIOD) or (frames > 0 and waited >= PATIENCE)

    def update(self, age_p95: float, arrival_p95: float, rate_in: float, rate_out: float) -> Decision:
        """Decide anew. To be called where :meth:`ready` says so, with what happened since the last call.

        Args:
            age_p95: of the depth when it was published [s].
            arrival_p95: of the images when they came in [s]: what no lower rate can help.
            rate_in: images that came in [Hz].
            rate_out: images that were answered [Hz].
        """
        now = self._since = self._clock()
        if self._budget is None:
            return self._decide(True)
        asked = self._cap or rate_in
        words = f"p95 of the age {age_p95 * 1e3:.0f} ms, budget {self._budget * 1e3:.0f} ms"
        if age_p95 > self._budget:
            self._easy_since = now
            if arrival_p95 > self._budget:
                self._reason = f"{words}; the images are {arrival_p95 * 1e3:.0f} ms old when they come in"
                return self._decide(False)
            self._lower(now, min(self._rate, asked, rate_out or asked), words)
            return self._decide(False)
        if self._rate == math.inf:
            self._reason = words
        elif age_p95 > EASY * self._budget:
            self._easy_since = now
        elif now - self._easy_since >= self._wait:
            self._raise(now, asked, words)
        return self._decide(True)

    def _lower(self, now: float, rate: float, words: str) -> None:
        if now - self._raised_at < 2 * WAIT:
            # That step up was too much: the next one is taken later.
            self._wait = min(LONGEST_WAIT, 2 * self._wait)
            self._raised_at = -math.inf
        elif now - self._lowered_at > LONGEST_WAIT:
            self._wait = WAIT
        self._lowered_at = now
        self._rate = max(self._floor, LOWER * rate)
        at_floor = " and that is the least" if self._rate == self._floor else ""
        self._reason = f"{words}: lowered to {self._rate:.1f} Hz{at_floor}"

    def _raise(self, now: float, asked: float, words: str) -> None:
        self._rate *= RAISE
        self._raised_at = self._easy_since = now
        if self._rate >= asked:
            self._rate = math.inf
            self._reason = f"{words}: back to the full rate"
            return
        self._reason = f"{words}: raised to {self._rate:.1f} Hz"

    def _decide(self, held: bool) -> Decision:
        lowered = self._rate < (self._cap or math.inf)
        rate = self._rate if lowered else self._cap
        self._held = held
        return Decision(rate, self._reason, held, lowered)
