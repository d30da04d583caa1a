"""The local part of an answer's error: what neighbours in the picture share, if they are alike.

Its covariance falls with the distance q in picture, logarithm of depth and colour as local^2 / (1 + q^2 / 2), the
rational quadratic kernel with alpha = 1 (Rasmussen and Williams, Gaussian Processes for Machine Learning, equation
4.19): a mixture of Gaussians of all lengths. Depth and colour are coordinates, so that corrections stop at edges.

Convention:
    u and v are measured from the picture's middle in units of 1/224 of its width, so that lengths hold for inputs of
    any size.
    The grid has a node for 4x4 cells (8x8 pixels of the input); between nodes values are interpolated by
    :mod:`~fastdepth_ros.anchoring.enlarging`.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from fastdepth_ros.anchoring.layout import NODE
from fastdepth_ros.anchoring.prior import Prior
from fastdepth_ros.arguments import allocate

Floats = npt.NDArray[np.float32]

PIXELS = 2
"""Pixels of the input along each side of a cell."""

NEAREST = np.float32(1e-3)
"""Depths below this [m] are no answers."""

_FEATURES = 6
_HALVES = np.full(_FEATURES, 0.5, np.float32)


class Place(NamedTuple):
    """Places of points.

    Attributes:
        features: (n, 6) u, v, logarithm of depth and colour, each over its length: all that the kernel compares.
        u, v: (n,), see the module's convention.
        log_depth: (n,) of the answer.
    """

    features: Floats
    u: Floats
    v: Floats
    log_depth: Floats


class Field:
    """The kernel between anchors and the nodes of the grid.

    Args:
        shape: rows and columns of the answer's cells, multiples of 4.
        prior: of the weights: lengths and standard deviation.
        capacity: anchors at most.
    """

    def __init__(self, shape: tuple[int, int], prior: Prior, capacity: int) -> None:
        rows, columns = shape
        self.shape = shape
        self.grid = (rows // NODE, columns // NODE)
        self._unit = np.float32(224.0 / (PIXELS * columns))
        self._lengths = np.array((prior.reach, prior.reach, prior.alike, *[prior.colour] * 3), np.float32)
        self._inverse = 1 / self._lengths
        # Of a point's u, v, logarithm of depth, and bytes of colour.
        self._scales = self._inverse / np.array((1, 1, 1, 255, 255, 255), np.float32)
        self._middle = np.array((columns - 0.5, rows - 0.5), np.float32)
        self._variance = np.float32(prior.local**2)
        self.prior = prior
        nodes = self.grid[0] * self.grid[1]
        # Rows: features, half their squared length, ones: times an anchor's (-features, 1, 1 + half its squared length)
        # they give 1 + q^2 / 2.
        self.nodes: Floats = allocate((_FEATURES + 2, nodes), "float32")
        self.nodes[-1] = 1.0
        self._squares = np.empty((_FEATURES, nodes), np.float32)
        self._kernel = np.empty((capacity, nodes), np.float32)
        self.log_depth: Floats = allocate(shape, "float32")
        self.log_halves: Floats = allocate((rows // 2, columns // 2), "float32")
        self.log_nodes: Floats = allocate(self.grid, "float32")
        self.u, self.v = self.axes(shape)
        self.u_nodes, self.v_nodes = self.axes(self.grid)
        self.nodes[0] = np.broadcast_to(self.u_nodes, self.grid).ravel() / prior.reach
        self.nodes[1] = np.broadcast_to(self.v_nodes, self.grid).ravel() / prior.reach
        self.colours: npt.NDArray[np.uint8] = allocate((rows // 2, columns // 2, 3), "uint8")
        self._small = np.zeros((*self.grid, 3), np.uint8)
        self.coloured = False

    def axes(self, shape: tuple[int, int]) -> tuple[Floats, Floats]:
        """U of every column (1, columns) and v of every row (rows, 1) of a map of the whole picture."""
        rows, columns = shape
        size = 224.0 / columns
        u = (np.arange(columns, dtype=np.float32) - (columns - 1) / 2) * size
        v = (np.arange(rows, dtype=np.float32) - (rows - 1) / 2) * size
        return u.astype(np.float32)[None], v.astype(np.float32)[:, None]

    def look(self, metres: Floats) -> None:
        """Take in an answer (rows, columns) [m]."""
        np.fmax(metres, NEAREST, out=self.log_depth)
        cv2.log(self.log_depth, self.log_depth)
        cv2.resize(self.log_depth, self.log_halves.shape[::-1], self.log_halves, 0, 0, cv2.INTER_AREA)
        cv2.resize(self.log_halves, self.grid[::-1], self.log_nodes, 0, 0, cv2.INTER_AREA)

    def compare(self, picture: npt.NDArray[np.uint8] | None) -> None:
        """Prepare the kernel for an answer that was looked at, and the picture (2 rows, 2 columns, 3) or None."""
        nodes = self.nodes
        np.multiply(self.log_nodes.ravel(), self._inverse[2], out=nodes[2])
        self.coloured = picture is not None
        if picture is None:
            nodes[3:6] = 0.0
        else:
            # The middle of each 4x4 pixels, which costs a fifth of their mean.
            cv2.resize(picture, self.colours.shape[1::-1], self.colours, 0, 0, cv2.INTER_LINEAR)
            cv2.resize(self.colours, self.grid[::-1], self._small, 0, 0, cv2.INTER_AREA)
            np.multiply(self._small.reshape(-1, 3).T, self._inverse[3] / np.float32(255), out=nodes[3:6])
        np.multiply(nodes[:6], nodes[:6], out=self._squares)
        np.matmul(_HALVES, self._squares, out=nodes[6])

    def place(self, pixels: Floats) -> Place:
        """Places of (n, 2) pixels of the input; all of them lie within the picture."""
        columns = self.shape[1]
        cells = ((pixels + np.float32(0.5)) * np.float32(1 / PIXELS)).astype(np.intp)
        column, row = cells[:, 0], cells[:, 1]
        log_depth = self.log_depth.ravel().take(row * columns + column)
        features = np.empty((len(pixels), _FEATURES), np.float32)
        ahead = (pixels - self._middle) * self._unit
        features[:, :2] = ahead
        features[:, 2] = log_depth
        if self.coloured:
            halves = (row >> 1) * (columns >> 1) + (column >> 1)
            features[:, 3:] = self.colours.reshape(-1, 3).take(halves, 0)
        else:
            features[:, 3:] = 0.0
        features *= self._scales
        return Place(features, ahead[:, 0], ahead[:, 1], log_depth)

    def cells(self, place: Place) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """Row and column of the cell that each place lies in."""
        rows, columns = self.shape
        scale = np.float32(1 / (PIXELS * self._unit))
        row = (place.v * scale + np.float32(0.5 * rows)).astype(np.intp)
        column = (place.u * scale + np.float32(0.5 * columns)).astype(np.intp)
        return np.minimum(np.maximum(row, 0), rows - 1), np.minimum(np.maximum(column, 0), columns - 1)

    def among(self, features: Floats) -> Floats:
        """The kernel (n, n) between anchors."""
        side = _left(features)
        other = np.empty_like(side)
        other[:, :_FEATURES] = features
        np.subtract(side[:, _FEATURES + 1], np.float32(1), out=other[:, _FEATURES])
        other[:, _FEATURES + 1] = 1
        q: Floats = side @ other.T
        return np.divide(self._variance, q, out=q)

    def spread(self, features: Floats) -> Floats:
        """The kernel (n, nodes) from anchors to the grid; written again by the next call."""
        kernel = self._kernel[: len(features)]
        np.matmul(_left(features), self.nodes, out=kernel)
        return np.divide(self._variance, kernel, out=kernel)


def _left(features: Floats) -> Floats:
    """(-features, 1, 1 + half their squared length): times its opposite it gives 1 + q^2 / 2.

    Rounding leaves 1 - 1e-4 at least, which does no harm to a divisor.
    """
    side = np.empty((len(features), _FEATURES + 2), np.float32)
    np.negative(features, out=side[:, :_FEATURES])
    side[:, _FEATURES] = 1
    np.add(np.square(features) @ _HALVES, np.float32(1), out=side[:, _FEATURES + 1])
    return side
