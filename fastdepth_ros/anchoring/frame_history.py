"""A frame's places over time: what was heard of it, bounded, and where it was in between."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import deque
from typing import NamedTuple

import numpy as np

from fastdepth_ros.anchoring.poses import Pose

MOST_SAMPLES = 128
"""Samples of one frame that are remembered: 1.3 s of 100 Hz."""

FASTEST = 20.0
"""Speed above which two samples of a frame are a jump [m/s]."""

JUMP = 0.5
"""Metres below which no change is called a jump."""

AGAIN = 1.0
"""Time by which a recording that starts again goes back at least [s]; less is another publisher's stamp."""


class Sample(NamedTuple):
    """A pose in the parent at a time [s], as it was heard: a matrix is made of it where somebody asks."""

    stamp: float
    translation: tuple[float, float, float]
    quaternion: tuple[float, float, float, float]

    @property
    def pose(self) -> Pose:
        """Pose of these numbers.

        Raises:
            AnchorError: it is none.
        """
        return Pose.of(self.translation, self.quaternion)


class FrameHistory:
    """Transforms that were heard of one frame."""

    def __init__(self, parent: str, is_static: bool) -> None:
        self.parent = parent
        self.is_static = is_static
        self._samples: deque[Sample] = deque(maxlen=1 if is_static else MOST_SAMPLES)
        self._known: tuple[Sample, Pose] | None = None

    @property
    def newest(self) -> Sample:
        """The latest sample."""
        return self._samples[-1]

    def put(self, sample: Sample) -> float:
        """Take a sample; return how far it jumped [m], 0 where it did not.

        A stamp before the latest begins anew: a recording that starts again, or another publisher of the same frame,
        whose place is to be much the same. One of the same time replaces it.
        """
        jumped = 0.0
        if self._samples and not self.is_static:
            before = self._samples[-1]
            passed = sample.stamp - before.stamp
            if passed > -AGAIN:
                moved = math.dist(sample.translation, before.translation)
                jumped = moved if moved > JUMP + FASTEST * abs(passed) else 0.0
            if passed < 0 or jumped:
                self._samples.clear()  # nothing lies between here and there
            elif passed == 0:
                self._samples.pop()
        self._samples.append(sample)
        return jumped

    def off(self, stamp: float) -> float:
        """Distance of a time from its samples [s]; 0 between them."""
        if self.is_static:
            return 0.0
        return max(0.0, self._samples[0].stamp - stamp, stamp - self._samples[-1].stamp)

    def at(self, stamp: float, tolerance: float) -> Pose:
        """The pose at a time.

        Raises:
            LookupError: there is no sample within the tolerance; its argument says how long ago the nearest is.
        """
        samples = self._samples
        if self.is_static:
            return self._pose(samples[-1])
        if stamp >= samples[-1].stamp or len(samples) == 1:
            nearest = samples[-1]
        elif stamp <= samples[0].stamp:
            nearest = samples[0]
        else:
            after = bisect_left([each.stamp for each in samples], stamp)
            return between(samples[after - 1], samples[after], stamp)
        if abs(stamp - nearest.stamp) > tolerance:
            raise LookupError(stamp - nearest.stamp)
        return self._pose(nearest)

    def _pose(self, sample: Sample) -> Pose:
        """The pose of a sample: while nothing comes, or nothing moves, the same one is asked for again."""
        known = self._known
        if known is None or known[0] is not sample:
            known = self._known = sample, sample.pose
        return known[1]


def between(before: Sample, after: Sample, stamp: float) -> Pose:
    """The pose at a time between two samples: the way is gone evenly, and the turn about one axis."""
    share = (stamp - before.stamp) / (after.stamp - before.stamp)
    start, end = before.pose, after.pose
    translation = (1 - share) * start.translation + share * end.translation
    turn = start.rotation.T @ end.rotation
    cosine = min(1.0, max(-1.0, (float(np.trace(turn)) - 1) / 2))
    angle = math.acos(cosine)
    if angle < 1e-9 or angle > math.pi - 1e-6:  # no turn, or one whose axis is not known
        return Pose((start if share < 0.5 else end).rotation, translation)
    skew = (turn - turn.T) / (2 * math.sin(angle))
    part = share * angle
    rotation = start.rotation @ (np.eye(3) + math.sin(part) * skew + (1 - math.cos(part)) * skew @ skew)
    return Pose(rotation, translation)
