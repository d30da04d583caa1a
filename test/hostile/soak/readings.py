"""Readings of what a process takes of the machine, over time, and of what became of the camera's images."""

from __future__ import annotations

import csv
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hostile import meter
from hostile.soak.operator import Operator
from hostile.soak.parts import PUBLISHED

SETTLED = 300.0
"""After how long memory is to stand still [s]."""

START = 1_000_000_000
"""For how long after a publisher's first image DDS may not know it yet [ns]: what is lost then, nobody can count."""


class Sample(NamedTuple):
    """One moment: seconds since the start, memory of the node and of a plain one [MB], and what the node reported.

    ``rss`` is resident memory; ``own`` and ``plain`` are what of it is of no file, see :func:`hostile.meter.owned`.
    ``comparable`` is the image transport where all settings were the standard's, and had been for a while: buffers
    differ by megabytes from setting to setting. It is empty at other moments.
    """

    at: float
    rss: float
    own: float
    plain: float
    files: int
    threads: int
    rate: float
    age: str
    state: str
    comparable: str


class Readings:
    """Samples of a process, written down as they are taken.

    Attributes:
        plain: a process of rclpy alone in the same graph: what it grows by is the middleware's.
    """

    def __init__(self, process: int, path: Path) -> None:
        self._process, self._start = process, time.monotonic()
        self._file = path.open("w", newline="", buffering=1)
        self._csv = csv.writer(self._file)
        self._csv.writerow(Sample._fields)
        self.samples: list[Sample] = []
        self.plain = 0

    def take(self, operator: Operator, comparable: str = "") -> None:
        """Take one; see :class:`Sample`."""
        folder = Path(f"/proc/{self._process}")
        outputs = operator.statuses.get("outputs", {})
        state = operator.statuses.get("node", {}).get("state", "")
        sample = Sample(
            time.monotonic() - self._start, meter.resident(self._process) / 1e6,
            meter.owned(self._process) / 1e6, meter.owned(self.plain) / 1e6, len(os.listdir(folder / "fd")),
            len(os.listdir(folder / "task")), operator.number("outputs", "rate out [Hz]"),
            outputs.get("age p50/p95/max [ms]", ""), state, comparable,
        )  # fmt: skip
        self.samples.append(sample)
        self._csv.writerow(sample)

    def settled(self) -> list[Sample]:
        """The samples after :data:`SETTLED`, or the second half of a short run."""
        last = self.samples[-1].at
        return [sample for sample in self.samples if sample.at >= min(SETTLED, last / 2)]

    def slope(self, of: str = "own") -> float:
        """Growth of memory [MB/h] between comparable moments.

        It is that of the lines of least squares through ``own``, ``rss`` or ``plain``, one for each transport, that
        have the same slope. NaN where there are too few moments.
        """
        found = [sample for sample in self.settled() if sample.comparable]
        transports = sorted({sample.comparable for sample in found})
        if len(found) < 2 + len(transports):
            return float("nan")
        columns = [[s.at / 3600 for s in found], *([s.comparable == each for s in found] for each in transports)]
        return float(np.linalg.lstsq(np.array(columns, float).T, [getattr(s, of) for s in found], rcond=None)[0][0])


@dataclass
class Ledger:
    """Images: what the camera published, against what the node says of them.

    Attributes:
        published: while the node was active.
        counted: of these, images and losses that the node reported.
        at_starts: published in the first second of a publisher's life.
        unaccounted: images that the node took, and of which it does not say what became of them.
        answers, rejected: as reported.
    """

    published: int = 0
    counted: int = 0
    at_starts: int = 0
    unaccounted: int = 0
    answers: int = 0
    rejected: int = 0
    lost: int = 0
    phases: int = 0
    _begun: tuple[int, int] | None = None

    def note(self, operator: Operator) -> None:
        """Take the first report of a phase as its beginning."""
        if self._begun is None and operator.number("input", "images") > 0:
            self._begun = (operator.stamp, self._seen(operator))

    @staticmethod
    def _seen(operator: Operator) -> int:
        return int(operator.number("input", "images") + operator.number("input", "lost on the way"))

    def close(self, operator: Operator, folder: Path) -> None:
        """Take the latest report as the end of a phase: what happens now is another's."""
        if self._begun is None:
            return
        (begun, seen), self._begun = self._begun, None
        published, starts = _published(folder, begun, operator.stamp)
        self.phases += 1
        self.published += published
        self.at_starts += starts
        self.counted += self._seen(operator) - seen
        answers, rejected, failed = (
            int(operator.number(*place))
            for place in (("outputs", "answers"), ("input", "unreadable"), ("inference", "failures"))
        )
        dropped = sum(int(v) for k, v in operator.statuses.get("inference", {}).items() if k.startswith("dropped: "))
        self.answers, self.rejected = self.answers + answers, self.rejected + rejected
        self.lost += int(operator.number("input", "lost on the way"))
        self.unaccounted += int(operator.number("input", "images")) - answers - rejected - failed - dropped

    @property
    def unexplained(self) -> int:
        """Images that were published, are in no report, and may not be laid to a publisher's start."""
        return max(0, self.published - self.counted - self.at_starts)


def _published(folder: Path, begun: int, ended: int) -> tuple[int, int]:
    """Number of images that the camera published in a time, and of those at a publisher's start."""
    count = starts = 0
    for file in folder.glob("published-*"):
        data = file.read_bytes()
        first: dict[int, int] = {}
        for stamp, life in PUBLISHED.iter_unpack(data[: len(data) // PUBLISHED.size * PUBLISHED.size]):
            first.setdefault(life, stamp)
            if begun < stamp <= ended:
                count += 1
                starts += stamp < first[life] + START
    return count, starts
