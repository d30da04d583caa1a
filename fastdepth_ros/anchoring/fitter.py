"""All that a compiled module may do for a frame's anchors, in numpy: places, fit, and the correction between nodes."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fastdepth_ros.anchoring.enlarging import Enlarging
from fastdepth_ros.anchoring.field import Field
from fastdepth_ros.anchoring.fit import Fit, SourceTraits, fit
from fastdepth_ros.anchoring.line import Array
from fastdepth_ros.anchoring.planes import Noise, noise_of
from fastdepth_ros.anchoring.pool import Gate, Means, Placed, gather, joined, let_in
from fastdepth_ros.anchoring.posterior import Doubts, Posterior
from fastdepth_ros.anchoring.prior import Prior
from fastdepth_ros.anchoring.selection import Chosen
from fastdepth_ros.anchoring.zones import side

Floats = npt.NDArray[np.float32]

SURFACE = 0.35
"""Share of the prior's length in depth within which cells take a node's correction."""


class Fitter:
    """Fits in numpy; its buffers are made once.

    Args:
        field: it has looked at the frame whenever something is asked.
        prior: of the weights.

    Attributes:
        posterior: variances at the nodes.
    """

    def __init__(self, field: Field, prior: Prior) -> None:
        self._field, self._prior = field, prior
        self.posterior = Posterior(field, prior)
        self.surface = SURFACE * prior.alike
        self._enlarging = Enlarging(field.grid, self.surface)
        self._halves = np.zeros_like(field.log_halves)
        # u and v are 112 at the edges of a square picture.
        u, v = field.u_nodes / 112, field.v_nodes / 112
        growth = np.exp(prior.spread_side * np.square(u) - prior.spread_up * v)
        self._spread_of_nodes = np.asarray(prior.spread * growth, np.float32)

    def look(self, metres: Floats, picture: npt.NDArray[np.uint8] | None) -> None:
        """Have the field look at an answer (rows, columns) [m], and compare it with its picture, or with none."""
        self._field.look(metres)
        self._field.compare(picture)

    def look_at(self, metres: Floats) -> None:
        """Have the field look at an answer (rows, columns) [m] that no anchors are compared with."""
        self._field.look(metres)

    def place(self, chosen: list[Chosen], means: Means) -> Placed:
        """Find where anchors are, points at edges of the answer on the side that they fit best, and what they say."""
        answer = self._field.log_depth
        sides = [side(c.pixels, c.log_depths, answer) if c.points else c.pixels for c in chosen]
        return gather(self._field.place(joined(sides)), chosen, means)

    def fit(self, placed: Placed, gates: list[Gate], sources: list[SourceTraits], belief: Array) -> Fit | None:
        """Fit what passes the sources' gates: :func:`~fastdepth_ros.anchoring.fit.fit`.

        Args:
            placed: the anchors.
            gates, sources: by number of source.
            belief: (6, 6) covariance of the line, about the settled mean.

        Returns:
            with errors of all anchors, infinite of those that did not pass; None where none did.
        """
        points, index = let_in(placed, gates, self._prior.local)
        if not len(index):
            return None
        fitted = fit(self._field, points, sources, belief, self._prior.cell)
        errors = np.full(len(placed.ratios), np.inf, np.float32)
        errors[index] = fitted.errors
        return fitted._replace(errors=errors)

    def between(self, fitted: Fit, line: tuple[Any, Any, Any]) -> Floats:
        """The correction at every 2x2 cells (rows / 2, columns / 2), but for what depth's slope does.

        Args:
            fitted: of the last frame.
            line: its value in the picture's middle, and how it grows with u and v [log m].
        """
        field, (start, across, down) = self._field, line
        nodes = fitted.weights @ field.spread(fitted.features)
        values = nodes.reshape(field.grid) + (start + across * field.u_nodes + down * field.v_nodes)
        return self._enlarging.enlarge(values, field.log_nodes, field.log_halves)

    def noise(self, fitted: Fit, placed: Placed) -> Noise:
        """Noise of the anchors of the last frame."""
        return noise_of(fitted.errors, placed.sds)

    def doubts(self, fitted: Fit, belief: Array) -> Doubts:
        """Variances that a fit leaves at the nodes.

        Args:
            fitted: of the last frame.
            belief: (6, 6) covariance of the line that it was fitted with.
        """
        return self.posterior.after(fitted, belief)

    def deviations(self, line: Floats, local: Floats, factor: float) -> Floats:
        """Standard deviations of the logarithm of depth at every 2x2 cells; a buffer that the next call writes again.

        Args:
            line, local: (nodes,) variances of the line and of the local part.
            factor: on all but what edges of the answer add.
        """
        field, prior, halves = self._field, self._prior, self._halves
        range_ = cv2.morphologyEx(field.log_nodes, cv2.MORPH_GRADIENT, _SQUARE)
        spread = self._spread_of_nodes * (1 + np.float32(prior.spread_edge) * range_)
        variance = line + np.square(spread).ravel() * (local + np.float32(prior.cell**2))
        variance *= np.float32(factor**2)
        cv2.resize(variance.reshape(field.grid), halves.shape[::-1], halves, 0, 0, cv2.INTER_LINEAR)
        edges = cv2.morphologyEx(field.log_halves, cv2.MORPH_GRADIENT, _SQUARE)
        edges *= np.float32(prior.edge)
        np.multiply(edges, edges, out=edges)
        np.add(halves, edges, out=halves)
        return np.sqrt(halves, out=halves)


_SQUARE = np.ones((3, 3), np.uint8)
