"""Points that fly in the air between a thing and what is behind it: the network blurs edges over a few cells.

A cell flies where depth is steeper than any surface that one sees well, as the filters for veiling points of laser
scanners have it. A surface that is really seen so flatly, at less than 11 degrees in the view of training, is taken for
an edge as well.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Map = npt.NDArray[np.float32]

STEEP = 0.05
"""Change of log depth from cell to cell from which one flies."""

LEAST, MOST = 1e-3, 1e4
"""Depths [m]; anything else is none."""


class EdgeFinder:
    """Finds flying cells in answers of one size.

    Args:
        shape: rows and columns.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self._log, self._across, self._down = (np.empty(shape, np.float32) for _ in range(3))
        self._flying = np.empty(shape, np.bool_)

    def flying(self, metres: Map) -> npt.NDArray[np.bool_]:
        """The cells that fly, (rows, columns); written again with the next call.

        Args:
            metres: (rows, columns) [m]; what is no number between :data:`LEAST` and :data:`MOST` does not fly, and its
                neighbours are not held against it.
        """
        log, across, down = self._log, self._across, self._down
        unknown = None
        if cv2.checkRange(metres, True, LEAST, MOST)[0]:
            cv2.log(metres, log)
        else:
            unknown = ~((metres > LEAST) & (metres < MOST))
            np.copyto(log, metres)
            log[unknown] = 1.0
            cv2.log(log, log)
        cv2.Sobel(log, cv2.CV_32F, 1, 0, across, 3, 1 / 8)
        cv2.Sobel(log, cv2.CV_32F, 0, 1, down, 3, 1 / 8)
        cv2.magnitude(across, down, across)
        np.greater(across, np.float32(STEEP), out=self._flying)
        if unknown is not None:
            beside = cv2.dilate(unknown.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
            self._flying[beside] = False
        return self._flying
