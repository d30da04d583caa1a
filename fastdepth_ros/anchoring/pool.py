"""The anchors of all sources of one frame, side by side, and which of them are believed."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fastdepth_ros.anchoring.field import Field, Place
from fastdepth_ros.anchoring.fit import BIAS
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
"""What memory may be wrong by when it takes sides between sources [log m]."""


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
    lines: Array

    def points(self, kept: npt.NDArray[np.bool_], mean: Array) -> Points:
        """The kept ones, with their residuals from a line's mean."""
        index = np.flatnonzero(kept)
        place = Place(*(column[index] for column in self.place))
        residuals = (self.ratios[index] - self.lines[index] @ mean).astype(np.float32)
        return Points(place, residuals, self.sds[index], self.source[index])


def gather(field: Field, chosen: list[Chosen]) -> Pool:
    """All usable anchors; the field has looked at the frame."""
    answer = field.log_depth
    pixels = np.concatenate([side(c.pixels, c.log_depths, answer) if c.points else c.pixels for c in chosen])
    place = field.place(pixels)
    measured = np.concatenate([c.log_depths for c in chosen])
    sds = np.concatenate([c.sds for c in chosen])
    source = np.repeat(np.arange(len(chosen)), [len(c.log_depths) for c in chosen])
    lines = design(place.u, place.v, place.log_depth)
    return Pool(place, measured - place.log_depth, sds, source, lines)


def judge(pool: Pool, chosen: list[Chosen], line: Line, local: float) -> tuple[npt.NDArray[np.bool_], list[bool]]:
    """Which anchors may be fitted, and which sources are believed.

    A source alone is held against the prior, for the place may be new; several are held against each other, and memory
    takes sides.
    """
    several = sum(len(c.log_depths) > 0 for c in chosen) > 1
    mean, belief = line.held if several else line.unknown
    residuals = (pool.ratios - pool.lines @ mean).astype(np.float32)
    offsets: list[Offset | None] = []
    kept = np.ones(len(residuals), np.bool_)
    for i, own in enumerate(chosen):
        mine = np.flatnonzero(pool.source == i)
        if not len(mine):
            offsets.append(None)
            continue
        r, sds, lines = residuals[mine], pool.sds[mine], pool.lines[mine]
        said = offset(r, sds, lines, belief, local, BIAS)
        if several:
            said = said._replace(prior=said.prior + MEMORY**2)
        offsets.append(None if own.relative else said)
        kept[mine] = _among_fellows(r, sds, lines, said, line.stationary, local)
    trusted = believed(offsets)
    kept &= np.asarray(trusted)[pool.source]
    return kept, trusted


def _among_fellows(
    residuals: Floats, sds: Floats, lines: Array, said: Offset, belief: Array, local: float
) -> npt.NDArray[np.bool_]:
    """Which anchors of one source are not far off its median, or, of few, off what was expected."""
    variance = np.square(sds) + local**2
    if len(residuals) >= FELLOWS:
        # What a line may still bend between them.
        variance = variance + belief[1, 1] * np.square(lines[:, 1] - lines[:, 1].mean())
        return np.asarray(np.abs(residuals - said.middle) < GATE * np.sqrt(variance))
    return np.asarray(np.abs(residuals) < GATE * np.sqrt(variance + said.prior))
