"""Distances of the answers from the truth: over frames, and by distance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fastdepth_ros.evaluation.metrics import METRICS, evaluate

Depth = npt.NDArray[np.float32]

BIN = 1.0
"""Width of the distances over which errors are summed [m]."""


@dataclass(frozen=True)
class Distance:
    """Errors of all pixels whose true depth lies in one range.

    Attributes:
        low, high: the range [m].
        share: of all compared pixels.
        rmse, bias: root mean square and mean of answer minus truth [m].
    """

    low: float
    high: float
    share: float
    rmse: float
    bias: float


@dataclass(frozen=True)
class Accuracy:
    """Distances of the answers from the truth.

    Attributes:
        metric: the means over frames of every measure, with the answers as they are.
        scaled: the same after each frame was multiplied by the factor that brings its median to the truth's: what is
            left is error of shape, not of scale.
        frames: index of the image -> delta1 of its answer.
        distances: errors by distance.
    """

    metric: dict[str, float]
    scaled: dict[str, float]
    frames: dict[int, float]
    distances: list[Distance]


class AccuracySum:
    """Adds up errors, case after case."""

    def __init__(self) -> None:
        self._metric: list[dict[str, float]] = []
        self._scaled: list[dict[str, float]] = []
        self._frames: dict[int, float] = {}
        self._counts = np.zeros(100)
        self._errors = np.zeros(100)
        self._squares = np.zeros(100)

    def add(self, number: int, depth: Depth, truth: Depth) -> float | None:
        """Compare one answer with the truth in the same grid; its delta1, None where nothing could be compared."""
        measures = evaluate(depth, truth)
        if not measures["pixels"]:
            return None
        self._metric.append(measures)
        self._scaled.append(evaluate(depth, truth, scale="median"))
        self._frames[number] = measures["delta1"]
        both = np.isfinite(depth) & np.isfinite(truth)
        error = (depth[both] - truth[both]).astype(np.float64)
        bins = np.minimum((truth[both] / BIN).astype(int), len(self._counts) - 1)
        self._counts += np.bincount(bins, minlength=len(self._counts))
        self._errors += np.bincount(bins, error, minlength=len(self._counts))
        self._squares += np.bincount(bins, error**2, minlength=len(self._counts))
        return measures["delta1"]

    def result(self) -> Accuracy | None:
        """Means of what was added up; None where nothing could be compared."""
        if not self._metric:
            return None
        distances = [
            Distance(
                BIN * i,
                BIN * (i + 1),
                float(self._counts[i] / self._counts.sum()),
                float(np.sqrt(self._squares[i] / self._counts[i])),
                float(self._errors[i] / self._counts[i]),
            )
            for i in np.flatnonzero(self._counts)
        ]
        return Accuracy(_means(self._metric), _means(self._scaled), self._frames, distances)


def _means(measures: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([m[name] for m in measures])) for name in (*METRICS, "coverage", "scale")}
