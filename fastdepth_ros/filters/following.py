"""The way of each cell since the picture before: optical flow on a small grey picture.

Flow is that of DIS (Kroeger et al., Fast Optical Flow using Dense Inverse Search, ECCV 2016), from the new picture to
the one before. It is found with one pixel for 4 x 4 cells, and judged with one for 2 x 2.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

Map = npt.NDArray[np.float32]
Grey = npt.NDArray[np.uint8]

FEWEST = 12
"""Rows and columns that a picture needs for the flow's patches; smaller ones are taken as standing."""

COARSE, FINE = 4, 2
"""Cells along one pixel of the picture whose flow is found, and of the one that is judged."""

NOISE, CHANGED = 6.0, 18.0
"""Difference from the pixel before, of 255, up to which it shows the same thing, and from which another."""

DARKEST = 1.0
"""Mean below which brightness is not compared, of 255."""

STILL = 0.2
"""Mean way up to which the camera stands still, and what seems to move is noise [cells]."""

STEPS = 0.7548776662466927, 0.5698402909980532
"""Parts of 1 by which the dither goes on from picture to picture, across and down: its values fill the square evenly
(Roberts, The Unreasonable Effectiveness of Quasirandom Sequences, 2018)."""


class Followed(NamedTuple):
    """Places where cells were. All arrays are written again with the next picture.

    Attributes:
        places: (rows, columns, 2) column and row of each cell in the picture before [cells]. Of a camera that goes
            they are dithered by up to half a cell: the nearest cells are the right ones in the mean, however slow it
            goes.
        same: (rows / 2, columns / 2) from 1, the picture shows the same thing there, to 0, another.
        motion: (rows / 2, columns / 2) length of the way [cells].
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
        coarse, fine = (tuple(max(1, side // cells) for side in shape) for cells in (COARSE, FINE))
        self._flow_of = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        self._flow_of.setFinestScale(0)
        self._moves = min(coarse) >= FEWEST
        self._now, self._before = (_Pictures(shape, fine, coarse) for _ in range(2))
        self._moved = np.zeros(fine, np.uint8)
        self._flow, self._dithered = (np.zeros((*coarse, 2), np.float32) for _ in range(2))
        self._flow_fine, self._way = np.zeros((*fine, 2), np.float32), np.zeros((*shape, 2), np.float32)
        self._grid_fine, self._grid = _grid(fine), _grid(shape)
        self._places_fine = np.empty_like(self._grid_fine)
        self._parts = [np.zeros(fine, np.float32) for _ in range(2)]
        self._dither: npt.NDArray[np.float64] = np.zeros(2)
        self._found = Followed(*(np.zeros(each, np.float32) for each in ((*shape, 2), fine, fine)))

    def show(self, picture: npt.NDArray[np.uint8]) -> None:
        """Take the next picture, (h, w, 3) RGB of any size."""
        self._now, self._before = self._before, self._now
        self._now.take(picture)

    def follow(self) -> Followed:
        """Find where each cell of the latest picture was in the one before that."""
        if self._moves:  # from the flow of before, which is in the array
            self._flow_of.calc(self._now.coarse, self._before.coarse, self._flow)
        found = self._found
        cv2.resize(self._flow, self._flow_fine.shape[1::-1], self._flow_fine, 0, 0, cv2.INTER_LINEAR)
        self._flow_fine *= np.float32(COARSE / FINE)
        self._compare(found.same)
        across, down = cv2.split(self._flow_fine, self._parts)
        cv2.magnitude(across, down, found.motion)
        np.multiply(found.motion, np.float32(FINE), out=found.motion)

        np.multiply(self._flow, np.float32(COARSE), out=self._dithered)
        if cv2.mean(found.motion)[0] > STILL:
            self._dither = (self._dither + STEPS) % 1
            np.add(self._dithered, (self._dither - 0.5).astype(np.float32), out=self._dithered)
        cv2.resize(self._dithered, self._grid.shape[1::-1], self._way, 0, 0, cv2.INTER_LINEAR)
        np.add(self._grid, self._way, out=found.places)
        return found

    def _compare(self, same: Map) -> None:
        """Hold the picture against that before, each thing at its place, in the same light."""
        np.add(self._grid_fine, self._flow_fine, out=self._places_fine)
        cv2.remap(self._before.fine, self._places_fine, None, cv2.INTER_LINEAR, self._moved, cv2.BORDER_REPLICATE)
        now, before = cv2.mean(self._now.fine)[0], cv2.mean(self._moved)[0]
        light = now / before if min(now, before) > DARKEST else 1.0
        cv2.addWeighted(self._now.fine, 1.0, self._moved, -light, 0.0, same, cv2.CV_32F)
        np.abs(same, out=same)
        np.multiply(same, np.float32(-1 / (CHANGED - NOISE)), out=same)
        np.add(same, np.float32(CHANGED / (CHANGED - NOISE)), out=same)
        np.clip(same, 0, 1, out=same)


class _Pictures:
    """One picture in grey and small, twice."""

    def __init__(self, shape: tuple[int, int], fine: tuple[int, ...], coarse: tuple[int, ...]) -> None:
        self._colours = np.empty((*shape, 3), np.uint8)
        self._grey = np.empty(shape, np.uint8)
        self.fine, self.coarse = np.zeros(fine, np.uint8), np.zeros(coarse, np.uint8)

    def take(self, picture: npt.NDArray[np.uint8]) -> None:
        """Shrink a picture, by halves: OpenCV is quickest at that, and in colours no slower than in grey."""
        cv2.resize(picture, self._grey.shape[::-1], self._colours, 0, 0, cv2.INTER_AREA)
        cv2.cvtColor(self._colours, cv2.COLOR_RGB2GRAY, self._grey)
        cv2.resize(self._grey, self.fine.shape[::-1], self.fine, 0, 0, cv2.INTER_AREA)
        cv2.resize(self.fine, self.coarse.shape[::-1], self.coarse, 0, 0, cv2.INTER_AREA)


def _grid(shape: tuple[int, ...]) -> Map:
    """Column and row of each pixel, (rows, columns, 2)."""
    rows, columns = shape
    return np.dstack(np.meshgrid(np.arange(columns), np.arange(rows))).astype(np.float32)
