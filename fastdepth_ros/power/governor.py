"""Holds the budget of age by answering fewer images, never by letting them wait.

If the profile leaves more to others than it has to, the governor first takes the full share of the processor. If
the network runs on several threads, it then tries a single one: threads that work together wait for the one that does
not get its core, at every layer of the network, while a single one just takes its share. With a busy program on every
core of two, that was the difference between 300 ms and 30 ms.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from fastdepth_ros.power.ages import milliseconds, of_another_clock

LOWER, LOWER_FAST = 0.75, 0.5
"""Share of the rate that is left after a step down; the second where the age is over twice its budget."""

RAISE, RAISE_FAST = 1.25, 2.0
"""Factor of the rate in a step up; the second where the age is under half its budget."""

EASY = 0.8
"""Part of the budget below which the rate may go up."""

RELAXED = 1 / 3
"""Part of the budget below which all threads may come back at once."""

ENOUGH = 5
"""Frames on which a p95 may be judged, if they took :data:`PERIOD`."""

PERIOD = 1.0
"""Seconds between two decisions at least: one late frame of 30 is no reason."""

PATIENCE = 3.0
"""Seconds after which fewer frames must do: at a low rate they take long to come."""

WAIT, LONGEST_WAIT = 3.0, 60.0
"""Seconds of ease before a step up; doubled each time that a step up was too much, up to the second."""

FITS = "the age is within its budget"


@dataclass(frozen=True)
class Decision:
    """Decision of the governor.

    Attributes:
        rate: images a second that are answered at most [Hz]; 0 is all of them.
        single: whether the network is to run on a single thread.
        reason: why, in words.
        held: whether the budget is held.
        lowered: whether the rate is below what the owner allows.
        late: whether the images are over the budget already when they come in.
        insists: whether the node is to take its full share of the processor, whatever the profile leaves to others.
    """

    rate: float
    single: bool
    reason: str
    held: bool = True
    lowered: bool = False
    late: bool = False
    insists: bool = False


class Governor:
    """Decides on rate and threads, from the ages of the frames since the last decision.

    Args:
        budget: p95 of the age that is allowed [s]; None to hold nothing.
        cap: the rate that the owner allows [Hz]; 0 for any.
        several: whether the network may run on several threads.
        nice: whether the profile leaves more to others than it has to.
        floor: the rate below which it does not go [Hz].
        clock: the time [s].
    """

    def __init__(
        self,
        budget: float | None,
        cap: float = 0.0,
        several: bool = False,
        nice: bool = False,
        floor: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._floor = floor
        self._goal = (budget, cap, several, nice)
        self._reset()

    def _reset(self) -> None:
        self._rate, self._single, self._insists = math.inf, False, False
        self._reason, self._held, self._late = FITS, True, False
        self._wait = WAIT
        self._since = self._easy_since = self._clock()
        self._raised_at = self._lowered_at = -math.inf
        self._tried: float | None = None
        """The age that made us try a single thread; None where there is no trial."""
        self._single_is_worse_until = -math.inf

    @property
    def decision(self) -> Decision:
        """The decision in force."""
        cap = self._goal[1]
        lowered = self._rate < (cap or math.inf)
        rate = self._rate if lowered else cap
        return Decision(rate, self._single, self._reason, self._held, lowered, self._late, self._insists)

    def set(self, budget: float | None, cap: float, several: bool, nice: bool = False) -> Decision:
        """Set another goal, as a profile brings it; what was learned of the old one is forgotten."""
        if (budget, cap, several, nice) != self._goal:
            self._goal = (budget, cap, several, nice)
            self._reset()
        return self.decision

    def overdue(self, pending: float) -> bool:
        """Whether a frame that has been worked on for so long [s], and is not done, is a reason to decide.

        A thread that leaves everything to others may wait for seconds for its first turn; nothing is published then,
        and there would be no age to judge by.
        """
        budget = self._goal[0]
        return budget is not None and pending > max(PERIOD, 2 * budget) and self._clock() - self._since >= PERIOD

    def ready(self, frames: int) -> bool:
        """Whether so many frames since the last decision are enough for one."""
        now = self._clock()
        if now < self._since:  # the clock jumped back, as /clock does when a recording starts again
            self._since = self._easy_since = now
            self._raised_at = self._lowered_at = self._single_is_worse_until = -math.inf
        waited = now - self._since
        return (frames >= ENOUGH and waited >= PERIOD) or (frames > 0 and waited >= PATIENCE)

    def update(self, age_p95: float, arrival_p95: float, rate_in: float, rate_out: float) -> Decision:
        """Decide anew. To be called where :meth:`ready` says so, with what happened since the last call.

        Args:
            age_p95: of the depth when it was published [s].
            arrival_p95: of the images when they came in [s]: what nothing here can help.
            rate_in: images that came in [Hz].
            rate_out: images that were answered [Hz].
        """
        now = self._since = self._clock()
        budget, cap, _, _ = self._goal
        if budget is None:
            return self.decision
        asked = min(cap, rate_in) if cap else rate_in
        words = f"p95 of the age {milliseconds(age_p95, 0)}, budget {milliseconds(budget, 0)}"
        self._held = age_p95 <= budget
        self._late = not self._held and arrival_p95 > budget
        if self._late:
            self._easy_since = now
            old = "" if of_another_clock(arrival_p95) else " old"
            self._reason = f"{words}; the images are {milliseconds(arrival_p95, 0)}{old} when they come in"
        elif not self._held:
            self._easy_since = now
            self._step_down(now, age_p95, min(self._rate, asked, rate_out or asked), words)
        elif self._rate == math.inf and not self._single and not self._insists:
            self._reason = words
        elif age_p95 > EASY * budget:
            self._easy_since = now
        elif now - self._easy_since >= self._wait_at(age_p95):
            self._step_up(now, RAISE_FAST if age_p95 < budget / 2 else RAISE, asked, words)
        if self._held:
            self._tried = None
        return self.decision

    def _wait_at(self, age: float) -> float:
        """Time that the age must have been easy before a step up [s].

        A single thread is fast enough on a busy machine, too, so that ease alone does not say that the load is gone.
        The full share of the processor makes it easy on any.
        """
        budget = self._goal[0] or 0.0
        if self._rate == math.inf and not self._single:
            return min(LONGEST_WAIT, 4 * self._wait)
        return self._wait if self._rate < math.inf or age < RELAXED * budget else LONGEST_WAIT

    def _step_down(self, now: float, age: float, rate: float, words: str) -> None:
        budget, _, several, nice = self._goal
        if now - self._raised_at < 2 * WAIT:
            # That step up was too much: the next one is taken later.
            self._wait = min(LONGEST_WAIT, 2 * self._wait)
            self._raised_at = -math.inf
        elif now - self._lowered_at > LONGEST_WAIT:
            self._wait = WAIT
        self._lowered_at = now
        if nice and not self._insists:
            self._insists = True
            self._reason = f"{words}: with the full share of the processor"
            return
        if several and not self._single and now >= self._single_is_worse_until:
            self._single, self._tried = True, age
            self._reason = f"{words}: on a single thread, which waits for no other"
            return
        if self._tried is not None and age > 0.9 * self._tried:
            self._single, self._single_is_worse_until = False, now + LONGEST_WAIT
        self._tried = None
        assert budget is not None
        self._rate = max(self._floor, (LOWER_FAST if age > 2 * budget else LOWER) * rate)
        at_floor = ", the least that there is" if self._rate == self._floor else ""
        self._reason = f"{words}: lowered to {self._rate:.1f} Hz{at_floor}"

    def _step_up(self, now: float, factor: float, asked: float, words: str) -> None:
        self._raised_at = self._easy_since = now
        if self._rate == math.inf and self._single:
            self._single = False
            self._reason = f"{words}: back to all threads"
            return
        if self._rate == math.inf:
            self._insists = False
            self._reason = f"{words}: leaves more to others again"
            return
        self._rate *= factor
        self._reason = f"{words}: raised to {self._rate:.1f} Hz"
        if self._rate >= asked:
            self._rate = math.inf
            self._reason = f"{words}: back to the full rate"
