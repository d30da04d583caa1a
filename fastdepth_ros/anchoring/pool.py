"""The anchors of all sources of one frame, side by side: what each source says, and which pass its gate."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fastdepth_ros.anchoring.field import Place
from fastdepth_ros.anchoring.fit import middle
from fastdepth_ros.anchoring.line import Array, average, design
from fastdepth_ros.anchoring.selection import Chosen
from fastdepth_ros.anchoring.thinning import Points

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]

GATE = 4.0
"""Standard deviations from its fellows beyond which an anchor is left out before anything is fitted."""

NEAR_ONLY = ("anchor_depth",)
"""Sources that answer within a reach only."""

SOME, MARGIN = 8, 0.1
"""From so many anchors on the farthest one shows a source's reach, and how far below it reach is felt [log m]."""

SILENT = np.float32(3.0)
"""Standard deviation of an anchor without a say [log m]."""

MANY, FLAT, CONTRADICTION = 16, 0.15, -0.15
"""From so many anchors, and such a spread of the answer [log m] on, a correlation this low means a wrong source."""


class Means(NamedTuple):
    """Means (6,) of the line from which anchors are seen.

    Attributes:
        judging: what sources are held against.
        held, settled: of the line's memory.
    """

    judging: Array
    held: Array
    settled: Array


class Heard(NamedTuple):
    """One source's anchors in numbers; all but the size say nothing where there are none.

    Attributes:
        size: how many they are.
        middle: median of how far they are off the mean that sources are held against [log m].
        ratio: median of log(measured / answered).
        spread: median of their standard deviations [log m].
        line: (6,) mean of their rows of the line's design matrix.
        squares, product: centred sums of squares of the logarithms of depth, answered and measured, and of the product
            of both.
    """

    size: int
    middle: float
    ratio: float
    spread: float
    line: Array
    squares: tuple[float, float]
    product: float

    @property
    def contradicts(self) -> bool:
        """Whether it says near where the answer says far, and far where that says near, as one mounted upside down."""
        answered, measured = self.squares
        if self.size < MANY or answered < FLAT**2 * self.size:
            return False
        return self.product < CONTRADICTION * math.sqrt(answered * measured)

    @property
    def scatter(self) -> float:
        """Standard deviation of how far its anchors are off [log m]: what one says of the whole is as vague as that."""
        answered, measured = self.squares
        return math.sqrt(max(answered + measured - 2 * self.product, 0.0) / max(self.size, 1))


NOTHING = Heard(0, math.nan, math.nan, math.nan, np.zeros(6), (0.0, 0.0), 0.0)
"""Numbers of a source without anchors."""


class Placed(NamedTuple):
    """Anchors of all sources side by side.

    Attributes:
        place: of each.
        ratios: (n,) log(measured / answered).
        sds: (n,) standard deviations of measuring.
        source: (n,) number of its source.
        parts: of each source, whose anchors stand together.
        heard: of each source.
        innovations: medians of all, off what is held and what is settled.
        means: that they were seen from.
    """

    place: Place
    ratios: Floats
    sds: Floats
    source: npt.NDArray[np.intp]
    parts: list[slice]
    heard: list[Heard]
    innovations: tuple[float, float]
    means: Means

    @property
    def average(self) -> Array:
        """(6,) mean of all rows of the line's design matrix."""
        if len(self.heard) == 1:
            return self.heard[0].line
        total = np.zeros(6)
        for each in self.heard:
            total += each.line * (each.size / len(self.ratios))
        return total


class Gate(NamedTuple):
    """Gates that anchors of one source pass before they are fitted.

    Attributes:
        centre: about which they have to be, off the mean that sources are held against [log m].
        extra: variance beside that of measuring and of the local part.
        bend, slope: variance of the line's slope, and the slope's row of the design matrix about which it turns.
        is_open: whether any may pass.
    """

    centre: float
    extra: float
    bend: float
    slope: float
    is_open: bool


def parts_of(chosen: list[Chosen]) -> list[slice]:
    """Places of each source's anchors among those of all."""
    parts, start = [], 0
    for each in chosen:
        parts.append(slice(start, start + len(each.log_depths)))
        start = parts[-1].stop
    return parts


def joined(columns: list[Floats]) -> Floats:
    """One array of several."""
    return columns[0] if len(columns) == 1 else np.concatenate(columns)


def reaches(source: str, count: int) -> bool:
    """Whether the farthest of so many anchors shows how far a source sees."""
    return source in NEAR_ONLY and count >= SOME


def gather(place: Place, chosen: list[Chosen], means: Means) -> Placed:
    """All anchors with what each source says, once their places are known."""
    ratios = joined([c.log_depths for c in chosen]) - place.log_depth
    sds, parts = joined([c.sds for c in chosen]), parts_of(chosen)
    for own, mine in zip(chosen, parts, strict=True):
        if reaches(own.source, mine.stop - mine.start):
            out_of_reach = _beyond(place.log_depth[mine], ratios[mine])
            sds[mine] = np.where(out_of_reach, SILENT, sds[mine])
    counts = [mine.stop - mine.start for mine in parts]
    source = np.zeros(len(ratios), np.intp) if len(chosen) == 1 else np.repeat(np.arange(len(chosen)), counts)
    lines = design(place.u, place.v, place.log_depth)
    off = ratios - np.stack(means).astype(np.float32) @ lines.T
    heard = [_hear(off[0][mine], ratios[mine], sds[mine], lines[mine], place.log_depth[mine]) for mine in parts]
    innovations = middle(off[1]), middle(off[2])
    return Placed(place, ratios, sds, source, parts, heard, innovations, means)


def _beyond(log_depth: Floats, ratios: Floats) -> Flags:
    """Anchors of a source with a short reach that are where things are expected beyond it.

    There it answers only where it contradicts, with what is wrongly near: its anchors there are none of what is seen.
    """
    return np.asarray(log_depth + np.float32(middle(ratios) + MARGIN) > (log_depth + ratios).max(), np.bool_)


def _hear(off: Floats, ratios: Floats, sds: Floats, lines: Floats, log_depth: Floats) -> Heard:
    count = len(off)
    if not count:
        return NOTHING
    both = np.empty((2, count), np.float32)
    both[0] = log_depth
    np.add(log_depth, off, out=both[1])
    both -= both @ np.full((count, 1), 1 / count, np.float32)
    (answered, product), (_, measured) = (both @ both.T).tolist()
    return Heard(count, middle(off), middle(ratios), middle(sds), average(lines), (answered, measured), product)


def let_in(placed: Placed, gates: list[Gate], local: float) -> tuple[Points, npt.NDArray[np.intp]]:
    """Anchors that pass, with their residuals from the settled mean, and their numbers."""
    lines = design(placed.place.u, placed.place.v, placed.place.log_depth)
    off = placed.ratios - lines @ placed.means.judging.astype(np.float32)
    kept = np.zeros(len(off), np.bool_)
    for gate, mine in zip(gates, placed.parts, strict=True):
        if not gate.is_open or mine.start == mine.stop:
            continue
        variance = np.square(placed.sds[mine]) + np.float32(local**2 + gate.extra)
        if gate.bend:
            variance += np.float32(gate.bend) * np.square(lines[mine, 1] - np.float32(gate.slope))
        kept[mine] = np.square(off[mine] - np.float32(gate.centre)) < np.float32(GATE**2) * variance
    residuals = placed.ratios - lines @ placed.means.settled.astype(np.float32)
    index = np.flatnonzero(kept)
    if len(index) == len(kept):
        return Points(placed.place, residuals, placed.sds, placed.source), index
    place = Place(*(column.take(index, 0) for column in placed.place))
    return Points(place, residuals.take(index), placed.sds.take(index), placed.source.take(index)), index
