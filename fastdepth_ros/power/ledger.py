"""Books of energy and of frames: what flowed when, and what was computed with it."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from threading import Lock

SPAN = 120.0
"""Seconds that the books go back."""

PAUSE = 2.0
"""Seconds between the starts of two frames above which the time between them does not count as work."""


@dataclass(frozen=True)
class Drawn:
    """Energy of a rail in some time, as far as it was measured.

    Attributes:
        joules: what flowed.
        seconds: the part of the time that was measured.
    """

    joules: float = 0.0
    seconds: float = 0.0

    @property
    def watts(self) -> float | None:
        """The mean power; None where nothing was measured."""
        return self.joules / self.seconds if self.seconds > 0 else None


@dataclass
class Ledger:
    """Energy of the rails, in pieces as they were measured. Times are monotonic [s]."""

    _rails: dict[str, deque[tuple[float, float, float]]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def add(self, rail: str, start: float, end: float, joules: float) -> None:
        """Enter what a rail drew from ``start`` to ``end``."""
        with self._lock:
            pieces = self._rails.setdefault(rail, deque())
            pieces.append((start, end, joules))
            while pieces[0][1] < end - SPAN:
                pieces.popleft()

    def drawn(self, spans: Sequence[tuple[float, float]]) -> dict[str, Drawn]:
        """Energy that every rail drew in some spans of time together; a piece at an edge counts in proportion."""
        with self._lock:
            rails = {rail: list(pieces) for rail, pieces in self._rails.items()}
        return {rail: _within(pieces, spans) for rail, pieces in rails.items()}


def _within(pieces: Sequence[tuple[float, float, float]], spans: Sequence[tuple[float, float]]) -> Drawn:
    joules = seconds = 0.0
    for start, end in spans:
        for begin, finish, amount in reversed(pieces):
            if finish <= start:
                break
            common = min(end, finish) - max(start, begin)
            if common > 0:
                joules += amount * common / (finish - begin)
                seconds += common
    return Drawn(joules, seconds)


@dataclass
class Frames:
    """When frames were computed. Times are monotonic [s]. One thread enters them; any may ask."""

    _frames: deque[tuple[float, float]] = field(default_factory=deque)

    def add(self, start: float, end: float) -> None:
        """Enter a frame."""
        frames = self._frames
        frames.append((start, end))
        while frames[0][0] < start - SPAN:
            frames.popleft()

    @property
    def last(self) -> float | None:
        """When the last one was done."""
        # The newest one stays: a deque that holds one never gets empty again.
        return self._frames[-1][1] if self._frames else None

    def work(self, since: float) -> tuple[list[tuple[float, float]], int]:
        """The time in which frames were computed since ``since``, as spans without holes, and how many frames.

        The time of a frame goes to the start of the next one, for between them the node waits for a camera; after a
        pause it ends with the frame. The last frame's is not over yet, so that it counts only after a pause.
        """
        frames = [frame for frame in self._frames.copy() if frame[0] >= since]
        spans: list[tuple[float, float]] = []
        count = 0
        for (start, end), following in pairwise(frames):
            until = following[0] if following[0] - start <= PAUSE else end
            joined = bool(spans) and spans[-1][1] == start
            spans[-1:] = [(spans[-1][0], until)] if joined else [*spans[-1:], (start, until)]
            count += 1
        return spans, count
