"""Points in the view of one camera, and which of them it cannot see."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from fastdepth_ros.anchoring.anchors import Known
from fastdepth_ros.camera import Intrinsics

Floats = npt.NDArray[np.float64]
Map = npt.NDArray[np.float32]

NEAREST, FARTHEST = 0.05, 100.0
"""Depths outside are no anchors [m]."""

BLOCK = 8
"""Side of the squares in which points are looked for that hide others [px]."""

BEHIND = 1.3
"""Factor by which a point has to be farther than one beside it, to be hidden by that perhaps."""

TOO_FAR = 1.5
"""Factor by which it is then farther than the answer, beside what the points in front say."""

NO_NUMBER, IS_BEHIND, OUTSIDE, HIDDEN = (
    "no number",
    "behind the camera, or too near or far",
    "outside the view",
    "hidden by something nearer",
)
"""Why something measured is no anchor."""

_HALF = np.float32(0.5)
_BESIDE = np.ones((3, 3), np.uint8)


class Behind(NamedTuple):
    """Points of a view of which some may be hidden: something near them in the picture is nearer.

    Attributes:
        numbers: (k,) of those, among all.
        depths, cells: (n,) of the n - k others, and then theirs, as in :class:`InView`.
    """

    numbers: npt.NDArray[np.intp]
    depths: Map
    cells: npt.NDArray[np.intp]


class InView(NamedTuple):
    """Points in the view of one camera.

    Attributes:
        pixels: (n, 2) float32 in the network's input.
        depths, sigmas: (n,) float32 [m].
        known: their cells, and what else can be worked out before there is an answer.
        behind: which of them may be hidden; None where there are none.
        left_out: cause -> how many points are not in the view.
    """

    pixels: Map
    depths: Map
    sigmas: Map
    known: Known
    behind: Behind | None
    left_out: Mapping[str, int]


def in_view(xyz: Floats, sigmas: Floats, seen: Intrinsics) -> InView:
    """Points in the view, and how many are not, by cause.

    Args:
        xyz: (m, 3) in the camera's optical frame [m], finite.
        sigmas: (m,) [m]; NaN is not known.
        seen: the camera of the view.
    """
    left_out: dict[str, int] = {}
    depths = xyz[:, 2]
    ahead = (depths > NEAREST) & (depths < FARTHEST)
    xyz, depths, sigmas = kept_of(ahead, IS_BEHIND, left_out, xyz, depths, sigmas)
    pixels = np.empty((len(depths), 2), np.float32)
    pixels[:, 0] = xyz[:, 0] / depths * seen.fx + seen.cx
    pixels[:, 1] = xyz[:, 1] / depths * seen.fy + seen.cy
    at = (pixels + _HALF) * _HALF
    # As float32: whoever finds their cells again finds none beyond the last.
    within = (at >= 0) & (at < np.array((seen.width / 2, seen.height / 2), np.float32))
    inside = within[:, 0] & within[:, 1]
    pixels, at, depths, sigmas = kept_of(inside, OUTSIDE, left_out, pixels, at, depths, sigmas)
    places = at.astype(np.intp)
    depths = depths.astype(np.float32)
    narrow: Map = sigmas.astype(np.float32)
    cells = places[:, 1] * (seen.width // 2) + places[:, 0]
    told = True if (narrow > 0).all() else False if np.isnan(narrow).all() else None
    behind, may_be_hidden = None, _behind(places[:, 1], places[:, 0], depths, seen)
    if may_be_hidden is not None:
        hind = np.flatnonzero(may_be_hidden)
        order = np.concatenate((np.flatnonzero(~may_be_hidden), hind))
        behind = Behind(hind, depths[order], cells[order])
    return InView(pixels, depths, narrow, Known(cells, np.log(depths), told), behind, left_out)


def kept_of(kept: Any, cause: str, left_out: dict[str, int], *arrays: Any) -> tuple[Any, ...]:
    """Arrays without what is not kept, which is counted by its cause."""
    count = len(kept) - int(np.count_nonzero(kept))
    if not count:
        return arrays
    left_out[cause] = count
    return tuple(array[kept] for array in arrays)


def _behind(
    rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64], depths: Map, seen: Intrinsics
) -> npt.NDArray[np.bool_] | None:
    """Points that have a nearer one beside them in the picture; None where none has."""
    if not len(depths) or depths.max() <= BEHIND * depths.min():
        return None
    nearest = np.full((seen.height // BLOCK + 1, seen.width // BLOCK + 1), np.inf, np.float32)
    blocks = 2 * rows // BLOCK * nearest.shape[1] + 2 * columns // BLOCK
    np.minimum.at(nearest.ravel(), blocks, depths)
    behind: npt.NDArray[np.bool_] = depths > BEHIND * cv2.erode(nearest, _BESIDE).ravel()[blocks]
    return behind if behind.any() else None


def hidden_points(behind: Behind, metres: Map) -> npt.NDArray[np.intp] | None:
    """Numbers of points that the camera cannot see, because something stands before them; None where it sees all.

    That is so where another point near them in the picture is nearer, and the answer agrees with that one: beside what
    the points in front say of the answer's scale, they are too far. One point that is too near hides no others.

    Args:
        behind: of one source.
        metres: the answer [m].
    """
    answers, front = metres.ravel().take(behind.cells), len(behind.cells) - len(behind.numbers)
    in_front, depths = answers[:front], behind.depths[:front]
    everywhere = np.count_nonzero(answers > 0) == len(answers)
    if not everywhere:
        there = np.flatnonzero(in_front > 0)
        if not len(there):
            return None
        in_front, depths = in_front[there], depths[there]
    ratios = depths / in_front
    ratios.partition(len(ratios) // 2)  # the upper median
    hidden = behind.depths[front:] > TOO_FAR * float(ratios[len(ratios) // 2]) * answers[front:]
    if not everywhere:
        hidden &= answers[front:] > 0
    return behind.numbers[hidden] if np.count_nonzero(hidden) else None
