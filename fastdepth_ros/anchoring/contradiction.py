"""Places where anchors contradict the answer: something is there that it does not show.

One anchor that is far off may be wrong. Several about one place, in this frame or in those before it, are not.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from fastdepth_ros.anchoring.field import NEAREST, Field
from fastdepth_ros.anchoring.fit import middle
from fastdepth_ros.anchoring.layout import NODE
from fastdepth_ros.anchoring.pool import Placed

Floats = npt.NDArray[np.float32]

LARGEST, LEAST = np.float32(25.0), np.float32(0.1)
"""Squared standardised error that counts at most, and what is added to each."""

OFTEN, NEVER = 0.8, 0.01
"""Share of a source's anchors whose squared errors are within what is usual of it; what that is at least."""

USUAL = np.float32(8.0)
"""Anchors that the picture's mean is worth at each place."""

AROUND = 2.2
"""Standard deviation of what an anchor speaks for [nodes]."""

SURE = np.float32(0.02)
"""Standard deviation of measuring [log m] below which no anchor is taken to be."""


class Contradiction:
    """Errors of anchors about each node of the grid; its buffers are made once.

    Args:
        field: of the frame.
    """

    def __init__(self, field: Field) -> None:
        self._field = field
        self._bells = tuple(_bells(size) for size in field.grid)
        # Of all anchors about each node: their squared errors, and how many they are.
        self._said, self._silent = np.zeros((2, *field.grid), np.float32), True

    def forget(self) -> None:
        """Drop what was said in earlier frames."""
        if not self._silent:
            self._said[:] = 0.0
            self._silent = True

    def look(
        self, depth: Floats, placed: Placed, trusted: list[bool], relative: list[bool], kept: Floats | None
    ) -> Floats:
        """Factors (rows, columns of the grid) on standard deviations, about 1.

        Args:
            depth: (rows, columns) the corrected answer [m].
            placed: the frame's anchors.
            trusted: whether each of their sources is believed.
            relative: whether each of them knows its depths up to a factor only.
            kept: (any rows, columns) how much of the last frame is still true, 0 to 1; None for nothing.
        """
        if kept is None:
            self.forget()
        else:
            self._said *= cv2.resize(kept, self._field.grid[::-1], interpolation=cv2.INTER_AREA)
        row, column = self._field.cells(placed.place)
        off = placed.ratios + placed.place.log_depth
        off -= np.log(np.fmax(depth.ravel().take(row * depth.shape[1] + column), NEAREST))
        squares = np.empty_like(off)
        for part, unknown in zip(placed.parts, relative, strict=True):
            if part.stop > part.start:
                squares[part] = _squares(off[part], placed.sds[part], unknown)
        rows, columns = self._field.grid
        node = (row // NODE) * columns + column // NODE
        if not all(trusted):
            heard = np.array(trusted)[placed.source]
            squares, node = squares[heard], node[heard]
        self._silent = False
        for said, each in zip(self._said, (squares, None), strict=True):
            said += np.bincount(node, each, rows * columns).reshape(rows, columns)
        return self._factors()

    def _factors(self) -> Floats:
        down, across = self._bells
        squares, count = self._said.reshape(2, -1).sum(1).tolist()
        around = down @ self._said @ across
        around += USUAL
        around[0] += USUAL * np.float32(max(squares / max(count, 1e-6), float(LEAST)) - 1)
        found: Floats = around[0] / around[1]
        found /= found.mean()
        # Not the root of the mean square: what is cut off at LARGEST is larger than it looks.
        return np.square(found, out=found)


def _squares(off: Floats, sds: Floats, relative: bool) -> Floats:
    """Squared errors of one source, standardised by what it says of them, or by what is usual of it where that is less.

    Args:
        off: (n,) logarithm of what it measures over the corrected answer.
        sds: (n,) standard deviations of measuring [log m].
        relative: whether it knows its depths up to a factor only.
    """
    if relative:
        off = off - np.float32(middle(off))
    squares = np.square(off) / (np.square(sds) + SURE**2)
    often = int(OFTEN * len(squares))
    usual = float(np.partition(squares, often)[often])
    squares /= min(max(usual, NEVER), 1.0)
    return np.fmin(squares + LEAST, LARGEST)


def _bells(size: int) -> Floats:
    """(size, size) how much nodes of a row speak for each other."""
    node = np.arange(size)
    return np.exp(-0.5 * np.square((node[:, None] - node) / AROUND)).astype(np.float32)
