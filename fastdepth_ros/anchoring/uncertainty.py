"""Doubt in each cell: standard deviations from the posterior, or from what is known of the weights alone."""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from fastdepth_ros.anchoring.contradiction import Contradiction
from fastdepth_ros.anchoring.field import Field
from fastdepth_ros.anchoring.fit import Fit, middle
from fastdepth_ros.anchoring.fitter import Fitter
from fastdepth_ros.anchoring.line import CENTRE, Array
from fastdepth_ros.anchoring.pool import Placed
from fastdepth_ros.anchoring.prior import Prior

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]

LEAST_SURPRISE, TRUST, SHY = 0.1, 0.9, 10.0
"""Weight of anchors' own errors in sigma: the least that counts, the power, anchors until half of it."""

VAGUE = 1.0
"""Variance of an anchor, as a multiple of the local part's, from which on its error tells nothing of that part."""

CLUTTER = 0.7
"""Growth of standard deviations where the answer has no plane that anchors bear out."""


class Traces(NamedTuple):
    """Traces of a correction that matter to its doubt.

    Attributes:
        planar: (rows, columns) of the grid, how far each node is on a plane; None where that was not asked.
        kept: (2 rows, 2 columns) how much of the last frame is still true; None where nothing is known.
    """

    planar: Floats | None
    kept: Floats | None


class Uncertainty:
    """Standard deviations of the cells; its buffer is made once.

    Args:
        field: of the frame.
        prior: of the weights.
        fitter: of the field.
    """

    def __init__(self, field: Field, prior: Prior, fitter: Fitter) -> None:
        self._field, self._fitter = field, fitter
        self._prior = prior
        self._sigma = np.zeros(field.shape, np.float32)
        # The line's design matrix at the nodes (4, nodes): one, and u, v and depth, which each frame writes.
        self._lines = np.ones((4, field.grid[0] * field.grid[1]), np.float32)
        self._lines[2] = np.broadcast_to(field.u_nodes, field.grid).ravel() * np.float32(0.01)
        self._lines[3] = np.broadcast_to(field.v_nodes, field.grid).ravel() * np.float32(0.01)
        self._contradiction = Contradiction(field)
        self._local = np.full(self._lines.shape[1], prior.local**2, np.float32)

    def forget(self) -> None:
        """Drop what anchors of earlier frames contradicted."""
        self._contradiction.forget()

    def alone(self, depth: Floats, belief: Array, *, never: bool) -> Floats:
        """Standard deviations [m] without anchors.

        Args:
            depth: (rows, columns) the answer, corrected by the line [m].
            belief: (6, 6) covariance of the line.
            never: whether nothing was ever measured.
        """
        variance = self._before(belief)
        return self._finish(depth, variance, self._local, self._prior.alone if never else self._prior.anchored)

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
        before = self._before(belief)
        few = fitted.coarse()
        known = self._field.spread(few.features)
        known += ((few.design @ belief.astype(np.float32)) @ _FOLD) @ self._lines
        inverse = few.inverse()
        explained = np.multiply(known, inverse @ known).sum(0)
        total = before + np.float32(self._prior.local**2)
        left = np.maximum(total - explained, np.float32(1e-5))
        # How much of what is left is the line's share is not told apart; its part of the whole is a fair guess.
        share = before / total
        alone = self._prior.few / (self._prior.few + len(fitted.errors))
        factor = self._prior.alone**alone * self._prior.anchored ** (1 - alone)
        surprise = _surprise(inverse @ few.residuals, inverse, len(fitted.errors), self._tells(few.variances))
        if surprise < 1:
            # Where anchors say little, their small errors say little, too.
            left *= np.power(np.float32(surprise**2), 1 - left / total)
            surprise = 1.0
        differs = self._contradiction.look(depth, placed, trusted, relative, traces.kept)
        if traces.planar is not None:
            clutter = 1 + np.float32(CLUTTER) * (1 - traces.planar)
            differs *= clutter / np.sqrt(np.square(clutter).mean())
        line = left * share
        if doubt:
            line += np.float32((doubt / (factor * surprise)) ** 2)
        return self._finish(depth, line, left * (1 - share), factor * surprise, differs)

    def _tells(self, variances: Floats) -> Flags:
        """Find whose errors tell of the local part: of those that are vaguer, small ones were to be expected."""
        return np.asarray(variances < VAGUE * self._prior.local**2, np.bool_)

    def _before(self, belief: Array) -> Floats:
        """(nodes,) variance of the line."""
        lines = self._lines
        np.subtract(self._field.log_nodes.ravel(), np.float32(CENTRE), out=lines[1])
        folded = (_FOLD.T @ belief @ _FOLD).astype(np.float32)
        variance: Floats = _ONES @ np.multiply(folded @ lines, lines)
        return variance

    def _finish(
        self, depth: Floats, line: Floats, local: Floats, factor: float, differs: Floats | None = None
    ) -> Floats:
        """Standard deviations of cells from variances of the logarithm at the nodes, times factors, and at edges."""
        halves = self._fitter.deviations(line, local, factor)
        if differs is not None:
            halves *= cv2.resize(differs, halves.shape[::-1], interpolation=cv2.INTER_LINEAR)
        rows, columns = depth.shape
        cv2.resize(halves, (columns, rows), self._sigma, 0, 0, cv2.INTER_LINEAR)
        np.multiply(self._sigma, depth, out=self._sigma)
        if not cv2.checkRange(depth, True, 1e-6, math.inf)[0]:
            self._sigma[~(depth > 0)] = np.nan
        return self._sigma


_FOLD = np.array(((1, 0, 0, 0), (0, 1, 0, 0), (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1)), np.float32)
"""Scale and slope are the place's and the view's; they act alike."""

_ONES = np.ones(4, np.float32)


def _surprise(weights: Floats, inverse: Floats, count: int, tells: Flags) -> float:
    """Factor by which errors of ``count`` anchors are larger than expected, each predicted from all others.

    Where ``tells`` counts less than half of them, that of those if it is larger: a sigma that is said too large makes
    nothing sure.

    An anchor's error when it is left out, over its standard deviation, is weight / sqrt(diagonal of the inverse)
    (Rasmussen and Williams, equations 5.10 to 5.12).
    """
    left_out = np.abs(weights) / np.sqrt(np.maximum(np.diag(inverse), 1e-12))
    factor = _factor(left_out, count)
    telling = np.count_nonzero(tells)
    if factor < 1 and 2 * telling < len(tells):
        factor = max(factor, _factor(left_out[tells], count * telling / len(tells)) if telling else 1.0)
    return factor


def _factor(left_out: Floats, count: float) -> float:
    seen = min(max(1.48 * middle(left_out), LEAST_SURPRISE), 3.0)
    return float(seen ** (TRUST * count / (count + SHY)))
