"""Worth of measured depths in a run: answers without and with them, and whether the uncertainty tells the truth."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from fastdepth_ros.demo.truth import Case, Depth
from fastdepth_ros.diagnostics.windows import Spread
from fastdepth_ros.evaluation.accuracy import Accuracy, AccuracySum
from fastdepth_ros.evaluation.anchored import CALIBRATION, calibration

LIMITS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0)
"""Values of ``max_uncertainty`` that are looked at [m]."""

STEP = 0.001
"""Width of the classes of uncertainty [m]."""


class Left(NamedTuple):
    """Answers that are left with one ``max_uncertainty``.

    Attributes:
        limit: the parameter [m].
        share: of the answers, over all frames.
        rmse: of them [m]; NaN where none is left.
        ratio: of that to the RMSE of all answers.
    """

    limit: float
    share: float
    rmse: float
    ratio: float

    def to_json(self) -> dict[str, float | None]:
        """For summary.json."""
        known = {"rmse_m": self.rmse, "rmse_ratio": self.ratio}
        numbers = {name: round(value, 4) if np.isfinite(value) else None for name, value in known.items()}
        return {"max_uncertainty_m": self.limit, "share_left": round(self.share, 4), **numbers}


class Doubts:
    """Squared errors by uncertainty, added up case after case."""

    def __init__(self) -> None:
        self._counts = np.zeros(round(10 / STEP))
        self._squares = np.zeros(round(10 / STEP))
        self._rows: list[dict[str, float]] = []

    def add(self, depth: Depth, sigma: Depth, truth: Depth) -> None:
        """Add a case; all are (h, w) [m], in one grid."""
        self._rows.append(calibration(depth, sigma, truth))
        known = np.isfinite(depth) & np.isfinite(sigma) & np.isfinite(truth)
        classes = np.minimum((sigma[known] / STEP).astype(int), len(self._counts) - 1)
        squares = np.square((depth - truth)[known].astype(float))
        self._counts += np.bincount(classes, minlength=len(self._counts))
        self._squares += np.bincount(classes, squares, minlength=len(self._counts))

    def left(self) -> list[Left]:
        """Answers that each of :data:`LIMITS` leaves; nothing where nothing was added."""
        total, squares = self._counts.sum(), self._squares.sum()
        if not total or not squares:
            return []
        whole = float(np.sqrt(squares / total))
        found = []
        for limit in LIMITS:
            below = slice(0, round(limit / STEP))
            count = float(self._counts[below].sum())
            rmse = float(np.sqrt(self._squares[below].sum() / count)) if count else float("nan")
            found.append(Left(limit, count / float(total), rmse, rmse / whole))
        return found

    def calibration(self) -> dict[str, float]:
        """Means over frames of how well the uncertainty describes the errors."""
        return (
            {name: float(np.nanmean([row[name] for row in self._rows])) for name in CALIBRATION} if self._rows else {}
        )


class Comparison(NamedTuple):
    """A run with measured depths beside one without.

    Attributes:
        words: sensors in words.
        said: what the node said of them at the end.
        alone: accuracy without; None where nothing could be compared.
        ages: age of depth without [ms]; None where there was none.
        left: what ``max_uncertainty`` leaves, with them.
        calibration: how well the uncertainty describes the errors, with them.
    """

    words: str
    said: str
    alone: Accuracy | None
    ages: Spread | None
    left: list[Left]
    calibration: dict[str, float]

    def to_json(self) -> dict[str, Any]:
        """For summary.json."""
        alone = self.alone
        return {
            "sensors": self.words,
            "node_says": self.said,
            "without": {name: round(value, 4) for name, value in alone.metric.items()} if alone else None,
            "without_median_scaled": {name: round(v, 4) for name, v in alone.scaled.items()} if alone else None,
            "age_ms_without": self.ages.to_json() if self.ages else None,
            "uncertainty": {name: round(value, 4) for name, value in self.calibration.items()},
            "max_uncertainty": [left.to_json() for left in self.left],
        }


class ComparisonSum:
    """Adds up a run without measured depths and the uncertainty of the run with them."""

    def __init__(self) -> None:
        self._alone = AccuracySum()
        self._doubts = Doubts()

    def add(self, case: Case, truth: Depth | None, alone: Case | None, alone_truth: Depth | None) -> float | None:
        """Add an image's answers; truths are in their grids.

        Returns:
            delta1 of the answer without measured depths; None where there is none.
        """
        if truth is not None and case.sigma is not None:
            self._doubts.add(case.depth, case.sigma, truth)
        if alone is None or alone_truth is None:
            return None
        return self._alone.add(alone.number, alone.depth, alone_truth)

    def result(self, words: str, said: str, ages: Spread | None) -> Comparison:
        """Sums of all images; the words are :class:`Comparison`'s."""
        return Comparison(words, said, self._alone.result(), ages, self._doubts.left(), self._doubts.calibration())


def side_by_side(cases: Iterator[Case], others: Iterator[Case]) -> Iterator[tuple[Case, Case | None]]:
    """Each case with the other run's case of the same image; both are in the order of their images."""
    other = next(others, None)
    for case in cases:
        while other is not None and other.number < case.number:
            other = next(others, None)
        yield case, other if other is not None and other.number == case.number else None
