"""Many anchors into few: what is close in picture and depth becomes one, weighed by how sure it is."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fastdepth_ros.anchoring.field import Place

Floats = npt.NDArray[np.float32]

FIRST = 6.0
"""Anchors closer than this in u and v are merged first; the width grows until few enough are left."""

GROWTH = 1.25

DEEP = 0.01
"""Width in the logarithm of depth, per unit of width in u and v."""

TAILS = 3.0


class Knots(NamedTuple):
    """Anchors as they are fitted: raw, or several in one.

    Attributes:
        place: of each.
        residuals: (n,) log(measured / answered) less what the remembered line says.
        sds: (n,) standard deviation of measuring.
        source: (n,) number of its source.
        member: (anchors,) the knot of every anchor that came in.
    """

    place: Place
    residuals: Floats
    sds: Floats
    source: npt.NDArray[np.intp]
    member: npt.NDArray[np.intp]


def thin(knots: Knots, capacity: int, scatter: float) -> Knots:
    """At most ``capacity`` knots; as they are where they are few enough.

    Args:
        knots: one per anchor.
        capacity: knots at most.
        scatter: standard deviation of residuals among neighbours; beyond it an anchor of a heap has less weight.
    """
    if len(knots.residuals) <= capacity:
        return knots
    width = FIRST
    while True:
        number, member = np.unique(_bins(knots, width), return_inverse=True)
        if len(number) <= capacity:
            return _merge(knots, member.ravel(), len(number), scatter)
        width *= GROWTH


def _bins(knots: Knots, width: float) -> npt.NDArray[np.int64]:
    place = knots.place
    steps = np.empty((3, len(place.u)))
    steps[0], steps[1] = place.u / width + 512, place.v / width + 512
    steps[2] = place.log_depth / (DEEP * width) + 8192
    column, row, layer = steps.astype(np.int64)
    # Sources stay apart, since each has its own bias; in the widest bins only they and halves of the picture do.
    return ((knots.source * 1024 + column) * 1024 + row) * 16384 + layer


def _merge(knots: Knots, member: npt.NDArray[np.intp], count: int, scatter: float) -> Knots:
    precision = np.asarray(1 / np.square(knots.sds), np.float32)
    middle = _weighted(knots.residuals, precision, member, count)[member]
    away = np.square((knots.residuals - middle) / np.hypot(knots.sds, scatter))
    weight = precision * ((TAILS + 1) / (TAILS + away))
    total = np.bincount(member, weight, count)
    place = knots.place

    def mean(values: Floats) -> Floats:
        return np.asarray(np.bincount(member, weight * values, count) / total, np.float32)

    features = np.stack([mean(column) for column in place.features.T], axis=1)
    merged = Place(features, mean(place.u), mean(place.v), mean(place.log_depth))
    source = np.zeros(count, np.intp)
    source[member] = knots.source
    sds = np.asarray(1 / np.sqrt(total), np.float32)
    return Knots(merged, mean(knots.residuals), sds, source, member)


def _weighted(values: Floats, weight: Floats, member: npt.NDArray[np.intp], count: int) -> Floats:
    return np.asarray(np.bincount(member, weight * values, count) / np.bincount(member, weight, count), np.float32)
