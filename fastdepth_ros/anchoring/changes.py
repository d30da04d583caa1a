"""Changes of the answer since something was measured: where it changed, the measurement is of something else now.

A robot that turns with one radian a second has turned by a quarter of the view when a measurement is 0.25 s old, and
somebody who walks has left. Neither is known of from a pose; the answers of both times show it.
"""

from __future__ import annotations

from collections import deque
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from fastdepth_ros.anchoring.anchors import Anchors
from fastdepth_ros.anchoring.fit import middle
from fastdepth_ros.anchoring.layout import NODE

Floats = npt.NDArray[np.float32]

KEPT = 32
"""Answers that are remembered: of one second at 30 Hz."""

SOON = 0.02
"""Age of a measurement up to which nothing has changed [s]: half a frame at 25 Hz."""

CHANGED = np.float32(0.1)
"""Change of the answer [log m] up to which it may be the network's own flicker."""

NEAREST = np.float32(1e-3)
"""Depths below this [m] are no answers."""


class Changes:
    """The last answers, small, and when their images were taken."""

    def __init__(self) -> None:
        self._answers: deque[tuple[float, Floats]] = deque(maxlen=KEPT)
        self._latest: tuple[Floats, Floats] | None = None  # an answer, and what has changed since

    def put(self, stamp: float, metres: Floats) -> None:
        """Take the answer (rows, columns) [m] to the image of this stamp [s]; one of before begins anew."""
        rows, columns = metres.shape
        small = cv2.resize(metres, (max(1, columns // NODE), max(1, rows // NODE)), interpolation=cv2.INTER_AREA)
        answer: Floats = np.fmax(small, NEAREST, out=small)
        np.log(answer, out=answer)
        if self._answers and (stamp <= self._answers[-1][0] or self._answers[-1][1].shape != answer.shape):
            self._answers.clear()
        self._answers.append((stamp, answer))
        self._latest = None

    def since(self, stamp: float) -> Floats | None:
        """Change (rows, columns) of the logarithm of the answer from a time [s] to now, at 4x4 cells each.

        What changed everywhere by the same does not count: the network's scale flickers.

        Returns:
            None where no answer is so old, or none differs.
        """
        answers = self._answers
        if not answers or not stamp >= answers[0][0] - SOON:  # a NaN is none
            return None
        now = answers[-1][1]
        # Most measurements are a frame or two old, and stamps only grow.
        nearest = answers[-1]
        for each in reversed(answers):
            if abs(each[0] - stamp) > abs(nearest[0] - stamp):
                break
            nearest = each
        if nearest[1] is now:
            return None
        if self._latest is None or self._latest[0] is not nearest[1]:
            change = now - nearest[1]
            change -= np.float32(middle(change.ravel()))
            self._latest = nearest[1], np.abs(change, out=change)
        return self._latest[1]


@lru_cache(4)
def _nodes(rows: int, columns: int) -> npt.NDArray[np.intp]:
    """Number of the 4x4 cells that each cell is one of, on a grid of so many of them."""
    return np.arange(rows * columns).reshape(rows, columns).repeat(NODE, 0).repeat(NODE, 1).ravel()


def doubted(anchors: Anchors, change: Floats, unsure: float, cells: tuple[int, ...] = ()) -> Anchors:
    """Anchors whose standard deviations hold what the answer has changed by since they were measured.

    Args:
        anchors: of one source.
        change: as :meth:`Changes.since` tells it.
        unsure: share of a depth by which it is off where its source says nothing.
        cells: rows and columns of the answer, where that is known.
    """
    known, (rows, columns) = anchors.known, change.shape
    if known is None or cells != (NODE * rows, NODE * columns):
        column, row = ((anchors.pixels + np.float32(0.5)) * np.float32(0.5 / NODE)).astype(np.intp).T
        at = change[np.minimum(row, rows - 1), np.minimum(column, columns - 1)]
    else:
        at = change.ravel().take(_nodes(rows, columns).take(known.cells))
    moved = at > CHANGED
    if not np.count_nonzero(moved):
        return anchors
    sigmas = np.where(np.isnan(anchors.sigmas), np.float32(unsure) * anchors.depths, anchors.sigmas)
    grown = np.hypot(sigmas, at * anchors.depths, dtype=np.float32)
    known = known._replace(told=None) if known is not None else None
    return anchors._replace(sigmas=np.where(moved, grown, anchors.sigmas), known=known)
