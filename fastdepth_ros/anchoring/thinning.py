"""Many anchors into few knots: what is close in picture and depth is fitted at one place.

Anchors are put in the order of a Z curve (Morton, 1966) through picture and depth, on which neighbours stay close; runs
of that order become knots.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fastdepth_ros.anchoring.field import Place
from fastdepth_ros.anchoring.prior import Prior

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.intp]

WIDTH, DEPTH = 2.0, 0.02
"""Smallest cells of the curve, in u and v, and in the logarithm of depth."""

BITS = 9
"""Bits of each coordinate: 512 cells."""

CROWD = 10
"""Bits below which anchors are a crowd: 16 px wide, 8 px high, and a factor of 1.17 deep."""

HEAP = 16
"""Anchors from which on crowds are looked for."""


class Points(NamedTuple):
    """Anchors that are fitted.

    Attributes:
        place: of each.
        residuals: (n,) log(measured / answered) less what the remembered line says.
        sds: (n,) standard deviation of measuring.
        source: (n,) number of its source.
    """

    place: Place
    residuals: Floats
    sds: Floats
    source: Numbers


class Curve(NamedTuple):
    """Anchors in the order of the curve.

    Attributes:
        order: (n,) which anchor is at each place of the order.
        gaps: (n - 1,) between each and the next: the highest bit in which they differ, and a fraction by distance.
    """

    order: Numbers
    gaps: Floats


class Runs(NamedTuple):
    """Runs of ordered anchors.

    Attributes:
        starts: (k,) where each begins.
        counts: (k,) of its anchors.
    """

    starts: Numbers
    counts: Numbers

    def total(self, values: Floats) -> Floats:
        """Sums over the anchors of each run, (k, ...)."""
        return np.asarray(np.add.reduceat(values, self.starts), np.float32)


def scales(prior: Prior) -> Floats:
    """Cells of the curve (3,) in the lengths of features: u, v, logarithm of depth."""
    across = prior.reach / WIDTH
    return np.array((across, across, prior.alike / DEPTH), np.float32)


def curve(points: Points, scales: Floats) -> Curve:
    """The order in which anchors that are close follow each other."""
    at: Floats = points.place.features[:, :3] * scales
    x, y, z = _TABLE.take(np.floor(at).astype(np.intp) + (1 << BITS - 1), mode="clip").T
    # Sources stay apart, since each has its own bias.
    code = x + (y << 1) + (z << 2) + (points.source << 3 * BITS)
    order = np.argsort(code, kind="stable")
    code, at = code[order], at[order]
    bits = np.frexp((code[1:] ^ code[:-1]).astype(np.float64))[1]
    between = at[1:] - at[:-1]
    far = np.einsum("ij,ij->i", between, between)
    return Curve(order, (bits + far / (far + 1)).astype(np.float32))


def runs(gaps: Floats, capacity: int) -> Runs:
    """At most ``capacity`` runs, split where the curve jumps most."""
    count = len(gaps) + 1
    if count <= capacity:
        return Runs(np.arange(count), np.ones(count, np.intp))
    return _split(gaps, float(np.partition(gaps, count - 1 - capacity)[count - 1 - capacity]))


def crowding(gaps: Floats, shared: float) -> Floats | np.float32:
    """By how much each ordered anchor's standard deviation grows where others are close, (n,) or 1.

    Neighbours have a share of their errors' variance in common, so that many of them together say no more than
    1 / shared of them.
    """
    if len(gaps) < HEAP:
        return np.float32(1)
    counts = _split(gaps, CROWD + 1.0).counts
    return np.asarray(np.repeat(np.sqrt(1 + shared * (counts - 1)), counts), np.float32)


def _split(gaps: Floats, threshold: float) -> Runs:
    inner = np.flatnonzero(gaps > threshold)
    starts = np.zeros(len(inner) + 1, np.intp)
    np.add(inner, 1, out=starts[1:])
    counts = np.empty_like(starts)
    np.subtract(starts[1:], starts[:-1], out=counts[:-1])
    counts[-1] = len(gaps) + 1 - starts[-1]
    return Runs(starts, counts)


def _interleaved() -> Numbers:
    """Numbers below 512 with two empty bits between their bits."""
    number, out = np.arange(1 << BITS), np.zeros(1 << BITS, np.intp)
    for bit in range(BITS):
        out |= (number >> bit & 1) << 3 * bit
    return out


_TABLE = _interleaved()
