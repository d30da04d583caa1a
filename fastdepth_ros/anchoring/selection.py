"""Which of the anchors that came can be used: usable numbers, in the view, where there is an answer."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from fastdepth_ros.anchoring.anchors import Anchors
from fastdepth_ros.anchoring.zones import aim

Floats = npt.NDArray[np.float32]

NEAREST, FARTHEST = 0.02, 500.0
"""Depths outside are no measurements of a room [m]."""

MOST = 20_000
"""Anchors of one source that are looked at; of more, every n-th."""

RELATIVE = {"scan": 0.02, "range": 0.03, "anchor_depth": 0.03, "floor": 0.05}
"""What is assumed of a source that gives no sigma, as a share of depth; points of odometry and others have VAGUE."""

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


def choose(anchors: Anchors, metres: Floats) -> Chosen:
    """Sort out what cannot be used.

    Args:
        anchors: any numbers; arrays of other lengths than ``depths`` count as no depths at all.
        metres: (rows, columns) the answer [m].
    """
    pixels, depths, sigmas = (np.asarray(a, np.float32) for a in (anchors.pixels, anchors.depths, anchors.sigmas))
    given = depths.size
    rejected: dict[str, int] = {}
    if pixels.shape != (given, 2) or depths.ndim != 1 or sigmas.shape != depths.shape:
        pixels, depths, sigmas = np.zeros((0, 2), np.float32), depths.ravel()[:0], depths.ravel()[:0]
        rejected["not a depth"] = given
    if len(depths) > MOST:
        step = -(-len(depths) // MOST)
        pixels, depths, sigmas = pixels[::step], depths[::step], sigmas[::step]
    rows, columns = metres.shape
    with np.errstate(invalid="ignore", over="ignore"):
        real = (depths >= NEAREST) & (depths <= FARTHEST) & ~np.isinf(sigmas)
        x, y = pixels[:, 0], pixels[:, 1]
        seen = (x >= -0.5) & (y >= -0.5) & (x < 2 * columns - 0.5) & (y < 2 * rows - 0.5)
    _count(rejected, "not a depth", real)
    _count(rejected, "outside the view", seen | ~real)
    kept = np.flatnonzero(real & seen)
    pixels, depths, sigmas = pixels[kept], depths[kept], sigmas[kept]
    points = not max(anchors.zone) > 0
    if not points and len(pixels):
        pixels = aim(pixels, anchors.zone, metres)
    cells = ((pixels + np.float32(0.5)) * np.float32(0.5)).astype(np.intp)
    answered = metres[cells[:, 1], cells[:, 0]] > 0
    _count(rejected, "no answer there", answered)
    pixels, depths, sigmas = pixels[answered], depths[answered], sigmas[answered]
    told = sigmas > 0
    sds = np.where(told, sigmas / depths, assumed(anchors.source, depths)).astype(np.float32)
    np.clip(sds, LEAST, 3.0, out=sds)
    every = bool(told.all()) and len(told) > 0
    return Chosen(anchors.source, pixels, np.log(depths), sds, every, anchors.relative, points, given, rejected)


def assumed(source: str, depths: Floats) -> Floats:
    """Standard deviations as shares of depth where a source gives none."""
    if source in RELATIVE:
        return np.full(len(depths), RELATIVE[source], np.float32)
    return np.asarray(VAGUE * np.maximum(1, depths / VAGUE_BEYOND), np.float32)


def _count(rejected: dict[str, int], cause: str, good: npt.NDArray[np.bool_]) -> None:
    bad = len(good) - int(np.count_nonzero(good))
    if bad:
        rejected[cause] = rejected.get(cause, 0) + bad
