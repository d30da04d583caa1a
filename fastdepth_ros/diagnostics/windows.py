"""What happened in the last seconds, and percentiles of numbers."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Value = TypeVar("Value")

SPAN = 10.0
"""How far a window looks back [s]."""


@dataclass(frozen=True)
class Spread:
    """How numbers are spread, in their own unit."""

    p50: float
    p95: float
    max: float

    @classmethod
    def of(cls, numbers: Sequence[float]) -> Spread:
        """That of one or more numbers."""
        ordered = sorted(numbers)
        return cls(percentile(ordered, 0.5), percentile(ordered, 0.95), ordered[-1])


class Window(Generic[Value]):
    """What happened in the last ``span`` seconds, and when.

    Times are those of any one clock. Where that clock jumps back, as /clock does when a recording starts again, the
    window begins anew.

    Args:
        span: how far it looks back [s].

    Attributes:
        total: how often something happened in all.
    """

    def __init__(self, span: float = SPAN) -> None:
        self.span = span
        self.total = 0
        self._items: deque[tuple[float, Value]] = deque()

    def add(self, now: float, value: Value) -> None:
        """Note what happened. What is too old goes when somebody asks."""
        items = self._items
        if items and now < items[-1][0]:
            items.clear()
        items.append((now, value))
        self.total += 1

    def count(self, now: float) -> int:
        """How many there were."""
        self._trim(now)
        return len(self._items)

    def rate(self, now: float) -> float:
        """How many there were a second [Hz]; it falls while nothing comes."""
        self._trim(now)
        if len(self._items) < 2:
            return 0.0
        return (len(self._items) - 1) / max(now - self._items[0][0], 1e-9)

    def values(self, now: float) -> list[Value]:
        """What was noted, the oldest first."""
        self._trim(now)
        return [value for _, value in self._items]

    def _trim(self, now: float) -> None:
        items = self._items
        if items and now < items[-1][0]:
            items.clear()
        while items and items[0][0] < now - self.span:
            items.popleft()


def percentile(ordered: Sequence[float], share: float) -> float:
    """What ``share`` of some numbers, in their order, lie below; between two of them linearly, as NumPy has it.

    NumPy takes several times as long for so few numbers.
    """
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])
