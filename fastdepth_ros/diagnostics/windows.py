"""Events of the last seconds, and percentiles of numbers."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Value = TypeVar("Value")

SPAN = 10.0
"""Length of a window [s]."""

GRAIN = 1 / 500
"""Share of the span within which what happens is one entry: so a window is bounded, however much comes in."""

STEADY = 6.0
"""Spans of real time that a window looks back at most: while a clock stands, nothing would ever be too old."""

STANDS = 0.01
"""A clock that goes slower than this share of real time stands, and no rate can be told in it."""

JUMP = 0.5
"""A clock jumps back where it goes back by more [s]; less is two threads that asked one after the other."""

MOST = 4096
"""Values that a window keeps, those of 10 s at 400 Hz, and entries that wait for somebody to ask."""


@dataclass(frozen=True)
class Spread:
    """Spread of numbers, in their own unit."""

    p50: float
    p95: float
    max: float

    @classmethod
    def of(cls, numbers: Sequence[float]) -> Spread:
        """Median, 95th percentile and maximum of one or more numbers."""
        ordered = sorted(numbers)
        return cls(percentile(ordered, 0.5), percentile(ordered, 0.95), ordered[-1])

    def to_json(self) -> dict[str, float]:
        """Make what a summary in JSON has of it."""
        return {"p50": round(self.p50, 3), "p95": round(self.p95, 3), "max": round(self.max, 3)}


@dataclass
class _Entry:
    """Events from one time on: that time by the node's clock and by a steady one [s], and how many they are."""

    since: float
    steady: float
    count: int


class Tally:
    """Count of what happened in the last ``span`` seconds.

    Times are those of any one clock. If that clock jumps back, as /clock does when a recording starts again, it
    begins anew; where it stands, what is older than :data:`STEADY` spans of real time is forgotten all the same.

    Args:
        span: how far it looks back [s].
        steady: real time [s].

    Attributes:
        total: how often something happened in all.
    """

    def __init__(self, span: float = SPAN, steady: Callable[[], float] = time.monotonic) -> None:
        self.span = span
        self.total = 0
        self._grain = span * GRAIN
        self._steady = steady
        self._entries: deque[_Entry] = deque()
        self._count = 0

    def add(self, now: float, count: int = 1, steady: float | None = None) -> None:
        """Note that it happened, so many times; ``steady`` is the real time then, where that is not now [s]."""
        # What is too old is forgotten by who asks: while images are answered, every line that is not touched counts.
        entries = self._entries
        if steady is None:
            steady = self._steady()
        if len(entries) > MOST or (entries and now < entries[-1].since - JUMP):
            self._trim(now)
        if entries and now - entries[-1].since < self._grain and steady - entries[-1].steady < self._grain:
            entries[-1].count += count
        else:
            entries.append(_Entry(now, steady, count))
        self._count += count
        self.total += count

    def count(self, now: float) -> int:
        """Number of events in the window."""
        self._trim(now)
        return self._count

    def rate(self, now: float) -> float:
        """Events a second [Hz]; it falls while nothing comes. By real time where the clock stands."""
        steady = self._trim(now)
        if self._count < 2:
            return 0.0
        first = self._entries[0]
        seconds, real = now - first.since, steady - first.steady
        if seconds < STANDS * real:
            seconds = real
        return (self._count - 1) / max(seconds, self._grain)

    def _trim(self, now: float) -> float:
        """Forget what is too old, and return the steady time."""
        entries, steady = self._entries, self._steady()
        if entries and now < entries[-1].since - JUMP:
            entries.clear()
            self._count = 0
        oldest, oldest_steady = now - self.span, steady - STEADY * self.span
        while entries and (entries[0].since < oldest or entries[0].steady < oldest_steady):
            self._count -= entries.popleft().count
        return steady


class Window(Generic[Value]):
    """Events of the last ``span`` seconds, as a :class:`Tally` counts them, and a value each.

    The newest :data:`MOST` values are kept.
    """

    def __init__(self, span: float = SPAN, steady: Callable[[], float] = time.monotonic) -> None:
        self._tally = Tally(span, steady)
        self._values: deque[Value] = deque(maxlen=MOST)

    @property
    def total(self) -> int:
        """Number of events in all."""
        return self._tally.total

    def add(self, now: float, value: Value, steady: float | None = None) -> None:
        """Note what happened; ``steady`` is the real time then, where that is not now [s]."""
        self._tally.add(now, 1, steady)
        self._values.append(value)

    def count(self, now: float) -> int:
        """Number of events in the window."""
        return self._tally.count(now)

    def rate(self, now: float) -> float:
        """Events a second [Hz]; see :meth:`Tally.rate`."""
        return self._tally.rate(now)

    def values(self, now: float) -> list[Value]:
        """Values that were noted, the oldest first."""
        count = self.count(now)
        while len(self._values) > count:
            self._values.popleft()
        return list(self._values)


def percentile(ordered: Sequence[float], share: float) -> float:
    """Number below which ``share`` of some numbers, in their order, lie; between two of them linearly, as NumPy has it.

    NumPy takes several times as long for so few numbers.
    """
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])
