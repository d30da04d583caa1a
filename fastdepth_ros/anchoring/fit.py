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
from fastdepth_ros.anchoring.thinning import Knots

Floats = npt.NDArray[np.float32]

TAILS = 2.5
"""Degrees of freedom of errors of measuring."""

SHARED, NEIGHBOURS = 0.15, 6.0
"""Share of the variance that neighbours have in common, and how far they are [u, v]."""

BIAS = 0.03
"""What all anchors of one source have in common, as a share of depth."""

UNKNOWN_FACTOR = 3.0
"""The same for sources whose depths are relative."""

ROUNDS = 4

LEVEL_PRIOR = 30.0
"""Anchors' worth of trust in the sigmas that are given or assumed."""

LOWEST, HIGHEST = 0.4, 6.0
"""How many times larger than said a source's errors may turn out to be."""


class SourceTraits(NamedTuple):
    """What the fit has to know of each source: whether it told its sigmas, and whether its depths are relative."""

    told: bool
    relative: bool


class Fit(NamedTuple):
    """A fitted frame.

    Attributes:
        weights: (n,) float32, inverse covariance times residuals.
        covariance: (n, n) float32, of the residuals: process and errors.
        design: (n, 6) of the line.
        noise: (n, n) float32, the same without the line.
        errors: (n,) standardised errors of measuring; beyond 3 or 4 an anchor had hardly a say.
    """

    weights: Floats
    covariance: Floats
    design: Floats
    noise: Floats
    errors: Floats


def fit(field: Field, knots: Knots, sources: list[SourceTraits], belief: Array, cell: float) -> Fit:
    """Fit the residuals of knots.

    Args:
        field: the local part; it has looked at the frame.
        knots: at most as many as the field's capacity.
        sources: by the knots' source numbers.
        belief: (6, 6) covariance of the line, about the mean that residuals were taken from.
        cell: standard deviation of the answer's noise from cell to cell.
    """
    place, r = knots.place, knots.residuals
    lines = design(place.u, place.v, place.log_depth).astype(np.float32)
    local = field.between(place.features) + _biases(knots.source, sources)
    process = local + lines @ belief.astype(np.float32) @ lines.T
    shared = _shared(place.u, place.v)
    errors: Floats = r - np.float32(np.median(r) * len(r) / (len(r) + 3))
    levels: Floats = np.ones(len(sources), np.float32)
    said = np.asarray(np.hypot(np.float32(cell), knots.sds), np.float32)
    for _ in range(ROUNDS):
        base = np.hypot(np.float32(cell), knots.sds * levels[knots.source])
        z = errors / base
        sds = base * np.sqrt((TAILS + np.square(z)) / np.float32(TAILS + 1))
        noise = shared * sds * sds[:, None]
        covariance = process + noise
        weights = solve(covariance, r)
        errors = np.asarray(r - process @ weights, np.float32)
        levels = _levels(errors, said, knots.source, sources)
    return Fit(weights, covariance, lines, local + noise, errors / base)


def evidence(fitted: Fit, residuals: Floats, mean: Array) -> Evidence:
    """What the frame says of the line; ``mean`` is what residuals were taken from."""
    lines = fitted.design
    solved = solve(fitted.noise, np.column_stack((residuals, lines)))
    both = np.asarray(lines.T @ solved, np.float64)
    vector, raw = both[:, 0], both[:, 1:]
    information: Array = 0.5 * (raw + raw.T)
    looks = float(information[0, 0] * np.median(np.diag(fitted.noise)))
    return Evidence(information, vector + information @ mean, looks)


def solve(matrix: Floats, right: Floats) -> Floats:
    """Solve a symmetric positive definite system; right (n,) or (n, k)."""
    done, solution = cv2.solve(matrix, right, flags=cv2.DECOMP_CHOLESKY)
    if not done:
        # Rounding of many anchors at one place: half a per cent more variance cures it.
        cv2.solve(matrix + 0.005 * np.diag(np.diag(matrix)), right, solution, cv2.DECOMP_SVD)
    return np.asarray(solution[:, 0] if right.ndim == 1 else solution, np.float32)


def _biases(source: npt.NDArray[np.intp], sources: list[SourceTraits]) -> Floats:
    variances = np.array([UNKNOWN_FACTOR**2 if s.relative else BIAS**2 for s in sources], np.float32)
    if len(sources) == 1:
        return np.full((1, 1), variances[0], np.float32)
    return np.asarray(np.where(source[:, None] == source, variances[source], 0), np.float32)


def _shared(u: Floats, v: Floats) -> Floats:
    near: Floats = np.square(u[:, None] - u) + np.square(v[:, None] - v)
    near *= np.float32(0.5 / NEIGHBOURS**2)
    near += 1
    np.divide(np.float32(SHARED), np.square(near), out=near)
    near.flat[:: len(u) + 1] = 1
    return near


def _levels(errors: Floats, base: Floats, source: npt.NDArray[np.intp], sources: list[SourceTraits]) -> Floats:
    """How many times larger than said each source's errors are: between what its residuals show and 1."""
    levels = np.ones(len(sources), np.float32)
    z = np.abs(errors) / base
    for i, traits in enumerate(sources):
        own = z if len(sources) == 1 else z[source == i]
        if len(own) < 4:
            continue
        seen = min(max(1.48 * float(np.median(own)), LOWEST), HIGHEST)
        if traits.told:
            seen = max(seen, 1.0)
        levels[i] = seen ** (len(own) / (len(own) + LEVEL_PRIOR))
    return levels
