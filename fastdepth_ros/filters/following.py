"""The way of each piece of a camera's picture since the picture before: optical flow on a small picture.

Flow is that of DIS (Kroeger et al., Fast Optical Flow using Dense Inverse Search, ECCV 2016), from the new picture to
the one before. It begins with the flow of before, so that a few steps of few patches find it.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from fastdepth_ros.arguments import allocate
from fastdepth_ros.filters.halves import Halves

Map = npt.NDArray[np.float32]
Grey = npt.NDArray[np.uint8]

FEWEST = 12
"""Rows and columns that a picture needs for the flow's patches; smaller ones are taken as standing."""

STEPS, STRIDE = 3, 6
"""Steps of each patch, and pixels from one patch of 8 x 8 to the next."""


class Follower:
    """Follows the pieces of one camera's pictures.

    Args:
        shape: rows and columns of pieces.

    Attributes:
        grey: (rows, columns) brightness of the latest picture; its green.
        flow: (rows, columns, 2) way back from each piece of it, across and down [pieces].
        places: (rows, columns, 2) column and row of each piece in the picture before. Both are written again with the
            next picture.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self._flow_of = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        self._flow_of.setFinestScale(0)
        self._flow_of.setGradientDescentIterations(STEPS)
        self._flow_of.setPatchStride(STRIDE)
        self._flow_of.setUseSpatialPropagation(False)  # neighbours say nothing that the flow of before does not
        self._moves = min(shape) >= FEWEST
        rows, columns = shape
        self.grey, self._before = (np.zeros(shape, np.uint8) for _ in range(2))
        self.flow: Map = allocate((*shape, 2), "float32")  # a compiled function reads it
        self._grid = np.dstack(np.meshgrid(np.arange(columns), np.arange(rows))).astype(np.float32)
        self.places = self._grid.copy()

    def show(self, picture: Halves) -> None:
        """Take the next picture, of any size."""
        self.grey, self._before = self._before, self.grey
        pieces = picture.eighth
        if pieces.shape[:2] != self.grey.shape:
            pieces = np.asarray(cv2.resize(pieces, self.grey.shape[::-1], interpolation=cv2.INTER_AREA), np.uint8)
        np.copyto(self.grey, pieces[..., 1])

    def follow(self) -> None:
        """Find where each piece of the latest picture was in the one before that."""
        self.find_flow()
        if self._moves:
            np.add(self._grid, self.flow, out=self.places)

    def find_flow(self) -> None:
        """Find :attr:`flow` alone."""
        if self._moves:  # from the flow of before, which is in the array
            self._flow_of.calc(self.grey, self._before, self.flow)
