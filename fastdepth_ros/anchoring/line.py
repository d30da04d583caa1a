"""The line that anchors fit, remembered from frame to frame.

State: scale and slope of the place, scale and slope of the view, tilts. Each is an Ornstein-Uhlenbeck process: left
alone it goes back to the prior, the place's numbers within minutes, the view's within seconds, and so do variances.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fastdepth_ros.anchoring.prior import Prior

Array = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]

CENTRE = math.log(3.0)
"""Logarithm of the metres about which the line turns: where rooms are. A slope that a view has on top is forgotten
within seconds, and leaves the scale behind that went with it, which fits where the line turns and nowhere else."""

PLACE_LASTS, VIEW_LASTS = 120.0, 2.0
"""Time constants [s]."""

VIEW_SCALE = 2
"""Place of the view's scale among the six numbers."""

LOOK_LASTS = 4.0
"""Frames closer than this [s] see much the same, and their local errors are the same: together they are one look."""

LOOKS = 4.0
"""Looks that are remembered, about; older ones give way to new ones."""

STEP = 0.1
"""Time is let pass in steps of at least so much [s]: what decays within seconds changes little from frame to frame."""

MOST_PENDING = 2 * STEP
"""Time that may have passed before somebody waits for what it changes [s]."""

SURPRISE = 4.0
"""Log-evidence for a new place at which what was remembered is dropped."""


class Belief(NamedTuple):
    """A Gaussian belief in the six numbers: mean (6,) and covariance (6, 6)."""

    mean: Array
    covariance: Array

    def widened(self, variance: float) -> Belief:
        """The belief in a view whose scale is less sure, by this variance."""
        covariance = self.covariance.copy()
        covariance[VIEW_SCALE, VIEW_SCALE] += variance
        return self._replace(covariance=covariance)

    def towards(self, vector: Array) -> list[float]:
        """The mean (6,), moved by the covariance times a vector (6,)."""
        return [one + other for one, other in zip(self.mean.tolist(), times(self.covariance, vector), strict=True)]


def times(matrix: Array, vector: Array) -> list[float]:
    """A matrix (n, 6) times a vector (6,).

    In Python, for a frame asks BLAS for nothing else: its program alone takes longer to come from memory.
    """
    a, b, c, d, e, f = vector.tolist()
    return [a * r[0] + b * r[1] + c * r[2] + d * r[3] + e * r[4] + f * r[5] for r in matrix.tolist()]


def quadratic(vector: Array, matrix: Array) -> float:
    """A vector (6,) times a matrix (6, 6) times the vector: the variance of such a sum."""
    return float(sum([one * other for one, other in zip(vector.tolist(), times(matrix, vector), strict=True)]))


class Evidence(NamedTuple):
    """A frame's word on the line, whatever was known before.

    Attributes:
        information: (6, 6), H' S^-1 H.
        vector: (6,), H' S^-1 r.
        looks: about how many independent anchors that were.
    """

    information: Array
    vector: Array
    looks: float


class Remembered(NamedTuple):
    """Knowledge of a line at one time.

    Attributes:
        settled, held: both beliefs.
        time, used: of the last frame, and of the last one with anchors [s]; None before the first.
        pending: time that is yet to be let pass [s].
    """

    settled: Belief
    held: Belief
    time: float | None
    used: float | None
    pending: float


class Line:
    """A filter over the line.

    Two beliefs are kept. The one that is held takes in each frame fully, and corrects answers while anchors pause. The
    settled one takes in frames as new looks only, a little from each; a frame's own anchors are added to it, so that
    the same local errors are not counted once a frame.

    Attributes:
        settled, held: as of the last :meth:`predict`.
        stationary: the covariance where nothing is remembered.
    """

    def __init__(self, prior: Prior) -> None:
        sds = (prior.place_scale, prior.place_slope, prior.view_scale, prior.view_slope, prior.tilt_x, prior.tilt_y)
        self.stationary: Array = np.diag(np.square(sds))
        self._precision: Array = np.diag(1 / np.square(sds))
        self._lasts = np.array((PLACE_LASTS, PLACE_LASTS, *[VIEW_LASTS] * 4))
        self.forget()

    def forget(self) -> None:
        """Know nothing but the prior."""
        self.settled = self.held = self.unknown
        self._time: float | None = None
        self._used: float | None = None
        self._pending = 0.0
        self._surprise = 0.0

    @property
    def remembered(self) -> Remembered:
        """All that is known, to :meth:`return_to`."""
        return Remembered(self.settled, self.held, self._time, self._used, self._pending)

    def return_to(self, before: Remembered) -> None:
        """Know what was known before, and no more; the time since then is let pass with the next frame."""
        time = before.time if before.time is not None else self._time
        ahead = max(0.0, time - self._time) if time is not None and self._time is not None else 0.0  # a clock jumped
        self.settled, self.held, self._pending = before.settled, before.held, before.pending
        self._time = None if time is None else time - ahead
        self._used = None if before.used is None else before.used - ahead
        self._surprise = 0.0

    def rescale(self, step: float) -> None:
        """Have all answers be e^step times as far from now on: what anchors taught of metres stays what it was."""
        if self._used is not None:
            self.settled, self.held = rescaled(self.settled, step), rescaled(self.held, step)

    @property
    def unknown(self) -> Belief:
        """The belief in a place that was never seen."""
        return Belief(np.zeros(6), self.stationary)

    @property
    def age(self) -> float:
        """Time from the last anchors to the last frame [s]; infinite before the first."""
        return math.inf if self._used is None or self._time is None else max(0.0, self._time - self._used)

    def predict(self, now: float) -> None:
        """Let time pass; a clock that jumps back, or shows no number, lets none pass.

        Of little time only notes are taken: :meth:`catch_up` lets it pass when nobody waits.
        """
        if not math.isfinite(now):
            return
        passed = 0.0 if self._time is None else max(0.0, now - self._time)
        if self._used is not None and self._time is not None and now < self._time:
            self._used += now - self._time
        self._time = now
        self._pending += passed
        if self._pending >= MOST_PENDING:
            self.catch_up()

    def catch_up(self) -> None:
        """Let the time pass that was only noted, once it is a step."""
        if self._pending < STEP:
            return
        passed, self._pending = self._pending, 0.0
        if self._used is not None:
            kept = np.exp(-passed / self._lasts)
            self._settle(1 - math.exp(-passed / LOOK_LASTS))
            self.settled, self.held = self._relaxed(self.settled, kept), self._relaxed(self.held, kept)

    def surprised(self, evidence: Evidence | None) -> bool:
        """Whether the anchors fit the prior so much better than what is remembered that this is a new place.

        Evidence adds up from frame to frame; few anchors alone never settle it at once, as one of them may be wrong.
        None stands for anchors that are as expected.
        """
        if self._used is None:
            return False
        if evidence is None:
            self._surprise = 0.0
            return False
        # What is held moves with each frame; what is settled still tells a few frames later that they do not fit.
        held, settled, unknown = _log_evidence((self.held, self.settled, self.unknown), evidence)
        gain = unknown - min(held, settled)
        most = 0.5 + 0.6 * evidence.looks
        self._surprise = max(0.0, self._surprise + min(gain, most))
        if self._surprise < SURPRISE:
            return False
        time = self._time
        self.forget()
        self._time = time
        return True

    def update(self, evidence: Evidence, nearer: float = 0.0) -> None:
        """Take in a frame's anchors.

        Args:
            evidence: theirs.
            nearer: variance of the view's scale because this is a close-up, on top of what was expected.
        """
        if nearer:
            self.settled = self.settled.widened(nearer)
        self.held = posterior(self.settled, evidence)
        self._used = self._time if self._time is not None else 0.0
        self._time = self._used

    def _settle(self, share: float) -> None:
        """Take a share of what is held over into what is settled, as so much of a new look."""
        before, after = (np.asarray(np.linalg.inv(each.covariance), np.float64) for each in (self.settled, self.held))
        gained, kept = share * (after - before), 1 - share / LOOKS
        precision = self._precision + kept * (before - self._precision) + gained
        vector = (kept - share) * (before @ self.settled.mean) + share * (after @ self.held.mean)
        covariance = np.linalg.inv(precision)
        self.settled = Belief(covariance @ vector, 0.5 * (covariance + covariance.T))

    def _relaxed(self, belief: Belief, kept: Array) -> Belief:
        """A belief after time has passed, of which each number keeps a share."""
        covariance = self.stationary + kept[:, None] * (belief.covariance - self.stationary) * kept
        return Belief(belief.mean * kept, covariance)


_SAME = np.eye(6)


def rescaled(belief: Belief, step: float) -> Belief:
    """The belief in the line over answers that are e^step times as far, so that corrected they are what they were.

    A line of the value a and the slope b has the value a - (1 + b) step there.
    """
    moved = np.eye(6)
    moved[0, 1] = moved[2, 3] = -step
    mean, covariance = moved @ belief.mean, moved @ belief.covariance @ moved.T
    mean[0] -= step
    return Belief(mean, 0.5 * (covariance + covariance.T))


def posterior(belief: Belief, evidence: Evidence) -> Belief:
    """The belief with a frame's evidence."""
    mean, covariance = belief
    after = np.linalg.solve(_SAME + covariance @ evidence.information, covariance)
    after = 0.5 * (after + after.T)
    return Belief(mean + after @ (evidence.vector - evidence.information @ mean), after)


def design(u: Floats, v: Floats, log_depth: Floats) -> Floats:
    """The line's (n, 6) design matrix.

    Args:
        u, v: from the picture's middle, in 1/224 of its width (see :mod:`~fastdepth_ros.anchoring.field`).
        log_depth: logarithm of answered depth [log m].
    """
    out = np.empty((len(u), 6), np.float32)
    out[:, 0] = out[:, 2] = 1.0
    out[:, 1] = out[:, 3] = log_depth - np.float32(CENTRE)
    np.multiply(u, np.float32(0.01), out=out[:, 4])
    np.multiply(v, np.float32(0.01), out=out[:, 5])
    return out


def average(lines: Floats) -> Array:
    """The mean (6,) of rows of a design matrix."""
    return np.asarray(np.full(len(lines), 1 / len(lines), np.float32) @ lines, np.float64)


def _log_evidence(beliefs: Sequence[Belief], evidence: Evidence) -> list[float]:
    """Log-likelihood of a frame's anchors under each belief, less what all beliefs share."""
    means = np.stack([belief.mean for belief in beliefs])
    covariances = np.stack([belief.covariance for belief in beliefs])
    information, vector = evidence.information, evidence.vector
    inner = _SAME + covariances @ information
    said = means @ information
    off = vector - said
    inside = np.linalg.solve(inner, (covariances @ off[..., None]))[..., 0]
    fit = np.sum(means * (vector - 0.5 * said) + 0.5 * off * inside, axis=1) - 0.5 * np.linalg.slogdet(inner)[1]
    return [float(value) for value in fit]
