"""Pieces of 4 x 4 cells of an answer: means of them, and a smooth map of cells from a number for each."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Map = npt.NDArray[np.float32]

SIDE = 4
"""Cells along a piece."""


class Pieces:
    """Pieces of answers of one shape.

    Args:
        cells: rows and columns of the answers.

    Attributes:
        shape: rows and columns of pieces; the last ones may reach beyond the answer.
        numbers: (rows, columns) to be written into for :meth:`smooth`.
    """

    def __init__(self, cells: tuple[int, int]) -> None:
        half = _halved(cells)
        self.shape = _halved(half)
        self._half = np.zeros(half, np.float32)
        # With a row and a column before the others, so that after two steps each piece is where its cells are.
        self._edged = np.zeros((self.shape[0] + 1, self.shape[1] + 1), np.float32)
        self.numbers = self._edged[1:, 1:]
        self._twice, self._four = (
            np.zeros([times * side for side in self._edged.shape], np.float32) for times in (SIDE // 2, SIDE)
        )
        self._smooth = self._four[2 : 2 + cells[0], 2 : 2 + cells[1]]

    def mean(self, cells: Map, out: Map) -> None:
        """Write the mean of each piece's cells; by halves, at which OpenCV is quickest."""
        cv2.resize(cells, self._half.shape[::-1], self._half, 0, 0, cv2.INTER_AREA)
        cv2.resize(self._half, out.shape[::-1], out, 0, 0, cv2.INTER_AREA)

    def smooth(self) -> Map:
        """Cells of :attr:`numbers`, by two steps up a pyramid; valid until the next call.

        Each is a mean of the numbers around it (Burt and Adelson, The Laplacian Pyramid as a Compact Image Code, 1983).
        """
        self._edged[0] = self._edged[1]
        self._edged[:, 0] = self._edged[:, 1]
        cv2.pyrUp(self._edged, self._twice)
        cv2.pyrUp(self._twice, self._four)
        return self._smooth


def _halved(shape: tuple[int, int]) -> tuple[int, int]:
    return (shape[0] + 1) // 2, (shape[1] + 1) // 2
