"""Measurements held against answers that were given: one that agrees with them to the last digits is made of them.

An answer is off the truth by several per cent, each cell by another share. So whoever measures, however exactly, agrees
with it by chance and at a few places; what is made of an answer agrees with it nearly everywhere. Of which places that
is to be expected depends on what was made of it: its points are cells, a filtered cloud's are means of a few, and a
scan's beams are the nearest of some rows (depthimage_to_laserscan).
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from fastdepth_ros.anchoring.cones import ConeMeasurement
from fastdepth_ros.anchoring.sightings import Measurement, PointMeasurement
from fastdepth_ros.camera import Intrinsics

Floats = npt.NDArray[np.float32]

SAME, NEARLY, NEAREST = 0.0015, 0.005, 0.004
"""Differences [log m] up to which a point is a cell's, a mean of cells, or the nearest of some: millimetres of 16 bits
are 5e-4 at 1 m, and the angle between beams moves a point of a scan by as much as 4e-3."""

MOST, HARDLY = 0.6, 0.4
"""Share of the points that agrees from which on they are made of an answer, and up to which they are not."""

FOLLOWED = 0.75
"""The first where the answer may rest on them: exact ones are followed so closely."""

SPREAD = 0.03
"""Spread of the points [log m], ninth decile over first, below which agreement says nothing: a bare wall ahead."""

ENOUGH = 12
"""Points that are wanted for a word; messages of fewer are put together."""

LOOKED_AT, BEAMS = 256, 128
"""Points of a message that are looked at, and of a scan, which may be made of an answer in many ways."""

SCAN = "scan"
"""Source whose points may each be the nearest of some rows."""

SIDES = (3, 5, 9)
"""Sides of the squares of cells whose mean a point may be."""

BANDS = (*range(57), 112)
"""Rows above and below of which a beam may be the nearest; one side may have a row more."""

_DOWN, _ACROSS = (axis.reshape(9, 1) for axis in np.mgrid[-1:2, -1:2])


class Word(Enum):
    """Word of a comparison: it is made of the answer, it is not, or neither can be told."""

    SAME = "same"
    OTHER = "other"
    NOTHING = "nothing"


class Answer(NamedTuple):
    """An answer that was given.

    Attributes:
        number: counts them.
        stamp: of its image [s].
        metres: (rows, columns) of cells, as published: by REP-117 not finite is "no depth" [m].
        seen: the camera of the network's input, of twice as many rows and columns.
    """

    number: int
    stamp: float
    metres: Floats
    seen: Intrinsics


class Likeness(NamedTuple):
    """Measured depths beside an answer's.

    Attributes:
        logs: (n,) logarithms of what was measured.
        off: (ways, n) differences from the answer's logarithms, by each way in which it may be made of it, as shares of
            what is allowed there; infinite where there is no answer.
    """

    logs: Floats
    off: Floats

    @property
    def share(self) -> float:
        """Share of the points that agrees, by the way by which most do."""
        return float((self.off <= 1).mean(1).max()) if len(self.logs) else 0.0

    def word(self, most: float = MOST) -> Word:
        """Say whether that is the same: where a share of ``most`` agrees."""
        share = self.share
        if share <= HARDLY:
            return Word.OTHER
        low, high = np.percentile(self.logs, (10, 90))
        return Word.SAME if share >= most and high - low >= SPREAD else Word.NOTHING


class Pool:
    """Comparisons of a source, put together until they say something."""

    def __init__(self) -> None:
        self._kept: list[Likeness] = []

    def hear(self, likeness: Likeness, most: float = MOST) -> Word:
        """Take in the next comparison; see :meth:`Likeness.word`."""
        self._kept.append(likeness)
        if sum(len(each.logs) for each in self._kept) < ENOUGH:
            return Word.NOTHING
        kept, self._kept = self._kept, []
        if len(kept) == 1:
            return likeness.word(most)
        logs = np.concatenate([each.logs for each in kept])
        return Likeness(logs, np.concatenate([each.off for each in kept], axis=1)).word(most)


def likeness(measurement: Measurement, answer: Answer) -> Likeness | None:
    """Measured depths beside an answer's; None where it is nothing that can be made of one."""
    if isinstance(measurement, PointMeasurement):
        return _of_points(measurement, answer)
    return _of_cone(measurement, answer) if isinstance(measurement, ConeMeasurement) else None


def best(found: Sequence[Likeness]) -> Likeness:
    """The comparison, of one measurement with several answers, by which it is most likely made of one."""
    return max(found, key=lambda each: each.share)


def _logs(metres: Floats) -> Floats:
    """Logarithms of depths; infinite where there is none, so that nothing agrees."""
    there = (metres > 0) & (metres < np.inf)
    found: Floats = np.log(np.where(there, metres, np.float32(1)))
    found[~there] = np.inf
    return found


def _of_points(points: PointMeasurement, answer: Answer) -> Likeness:
    view = points.look(answer.seen)
    cells, logs = view.known.cells, view.known.logs
    most = BEAMS if points.source == SCAN else LOOKED_AT
    if len(logs) > most:
        chosen = np.linspace(0, len(logs) - 1, most).astype(np.intp)
        cells, logs = cells[chosen], logs[chosen]
    if not len(logs):
        return Likeness(logs, np.empty((1, 0), np.float32))
    answered, (rows, columns) = _logs(answer.metres), answer.metres.shape
    row, column = np.divmod(cells, columns)
    around = (row + _DOWN).clip(0, rows - 1), (column + _ACROSS).clip(0, columns - 1)
    ways = [np.abs(answered[around] - logs).min(0, keepdims=True) / np.float32(SAME)]
    ways += [np.abs(mean[row, column] - logs)[None] / np.float32(NEARLY) for mean in _means(answer.metres)]
    if points.source == SCAN:
        near = _nearest_of_rows(answered, int(np.median(row)))[:, around[1][3:6]]
        ways.append(np.abs(near - logs).min(1) / np.float32(NEAREST))
    return Likeness(logs, np.concatenate(ways))


def _means(metres: Floats) -> list[Floats]:
    """Logarithms of means over squares of cells, of those that have a depth."""
    there = (metres > 0) & (metres < np.inf)
    known, share = np.where(there, metres, np.float32(0)), there.astype(np.float32)
    found = []
    for side in SIDES:
        total, count = cv2.blur(known, (side, side)), cv2.blur(share, (side, side))
        found.append(_logs(np.divide(total, count, out=np.zeros_like(total), where=count > 1e-3)))
    return found


def _nearest_of_rows(answered: Floats, level: int) -> Floats:
    """The nearest of each column (bands, columns) [log m], over so many rows above and below one."""
    above = np.minimum.accumulate(answered[level::-1])
    below = np.minimum.accumulate(answered[level:])
    up, down = np.array([(k + a, k + b) for k in BANDS for a, b in ((0, 0), (0, 1), (1, 0))]).T
    found: Floats = np.minimum(above[up.clip(max=len(above) - 1)], below[down.clip(max=len(below) - 1)])
    return found


def _of_cone(cone: ConeMeasurement, answer: Answer) -> Likeness:
    """The distance beside that of the nearest cell in the cone, its depth, and the distance straight ahead."""
    rows, columns = answer.metres.shape
    seen, metres = answer.seen, np.where(np.isfinite(answer.metres), answer.metres, 0)
    x = (2 * np.arange(columns, dtype=np.float32) + np.float32(0.5 - seen.cx)) / np.float32(seen.fx)
    y = (2 * np.arange(rows, dtype=np.float32) + np.float32(0.5 - seen.cy)) / np.float32(seen.fy)
    xyz = np.stack((metres * x, metres * y[:, None], metres), axis=-1) - cone.pose.translation.astype(np.float32)
    along = xyz @ cone.pose.rotation[:, 0].astype(np.float32)
    away = np.sqrt(np.square(xyz).sum(-1))
    off = np.full((3, 1), np.inf, np.float32)
    cosines = np.divide(along, away, out=np.full_like(away, -1), where=metres > 0)
    inside = cosines >= np.cos(cone.field_of_view / 2)
    if inside.any():
        ahead = away.ravel()[int(cosines.argmax())]
        off[:, 0] = np.abs(np.log(np.array((away[inside].min(), along[inside].min(), ahead)) / cone.distance)) / NEARLY
    return Likeness(np.full(1, np.log(cone.distance), np.float32), off)
