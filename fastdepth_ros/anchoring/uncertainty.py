"""Doubt in each cell: standard deviations from the posterior, or from what is known of the weights alone."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from fastdepth_ros.anchoring.field import Field
from fastdepth_ros.anchoring.fit import Fit, middle
from fastdepth_ros.anchoring.line import CENTRE, Array
from fastdepth_ros.anchoring.prior import Prior

Floats = npt.NDArray[np.float32]

LEAST_SURPRISE, TRUST, SHY = 0.1, 0.9, 10.0
"""Weight of anchors' own errors in sigma: the least that counts, the power, anchors until half of it."""


class Uncertainty:
    """Standard deviations of the cells; its buffer is made once.

    Args:
        field: of the frame.
        prior: of the weights.
    """

    def __init__(self, field: Field, prior: Prior) -> None:
        self._field = field
        self._prior = prior
        self._sigma = np.zeros(field.shape, np.float32)
        self._halves = np.zeros_like(field.log_halves)
        # u and v are 112 at the edges of a square picture.
        u, v = field.u_nodes / 112, field.v_nodes / 112
        growth = np.exp(prior.spread_side * np.square(u) - prior.spread_up * v)
        self._spread = np.asarray(prior.spread * growth, np.float32).ravel()
        self._u = np.broadcast_to(field.u_nodes, field.grid).ravel() * np.float32(0.01)
        self._v = np.broadcast_to(field.v_nodes, field.grid).ravel() * np.float32(0.01)

    def alone(self, depth: Floats, belief: Array, *, never: bool) -> Floats:
        """Standard deviations [m] without anchors.

        Args:
            depth: (rows, columns) the answer, corrected by the line [m].
            belief: (6, 6) covariance of the line.
            never: whether nothing was ever measured.
        """
        lines = self._lines()
        variance = np.einsum("in,in->n", lines, belief.astype(np.float32) @ lines)
        local = np.full_like(variance, self._prior.local**2)
        return self._finish(depth, variance, local, self._prior.alone if never else self._prior.anchored)

    def anchored(self, depth: Floats, fitted: Fit, belief: Array) -> Floats:
        """Standard deviations [m] with anchors.

        Args:
            depth: (rows, columns) the corrected answer [m].
            fitted: of the frame.
            belief: (6, 6) covariance of the line before the frame.
        """
        lines = self._lines()
        prior = belief.astype(np.float32)
        before = np.einsum("in,in->n", lines, prior @ lines)
        few = fitted.coarse
        known = self._field.spread(few.features)
        known += (few.design @ prior) @ lines
        inverse = few.inverse()
        explained = np.multiply(known, inverse @ known).sum(0)
        total = before + np.float32(self._prior.local**2)
        left = np.maximum(total - explained, np.float32(1e-5))
        # How much of what is left is the line's share is not told apart; its part of the whole is a fair guess.
        share = before / total
        alone = self._prior.few / (self._prior.few + len(fitted.errors))
        factor = self._prior.alone**alone * self._prior.anchored ** (1 - alone)
        surprise = _surprise(inverse @ few.residuals, inverse, len(fitted.errors))
        if surprise < 1:
            # Where anchors say little, their small errors say little, too.
            left *= np.power(np.float32(surprise**2), 1 - left / total)
            surprise = 1.0
        return self._finish(depth, left * share, left * (1 - share), factor * surprise)

    def _lines(self) -> Floats:
        """(6, nodes) design matrix of the coarse nodes."""
        log_depth = self._field.log_nodes.ravel()
        out = np.empty((6, len(log_depth)), np.float32)
        out[0] = out[2] = 1
        out[1] = out[3] = log_depth - np.float32(CENTRE)
        out[4], out[5] = self._u, self._v
        return out

    def _finish(self, depth: Floats, line: Floats, local: Floats, factor: float) -> Floats:
        """Standard deviations of cells from variances of the logarithm at the nodes, times a factor, and at edges."""
        prior, field = self._prior, self._field
        range_ = cv2.morphologyEx(field.log_nodes, cv2.MORPH_GRADIENT, _SQUARE).ravel()
        spread = self._spread * (1 + np.float32(prior.spread_edge) * range_)
        variance = line + np.square(spread) * (local + np.float32(prior.cell**2))
        variance *= np.float32(factor**2)
        halves = cv2.resize(
            variance.reshape(field.grid), self._halves.shape[::-1], self._halves, 0, 0, cv2.INTER_LINEAR
        )
        edges = cv2.morphologyEx(field.log_halves, cv2.MORPH_GRADIENT, _SQUARE)
        edges *= np.float32(prior.edge)
        np.multiply(edges, edges, out=edges)
        np.add(halves, edges, out=halves)
        np.sqrt(halves, out=halves)
        rows, columns = depth.shape
        cv2.resize(halves, (columns, rows), self._sigma, 0, 0, cv2.INTER_LINEAR)
        np.multiply(self._sigma, depth, out=self._sigma)
        if not cv2.checkRange(depth, True, 1e-6, math.inf)[0]:
            self._sigma[~(depth > 0)] = np.nan
        return self._sigma


_SQUARE = np.ones((3, 3), np.uint8)


def _surprise(weights: Floats, inverse: Floats, count: int) -> float:
    """Factor by which errors of ``count`` anchors are larger than expected, each predicted from all others.

    An anchor's error when it is left out, over its standard deviation, is weight / sqrt(diagonal of the inverse)
    (Rasmussen and Williams, equations 5.10 to 5.12).
    """
    left_out = np.abs(weights) / np.sqrt(np.maximum(np.diag(inverse), 1e-12))
    seen = min(max(1.48 * middle(left_out), LEAST_SURPRISE), 3.0)
    return float(seen ** (TRUST * count / (count + SHY)))
