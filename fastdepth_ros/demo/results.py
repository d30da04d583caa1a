"""Results of a run, as numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from fastdepth_ros.diagnostics.windows import SPAN, Spread

NANOSECOND = 1e-9

SPREAD = re.compile(r"^\s*([-\d.]+)\s*/\s*([-\d.]+)\s*/\s*([-\d.]+)\s*$")
STAGE_KEY = re.compile(r"^(\w+) p50/p95/max \[ms\]$")
COUNT_KEY = re.compile(r"^(images|unreadable|failures|dropped: .+)$")


@dataclass(frozen=True)
class Sent:
    """One image that was played.

    Attributes:
        recorded: its stamp in the recording [ns].
        stamp: the stamp with which it went out [ns].
        late: how long after it was due [s].
    """

    recorded: int
    stamp: int
    late: float


@dataclass(frozen=True)
class Answer:
    """One depth image that came back.

    Attributes:
        stamp: its stamp [ns].
        frame_id: of its header.
        received: when it was here [ns], in the clock of the stamps.
    """

    stamp: int
    frame_id: str
    received: int

    @property
    def age(self) -> float:
        """Age of the image when its depth was here [s]."""
        return (self.received - self.stamp) * NANOSECOND


@dataclass(frozen=True)
class NodeReport:
    """Contents of one message on /diagnostics.

    Attributes:
        time: when it was here [ns].
        stages: stage -> spread [ms] of the last 10 s.
        counts: ``images``, ``unreadable``, ``failures`` and ``dropped: CAUSE`` -> how many since the node is active.
    """

    time: int
    stages: dict[str, Spread]
    counts: dict[str, int] = field(default_factory=dict)


@dataclass
class Results:
    """All that was seen of a run.

    Attributes:
        sent: the images, in order.
        frame_id: of the images.
        answers: the depth images that belong to them, in the order in which they came.
        foreign: depth images with a stamp or frame_id of no image that was sent.
        before: what the node reported before the recording was played.
        reports: what it reported meanwhile.
        first_depth: from the start of the node's process to the first depth image [s].
        resident, peak: the node's resident memory after the run, and its highest [MB].
        anchoring: what the node said of measured depths at the end; empty where it said nothing.
    """

    sent: list[Sent] = field(default_factory=list)
    frame_id: str = ""
    answers: list[Answer] = field(default_factory=list)
    foreign: int = 0
    before: NodeReport | None = None
    reports: list[NodeReport] = field(default_factory=list)
    first_depth: float = 0.0
    resident: float = 0.0
    peak: float = 0.0
    anchoring: str = ""

    @property
    def share(self) -> float:
        """Share of the images that got their depth."""
        return len(self.answers) / len(self.sent) if self.sent else 0.0

    def answered(self) -> list[int]:
        """Numbers of the images that got their depth, in order."""
        stamps = {answer.stamp for answer in self.answers}
        return [number for number, image in enumerate(self.sent) if image.stamp in stamps]

    def ages(self) -> list[float]:
        """Age of every answer when it was here [ms], in order."""
        return [1000 * answer.age for answer in self.answers]

    def stages(self) -> dict[str, Spread]:
        """Stage -> spread [ms] over the run: of windows that do not overlap, the median p50, highest p95 and max."""
        windows: list[NodeReport] = []
        for report in reversed(self.reports):
            if not windows or (windows[-1].time - report.time) * NANOSECOND >= SPAN:
                windows.append(report)
        names = list(dict.fromkeys(name for report in windows for name in report.stages))
        spreads = {name: [report.stages[name] for report in windows if name in report.stages] for name in names}
        return {
            name: Spread(float(np.median([s.p50 for s in ss])), max(s.p95 for s in ss), max(s.max for s in ss))
            for name, ss in spreads.items()
        }

    def lost(self) -> dict[str, int]:
        """Images that were lost: ``on the way`` to the node, or for a cause that the node reports; no zeros."""
        if not self.reports or self.before is None:
            return {}
        first, last = self.before.counts, self.reports[-1].counts
        counts = {key: last[key] - first.get(key, 0) for key in last}
        found = {"on the way": len(self.sent) - counts.pop("images", len(self.sent)), **counts}
        return {key.removeprefix("dropped: "): count for key, count in found.items() if count > 0}


def match(sent: Sequence[Sent], frame_id: str, answers: Iterable[Answer]) -> tuple[list[Answer], int]:
    """Tell the answers to what was sent from others.

    Args:
        sent: the images.
        frame_id: of the images.
        answers: all that came since the first of them was sent, and perhaps some to earlier images, which do not count.

    Returns:
        The answers that bear stamp and frame_id of an image that was sent, one an image, and how many others there are.
    """
    open_stamps = {image.stamp for image in sent}
    own, foreign = [], 0
    for answer in answers:
        if sent and answer.stamp < sent[0].stamp:
            continue
        if answer.stamp in open_stamps and answer.frame_id == frame_id:
            open_stamps.remove(answer.stamp)
            own.append(answer)
        else:
            foreign += 1
    return own, foreign


def read_stages(pairs: Iterable[tuple[str, str]]) -> dict[str, Spread]:
    """The stages among a diagnostic status's pairs, such as ``infer p50/p95/max [ms]`` and ``4.1 / 4.5 / 6.0``."""
    stages = {}
    for key, value in pairs:
        name, numbers = STAGE_KEY.match(key), SPREAD.match(value)
        if name and numbers:
            stages[name.group(1)] = Spread(*(float(number) for number in numbers.groups()))
    stages.pop("age", None)
    return stages


def read_counts(pairs: Iterable[tuple[str, str]]) -> dict[str, int]:
    """The totals of images among a diagnostic status's pairs."""
    return {key: int(value) for key, value in pairs if COUNT_KEY.match(key) and value.isdigit()}
