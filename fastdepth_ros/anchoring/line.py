"""The line that anchors fit, remembered from frame to frame.

State: scale and slope of the place, scale and slope of the view, tilts. Each is an Ornstein-Uhlenbeck process: left
alone it goes back to the prior, the place's numbers within minutes, the view's within seconds, and so do variances.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fastdepth_ros.anchoring.prior import Prior

Array = npt.NDArray[np.float64]

CENTRE = math.log(2.0)
"""Logarithm of the metres about which the line turns."""

PLACE_LASTS, VIEW_LASTS = 120.0, 2.0
"""Time constants [s]."""

FRAME_LASTS = 0.5
"""Frames closer than this [s] share their local errors, so that they count as one."""

SURPRISE = 4.0
"""Log-evidence for a new place at which what was remembered is dropped."""


class Evidence(NamedTuple):
    """What a frame's anchors say of the line, whatever was known before.

    Attributes:
        information: (6, 6), H' S^-1 H.
        vector: (6,), H' S^-1 r.
        looks: about how many independent anchors that were.
    """

    information: Array
    vector: Array
    looks: float


class Line:
    """A Kalman filter over the line.

    Attributes:
        mean, covariance: of the six numbers, as of the last frame.
        stationary: the covariance where nothing is remembered.
    """

    def __init__(self, prior: Prior) -> None:
        sds = (prior.place_scale, prior.place_slope, prior.view_scale, prior.view_slope, prior.tilt_x, prior.tilt_y)
        self.stationary = np.diag(np.square(sds))
        self._lasts = np.array((PLACE_LASTS, PLACE_LASTS, *[VIEW_LASTS] * 4))
        self.forget()

    def forget(self) -> None:
        """Know nothing but the prior."""
        self.mean: Array = np.zeros(6)
        self.covariance = self.stationary.copy()
        self._time: float | None = None
        self._used: float | None = None
        self._surprise = 0.0

    @property
    def age(self) -> float:
        """Time from the last anchors to the last frame [s]; infinite before the first."""
        return math.inf if self._used is None or self._time is None else max(0.0, self._time - self._used)

    def predict(self, now: float) -> None:
        """Let time pass; a clock that jumps back, or shows no number, lets none pass."""
        if not math.isfinite(now):
            return
        passed = 0.0 if self._time is None else max(0.0, now - self._time)
        if self._used is not None and self._time is not None and now < self._time:
            self._used += now - self._time
        self._time = now
        if passed and self._used is not None:
            kept = np.exp(-passed / self._lasts)
            self.mean *= kept
            self.covariance = self.stationary + kept[:, None] * (self.covariance - self.stationary) * kept

    def surprised(self, evidence: Evidence) -> bool:
        """Whether the anchors fit the prior so much better than what is remembered that this is a new place.

        Evidence adds up from frame to frame; few anchors alone never settle it at once, as one of them may be wrong.
        """
        if self._used is None:
            return False
        fresh = _log_evidence(np.zeros(6), self.stationary, evidence)
        gain = fresh - _log_evidence(self.mean, self.covariance, evidence)
        most = 0.5 + 0.25 * evidence.looks
        self._surprise = max(0.0, self._surprise + min(gain, most))
        if self._surprise < SURPRISE:
            return False
        time = self._time
        self.forget()
        self._time = time
        return True

    def posterior(self, evidence: Evidence, share: float = 1.0) -> tuple[Array, Array]:
        """Mean and covariance with a frame's evidence, of which a ``share`` counts."""
        gain = np.linalg.inv(np.eye(6) + share * self.covariance @ evidence.information)
        covariance = gain @ self.covariance
        mean = self.mean + share * covariance @ (evidence.vector - evidence.information @ self.mean)
        return mean, 0.5 * (covariance + covariance.T)

    def update(self, evidence: Evidence) -> None:
        """Remember a frame's evidence; frames that follow closely count as one."""
        time = self._time or 0.0
        share = 1.0 if self._used is None else 1.0 - math.exp(-max(0.0, time - self._used) / FRAME_LASTS)
        self.mean, self.covariance = self.posterior(evidence, share)
        self._used = time


def design(u: npt.NDArray[np.float32], v: npt.NDArray[np.float32], log_depth: npt.NDArray[np.float32]) -> Array:
    """The line's (n, 6) design matrix.

    Args:
        u, v: from the picture's middle, in 1/224 of its width (see :mod:`~fastdepth_ros.anchoring.field`).
        log_depth: logarithm of answered depth [log m].
    """
    out = np.empty((len(u), 6))
    out[:, 0] = out[:, 2] = 1.0
    out[:, 1] = out[:, 3] = log_depth - CENTRE
    out[:, 4] = u * 0.01
    out[:, 5] = v * 0.01
    return out


def _log_evidence(mean: Array, covariance: Array, evidence: Evidence) -> float:
    """Log-likelihood of a frame's anchors under a Gaussian belief, less what all beliefs share."""
    information, vector = evidence.information, evidence.vector
    inner = np.eye(6) + covariance @ information
    off = vector - information @ mean
    fit = mean @ (vector - 0.5 * information @ mean) + 0.5 * off @ np.linalg.solve(inner, covariance @ off)
    return float(fit - 0.5 * np.linalg.slogdet(inner)[1])
