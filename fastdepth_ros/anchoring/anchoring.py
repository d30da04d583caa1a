"""The correction of frame after frame."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from fastdepth_ros.anchoring.anchors import Anchors, Corrected, Report, SourceReport
from fastdepth_ros.anchoring.enlarging import Enlarging
from fastdepth_ros.anchoring.field import Field
from fastdepth_ros.anchoring.fit import EXACT, Fit, SourceTraits, evidence, fit, middle
from fastdepth_ros.anchoring.line import CENTRE, Array, Evidence, Line, average
from fastdepth_ros.anchoring.pool import Pool, gather, judge
from fastdepth_ros.anchoring.prior import Prior
from fastdepth_ros.anchoring.selection import Chosen, choose
from fastdepth_ros.anchoring.uncertainty import Uncertainty

Floats = npt.NDArray[np.float32]

SURFACE = 0.35
"""Share of the prior's length in depth within which cells take a node's correction."""

HARDLY = 4.0
"""Standardised error beyond which an anchor had hardly a say in its frame."""

LARGEST = 4.0
"""No correction is larger than a factor of e^4."""

DISAGREES = "disagrees"


class _Said(NamedTuple):
    """Anchors' word before they were used: innovations of what is held and of what is settled, and their scale."""

    innovation: float
    expected: float
    settled: float

    @property
    def is_expected(self) -> bool:
        return max(abs(self.innovation), abs(self.settled)) < self.expected


_SILENCE = _Said(math.nan, math.nan, math.nan)


class _Judged(NamedTuple):
    """Anchors of a frame with what was decided of each: whether it had a say, and whether its source is believed."""

    pool: Pool
    kept: npt.NDArray[np.bool_]
    trusted: list[bool]


class _Fitted(NamedTuple):
    """A fitted frame: how, what it says of the line, and whether the place is new."""

    fit: Fit
    news: Evidence
    new_place: bool


class Anchoring:
    """Corrects answers with anchors, and remembers the place's scale.

    Args:
        shape: rows and columns of the answer's cells, a half of the network's input; even numbers.
        prior: what is known of the weights' errors; None takes defaults.
    """

    def __init__(self, shape: tuple[int, int], prior: Prior | None = None) -> None:
        self.prior = prior or Prior()
        self._line = Line(self.prior)
        self._field = Field(shape, self.prior, EXACT)
        self._enlarging = Enlarging(self._field.grid, SURFACE * self.prior.alike)
        self._uncertainty = Uncertainty(self._field, self.prior)
        self._depth = np.zeros(shape, np.float32)
        self._correction = np.zeros(shape, np.float32)

    def correct(
        self,
        metres: Floats,
        anchors: Sequence[Anchors],
        now: float,
        *,
        sigma: bool = False,
        picture: npt.NDArray[np.uint8] | None = None,
    ) -> Corrected:
        """Correct one answer.

        Args:
            metres: (rows, columns) after the correction for the focal length, before limits [m]; 0 is "no answer".
            anchors: of this frame; any numbers may be in them, bad ones are left out and counted.
            now: the frame's time in the node's clock [s].
            sigma: whether anybody wants the standard deviations.
            picture: (2 rows, 2 columns, 3) uint8 RGB, what the network saw; with it corrections keep to surfaces of
                one colour.
        """
        self._line.predict(now)
        chosen = [choose(source, metres) for source in anchors]
        usable = any(len(source.log_depths) for source in chosen)
        if not usable:
            return self._remembered(metres, chosen, None, _SILENCE, sigma)
        self._field.look(metres)
        self._field.compare(picture)
        return self._anchored(metres, chosen, sigma)

    @property
    def remembers(self) -> bool:
        """Whether earlier anchors still count."""
        return self._line.age < math.inf

    def forget(self) -> None:
        """Drop what was remembered, as at the start."""
        self._line.forget()

    def _remembered(
        self, metres: Floats, chosen: list[Chosen], judged: _Judged | None, said: _Said, sigma: bool
    ) -> Corrected:
        """The answer with the remembered line, while anchors pause or none is believed."""
        silent = self._line.age == math.inf
        if judged is None and (sigma or not silent):
            self._field.look(metres)
        if silent:
            np.copyto(self._depth, metres)
        else:
            self._apply(metres, self._line.held.mean, None)
        sd = self._uncertainty.alone(self._depth, self._line.held.covariance, never=silent) if sigma else None
        return Corrected(self._depth, sd, self._report(said, False, _reports(chosen, judged)))

    def _anchored(self, metres: Floats, chosen: list[Chosen], sigma: bool) -> Corrected:
        pool = gather(self._field, chosen)
        said = self._said(pool)
        judged, fitted = self._fit(pool, chosen, said)
        if fitted is None:
            return self._remembered(metres, chosen, judged, said, sigma)
        own, news, new_place = fitted
        line = self._line
        before, covariance = line.settled
        mean = before + covariance @ np.asarray(own.design.T @ own.weights, np.float64)
        self._apply(metres, mean, own.weights @ self._field.spread(own.features))
        sd = self._uncertainty.anchored(self._depth, own, covariance) if sigma else None
        line.update(news)
        return Corrected(self._depth, sd, self._report(said, new_place, _reports(chosen, judged)))

    def _fit(self, pool: Pool, chosen: list[Chosen], said: _Said) -> tuple[_Judged, _Fitted | None]:
        """The anchors that are believed, fitted; once more, without memory, where the place turns out to be new."""
        line, traits = self._line, [SourceTraits(c.relative) for c in chosen]
        new_place = False
        while True:
            kept, trusted = judge(pool, chosen, line, self.prior.local)
            if not kept.any():
                return _Judged(pool, kept, trusted), None
            mean, covariance = line.settled
            points = pool.points(kept, mean)
            fitted = fit(self._field, points, traits, covariance, self.prior.cell)
            news = evidence(fitted, mean)
            if new_place or not line.surprised(None if said.is_expected else news):
                break
            new_place = True
        kept[kept] = np.abs(fitted.errors) < HARDLY
        return _Judged(pool, kept, trusted), _Fitted(fitted, news, new_place)

    def _said(self, pool: Pool) -> _Said:
        """The innovation of all anchors together."""
        line = average(pool.lines)
        held, settled = self._line.held, self._line.settled
        variance = float(line @ held.covariance @ line) + self.prior.local**2 / min(len(pool.ratios), 6)
        return _Said(middle(pool.off(held.mean)), math.sqrt(variance), middle(pool.off(settled.mean)))

    def _apply(self, metres: Floats, mean: Array, nodes: Floats | None) -> None:
        """Write the corrected depth: a line with this mean, and the local part at the grid's nodes."""
        field, log = self._field, self._correction
        slope = float(mean[1] + mean[3])
        start = np.float32(mean[0] + mean[2] - slope * CENTRE)
        across, down = np.float32(0.01 * mean[4]), np.float32(0.01 * mean[5])
        if nodes is None:
            np.multiply(field.log_depth, np.float32(slope), out=log)
            log += start + across * field.u
            log += down * field.v
        else:
            values = nodes.reshape(field.grid) + (start + across * field.u_nodes + down * field.v_nodes)
            halves = self._enlarging.enlarge(values, field.log_nodes, field.log_halves)
            cv2.resize(halves, log.shape[::-1], log, 0, 0, cv2.INTER_LINEAR)
            log += np.multiply(field.log_depth, np.float32(slope), out=self._depth)
        np.clip(log, -LARGEST, LARGEST, out=log)
        cv2.exp(log, log)
        np.multiply(metres, log, out=self._depth)

    def _report(self, said: _Said, new_place: bool, sources: tuple[SourceReport, ...]) -> Report:
        mean, sds = self._line.held.mean, np.sqrt(np.diag(self._line.held.covariance))
        return Report(
            scale=math.exp(mean[0] + mean[2]),
            scale_sd=math.hypot(sds[0], sds[2]),
            slope=float(mean[1] + mean[3]),
            slope_sd=math.hypot(sds[1], sds[3]),
            innovation=said.innovation,
            innovation_sd=said.expected,
            new_place=new_place,
            age=self._line.age,
            sources=sources,
        )


def _reports(chosen: list[Chosen], judged: _Judged | None) -> tuple[SourceReport, ...]:
    if judged is None:
        return tuple(SourceReport(c.source, c.given, 0, c.rejected, math.nan, True) for c in chosen)
    return tuple(_source_report(i, own, judged) for i, own in enumerate(chosen))


def _source_report(number: int, own: Chosen, judged: _Judged) -> SourceReport:
    pool, kept, trusted = judged
    mine = pool.source == number
    used = int(np.count_nonzero(kept & mine))
    usable = len(own.log_depths)
    rejected = {**own.rejected, DISAGREES: usable - used} if used < usable else own.rejected
    silent = own.relative or not usable
    ratio = 1.0 if own.relative else math.nan if silent else math.exp(middle(pool.ratios[mine]))
    return SourceReport(own.source, own.given, used, rejected, ratio, trusted[number])
