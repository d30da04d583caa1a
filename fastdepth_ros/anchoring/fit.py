"""One frame's anchors fitted: a Gaussian process whose errors have heavy tails.

The process is a line with a Gaussian belief plus the local field (:mod:`~fastdepth_ros.anchoring.field`). Errors of
measuring are Student t distributed, by reweighting (Lange, Little and Taylor, JASA 1989): what is expected of a squared
error is that of the residual and the variance with which all other anchors predict the place (Rasmussen and Williams,
Gaussian Processes for Machine Learning, equations 5.10 to 5.12). A source shares a bias; how much larger its errors are
than it says, and how heavy their tails, is found from its residuals.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from fastdepth_ros.anchoring.field import Field, Place
from fastdepth_ros.anchoring.line import Array, Evidence, design
from fastdepth_ros.anchoring.thinning import HEAP, Numbers, Points, Runs, crowding, curve, runs, scales

Floats = npt.NDArray[np.float32]

EXACT, MERGED = 200, 128
"""Anchors that are fitted one by one at most; more are merged into so many where they are close."""

COARSE = 48
"""Places that stand for all anchors where only variances are wanted."""

TAILS, LIGHTEST = 2.0, 6.0
"""Degrees of freedom of errors of measuring, and how many times more a source of small errors has, at most."""

SHARED = 0.05
"""Share of the variance that anchors close together have in common."""

BIAS = 0.03
"""Bias that all anchors of one source have in common, as a share of depth."""

UNKNOWN_FACTOR = 3.0
"""Factor that anchors of a source have in common where their depths are relative."""

_TAILS: Floats | np.float32 = np.float32(TAILS)
_NO_GAPS = np.zeros(0, np.float32)

ROUNDS = 3

LEVEL_PRIOR, TAILS_PRIOR = 30.0, 5.0
"""Anchors' worth of trust in the sigmas that are given or assumed, and in heavy tails."""

HIGHEST = 6.0
"""Factor by which a source's errors may turn out to be larger than said, at most."""

UNCHECKED = 3.0
"""Anchors of which others predict a place so well that half of their doubt counts against what was measured there."""

START = 3.0
"""Anchors whose median counts half as the first guess of what they have in common."""

FEW = 4
"""Anchors below which a source's own residuals say nothing of its errors."""

BLOCKED = 100
"""Equations from which on OpenCV's Cholesky is LAPACK's, and faster than numpy's LU."""


class SourceTraits(NamedTuple):
    """Traits of a source that matter to the fit: whether its depths are relative."""

    relative: bool


class Coarse(NamedTuple):
    """Anchors at 48 places at most, for what needs no more.

    Attributes:
        features: (c, 6) of the places.
        design: (c, 6) of the line.
        residuals, variances: (c,) float32, of each place's anchors together.
        process: (c, c) float32, covariance of the process, the line's included.
    """

    features: Floats
    design: Floats
    residuals: Floats
    variances: Floats
    process: Floats

    def inverse(self) -> Floats:
        """(c, c) inverse covariance of the residuals."""
        return np.asarray(np.linalg.inv(_plus(self.process, self.variances)), np.float32)


class Fit(NamedTuple):
    """A fitted frame.

    Attributes:
        features: (k, 6) of the fitted anchors, or of what was merged of them.
        weights: (k,) float32, inverse covariance times residuals.
        line: (6,) the line's design matrix there, transposed, times these weights.
        errors: (anchors,) standardised errors of measuring; beyond 3 or 4 an anchor had hardly a say.
        coarse: gives the same anchors at few places, as long as no other frame is fitted.
        word: gives evidence about the line that residuals were taken from, as long as that.
    """

    features: Floats
    weights: Floats
    line: Array
    errors: Floats
    coarse: Callable[[], Coarse]
    word: Callable[[], Evidence]

    def evidence(self, mean: Array) -> Evidence:
        """The frame's word on the line; ``mean`` is what residuals were taken from."""
        word = self.word()
        return word._replace(vector=word.vector + word.information @ mean)


class _Model(NamedTuple):
    """The process at knots.

    Attributes:
        runs: of ordered anchors, one for each knot; None where every anchor is one.
        features, design: (k, 6).
        local: (k, k) covariance of all but the line.
        process: (k, k) with the line.
    """

    runs: Runs | None
    features: Floats
    design: Floats
    local: Floats
    process: Floats

    def together(self, r: Floats, variances: Floats) -> tuple[Floats, Floats]:
        """Residuals and variances of knots from those of their anchors, weighed by how sure each is."""
        if self.runs is None:
            return r, variances
        precision = np.reciprocal(variances)
        total = self.runs.total(precision)
        return self.runs.total(precision * r) / total, np.reciprocal(total)

    def apart(self, values: Floats) -> Floats:
        """Values of knots for each of their anchors."""
        return values if self.runs is None else np.repeat(values, self.runs.counts)


def fit(field: Field, points: Points, sources: list[SourceTraits], belief: Array, cell: float) -> Fit:
    """Fit the residuals of anchors; each anchor's weight is its own.

    Args:
        field: the local part; it has looked at the frame.
        points: the anchors.
        sources: by the anchors' source numbers.
        belief: (6, 6) covariance of the line, about the mean that residuals were taken from.
        cell: standard deviation of the answer's noise from cell to cell.
    """
    order: Numbers | None = None
    gaps: Floats = _NO_GAPS
    if len(points.residuals) >= HEAP:
        order, gaps = curve(points, scales(field.prior))
        place = Place(*(column[order] for column in points.place))
        points = Points(place, points.residuals[order], points.sds[order], points.source[order])
    r, count = points.residuals, len(points.residuals)
    covariance = belief.astype(np.float32)
    coarse = _model(field, points, runs(gaps, COARSE) if count > COARSE else None, sources, covariance)
    fine = coarse
    if count > COARSE:
        fine = _model(field, points, runs(gaps, MERGED) if count > EXACT else None, sources, covariance)
    said = np.hypot(points.sds, np.float32(cell)) * crowding(gaps, SHARED)
    # The first guess of errors: off the median, which few anchors may pull to themselves.
    errors, unsure = _predicted(coarse, r, _expected(np.square(r - _shrunk_middle(r)), said, _TAILS))
    for _ in range(ROUNDS):
        base, tails = _levels(errors, said, points.source, sources)
        variances = _expected(np.square(errors) + unsure, base, tails)
        together, own = fine.together(r, variances)
        weights = solve(_plus(fine.process, own), together)
        errors = r - fine.apart(together - own * weights)
    together, own = coarse.together(r, variances)
    few = Coarse(coarse.features, coarse.design, together, own, coarse.process)
    standardised = errors / base
    if order is not None:
        errors[order] = standardised
        standardised = errors
    line = np.asarray(fine.design.T @ weights, np.float64)
    return Fit(fine.features, weights, line, standardised, lambda: few, lambda: _word(coarse, together, own))


def _model(field: Field, points: Points, own: Runs | None, sources: list[SourceTraits], belief: Floats) -> _Model:
    place = points.place
    features, source = place.features, points.source
    if own is None:
        lines = design(place.u, place.v, place.log_depth)
    else:
        share = (1 / own.counts).astype(np.float32)
        features = own.total(features) * share[:, None]
        lines = design(*(own.total(column) * share for column in place[1:]))
        source = source[own.starts]
    local = field.among(features)
    if len(sources) == 1:
        local += np.float32(bias(sources[0]))
    else:
        variances = np.array([bias(each) for each in sources], np.float32)
        local += np.where(source[:, None] == source, variances[source], np.float32(0))
    return _Model(own, features, lines, local, np.add(local, (lines @ belief) @ lines.T, dtype=np.float32))


def bias(source: SourceTraits) -> float:
    """The variance that all anchors of a source have in common."""
    return UNKNOWN_FACTOR**2 if source.relative else BIAS**2


def _expected(squares: Floats, base: Floats, tails: Floats | np.float32) -> Floats:
    """Variances of errors of measuring whose squares are expected to be so large."""
    return np.asarray((np.square(base) * tails + squares) / (tails + 1), np.float32)


def _predicted(model: _Model, r: Floats, variances: Floats) -> tuple[Floats, Floats]:
    """Errors of anchors (n,), and with what variance all other knots predict their places (n,).

    Of few anchors the variance counts in part: nothing is held against a reading that nothing else predicts.
    """
    together, own = model.together(r, variances)
    inverse = np.linalg.inv(_plus(model.process, own))
    fitted = together - own * (inverse @ together)
    unsure = np.maximum(1 / np.maximum(np.diag(inverse), np.float32(1e-6)) - own, np.float32(0))
    unsure *= np.float32(len(r) / (len(r) + UNCHECKED))
    return r - model.apart(np.asarray(fitted, np.float32)), model.apart(np.asarray(unsure, np.float32))


def _plus(covariance: Floats, variances: Floats) -> Floats:
    """A covariance with variances on its diagonal."""
    out = covariance.copy()
    out.ravel()[:: len(out) + 1] += variances
    return out


def _shrunk_middle(r: Floats) -> np.float32:
    return np.float32(middle(r) * len(r) / (len(r) + START))


def middle(values: Floats) -> float:
    """The median, or of an even number the upper of the two in the middle; faster than numpy's on short arrays."""
    half = len(values) // 2
    ordered = values.copy()
    ordered.partition(half)
    return float(ordered[half])


def _word(few: _Model, residuals: Floats, variances: Floats) -> Evidence:
    """Evidence about the line that residuals were taken from."""
    lines = few.design
    right = np.empty((len(lines), 7), np.float32)
    right[:, 0], right[:, 1:] = residuals, lines
    noise = _plus(few.local, variances)
    both = np.asarray(lines.T @ solve(noise, right), np.float64)
    vector, raw = both[:, 0], both[:, 1:]
    information: Array = 0.5 * (raw + raw.T)
    looks = float(information[0, 0] * middle(noise.ravel()[:: len(noise) + 1]))
    return Evidence(information, vector, looks)


def solve(matrix: Floats, right: Floats) -> Floats:
    """Solve a symmetric positive definite system; right (n,) or (n, k)."""
    if len(matrix) < BLOCKED:
        return np.asarray(np.linalg.solve(matrix, right), np.float32)
    done, solution = cv2.solve(matrix, right, flags=cv2.DECOMP_CHOLESKY)
    if not done:
        # Rounding of many anchors at one place: half a per cent more variance cures it.
        cv2.solve(matrix + 0.005 * np.diag(np.diag(matrix)), right, solution, cv2.DECOMP_SVD)
    return np.asarray(solution[:, 0] if right.ndim == 1 else solution, np.float32)


def _levels(
    errors: Floats, said: Floats, source: Numbers, sources: list[SourceTraits]
) -> tuple[Floats, Floats | np.float32]:
    """The standard deviations of anchors with each source's level, and the degrees of freedom of its tails."""
    z = np.abs(errors / said)
    if len(sources) == 1:
        level, tails = _level(z)
        return said * np.float32(level), np.float32(tails)
    both = np.array([_level(z[source == i]) for i in range(len(sources))], np.float32)[source]
    return said * both[:, 0], both[:, 1]


def _level(z: Floats) -> tuple[float, float]:
    """Factor by which errors are larger than said (1 or more), and degrees of freedom; small errors have more."""
    if len(z) < FEW:
        return 1.0, TAILS
    seen = min(max(1.48 * middle(z), 1 / LIGHTEST), HIGHEST)
    count = len(z)
    level = max(seen, 1.0) ** (count / (count + LEVEL_PRIOR))
    return level, TAILS * max(1 / seen, 1.0) ** (count / (count + TAILS_PRIOR))
