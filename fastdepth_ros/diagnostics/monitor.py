"""Fate of the images, as the threads of the node report it."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from fastdepth_ros.diagnostics.windows import JUMP, Spread, Tally, Window
from fastdepth_ros.errors import FastDepthError

Answer = tuple[float, Mapping[str, float]]
"""Age of an image when its depth was published [s], and the duration of each stage of its way [s]."""

MOST_NOTES = 64
"""Notes of images that wait to be counted: between two reports, at most so many come in one by one."""


class Drop(Enum):
    """Why an image got no answer although nothing was wrong with it."""

    LOST = "lost on the way"
    REPLACED = "replaced by a newer image"
    MAX_RATE = "beyond max_rate"
    BUDGET = "held back to keep the age within its budget"
    UNWANTED = "no subscribers"
    REFUSED = "not worth answering (gate: drop)"
    UNCALIBRATED = "only camera_info or cloud subscribed, and no valid camera_info"
    NO_KEY_FRAME = "before a key frame of the video"


@dataclass(frozen=True)
class Report:
    """A monitor's contents at one time. Rates and counts are of the window, totals since the node became active.

    Attributes:
        silence: time since the last image, or since the node became active [s].
        received, answered, rejected, failed: totals of images.
        dropped: totals by cause.
        recent_received, recent_rejected, recent_failed, recent_dropped: the same in the window.
        recent_turns, frames: how often in the window an image was of another frame than the one before, and which two
            frames those were the last time.
        doubted, recent_doubted, doubt: pictures that are not worth answering, in all and in the window; what the last
            one was, and what to do.
        rate_in, rate_out: images and answers a second [Hz].
        age: of the images when their depth was published [s].
        stages: stage -> its durations [s].
        last_error: what was wrong last; empty if nothing was.
    """

    silence: float = 0.0
    received: int = 0
    answered: int = 0
    rejected: int = 0
    failed: int = 0
    dropped: Mapping[Drop, int] = field(default_factory=dict)
    recent_received: int = 0
    recent_rejected: int = 0
    recent_failed: int = 0
    recent_dropped: Mapping[Drop, int] = field(default_factory=dict)
    recent_turns: int = 0
    frames: tuple[str, str] = ("", "")
    doubted: int = 0
    recent_doubted: int = 0
    doubt: tuple[str, str] = ("", "")
    rate_in: float = 0.0
    rate_out: float = 0.0
    age: Spread | None = None
    stages: Mapping[str, Spread] = field(default_factory=dict)
    last_error: str = ""


class Monitor:
    """Takes notes from any thread. Times are in the node's clock [s].

    What is noted of each image is put down as it comes, and counted when somebody asks or many wait: while images are
    answered, each line of a program that they have to come by costs as much as ten of those that are near.

    Args:
        now: when the node became active.
    """

    def __init__(self, now: float) -> None:
        self._lock = threading.Lock()
        self._last = now
        self._came: deque[tuple[float, float, int]] = deque()
        self._went: deque[tuple[float, float, Answer]] = deque()
        self._received, self._rejected, self._failed = Tally(), Tally(), Tally()
        self._dropped: defaultdict[Drop, Tally] = defaultdict(Tally)
        self._answered = Window[Answer]()
        self._turned = Tally()
        self._frames = ("", "")
        self._doubted = Tally()
        self._doubt = ("", "")
        self._last_error = ""

    def received(self, now: float, count: int = 1) -> None:
        """Note images that came."""
        self._last = now
        self._came.append((now, time.monotonic(), count))
        if len(self._came) >= MOST_NOTES:
            with self._lock:
                self._count()

    def waits(self, now: float) -> None:
        """Note that an image waits to be taken: the camera is not silent."""
        with self._lock:
            self._last = now

    def rate_in(self, now: float) -> float:
        """Images a second [Hz], of the last seconds."""
        with self._lock:
            self._count()
            return self._received.rate(now)

    def dropped(self, now: float, cause: Drop, count: int = 1) -> None:
        """Note images that get no answer although nothing was wrong with them."""
        if count:
            with self._lock:
                self._dropped[cause].add(now, count)

    def rejected(self, now: float, error: FastDepthError) -> None:
        """Note an image that cannot be read."""
        with self._lock:
            self._rejected.add(now)
            self._last_error = str(error)

    def failed(self, now: float, error: Exception) -> None:
        """Note an image that got no answer because the node is at fault."""
        with self._lock:
            self._failed.add(now)
            self._last_error = str(error) if isinstance(error, FastDepthError) else repr(error)

    def answered(self, now: float, age: float, stages: Mapping[str, float]) -> None:
        """Note an image whose depth was published.

        Args:
            now: when.
            age: of the image [s].
            stages: stage -> its duration [s]; kept, and not to be changed any more.
        """
        self._went.append((now, time.monotonic(), (age, stages)))
        if len(self._went) >= MOST_NOTES:
            with self._lock:
                self._count()

    def doubted(self, now: float, words: str, remedy: str) -> None:
        """Note a picture that is not worth answering: what it is, and what to do."""
        with self._lock:
            self._doubted.add(now)
            self._doubt = words, remedy

    def turned(self, now: float, before: str, after: str) -> None:
        """Note an image of another frame than the one before."""
        with self._lock:
            self._turned.add(now)
            self._frames = before, after

    def report(self, now: float) -> Report:
        """Tell everything that is known at this time."""
        told, answers = self.look(now)
        # Sorting takes milliseconds, and the worker does not wait for it.
        return _with_spreads(told, answers)

    def look(self, now: float) -> tuple[Report, list[Answer]]:
        """Tell what is known at this time, without the spreads of age and stages, and what these are made of."""
        with self._lock:
            self._count()
            if now < self._last - JUMP:  # the clock jumped back
                self._last = now
            answers = self._answered.values(now)
            told = Report(
                silence=max(0.0, now - self._last),
                received=self._received.total,
                answered=self._answered.total,
                rejected=self._rejected.total,
                failed=self._failed.total,
                dropped={cause: window.total for cause, window in self._dropped.items()},
                recent_received=self._received.count(now),
                recent_rejected=self._rejected.count(now),
                recent_failed=self._failed.count(now),
                recent_dropped={cause: window.count(now) for cause, window in self._dropped.items()},
                recent_turns=self._turned.count(now),
                frames=self._frames,
                doubted=self._doubted.total,
                recent_doubted=self._doubted.count(now),
                doubt=self._doubt,
                rate_in=self._received.rate(now),
                rate_out=self._answered.rate(now),
                last_error=self._last_error,
            )
        return told, answers

    def _count(self) -> None:
        """Count what was put down; the caller holds the lock."""
        while self._came:
            at, steady, count = self._came.popleft()
            self._received.add(at, count, steady)
        while self._went:
            at, steady, answer = self._went.popleft()
            self._answered.add(at, answer, steady)


def report_together(monitors: Sequence[Monitor], now: float) -> Report:
    """A report of several cameras as if they were one: sums, and spreads of all of their answers.

    Args:
        monitors: of the cameras.
        now: the time in the node's clock [s].
    """
    looks = [monitor.look(now) for monitor in monitors]
    dropped = Counter[Drop]()
    for told, _ in looks:
        dropped.update(told.dropped)
    whole = Report(
        silence=min(told.silence for told, _ in looks),
        received=sum(told.received for told, _ in looks),
        answered=sum(told.answered for told, _ in looks),
        dropped=dropped,
        rate_in=sum(told.rate_in for told, _ in looks),
        rate_out=sum(told.rate_out for told, _ in looks),
    )
    return _with_spreads(whole, [answer for _, answers in looks for answer in answers])


def _with_spreads(told: Report, answers: Sequence[Answer]) -> Report:
    return replace(told, age=Spread.of([age for age, _ in answers]) if answers else None, stages=_spreads(answers))


def _spreads(answers: Sequence[Answer]) -> dict[str, Spread]:
    stages: defaultdict[str, list[float]] = defaultdict(list)
    for _, durations in answers:
        for name, duration in durations.items():
            stages[name].append(duration)
    return {name: Spread.of(durations) for name, durations in stages.items()}
