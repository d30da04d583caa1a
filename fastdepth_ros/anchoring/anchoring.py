"""The correction of frame after frame."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fastdepth_ros.anchoring.anchors import Anchors, Corrected, Report, Rest
from fastdepth_ros.anchoring.applying import Straight
from fastdepth_ros.anchoring.compiled import CompiledFitter, fitter_and_applier
from fastdepth_ros.anchoring.field import Field
from fastdepth_ros.anchoring.fit import EXACT, Fit, SourceTraits
from fastdepth_ros.anchoring.judging import judge, nearer, uncorroborated
from fastdepth_ros.anchoring.lessons import Lessons
from fastdepth_ros.anchoring.line import CENTRE, Belief, Line, quadratic
from fastdepth_ros.anchoring.plain import plain_opencv
from fastdepth_ros.anchoring.pool import Means, Placed
from fastdepth_ros.anchoring.prior import Prior
from fastdepth_ros.anchoring.reporting import Judged, reports, teachers
from fastdepth_ros.anchoring.selection import Chosen, choose
from fastdepth_ros.anchoring.trust import Trust
from fastdepth_ros.anchoring.uncertainty import Uncertainty
from fastdepth_ros.arguments import Bind

Floats = npt.NDArray[np.float32]


class _Said(NamedTuple):
    """Anchors' word before they were used: innovations of what is held and of what is settled, and their scale."""

    innovation: float
    expected: float
    settled: float

    @property
    def is_expected(self) -> bool:
        return max(abs(self.innovation), abs(self.settled)) < self.expected


_SILENCE = _Said(math.nan, math.nan, math.nan)


class _Fitted(NamedTuple):
    """A fitted frame.

    Attributes:
        fit: how it was fitted.
        belief: in the line before, that it was fitted with.
        nearer: variance of the view's scale that is in it because this is a close-up; None where it is none.
        new_place: whether the place is new.
    """

    fit: Fit
    belief: Belief
    nearer: float | None
    new_place: bool


class Anchoring:
    """Corrects answers with anchors, and remembers the place's scale, and for seconds the view's correction.

    Args:
        shape: rows and columns of the answer's cells, a half of the network's input; even numbers.
        prior: what is known of the weights' errors; None takes defaults.
        bind: gives functions of a compiled module, where there is one: the fit's are used where it has them.
    """

    def __init__(self, shape: tuple[int, int], prior: Prior | None = None, bind: Bind | None = None) -> None:
        self.prior = prior or Prior()
        self._line = Line(self.prior)
        self._lessons = Lessons(self._line)
        self._field = Field(shape, self.prior, EXACT)
        self._fitter, self._applier = fitter_and_applier(self._field, self.prior, bind)
        self._uncertainty = Uncertainty(self._field, self.prior, self._fitter)
        self.trust = Trust()
        self._now = math.nan
        self._unfinished: Rest | None = None

    def correct(
        self,
        metres: Floats,
        anchors: Sequence[Anchors],
        now: float,
        *,
        sigma: bool = False,
        picture: npt.NDArray[np.uint8] | None = None,
    ) -> Corrected:
        """Correct one answer. What only the next frames need is left to :meth:`finish`.

        Args:
            metres: (rows, columns) after the correction for the focal length, before limits [m]; 0 is "no answer".
            anchors: of this frame; any numbers may be in them, bad ones are left out and counted.
            now: the frame's time in the node's clock [s].
            sigma: whether anybody wants the standard deviations.
            picture: (2 rows, 2 columns, 3) uint8 RGB, what the network saw; with it corrections keep to surfaces of
                one colour.
        """
        self.finish()
        self._line.predict(now)
        self._now = now
        self._take_back([source.source for source in anchors if source.taken_back])
        chosen = [choose(source, metres) for source in anchors]
        usable = any(len(source.log_depths) for source in chosen)
        if usable and not sigma and self.is_compiled:  # nobody asks OpenCV, and its switch is 20 us with cold caches
            return self._looked_at(metres, chosen, picture, sigma)
        with plain_opencv():
            if not usable:
                return self._remembered(metres, chosen, None, _SILENCE, sigma)
            return self._looked_at(metres, chosen, picture, sigma)

    def _looked_at(
        self, metres: Floats, chosen: list[Chosen], picture: npt.NDArray[np.uint8] | None, sigma: bool
    ) -> Corrected:
        """The answer with anchors, once the field has seen both."""
        self._fitter.look(metres, picture)
        return self._anchored(metres, chosen, sigma)

    def finish(self) -> None:
        """Take in what the last frame's anchors said, where that is yet to be done.

        Whoever calls it once depth is published spares the next frame the time.
        """
        rest, self._unfinished = self._unfinished, None
        if rest is not None:
            rest()

    @property
    def is_compiled(self) -> bool:
        """Whether a module's functions correct; numpy does where it has none."""
        return isinstance(self._fitter, CompiledFitter)

    def take_up(self, bind: Bind) -> None:
        """Correct by a module's functions from the next frame on, where it has them; what was learned is kept.

        Args:
            bind: gives them.
        """
        if self.is_compiled:
            return
        self.finish()
        fitter, applier = fitter_and_applier(self._field, self.prior, bind)
        applier.succeed(self._applier)
        self._uncertainty.fitter = self._fitter = fitter
        self._applier = applier

    @property
    def remembers(self) -> bool:
        """Whether earlier anchors still count."""
        self.finish()
        return self._line.age < math.inf

    def forget(self) -> None:
        """Drop what was remembered, as at the start."""
        self.finish()
        self._line.forget()
        self._lessons.forget()
        self._applier.forget()
        self._uncertainty.forget()
        self.trust.forget()

    def rescale(self, factor: float) -> None:
        """Have all answers be so many times as far from now on: what sources taught is metres, and stays."""
        self.finish()
        step = math.log(factor)
        self._line.rescale(step)
        self._lessons.rescale(step)
        self._applier.rescale(step)

    def _remembered(
        self, metres: Floats, chosen: list[Chosen], judged: Judged | None, said: _Said, sigma: bool
    ) -> Corrected:
        """The answer with what is remembered, while anchors pause or none is believed."""
        never, kept = self._line.age == math.inf, None
        if judged is None and (sigma or not never):
            self._fitter.look_at(metres)
        belief = self._line.held
        if never:
            self._applier.leave(metres)
        else:
            kept = self._applier.recall(metres, _straight(belief.mean.tolist()), self._now)
        sd = self._uncertainty.alone(self._applier.depth, belief.covariance, kept, never=never) if sigma else None

        def learn() -> Report:
            if judged is not None:
                self._hear(judged.placed, chosen)
            self._line.catch_up()
            return self._report(chosen, judged, said, new_place=False)

        return self._corrected(sd, learn)

    def _corrected(self, sigma: Floats | None, rest: Callable[[], Report]) -> Corrected:
        """The corrected depth, with what is to be done yet."""
        self._unfinished = finish = Rest(rest)
        return Corrected(self._applier.depth, sigma, finish)

    def _anchored(self, metres: Floats, chosen: list[Chosen], sigma: bool) -> Corrected:
        said, judged, fitted = self._fit(chosen)
        if fitted is None:
            with plain_opencv():
                return self._remembered(metres, chosen, judged, said, sigma)
        own, belief, close, new_place = fitted
        # Close-ups end with a glance, and a source's last words before it falls silent may be its worst.
        self._applier.holds = close is None and abs(said.innovation) < said.expected
        line, uncertainty = self._line, self._uncertainty
        if new_place or (close is not None and self._lessons.come_near()):
            self._applier.forget()
        straight = _straight(belief.towards(own.line))
        halves = self._fitter.between(own, (straight.start, straight.across, straight.down))
        noise = self._fitter.noise(own, judged.placed)
        traces = self._applier.apply(metres, halves, straight.slope, noise, self._now)
        sd = None
        if sigma:
            relative = [each.relative for each in chosen]
            placed, trusted = judged.placed, judged.trusted
            alone = uncorroborated(placed, chosen, trusted, line.stationary, self.prior.local)
            spread = math.hypot(self.trust.spread, alone)
            sd = uncertainty.anchored(
                self._applier.depth, own, placed, trusted, relative, traces, belief.covariance, spread
            )
        else:
            uncertainty.forget()

        def learn() -> Report:
            self._lessons.teach(teachers(judged, chosen), self._now)
            line.catch_up()  # time before the frame has passed before what the frame says
            line.update(own.evidence(belief.mean), close or 0.0)
            self._hear(judged.placed, chosen)
            return self._report(chosen, judged, said, new_place=new_place)

        return self._corrected(sd, learn)

    def _hear(self, placed: Placed, chosen: list[Chosen]) -> None:
        """Learn how far sources are to be trusted, and give up what one has taught that is not."""
        self._take_back(self.trust.hear(self._field, placed, chosen))

    def _take_back(self, sources: Sequence[str]) -> None:
        """Drop what sources said of the place."""
        if self._lessons.take_back(sources, self._now):
            self._applier.forget()

    def _fit(self, chosen: list[Chosen]) -> tuple[_Said, Judged, _Fitted | None]:
        """The anchors that are believed, fitted; once more, without memory, where the place turns out to be new."""
        line, traits, said = self._line, [SourceTraits(c.relative) for c in chosen], None
        several = sum(len(c.log_depths) > 0 for c in chosen) > 1
        new_place = False
        while True:
            expected, belief = line.held if several else line.unknown, line.settled
            placed = self._fitter.place(chosen, Means(expected.mean, line.held.mean, belief.mean))
            said = said or self._said(placed)
            gates = judge(placed, chosen, several, expected, line.stationary, self.prior.local)
            gates = self.trust.close(gates, chosen)
            trusted = [gate.is_open for gate in gates]
            close = nearer(placed, chosen, trusted, belief, line.unknown)
            if close is None and self._lessons.look_up(self._now):
                self._applier.forget()
                continue
            if close:
                belief = belief.widened(close)
            fitted = self._fitter.fit(placed, gates, traits, belief.covariance)
            if fitted is None:
                return said, Judged(placed, None, trusted), None
            as_before = said.is_expected or close is not None  # a close-up is none of another place
            if new_place or not line.surprised(None if as_before else fitted.evidence(belief.mean)):
                break
            new_place = True
            self._lessons.forget()
        return said, Judged(placed, fitted.errors, trusted), _Fitted(fitted, belief, close, new_place)

    def _said(self, placed: Placed) -> _Said:
        """The innovation of all anchors together."""
        line, (held, settled) = placed.average, placed.innovations
        variance = quadratic(line, self._line.held.covariance)
        variance += self.prior.local**2 / min(len(placed.ratios), 6)
        return _Said(held, math.sqrt(variance), settled)

    def _report(self, chosen: list[Chosen], judged: Judged | None, said: _Said, *, new_place: bool) -> Report:
        mean, sds = self._line.held.mean.tolist(), np.sqrt(self._line.held.covariance.diagonal()).tolist()
        return Report(
            scale=math.exp(mean[0] + mean[2]),
            scale_sd=math.hypot(sds[0], sds[2]),
            slope=mean[1] + mean[3],
            slope_sd=math.hypot(sds[1], sds[3]),
            innovation=said.innovation,
            innovation_sd=said.expected,
            new_place=new_place,
            age=self._line.age,
            sources=tuple(each._replace(doubt=self.trust.doubt(each.source)) for each in reports(chosen, judged)),
            compiled=self.is_compiled,
        )


def _straight(mean: list[float]) -> Straight:
    """The line with this mean (6,)."""
    slope = mean[1] + mean[3]
    start = np.float32(mean[0] + mean[2] - slope * CENTRE)
    return Straight(start, slope, np.float32(0.01 * mean[4]), np.float32(0.01 * mean[5]))
