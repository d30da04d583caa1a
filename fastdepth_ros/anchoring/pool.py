"""The anchors of all sources of one frame, side by side, and which of them are believed."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fastdepth_ros.anchoring.field import Field, Place
from fastdepth_ros.anchoring.fit import BIAS, middle
from fastdepth_ros.anchoring.line import Array, Line, design
from fastdepth_ros.anchoring.selection import Chosen
from fastdepth_ros.anchoring.sources import Offset, believed, offset
from fastdepth_ros.anchoring.thinning import Points
from fastdepth_ros.anchoring.zones import side

Floats = npt.NDArray[np.float32]

GATE = 4.0
"""Standard deviations from its fellows beyond which an anchor is left out before anything is fitted."""

FELLOWS = 5
"""Anchors from which on they are held against their own median, and not against what was expected."""

MEMORY = 0.15
"""Error that memory may have when it takes sides between sources [log m]."""


NEAR_ONLY = ("anchor_depth",)
"""Sources that answer within a reach only."""

SOME, MARGIN = 8, 0.1
"""From so many anchors on the farthest one shows a source's reach, and how far below it reach is felt [log m]."""

SILENT = np.float32(3.0)
"""Standard deviation of an anchor without a say [log m]."""

MANY, FLAT, CONTRADICTION = 16, 0.15, -0.15
"""From so many anchors, and such a spread of the answer [log m] on, a correlation this low means a wrong source."""


class Pool(NamedTuple):
    """Anchors side by side.

    Attributes:
        place: of each.
        ratios: (n,) log(measured / answered).
        sds: (n,) standard deviations of measuring.
        source: (n,) number of its source.
        lines: (n, 6) design matrix.
    """

    place: Place
    ratios: Floats
    sds: Floats
    source: npt.NDArray[np.intp]
    lines: Floats

    def off(self, mean: Array) -> Floats:
        """(n,) how far measurements are off a line with this mean."""
        return self.ratios - self.lines @ mean.astype(np.float32)

    def points(self, kept: npt.NDArray[np.bool_], mean: Array) -> Points:
        """The kept ones, with their residuals from a line's mean."""
        if kept.all():
            return Points(self.place, self.off(mean), self.sds, self.source)
        index = np.flatnonzero(kept)
        place = Place(*(column[index] for column in self.place))
        return Points(place, self.off(mean)[index], self.sds[index], self.source[index])


def gather(field: Field, chosen: list[Chosen]) -> Pool:
    """All usable anchors; the field has looked at the frame."""
    answer = field.log_depth
    sides = [side(c.pixels, c.log_depths, answer) if c.points else c.pixels for c in chosen]
    pixels, measured = _joined(sides), _joined([c.log_depths for c in chosen])
    place = field.place(pixels)
    ratios = measured - place.log_depth
    counts = [len(c.log_depths) for c in chosen]
    sds = _joined([c.sds for c in chosen])
    first = 0
    for own, count in zip(chosen, counts, strict=True):
        if own.source in NEAR_ONLY and count >= SOME:
            mine = slice(first, first + count)
            out_of_reach = _beyond(place.log_depth[mine], ratios[mine])
            sds[mine] = np.where(out_of_reach, SILENT, sds[mine])
        first += count
    source = np.zeros(len(ratios), np.intp) if len(chosen) == 1 else np.repeat(np.arange(len(chosen)), counts)
    return Pool(place, ratios, sds, source, design(place.u, place.v, place.log_depth))


def _joined(columns: list[Floats]) -> Floats:
    return columns[0] if len(columns) == 1 else np.concatenate(columns)


def _beyond(log_depth: Floats, ratios: Floats) -> npt.NDArray[np.bool_]:
    """Anchors of a source with a short reach that are where things are expected beyond it.

    There it answers only where it contradicts, with what is wrongly near: its anchors there are none of what is seen.
    """
    return np.asarray(log_depth + np.float32(middle(ratios) + MARGIN) > (log_depth + ratios).max(), np.bool_)


def judge(pool: Pool, chosen: list[Chosen], line: Line, local: float) -> tuple[npt.NDArray[np.bool_], list[bool]]:
    """Anchors that may be fitted, and sources that are believed.

    A source alone is held against the prior, for the place may be new; several are held against each other, and memory
    takes sides.
    """
    several = sum(len(c.log_depths) > 0 for c in chosen) > 1
    belief = line.held if several else line.unknown
    residuals = pool.off(belief.mean) if several else pool.ratios
    offsets: list[Offset | None] = []
    upside = [False] * len(chosen)
    kept = np.ones(len(residuals), np.bool_)
    for i, own in enumerate(chosen):
        mine = np.flatnonzero(pool.source == i) if len(chosen) > 1 else slice(None)
        if not len(own.log_depths):
            offsets.append(None)
            continue
        r, sds, lines = residuals[mine], pool.sds[mine], pool.lines[mine]
        said = offset(r, sds, lines, belief.covariance, local, BIAS)
        if several:
            said = said._replace(prior=said.prior + MEMORY**2)
        offsets.append(None if own.relative else said)
        upside[i] = _contradicts(pool.place.log_depth[mine], r)
        kept[mine] = _among_fellows(r, sds, lines, said, line.stationary, local)
    trusted = [good and not bad for good, bad in zip(believed(offsets), upside, strict=True)]
    if not all(trusted):
        kept &= np.asarray(trusted)[pool.source]
    return kept, trusted


def _contradicts(log_depth: Floats, residuals: Floats) -> bool:
    """Whether a source says near where the answer says far, and far where it says near, as one mounted upside down."""
    if len(residuals) < MANY:
        return False
    count, said = len(residuals), log_depth + residuals
    near, heard = float(log_depth.sum()), float(said.sum())
    spread = float(log_depth @ log_depth) - near * near / count
    if spread < FLAT**2 * count:
        return False
    other = float(said @ said) - heard * heard / count
    return float(log_depth @ said) - near * heard / count < CONTRADICTION * math.sqrt(max(spread * other, 0.0))


def _among_fellows(
    residuals: Floats, sds: Floats, lines: Floats, said: Offset, belief: Array, local: float
) -> npt.NDArray[np.bool_]:
    """Anchors of one source that are not far off its median, or, of few, off what was expected."""
    variance = np.square(sds) + np.float32(local**2)
    if len(residuals) < FELLOWS:
        return np.asarray(np.square(residuals) < np.float32(GATE**2) * (variance + np.float32(said.prior)))
    # What a line may still bend between them.
    slope = lines[:, 1]
    bend = np.square(slope - np.float32(slope.sum() / len(slope)))
    variance += np.float32(belief[1, 1]) * bend
    variance *= np.float32(GATE**2)
    return np.asarray(np.square(residuals - np.float32(said.middle)) < variance)
