"""One frame's anchors fitted: a Gaussian process whose errors have heavy tails.

The process is a line with a Gaussian belief plus the local field (:mod:`~fastdepth_ros.anchoring.field`). Errors of
measuring are Student t distributed, by reweighting (Lange, Little and Taylor, JASA 1989); neighbours share a part of
theirs, a source shares a bias, and how much larger a source's errors are than it says is found from its residuals.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from fastdepth_ros.anchoring.field import Field
from fastdepth_ros.anchoring.line import Array, Evidence, design
from fastdepth_ros.anchoring.thinning import Knots, Numbers, Points

Floats = npt.NDArray[np.float32]

TAILS = 2.0
"""Degrees of freedom of errors of measuring."""

SHARED, NEIGHBOURS = 0.05, 6.0
"""Share of the variance that neighbours have in common, and how far they are [u, v]."""

BIAS = 0.03
"""What all anchors of one source have in common, as a share of depth."""

UNKNOWN_FACTOR = 3.0
"""What anchors of a source have in common where their depths are relative, as a factor."""

ROUNDS = 4

LEVEL_PRIOR = 30.0
"""Anchors' worth of trust in the sigmas that are given or assumed."""

HIGHEST = 6.0
"""How many times larger than said a source's errors may turn out to be, at most."""

FEW = 4
"""Anchors below which a source's own residuals say nothing of its errors."""


class SourceTraits(NamedTuple):
    """What the fit has to know of each source: whether its depths are relative."""

    relative: bool


class Fit(NamedTuple):
    """A fitted frame.

    Attributes:
        weights: (knots,) float32, inverse covariance times residuals.
        residuals: (knots,) float32, of each knot's anchors together.
        covariance: (knots, knots) float32, of the residuals: process and errors.
        design: (knots, 6) of the line.
        noise: (knots, knots) float32, the covariance without the line.
        errors: (anchors,) standardised errors of measuring; beyond 3 or 4 an anchor had hardly a say.
    """

    weights: Floats
    residuals: Floats
    covariance: Floats
    design: Floats
    noise: Floats
    errors: Floats


def fit(field: Field, points: Points, knots: Knots, sources: list[SourceTraits], belief: Array, cell: float) -> Fit:
    """Fit the residuals of anchors at their knots; each anchor's weight is its own.

    Args:
        field: the local part; it has looked at the frame.
        points: the anchors.
        knots: where they are fitted, at most as many as the field's capacity.
        sources: by the anchors' source numbers.
        belief: (6, 6) covariance of the line, about the mean that residuals were taken from.
        cell: standard deviation of the answer's noise from cell to cell.
    """
    place, r, member = knots.place, points.residuals, knots.member
    lines = design(place.u, place.v, place.log_depth).astype(np.float32)
    spread = belief.astype(np.float32) @ lines.T
    local = field.between(place.features, place.features) + _biases(knots.source, knots.source, sources)
    process = local + lines @ spread
    at_points = process
    if member is not None:
        own = points.place
        at_points = field.between(own.features, place.features) + _biases(points.source, knots.source, sources)
        at_points += design(own.u, own.v, own.log_depth).astype(np.float32) @ spread
    shared = _shared(place.u, place.v)
    said = np.asarray(np.hypot(points.sds, np.float32(cell)), np.float32)
    base = said
    errors: Floats = r - np.float32(middle(r) * len(r) / (len(r) + 3))
    for _ in range(ROUNDS):
        z = errors / base
        variances = np.square(base) * ((TAILS + np.square(z)) / np.float32(TAILS + 1))
        together, sds = _at_knots(r, variances, member, len(lines))
        noise = shared * sds * sds[:, None]
        covariance = process + noise
        weights = solve(covariance, together)
        errors = np.asarray(r - at_points @ weights, np.float32)
        base = said * _levels(errors, said, points.source, sources)
    return Fit(weights, together, covariance, lines, local + noise, errors / base)


def _at_knots(r: Floats, variances: Floats, member: Numbers | None, count: int) -> tuple[Floats, Floats]:
    """Residuals and standard deviations of knots from those of their anchors, weighed by how sure each is."""
    if member is None:
        return r, np.sqrt(variances)
    precision = 1 / variances
    total = np.bincount(member, precision, count)
    together = np.bincount(member, precision * r, count) / total
    return np.asarray(together, np.float32), np.asarray(1 / np.sqrt(total), np.float32)


def middle(values: Floats) -> float:
    """The median, or of an even number the upper of the two in the middle; faster than numpy's on short arrays."""
    half = len(values) // 2
    return float(np.partition(values, half)[half])


def evidence(fitted: Fit, mean: Array) -> Evidence:
    """What the frame says of the line; ``mean`` is what residuals were taken from."""
    lines = fitted.design
    solved = solve(fitted.noise, np.column_stack((fitted.residuals, lines)))
    both = np.asarray(lines.T @ solved, np.float64)
    vector, raw = both[:, 0], both[:, 1:]
    information: Array = 0.5 * (raw + raw.T)
    looks = float(information[0, 0] * middle(np.diag(fitted.noise)))
    return Evidence(information, vector + information @ mean, looks)


def solve(matrix: Floats, right: Floats) -> Floats:
    """Solve a symmetric positive definite system; right (n,) or (n, k)."""
    done, solution = cv2.solve(matrix, right, flags=cv2.DECOMP_CHOLESKY)
    if not done:
        # Rounding of many anchors at one place: half a per cent more variance cures it.
        cv2.solve(matrix + 0.005 * np.diag(np.diag(matrix)), right, solution, cv2.DECOMP_SVD)
    return np.asarray(solution[:, 0] if right.ndim == 1 else solution, np.float32)


def _biases(rows: Numbers, columns: Numbers, sources: list[SourceTraits]) -> Floats:
    variances = np.array([UNKNOWN_FACTOR**2 if s.relative else BIAS**2 for s in sources], np.float32)
    if len(sources) == 1:
        return np.full((1, 1), variances[0], np.float32)
    return np.asarray(np.where(rows[:, None] == columns, variances[columns], 0), np.float32)


def _shared(u: Floats, v: Floats) -> Floats:
    near: Floats = np.square(u[:, None] - u) + np.square(v[:, None] - v)
    near *= np.float32(0.5 / NEIGHBOURS**2)
    near += 1
    np.divide(np.float32(SHARED), np.square(near), out=near)
    near.flat[:: len(u) + 1] = 1
    return near


def _levels(errors: Floats, said: Floats, source: Numbers, sources: list[SourceTraits]) -> Floats:
    """How many times larger than said each source's errors are (1 or more), for each anchor."""
    z = np.abs(errors / said)
    levels = np.array([_level(z if len(sources) == 1 else z[source == i]) for i in range(len(sources))], np.float32)
    return levels[source] if len(sources) > 1 else levels


def _level(z: Floats) -> float:
    if len(z) < FEW:
        return 1.0
    seen = min(max(1.48 * middle(z), 1.0), HIGHEST)
    return float(seen ** (len(z) / (len(z) + LEVEL_PRIOR)))
