"""Variances that anchors leave at the nodes of the grid: of the process, given its values with noise at a few places.

Rasmussen and Williams, Gaussian Processes for Machine Learning, equation 2.26.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fastdepth_ros.anchoring.field import Field
from fastdepth_ros.anchoring.fit import Fit, middle
from fastdepth_ros.anchoring.line import CENTRE, Array
from fastdepth_ros.anchoring.prior import Prior

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]

LEAST_SURPRISE, MOST_SURPRISE, TRUST, SHY = 0.1, 3.0, 2.05, 31.0
"""Weight of anchors' own errors in sigma: the least and the most that count, the power, anchors until half of it."""

NOISY = 15.5
"""Share by which that power falls for noise of anchors as large as the local part: their errors tell of themselves."""

VAGUE = 1.0
"""Variance of an anchor, as a multiple of the local part's, from which on its error tells nothing of that part."""

LEAST = np.float32(1e-5)
"""Variance that is left everywhere."""


class Doubts(NamedTuple):
    """Variances at the nodes.

    Attributes:
        line, local: (nodes,) shares of the line and of the local part; the latter less what anchors' small errors
            take off the noise of single cells.
        surprise: factor on standard deviations by anchors' own errors, 1 or more.
    """

    line: Floats
    local: Floats
    surprise: float


class Posterior:
    """Variances at the nodes, before anchors and with them.

    Args:
        field: of the frame.
        prior: of the weights.
    """

    def __init__(self, field: Field, prior: Prior) -> None:
        self._field, self._variance, self._cell = field, np.float32(prior.local**2), np.float32(prior.cell**2)
        # The line's design matrix at the nodes (4, nodes): one, and u, v and depth, which each frame writes.
        self._lines = np.ones((4, field.grid[0] * field.grid[1]), np.float32)
        self._lines[2] = np.broadcast_to(field.u_nodes, field.grid).ravel() * np.float32(0.01)
        self._lines[3] = np.broadcast_to(field.v_nodes, field.grid).ravel() * np.float32(0.01)
        self._known: tuple[Array, Floats, Floats, np.float32] | None = None

    def before(self, belief: Array) -> Floats:
        """(nodes,) variance of the line with this covariance (6, 6)."""
        deep = self._lines[1]
        np.subtract(self._field.log_nodes.ravel(), np.float32(CENTRE), out=deep)
        known = self._known
        if known is None or known[0] is not belief:  # while anchors pause it stays
            known = self._known = belief, *self._over_depth(belief)
        _, level, slope, bend = known
        variance: Floats = deep * bend
        variance += slope
        variance *= deep
        variance += level
        return variance

    def _over_depth(self, belief: Array) -> tuple[Floats, Floats, np.float32]:
        """The variance as a polynomial of depth at the nodes: of degree 0 and 1 (nodes,), and 2."""
        folded, (_, _, u, v) = _FOLD.T @ belief @ _FOLD, self._lines.astype(np.float64)
        level = folded[0, 0] + 2 * (folded[0, 2] * u + folded[0, 3] * v + folded[2, 3] * u * v)
        level += folded[2, 2] * u**2 + folded[3, 3] * v**2
        slope = 2 * (folded[0, 1] + folded[1, 2] * u + folded[1, 3] * v)
        return level.astype(np.float32), slope.astype(np.float32), np.float32(folded[1, 1])

    def after(self, fitted: Fit, belief: Array) -> Doubts:
        """Remainder that a fit leaves of this variance and of the local part's."""
        before = self.before(belief)
        few = fitted.coarse()
        known = self._field.spread(few.features)
        known += ((few.design @ belief.astype(np.float32)) @ _FOLD) @ self._lines
        inverse = few.inverse()
        explained = np.multiply(known, inverse @ known).sum(0)
        total = before + self._variance
        left = np.maximum(total - explained, LEAST)
        # How much of what is left is the line's share is not told apart; its part of the whole is a fair guess.
        share = before / total
        # Of anchors that are vaguer, small errors were to be expected.
        tells = np.asarray(few.variances < np.float32(VAGUE) * self._variance, np.bool_)
        noise = middle(few.variances) / float(self._variance)
        power = TRUST / (1 + NOISY * noise)
        surprise = _surprise(inverse @ few.residuals, inverse, len(fitted.errors), tells, power)
        own = np.float32(0)
        if surprise < 1:
            # Where anchors say little, their small errors say little, too: neighbours in a row agree on that row.
            smaller = np.power(np.float32(surprise**2), (1 - left / total) ** 3)
            left *= smaller
            own = self._cell * (smaller - 1)
            surprise = 1.0
        return Doubts(left * share, left * (1 - share) + own, surprise)


_FOLD = np.array(((1, 0, 0, 0), (0, 1, 0, 0), (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1)), np.float32)
"""Scale and slope are the place's and the view's; they act alike."""


def _surprise(weights: Floats, inverse: Floats, count: int, tells: Flags, power: float) -> float:
    """Factor by which errors of ``count`` anchors are larger than expected, each predicted from all others.

    Where ``tells`` counts less than half of them, that of those if it is larger: a sigma that is said too large makes
    nothing sure.

    An anchor's error when it is left out, over its standard deviation, is weight / sqrt(diagonal of the inverse)
    (Rasmussen and Williams, equations 5.10 to 5.12).
    """
    left_out = np.abs(weights) / np.sqrt(np.maximum(np.diag(inverse), 1e-12))
    factor = _factor(left_out, count, power)
    telling = np.count_nonzero(tells)
    if factor < 1 and 2 * telling < len(tells):
        factor = max(factor, _factor(left_out[tells], count * telling / len(tells), power) if telling else 1.0)
    return factor


def _factor(left_out: Floats, count: float, power: float) -> float:
    seen = min(max(1.48 * middle(left_out), LEAST_SURPRISE), MOST_SURPRISE)
    return float(seen ** (power * count / (count + SHY)))
