"""Lessons that sources teach the line: one that turns out to be wrong takes back its own, and nobody else's.

What several have taught is one belief, out of which no source's share can be taken. So the belief is kept as it was
before a source began to teach; where it takes its lessons back, that one holds again, as old as it is by then. What
others taught meanwhile goes as well: if they still speak, they say it again with the next frame.

Close-ups are such a lesson, too: when the camera looks up, the place is what it was. While nothing is measured they are
remembered as any view.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from fastdepth_ros.anchoring.line import PLACE_LASTS, Line, Remembered, rescaled


class _Course(NamedTuple):
    """The lessons of one source: what was known before the first, and when the last one was [s]."""

    before: Remembered
    latest: float


class Lessons:
    """Who taught a line what.

    Args:
        line: that learns.
    """

    def __init__(self, line: Line) -> None:
        self._line = line
        self._courses: dict[str, _Course] = {}
        self._before_close_up: Remembered | None = None

    def come_near(self) -> bool:
        """Note that a close-up is about to teach; whether it has just begun."""
        if self._before_close_up is not None:
            return False
        self._before_close_up = self._line.remembered
        return True

    def look_up(self, now: float) -> bool:
        """Have the line know what it knew before the close-up, as old as it is by now [s]; whether there was one."""
        before, self._before_close_up = self._before_close_up, None
        if before is None:
            return False
        self._line.return_to(before)
        self._line.predict(now)
        return True

    def teach(self, sources: Iterable[str], now: float) -> None:
        """Note that sources are about to teach, at a time [s]. One that paused for long begins anew."""
        state = self._line.remembered
        for source in sources:
            known = self._courses.get(source)
            begins = known is None or now - known.latest >= PLACE_LASTS
            self._courses[source] = _Course(state if begins or known is None else known.before, now)

    def take_back(self, sources: Iterable[str], now: float) -> bool:
        """Have the line know what it knew before these sources taught anything.

        Args:
            sources: that were wrong.
            now: the time [s].

        Returns:
            Whether it knew more than that.
        """
        gone = [self._courses.pop(source).before for source in sources if source in self._courses]
        if not gone:
            return False
        first = min(gone, key=lambda before: before.time or 0.0)
        self._before_close_up = None
        for source, course in self._courses.items():
            if (course.before.time or 0.0) > (first.time or 0.0):  # what was known then holds their lessons, too
                self._courses[source] = course._replace(before=first)
        self._line.return_to(first)
        self._line.predict(now)
        return True

    def rescale(self, step: float) -> None:
        """Have all answers be e^step times as far from now on, as the line has."""
        for source, course in self._courses.items():
            self._courses[source] = course._replace(before=_rescaled(course.before, step))
        if self._before_close_up is not None:
            self._before_close_up = _rescaled(self._before_close_up, step)

    def forget(self) -> None:
        """Drop who taught what, as the line does what it was."""
        self._courses.clear()
        self._before_close_up = None


def _rescaled(before: Remembered, step: float) -> Remembered:
    """Knowledge of the line over answers that are e^step times as far."""
    if before.used is None:
        return before
    return before._replace(settled=rescaled(before.settled, step), held=rescaled(before.held, step))
