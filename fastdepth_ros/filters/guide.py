"""Depth in the picture's own resolution, whose edges are those of the picture: a fast guided filter.

In a window of cells, inverse depth is taken for a linear function of the picture's brightness, whose coefficients are
found in the network's resolution and enlarged (He and Sun, Fast Guided Filter, arXiv 1505.00996, 2015). Inverse depth
of a plane is linear in the picture, so means over windows leave planes as they are.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Map = npt.NDArray[np.float32]

WINDOW = 3
"""Rows and columns of a window [cells]."""

CONTRAST = 2.0
"""Standard deviation of brightness, of 255, below which depth follows the cells and not the picture."""

LEAST, MOST = 1e-3, 1e4
"""Depths [m]; anything else is none."""


class Guide:
    """Enlarges answers of one size by pictures.

    Args:
        shape: rows and columns of the answers.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self._small = np.empty(shape, np.uint8)
        self._light, self._depth, self._known = (np.empty(shape, np.float32) for _ in range(3))
        self._large: list[Map] = []

    def enlarge(self, cells: Map, grey: npt.NDArray[np.uint8], out: Map) -> None:
        """Write depth in the picture's resolution over that of the cells.

        Args:
            cells: (rows, columns) [m]; what is no number between :data:`LEAST` and :data:`MOST` has no say.
            grey: (height, width), the picture of what the cells are of.
            out: (height, width) float32 [m], the cells enlarged; what is no such number there stays.
        """
        whole = cv2.checkRange(cells, True, LEAST, MOST)[0]
        known = np.float32(1) if whole else self._find_known(cells)
        if not np.any(known):
            return
        inverse = self._inverse(cells, whole)
        slope, start = self._coefficients(inverse, known, grey)
        size = (grey.shape[1], grey.shape[0])
        if not self._large or self._large[0].shape != grey.shape:
            self._large = [np.empty(grey.shape, np.float32) for _ in range(2)]
        steep, found = self._large
        cv2.resize(slope, size, steep, 0, 0, cv2.INTER_LINEAR)
        cv2.resize(start, size, found, 0, 0, cv2.INTER_LINEAR)
        np.multiply(steep, grey, out=steep)
        np.add(found, steep, out=found)
        np.clip(found, inverse.min() if whole else inverse[self._known > 0].min(), inverse.max(), out=found)
        np.divide(np.float32(1), found, out=found)
        if whole and cv2.checkRange(out, True, LEAST, MOST)[0]:
            np.copyto(out, found)
        else:
            np.copyto(out, found, where=(out > LEAST) & (out < MOST))

    def _find_known(self, cells: Map) -> Map:
        """1 for cells that have a depth, 0 for others."""
        with np.errstate(invalid="ignore"):
            self._known[...] = (cells > LEAST) & (cells < MOST)
        return self._known

    def _inverse(self, cells: Map, whole: bool) -> Map:
        """Inverse depth; 0 where there is none."""
        if whole:
            np.divide(np.float32(1), cells, out=self._depth)
            return self._depth
        self._depth.fill(1)
        np.copyto(self._depth, cells, where=self._known > 0)
        np.divide(self._known, self._depth, out=self._depth)
        return self._depth

    def _coefficients(self, inverse: Map, known: Map | np.float32, grey: npt.NDArray[np.uint8]) -> tuple[Map, Map]:
        """Slope and start of inverse depth over brightness (0 to 255) at each cell, means over its windows."""
        light = self._light
        cv2.resize(grey, light.shape[::-1], self._small, 0, 0, cv2.INTER_AREA)
        np.multiply(self._small, known, out=light, casting="unsafe")
        share = np.float32(1) if isinstance(known, np.float32) else np.maximum(_box(known), np.float32(1e-3))
        light_mean, depth_mean = _box(light) / share, _box(inverse) / share
        both = _box(light * inverse) / share - light_mean * depth_mean
        own = _box(light * light) / share - light_mean * light_mean
        slope = both / (own + np.float32(CONTRAST * CONTRAST))
        start = depth_mean - slope * light_mean
        return _box(slope * known) / share, _box(start * known) / share


def _box(cells: Map) -> Map:
    """Means over windows."""
    return np.asarray(cv2.blur(cells, (WINDOW, WINDOW), borderType=cv2.BORDER_REFLECT), np.float32)
