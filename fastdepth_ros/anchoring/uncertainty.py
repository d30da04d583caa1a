"""Doubt in each cell: standard deviations from the posterior, or from what is known of the weights alone."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from fastdepth_ros.anchoring.applying import Traces
from fastdepth_ros.anchoring.contradiction import Contradiction
from fastdepth_ros.anchoring.field import Field
from fastdepth_ros.anchoring.fit import Fit
from fastdepth_ros.anchoring.fitter import Fitter
from fastdepth_ros.anchoring.line import Array
from fastdepth_ros.anchoring.pool import Placed
from fastdepth_ros.anchoring.prior import Prior

Floats = npt.NDArray[np.float32]

CLUTTER = 0.7
"""Growth of standard deviations where the answer has no plane that anchors bear out."""

MOST_NEAR = 0.8
"""Logarithm of how much nearer than usual a picture is, beyond which no more is expected of that."""

FADES = 0.35
"""Power of the variance that anchors leave, as a share of what there was, with which the growth by nearness fades."""


CREDIT = 3
"""Power of the share of an earlier correction by which sigma is as small as it was with it."""


class Uncertainty:
    """Standard deviations of the cells; its buffer is made once.

    Args:
        field: of the frame.
        prior: of the weights.
        fitter: of the field.

    Attributes:
        fitter: may be replaced between frames by another of the field.
    """

    def __init__(self, field: Field, prior: Prior, fitter: Fitter) -> None:
        self.fitter = fitter
        self._prior = prior
        self._sigma = np.zeros(field.shape, np.float32)
        self._with_anchors, self._knows = np.zeros_like(field.log_halves), False
        self._contradiction = Contradiction(field)
        self._local = np.full(field.grid[0] * field.grid[1], prior.local**2, np.float32)
        self._field, self._usual = field, math.log(prior.usual)
        rows, columns = field.log_halves.shape
        above = np.maximum(-field.axes((rows, columns))[1] / 112, 0)
        self._by_nearness = np.asarray(prior.near + prior.near_up * above, np.float32)
        self._cell = prior.cell**2
        self._at_first = prior.local**2 + prior.place_scale**2 + prior.view_scale**2 + self._cell

    def forget(self) -> None:
        """Drop what anchors of earlier frames contradicted, and what they left open."""
        self._contradiction.forget()
        self._knows = False

    def alone(self, depth: Floats, belief: Array, kept: Floats | None, *, never: bool) -> Floats:
        """Standard deviations [m] without anchors.

        Args:
            depth: (rows, columns) the answer, corrected by what is remembered [m].
            belief: (6, 6) covariance of the line.
            kept: (rows / 2, columns / 2) how much of the last correction by anchors is in it; None where nothing is.
            never: whether nothing was ever measured.
        """
        variance = self.fitter.posterior.before(belief)
        halves = self._of_halves(variance, self._local, self._prior.alone if never else self._prior.anchored)
        if kept is not None and self._knows:
            squares = np.square(halves)
            # An answer may be what it was by chance, the longer ago the likelier: sigma takes less credit than depth.
            squares += kept**CREDIT * (np.square(self._with_anchors) - squares)
            np.sqrt(squares, out=halves)
        return self._of_cells(depth, halves)

    def anchored(
        self,
        depth: Floats,
        fitted: Fit,
        placed: Placed,
        trusted: list[bool],
        relative: list[bool],
        traces: Traces,
        belief: Array,
        doubt: float = 0.0,
    ) -> Floats:
        """Standard deviations [m] with anchors.

        Args:
            depth: (rows, columns) the corrected answer [m].
            fitted: of the frame.
            placed: its anchors.
            trusted, relative: of each of their sources, see :meth:`Contradiction.look`.
            traces: of the correction.
            belief: (6, 6) covariance of the line before the frame.
            doubt: standard deviation of the whole because a source may be wrong [log m].
        """
        line, local, surprise = self.fitter.doubts(fitted, belief)
        alone = self._prior.few / (self._prior.few + len(fitted.errors))
        factor = self._prior.alone**alone * self._prior.anchored ** (1 - alone)
        differs = self._contradiction.look(depth, placed, trusted, relative, traces.kept)
        if traces.planar is not None:
            clutter = 1 + np.float32(CLUTTER) * (1 - traces.planar)
            differs *= clutter / np.sqrt(np.square(clutter).mean())
        if doubt:
            line = line + np.float32((doubt / (factor * surprise)) ** 2)
        halves = self._of_halves(line, local, factor * surprise)
        halves *= cv2.resize(differs, halves.shape[::-1], interpolation=cv2.INTER_LINEAR)
        np.copyto(self._with_anchors, halves)
        self._knows = True
        return self._of_cells(depth, halves)

    def _growth(self, line: Floats, local: Floats) -> Floats | None:
        """(rows, 1) growth because the picture is nearer than usual, as far as anchors leave it open, or None.

        Networks learn from rooms. What is near fills a picture and hides how large it is; above it is what is behind.
        """
        nearer = min(self._usual - float(self._field.log_nodes.mean()), MOST_NEAR)
        if nearer <= 0:
            return None
        left = float(line.mean()) + float(local.mean()) + self._cell
        growth: Floats = np.exp(self._by_nearness * np.float32(nearer * min(left / self._at_first, 1.0) ** FADES))
        return growth

    def _of_halves(self, line: Floats, local: Floats, factor: float) -> Floats:
        """Standard deviations of the logarithm at every 2x2 cells from variances at the nodes, times a factor."""
        halves = self.fitter.deviations(line, local, factor)
        if (growth := self._growth(line, local)) is not None:
            halves *= growth
        return halves

    def _of_cells(self, depth: Floats, halves: Floats) -> Floats:
        """Standard deviations of the cells [m] from those of the logarithm at every 2x2 of them."""
        rows, columns = depth.shape
        cv2.resize(halves, (columns, rows), self._sigma, 0, 0, cv2.INTER_LINEAR)
        np.multiply(self._sigma, depth, out=self._sigma)
        if not cv2.checkRange(depth, True, 1e-6, math.inf)[0]:
            self._sigma[~(depth > 0)] = np.nan
        return self._sigma
