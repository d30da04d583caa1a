"""Many anchors into few knots: what is close in picture and depth is fitted at one place."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fastdepth_ros.anchoring.field import Place

Floats = npt.NDArray[np.float32]
Numbers = npt.NDArray[np.intp]

FIRST = 6.0
"""Anchors closer than this in u and v are merged first; the width grows until few enough knots are left."""

GROWTH = 1.2

DEEP = 0.01
"""Width in the logarithm of depth, per unit of width in u and v."""


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


class Knots(NamedTuple):
    """Places at which they are.

    Attributes:
        place: of each knot, the middle of its anchors.
        source: (knots,) number of its source.
        member: (n,) the knot of each anchor; None where every anchor is a knot of its own.
    """

    place: Place
    source: Numbers
    member: Numbers | None


def thin(points: Points, capacity: int) -> Knots:
    """At most ``capacity`` knots; all anchors as they are where they are few enough."""
    if len(points.residuals) <= capacity:
        return Knots(points.place, points.source, None)
    width = FIRST
    while True:
        bins = _bins(points, width)
        order = np.argsort(bins)
        ranked = bins[order]
        new = np.empty(len(ranked), np.bool_)
        new[0] = False
        np.not_equal(ranked[1:], ranked[:-1], out=new[1:])
        count = int(np.count_nonzero(new)) + 1
        if count <= capacity:
            member = np.empty(len(bins), np.intp)
            member[order] = np.cumsum(new)
            return _merged(points, member, count)
        width *= max(GROWTH, 0.8 * (count / capacity) ** 0.5)


def _bins(points: Points, width: float) -> npt.NDArray[np.int64]:
    place = points.place
    step = np.float32(1 / width)
    column = (place.u * step + np.float32(512)).astype(np.int64)
    row = (place.v * step + np.float32(512)).astype(np.int64)
    layer = (place.log_depth * (step / np.float32(DEEP)) + np.float32(8192)).astype(np.int64)
    # Sources stay apart, since each has its own bias.
    return ((points.source * 1024 + column) * 1024 + row) * 16384 + layer


def _merged(points: Points, member: Numbers, count: int) -> Knots:
    share = np.float32(1) / np.bincount(member, minlength=count).astype(np.float32)

    def mean(values: Floats) -> Floats:
        return np.asarray(np.bincount(member, values, count) * share, np.float32)

    place = points.place
    features = np.stack([mean(column) for column in place.features.T], axis=1)
    source = np.zeros(count, np.intp)
    source[member] = points.source
    return Knots(Place(features, mean(place.u), mean(place.v), mean(place.log_depth)), source, member)
