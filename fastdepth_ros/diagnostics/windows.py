"""Numbers of the last seconds, and their percentiles."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

SPAN = 10.0
"""How far a window looks back [s]."""


@dataclass(frozen=True)
class Spread:
    """How the numbers of a window are spread, in their own unit."""

    p50: float
    p95: float
    max: float


class Window:
    """Numbers and the times when they came, of the last ``span`` seconds.

    Times are those of any one clock. Where that clock jumps back, as /clock does when a recording starts again, the
    window begins anew.

    Args:
        span: how far it looks back [s].
    """

    def __init__(self, span: float = SPAN) -> None:
        self.span = span
        self._items: deque[tuple[float, float]] = deque()

    def add(self, now: float, value: float = 0.0) -> None:
        """Note a number, or that something happened. What is too old goes when somebody asks."""
        items = self._items
        if items and now < items[-1][0]:
            items.clear()
        items.append((now, value))

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

    def spread(self, now: float) -> Spread | None:
        """Percentiles of the numbers; None where there are none."""
        self._trim(now)
        if not self._items:
            return None
        values = sorted([value for _, value in self._items])
        return Spread(percentile(values, 0.5), percentile(values, 0.95), values[-1])

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
