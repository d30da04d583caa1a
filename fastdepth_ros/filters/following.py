"""Where each cell of a picture was in the picture before: optical flow on a small grey picture.

Flow is that of DIS (Kroeger et al., Fast Optical Flow using Dense Inverse Search, ECCV 2016), from the new picture to
the one before, on pictures of a quarter of the network's input.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

Map = npt.NDArray[np.float32]

FEWEST = 12
"""Rows and columns that a picture needs for the flow's patches; smaller ones are taken as standing."""

CELLS = 2
"""Cells along one pixel of the small picture."""

NOISE, CHANGED = 6.0, 18.0
"""Difference from the pixel before, of 255, up to which it shows the same thing, and from which another."""

DARKEST = 1.0
"""Mean below which brightness is not compared, of 255."""


class Followed(NamedTuple):
    """Where cells were. All arrays are written again with the next picture.

    Attributes:
        places: (rows, columns, 2) column and row of each cell in the picture before [cells].
        same: (rows, columns) from 1, the picture shows the same thing there, to 0, another.
        motion: (rows, columns) length of the way [cells].
    """

    places: Map
    same: Map
    motion: Map


class Follower:
    """Follows the cells of one camera's pictures.

    Args:
        shape: rows and columns of cells.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        rows, columns = shape
        self._small = (max(1, columns // CELLS), max(1, rows // CELLS))
        small = self._small[::-1]
        self._flow_of = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        self._flow_of.setFinestScale(1)
        self._moves = min(small) >= FEWEST
        self._now, self._before, self._moved = (np.zeros(small, np.uint8) for _ in range(3))
        self._flow = np.zeros((*small, 2), np.float32)
        self._small_grid, self._grid = _grid(small), _grid(shape)
        self._small_places = np.empty_like(self._small_grid)
        self._difference = np.empty(small, np.float32)
        self._parts = [np.zeros(small, np.float32) for _ in range(3)]
        self._way = np.empty((*shape, 2), np.float32)
        self._found = Followed(np.empty_like(self._grid), np.empty(shape, np.float32), np.empty(shape, np.float32))
        self._grey: npt.NDArray[np.uint8] = np.empty((0, 0), np.uint8)

    def show(self, picture: npt.NDArray[np.uint8]) -> None:
        """Take the next picture, (h, w, 3) RGB of any size."""
        if self._grey.shape != picture.shape[:2]:
            self._grey = np.empty(picture.shape[:2], np.uint8)
        self._now, self._before = self._before, self._now
        cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY, self._grey)
        cv2.resize(self._grey, self._small, self._now, 0, 0, cv2.INTER_AREA)

    def follow(self) -> Followed:
        """Where each cell of the latest picture was in the one before that."""
        if self._moves:
            self._flow_of.calc(self._now, self._before, self._flow)
        found = self._found
        np.add(self._small_grid, self._flow, out=self._small_places)
        cv2.remap(self._before, self._small_places, None, cv2.INTER_LINEAR, self._moved, cv2.BORDER_REPLICATE)
        self._compare()
        # Cells are CELLS times as many, and so is their way.
        cv2.resize(self._flow, self._grid.shape[1::-1], self._way, 0, 0, cv2.INTER_LINEAR)
        np.multiply(self._way, np.float32(CELLS), out=self._way)
        np.add(self._grid, self._way, out=found.places)
        across, down, far = self._parts
        cv2.split(self._flow, [across, down])
        cv2.magnitude(across, down, far)
        cv2.resize(far, self._grid.shape[1::-1], found.motion, 0, 0, cv2.INTER_LINEAR)
        np.multiply(found.motion, np.float32(CELLS), out=found.motion)
        return found

    def _compare(self) -> None:
        """Hold the picture against that before, each thing at its place, in the same light."""
        now, before = cv2.mean(self._now)[0], cv2.mean(self._moved)[0]
        light = now / before if min(now, before) > DARKEST else 1.0
        cv2.addWeighted(self._now, 1.0, self._moved, -light, 0.0, self._difference, cv2.CV_32F)
        same = self._difference
        np.abs(same, out=same)
        np.multiply(same, np.float32(-1 / (CHANGED - NOISE)), out=same)
        np.add(same, np.float32(CHANGED / (CHANGED - NOISE)), out=same)
        np.clip(same, 0, 1, out=same)
        cv2.resize(same, self._found.same.shape[::-1], self._found.same, 0, 0, cv2.INTER_LINEAR)


def _grid(shape: tuple[int, int]) -> Map:
    """Column and row of each pixel, (rows, columns, 2)."""
    rows, columns = shape
    return np.dstack(np.meshgrid(np.arange(columns), np.arange(rows))).astype(np.float32)
