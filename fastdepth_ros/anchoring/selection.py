"""Anchors that can be used of those that came: usable numbers, in the view, where there is an answer."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from fastdepth_ros.anchoring.anchors import Anchors, Known
from fastdepth_ros.anchoring.zones import aim

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]

NEAREST, FARTHEST = np.float32(0.02), np.float32(500.0)
"""Depths outside are no measurements of a room [m]."""

MOST = 20_000
"""Anchors of one source that are looked at; of more, every n-th."""

RELATIVE = {"scan": 0.02, "range": 0.03, "anchor_depth": 0.03, "floor": 0.05}
"""Standard deviations of sources that give none, as shares of depth; points of odometry and others have VAGUE."""

VAGUE, VAGUE_BEYOND = 0.06, 3.0
"""A share of depth, and the depth [m] beyond which it grows in proportion: parallax gets small."""

LEAST = 0.005
"""No sigma is believed below this share of depth."""


@dataclass
class Chosen:
    """The usable anchors of one source.

    Attributes:
        source: its name.
        pixels: (n, 2) float32.
        log_depths: (n,) float32, logarithms of measured depth.
        sds: (n,) float32, of these logarithms.
        told: whether the source gave its sigmas.
        relative: whether depths are known up to one factor.
        points: whether each is of one pixel, and not of a zone.
        given: how many came.
        rejected: cause -> count.
    """

    source: str
    pixels: Floats
    log_depths: Floats
    sds: Floats
    told: bool
    relative: bool
    points: bool
    given: int
    rejected: dict[str, int] = field(default_factory=dict)


class _Sieve:
    """Arrays side by side of which anchors are left out, and how many for which cause."""

    def __init__(self, *columns: Floats) -> None:
        self.columns = columns
        self.rejected: dict[str, int] = {}

    def keep(self, good: Flags, cause: str) -> None:
        bad = len(good) - int(np.count_nonzero(good))
        if bad:
            self.rejected[cause] = self.rejected.get(cause, 0) + bad
            kept = np.flatnonzero(good)
            self.columns = tuple(column[kept] for column in self.columns)


def choose(anchors: Anchors, metres: Floats) -> Chosen:
    """Sort out what cannot be used.

    Args:
        anchors: any numbers; arrays of other lengths than ``depths`` count as no depths at all.
        metres: (rows, columns) the answer [m].
    """
    if anchors.known is not None and not max(anchors.zone) > 0:
        return _chosen(anchors, anchors.known, metres)
    pixels, depths, sigmas = (np.asarray(a, np.float32) for a in (anchors.pixels, anchors.depths, anchors.sigmas))
    given = depths.size
    fits = pixels.shape == (given, 2) and depths.ndim == 1 and sigmas.shape == depths.shape
    if not fits:
        pixels, depths, sigmas = np.zeros((0, 2), np.float32), depths.ravel()[:0], depths.ravel()[:0]
    if len(depths) > MOST:
        step = -(-len(depths) // MOST)
        pixels, depths, sigmas = pixels[::step], depths[::step], sigmas[::step]
    sieve = _Sieve(pixels, depths, sigmas)
    if not fits:
        sieve.rejected["not a depth"] = given
    points = not max(anchors.zone) > 0
    with np.errstate(invalid="ignore", over="ignore", under="ignore"):
        # NaN compares false.
        sieve.keep((depths >= NEAREST) & (depths <= FARTHEST) & ~np.isinf(sigmas), "not a depth")
        # Cells as real numbers: the picture begins and ends half a pixel before and behind its pixels' centres.
        at = (sieve.columns[0] + _HALF) * _HALF
        inside = (at >= 0) & (at < np.array(metres.shape[::-1], np.float32))
        sieve.columns = *sieve.columns, at
        sieve.keep(inside[:, 0] & inside[:, 1], "outside the view")
        pixels, depths, sigmas, at = sieve.columns
        if not points and len(pixels):
            pixels = aim(pixels, anchors.zone, metres)
            at = (pixels + _HALF) * _HALF
        answered = metres.ravel().take(cells_of(at, metres.shape[1]))
        sieve.columns = pixels, depths, sigmas, answered
        sieve.keep(answered > 0, "no answer there")
        pixels, depths, sigmas, answered = sieve.columns
        sds, every = _shares(anchors.source, depths, sigmas, answered, None)
    return Chosen(anchors.source, pixels, np.log(depths), sds, every, anchors.relative, points, given, sieve.rejected)


def _chosen(anchors: Anchors, known: Known, metres: Floats) -> Chosen:
    """Sort out what has no answer, of anchors whose numbers somebody made sure of."""
    source, pixels, depths, sigmas, relative = anchors[:5]
    cells, logs, told = known
    answered, given = metres.ravel().take(cells), len(depths)
    kept, rejected = answered > 0, {}
    left_out = given - int(np.count_nonzero(kept))
    if left_out:
        index = np.flatnonzero(kept)
        pixels, depths, sigmas, logs, answered = (
            each.take(index, 0) for each in (pixels, depths, sigmas, logs, answered)
        )
        rejected = {"no answer there": left_out}
    sds, every = _shares(source, depths, sigmas, answered, told)
    return Chosen(source, pixels, logs, sds, every, relative, True, given, rejected)


def _shares(source: str, depths: Floats, sigmas: Floats, answered: Floats, told: bool | None) -> tuple[Floats, bool]:
    """Standard deviations as shares of depth, given or assumed, and whether all were given."""
    which: Flags | None = None
    if told is None:
        which = sigmas > 0  # false for NaN, too
        some = int(np.count_nonzero(which))
        told = None if 0 < some < len(which) else some > 0
    every = told is True and len(sigmas) > 0
    if every:
        sds = sigmas / depths
    else:
        # What is wrongly far is no less sure than what is where it was answered.
        sds = assumed(source, depths, answered)
        if told is None:
            assert which is not None
            sds = np.where(which, sigmas / depths, sds)
    return np.minimum(np.maximum(sds, _LEAST), _MOST_UNSURE), every


_HALF, _LEAST, _MOST_UNSURE = np.float32(0.5), np.float32(LEAST), np.float32(3.0)


def cells_of(at: Floats, columns: int) -> npt.NDArray[np.intp]:
    """Numbers of cells in a map of so many columns, from (n, 2) their columns and rows as real numbers."""
    whole = at.astype(np.intp)
    return np.asarray(whole[:, 1] * columns + whole[:, 0], np.intp)


def assumed(source: str, depths: Floats, answered: Floats) -> Floats:
    """Standard deviations as shares of depth where a source gives none, from measured and answered depths."""
    if source in RELATIVE:
        return np.full(len(depths), RELATIVE[source], np.float32)
    beyond = np.minimum(depths, answered) * np.float32(1 / VAGUE_BEYOND)
    return np.asarray(np.float32(VAGUE) * np.maximum(np.float32(1), beyond), np.float32)
