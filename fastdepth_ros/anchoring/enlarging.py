"""From the nodes of a grid to what is between them, along surfaces: joint bilateral upsampling (Kopf et al., 2007).

A cell takes from the four nodes around it, weighed by how near they are and by how much their depth is like its own.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

_TIMES = 2
"""Cells along each side of a node."""


class Enlarging:
    """Interpolation from a grid to one of twice as many rows and columns; its buffers are made once.

    Cells are held by their place between nodes: four planes, each with one cell of every gap between nodes.

    Args:
        grid: rows and columns of nodes.
        alike: difference of the logarithm of depth at which a node counts half.
    """

    def __init__(self, grid: tuple[int, int], alike: float) -> None:
        rows, columns = grid
        self._grid = grid
        self._gaps = (rows + 1, columns + 1)
        count = self._gaps[0] * self._gaps[1]
        self._square = np.float32(alike**2)
        share = (np.arange(_TIMES) + 0.5) / _TIMES
        across, down = (axis.reshape(-1, 1) for axis in np.meshgrid(share, share))
        # Of the node before a gap and of that behind it, in rows and in columns.
        self._near = [
            (self._square * tall * wide).astype(np.float32)
            for tall in (1 - down, down)
            for wide in (1 - across, across)
        ]
        self._padded = np.zeros((self._gaps[0] * _TIMES, self._gaps[1] * _TIMES), np.float32)
        planes = (_TIMES**2, count)
        self._cells, self._weight, self._total, self._sum = (np.zeros(planes, np.float32) for _ in range(4))
        self._nodes = np.zeros((rows + 2, columns + 2), np.float32)

    def enlarge(self, values: Floats, log_nodes: Floats, log_cells: Floats) -> Floats:
        """Values of the nodes at the cells.

        Args:
            values: (rows, columns) of the nodes.
            log_nodes: (rows, columns) logarithm of depth there, a mean over their cells.
            log_cells: (2 rows, 2 columns) logarithm of depth of the cells.

        Returns:
            (2 rows, 2 columns), written again by the next call.
        """
        cells, weight, total, result = self._apart(log_cells), self._weight, self._total, self._sum
        depths, said = self._edged(log_nodes), self._edged(values)
        for corner, near in enumerate(self._near):
            np.subtract(cells, depths[corner], out=weight)
            np.multiply(weight, weight, out=weight)
            np.add(weight, self._square, out=weight)
            if not corner:
                np.divide(near, weight, out=total)
                np.multiply(total, said[corner], out=result)
                continue
            np.divide(near, weight, out=weight)
            np.add(total, weight, out=total)
            np.multiply(weight, said[corner], out=weight)
            np.add(result, weight, out=result)
        np.divide(result, total, out=result)
        return self._together(result)

    def _apart(self, cells: Floats) -> Floats:
        """Cells by their place between nodes; at the rim the same ones again."""
        padded, planes = self._padded, self._cells
        padded[1:-1, 1:-1] = cells
        padded[0], padded[-1] = padded[1], padded[-2]
        padded[:, 0], padded[:, -1] = padded[:, 1], padded[:, -2]
        np.copyto(planes.reshape(_TIMES, _TIMES, *self._gaps), self._planes(padded))
        return planes

    def _together(self, planes: Floats) -> Floats:
        np.copyto(self._planes(self._padded), planes.reshape(_TIMES, _TIMES, *self._gaps))
        return self._padded[1:-1, 1:-1]

    def _planes(self, padded: Floats) -> Floats:
        rows, columns = self._gaps
        return padded.reshape(rows, _TIMES, columns, _TIMES).transpose(1, 3, 0, 2)

    def _edged(self, nodes: Floats) -> list[Floats]:
        """The nodes at the four corners of every gap; at the rim the same ones again."""
        padded, (rows, columns) = self._nodes, self._gaps
        padded[1:-1, 1:-1] = nodes
        padded[0], padded[-1] = padded[1], padded[-2]
        padded[:, 0], padded[:, -1] = padded[:, 1], padded[:, -2]
        return [padded[row : row + rows, column : column + columns].ravel() for row in (0, 1) for column in (0, 1)]
