"""The local part of an answer's error: what neighbours in the picture share, if they are alike.

Its covariance falls with the distance q in picture, logarithm of depth and colour as local^2 / (1 + q^2 / 2), the
rational quadratic kernel with alpha = 1 (Rasmussen and Williams, Gaussian Processes for Machine Learning, equation
4.19): a mixture of Gaussians of all lengths. Depth and colour are coordinates, so that corrections stop at edges.

Convention:
    u and v are measured from the picture's middle in units of 1/224 of its width, so that lengths hold for inputs of
    any size.
    The grid has a node for 2x2 cells (4x4 pixels of the input).
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from fastdepth_ros.anchoring.prior import Prior

Floats = npt.NDArray[np.float32]

NODE = 2
"""Cells along each side of a node."""

PIXELS = 2
"""Pixels of the input along each side of a cell."""

NEAREST = np.float32(1e-3)
"""Depths below this [m] are no answers."""

_FEATURES = 6


class Place(NamedTuple):
    """Where points are, in everything that the kernel compares.

    Attributes:
        features: (n, 6) u, v, logarithm of depth and colour, each over its length.
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
        shape: rows and columns of the answer's cells.
        prior: lengths and standard deviation.
        capacity: anchors at most.
    """

    def __init__(self, shape: tuple[int, int], prior: Prior, capacity: int) -> None:
        rows, columns = shape
        self.shape = shape
        self.grid = (rows // NODE, columns // NODE)
        self._unit = 224.0 / (PIXELS * columns)
        self._lengths = np.array((prior.reach, prior.reach, prior.alike, *[prior.colour] * 3), np.float32)
        self._variance = np.float32(prior.local**2)
        nodes = self.grid[0] * self.grid[1]
        # Rows: features, half their squared length, ones: times an anchor's (-features, 1, 1 + half its squared length)
        # they give 1 + q^2 / 2.
        self._nodes = np.ones((_FEATURES + 2, nodes), np.float32)
        self._anchors = np.ones((capacity, _FEATURES + 2), np.float32)
        self._squares = np.empty((_FEATURES, nodes), np.float32)
        self._kernel = np.empty((capacity, nodes), np.float32)
        self.log_depth = np.zeros(shape, np.float32)
        self.u, self.v = self.axes(shape)
        self.u_nodes, self.v_nodes = self.axes(self.grid)
        self._nodes[0] = np.broadcast_to(self.u_nodes, self.grid).ravel() / prior.reach
        self._nodes[1] = np.broadcast_to(self.v_nodes, self.grid).ravel() / prior.reach
        self._small = np.zeros((*self.grid, 3), np.uint8)

    def axes(self, shape: tuple[int, int]) -> tuple[Floats, Floats]:
        """U of every column (1, columns) and v of every row (rows, 1) of a map of the whole picture."""
        rows, columns = shape
        size = 224.0 / columns
        u = (np.arange(columns, dtype=np.float32) - (columns - 1) / 2) * size
        v = (np.arange(rows, dtype=np.float32) - (rows - 1) / 2) * size
        return u.astype(np.float32)[None], v.astype(np.float32)[:, None]

    def look(self, metres: Floats, picture: npt.NDArray[np.uint8] | None) -> None:
        """Take in an answer (rows, columns) [m], and the picture that the network saw (2 rows, 2 columns, 3)."""
        np.fmax(metres, NEAREST, out=self.log_depth)
        np.log(self.log_depth, out=self.log_depth)
        nodes = self._nodes
        size = self.grid[::-1]
        log_nodes = cv2.resize(self.log_depth, size, interpolation=cv2.INTER_AREA)
        np.divide(log_nodes.ravel(), self._lengths[2], out=nodes[2])
        if picture is None:
            nodes[3:6] = 0.0
        else:
            cv2.resize(picture, size, self._small, 0, 0, cv2.INTER_AREA)
            np.multiply(self._small.reshape(-1, 3).T, np.float32(1 / 255) / self._lengths[3], out=nodes[3:6])
        np.multiply(nodes[:6], nodes[:6], out=self._squares)
        np.multiply(self._squares.sum(0), np.float32(0.5), out=nodes[6])

    def place(self, pixels: Floats) -> Place:
        """Where (n, 2) pixels of the input are; all of them lie within the picture."""
        rows, columns = self.shape
        x, y = pixels[:, 0], pixels[:, 1]
        column, row = ((pixels + np.float32(0.5)) * np.float32(1 / PIXELS)).astype(np.intp).T
        log_depth = self.log_depth[row, column]
        features = np.empty((len(pixels), _FEATURES), np.float32)
        u = (x - np.float32(columns - 0.5)) * np.float32(self._unit)
        v = (y - np.float32(rows - 0.5)) * np.float32(self._unit)
        features[:, 0], features[:, 1], features[:, 2] = u, v, log_depth
        features[:, :3] /= self._lengths[:3]
        last = (self.grid[0] - 1, self.grid[1] - 1)
        node = np.minimum(row // NODE, last[0]) * self.grid[1] + np.minimum(column // NODE, last[1])
        features[:, 3:] = self._nodes[3:6, node].T
        return Place(features, u, v, log_depth)

    def between(self, rows: Floats, columns: Floats) -> Floats:
        """The kernel (rows, columns) between the features of anchors."""
        half = np.float32(0.5) * np.einsum("ij,ij->i", columns, columns)
        own = half if rows is columns else np.float32(0.5) * np.einsum("ij,ij->i", rows, rows)
        q: Floats = own[:, None] + half
        q -= rows @ columns.T
        np.maximum(q, 0, out=q)
        q += 1
        np.divide(self._variance, q, out=q)
        return q

    def spread(self, features: Floats) -> Floats:
        """The kernel (n, nodes) from anchors to the grid; written again by the next call."""
        n = len(features)
        side, kernel = self._anchors[:n], self._kernel[:n]
        np.negative(features, out=side[:, :_FEATURES])
        side[:, _FEATURES + 1] = 1 + 0.5 * np.einsum("ij,ij->i", features, features)
        np.matmul(side, self._nodes, out=kernel)
        # Rounding may leave a little less than 1.
        np.maximum(kernel, 1, out=kernel)
        np.divide(self._variance, kernel, out=kernel)
        return kernel

    @property
    def log_nodes(self) -> Floats:
        """Logarithm of depth (nodes,) on the grid."""
        return np.asarray(self._nodes[2] * self._lengths[2])
