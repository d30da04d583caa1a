"""The worth of measured depths: answers alone and anchored, and whether sigma tells the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from fastdepth_ros.anchoring import Anchoring, Anchors
from fastdepth_ros.anchoring.prior import Prior
from fastdepth_ros.evaluation.evaluate import Outcome, means
from fastdepth_ros.evaluation.metrics import evaluate
from fastdepth_ros.evaluation.sensors import Scene, Sensor
from fastdepth_ros.viewing import CELL

Depth = npt.NDArray[np.float32]

RATE = 30.0
"""Frames a second of a recording [Hz], for the filter over time."""

ALONE = "alone"
CALIBRATION = ("within_1_sigma", "within_2_sigma", "least_sure_quarter")
"""Shares of errors within one and two sigma; share of the squared error in the quarter of pixels that is least sure."""


def calibration(depth: Depth, sigma: Depth, truth: Depth) -> dict[str, float]:
    """Measures of how well sigma describes the errors of one picture; see :data:`CALIBRATION`."""
    known = np.isfinite(depth) & np.isfinite(sigma) & np.isfinite(truth)
    if not known.any():
        return dict.fromkeys(CALIBRATION, float("nan"))
    error, sd = np.abs(depth - truth)[known].astype(float), sigma[known]
    least = np.argsort(-sd)[: len(sd) // 4]
    square = error**2
    return {
        "within_1_sigma": float((error < sd).mean()),
        "within_2_sigma": float((error < 2 * sd).mean()),
        "least_sure_quarter": float(square[least].sum() / max(square.sum(), 1e-12)),
    }


@dataclass
class Study:
    """One sensor over all pictures.

    Attributes:
        sensor: None is the answer alone.
        seed: of its noise.
        remembers: whether the filter over time is on; else each picture stands alone.
        rows: measures of every picture.
    """

    sensor: Sensor | None
    seed: int
    remembers: bool
    anchoring: Anchoring
    rows: list[dict[str, float]] = field(default_factory=list)

    @property
    def name(self) -> str:
        """As tables show it."""
        return ALONE if self.sensor is None else self.sensor.name + (", remembering" if self.remembers else "")

    def look(self, outcome: Outcome, index: int) -> tuple[Depth, Depth, Anchors | None]:
        """Anchor a picture's answer; returns depth, sigma [m] on its grid, and the anchors."""
        if not self.remembers:
            self.anchoring.forget()
        cells = np.nan_to_num(outcome.answer[::CELL, ::CELL], nan=0.0)
        scene = Scene(outcome.truth, outcome.pixels, outcome.camera)
        anchors = self.sensor.anchors(scene, self.seed, index) if self.sensor else None
        given = [] if anchors is None else [anchors]
        done = self.anchoring.correct(cells, given, index / RATE, sigma=True, picture=outcome.pixels)
        assert done.sigma is not None
        depth, sigma = _enlarged(done.depth), _enlarged(done.sigma)
        self.rows.append({**evaluate(depth, outcome.truth), **calibration(depth, sigma, outcome.truth)})
        return depth, sigma, anchors


class Studies:
    """All sensors over all pictures, side by side.

    Args:
        prior: of the bundle.
        cells: rows and columns of its answer.
        sensors: to simulate.
        seeds: how many times each.
        recording: whether pictures follow each other, so that remembering can be studied, too.
    """

    def __init__(
        self, prior: Prior, cells: tuple[int, int], sensors: Sequence[Sensor], seeds: int, *, recording: bool
    ) -> None:
        def study(sensor: Sensor | None, seed: int, *, remembers: bool = False) -> Study:
            return Study(sensor, seed, remembers, Anchoring(cells, prior))

        self.all = [study(None, 0)]
        self.all += [study(sensor, seed) for sensor in sensors for seed in range(seeds)]
        if recording:
            self.all += [study(sensor, seed, remembers=True) for sensor in sensors for seed in range(seeds)]
        self._count = 0

    def look(self, outcome: Outcome) -> None:
        """Study one more picture."""
        for study in self.all:
            study.look(outcome, self._count)
        self._count += 1

    def summary(self) -> dict[str, dict[str, float]]:
        """Name of a study -> means of every measure over pictures and seeds."""
        rows: dict[str, list[dict[str, float]]] = {}
        for study in self.all:
            rows.setdefault(study.name, []).extend(study.rows)
        return {name: {**means(own), **_means(own)} for name, own in rows.items()}


def _means(rows: list[dict[str, float]]) -> dict[str, float]:
    return {name: float(np.nanmean([row[name] for row in rows])) for name in CALIBRATION}


def _enlarged(cells: Depth) -> npt.NDArray[Any]:
    return np.repeat(np.repeat(cells, CELL, 0), CELL, 1)
