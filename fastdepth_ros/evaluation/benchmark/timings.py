"""Measurements of a comparison: who took part, how long each run took, how far off the answers are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fastdepth_ros.evaluation.benchmark.measure import OURS
from fastdepth_ros.evaluation.benchmark.names import FLOAT32, PRODUCT_SIZE


class Entrant(NamedTuple):
    """A runtime, and the way in which it computes (``names.WAYS``)."""

    runtime: str
    way: str = FLOAT32

    def __str__(self) -> str:
        return self.runtime if self.way == FLOAT32 else f"{self.runtime} {self.way}"


@dataclass
class Timing:
    """Measurements of one entrant with one number of threads.

    Attributes:
        entrant, threads: which.
        version: of its package.
        precision: of its arithmetic, as it reports it itself.
        rounds: duration of each run [s], by round.
        processor_rounds: time of all cores together that each run took [s], by round.
        difference: largest difference from the answer in float32 to one picture [m].
        rmse: root of the mean squared difference from the answers in float32, of the same weights, to pictures of rooms
            [m]; None where it was not measured.
    """

    entrant: Entrant
    threads: int
    version: str = ""
    precision: str = ""
    rounds: list[list[float]] = field(default_factory=list)
    difference: float = 0.0
    rmse: float | None = None
    processor_rounds: list[list[float]] = field(default_factory=list)

    @property
    def runs(self) -> npt.NDArray[np.float64]:
        return np.concatenate([np.asarray(times) for times in self.rounds])

    @property
    def minimum(self) -> float:
        return float(self.runs.min())

    @property
    def medians(self) -> list[float]:
        """The median of each round [s]."""
        return [float(np.median(times)) for times in self.rounds]

    @property
    def median(self) -> float:
        """The median of the rounds' medians: a round that another program disturbed counts once."""
        return float(np.median(self.medians))

    @property
    def processor_medians(self) -> list[float]:
        """The median of each round's processor time of a run [s]."""
        return [float(np.median(times)) for times in self.processor_rounds]

    @property
    def processor_median(self) -> float:
        """The median of the rounds' medians of processor time [s]."""
        return float(np.median(self.processor_medians))

    @property
    def p95(self) -> float:
        return float(np.percentile(self.runs, 95))


@dataclass
class Comparison:
    """All timings of one run of the benchmark.

    Attributes:
        timings: of the network.
        products: of the matrix product, by runtimes that have one.
        missing: entrant, in words -> why it was not measured to the end.
        free: runtimes that used what the module was not compiled for, because nothing holds them to it.
        taken: the way in which our own network is computed unless another is asked for.
    """

    timings: list[Timing]
    products: list[Timing]
    missing: dict[str, str] = field(default_factory=dict)
    free: list[str] = field(default_factory=list)
    taken: str = FLOAT32

    def of(self, runtime: str, threads: int, way: str = FLOAT32) -> Timing:
        return next(t for t in self.timings if (t.entrant, t.threads) == ((runtime, way), threads))

    def best(self, threads: int) -> list[Timing]:
        """Ours as it is taken, then every other runtime in the way that is fastest by medians, the fastest first."""
        fastest: dict[str, Timing] = {}
        for timing in (t for t in self.timings if t.threads == threads and t.entrant.runtime != OURS):
            known = fastest.setdefault(timing.entrant.runtime, timing)
            fastest[timing.entrant.runtime] = min(known, timing, key=lambda t: t.median)
        return [self.of(OURS, threads, self.taken), *sorted(fastest.values(), key=lambda t: t.median)]

    def peak(self, threads: int) -> float | None:
        """The fastest matrix product that any runtime reached [FLOP/s]; None where none was measured."""
        return _speed(t.minimum for t in self._products_with(threads))

    def median_peak(self, threads: int) -> float | None:
        """The fastest matrix product by medians [FLOP/s], for the network's medians on a busy machine."""
        return _speed(t.median for t in self._products_with(threads))

    def _products_with(self, threads: int) -> list[Timing]:
        return [t for t in self.products if t.threads == threads and t.rounds]


def _speed(durations: Iterable[float]) -> float | None:
    """Speed of the matrix product [FLOP/s] in the shortest of some durations [s]; None without any."""
    fastest = min(durations, default=None)
    return 2 * PRODUCT_SIZE**3 / fastest if fastest else None
