"""The worth of steady depth: answers to pictures that follow each other, alone and steadied, side by side."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fastdepth_ros.evaluation.evaluate import Outcome
from fastdepth_ros.evaluation.metrics import evaluate
from fastdepth_ros.filters.halves import Halves
from fastdepth_ros.filters.steadiness import Steadiness
from fastdepth_ros.viewing import CELL

Depth = npt.NDArray[np.float32]

RATE = 30.0
"""Pictures a second [Hz]."""

EDGE, NEAR_EDGE = 0.22, 5
"""Step in log depth within 3 x 3 cells that is an edge of the truth, 25 %; and the cells around it that are near it."""

LATEST = 4
"""Frames by which edges may be late, or early, to be found so."""

MEASURES = ("delta1", "rmse_m", "edge_delta1", "flicker", "edges_late")
"""Keys of a summary: delta1 and RMSE [m] of all cells; delta1 near edges of the truth; mean absolute change from frame
to frame of the error in log depth; frames by which edges are later than those of the truth."""


class _Side:
    """One of the two: answers alone, or steadied."""

    def __init__(self) -> None:
        self.rows: list[dict[str, float]] = []
        self.error: Depth | None = None
        self.slopes: deque[Depth] = deque(maxlen=LATEST + 1)
        self.alike: list[list[float]] = []


class SteadyStudy:
    """Steadies the answers to pictures that follow each other.

    Args:
        cells: rows and columns of the network's answer.
        steadiness: see :mod:`fastdepth_ros.filters.steadiness`.
    """

    def __init__(self, cells: tuple[int, int], steadiness: float) -> None:
        self.steadiness = steadiness
        self._filter = Steadiness(cells)
        self._sides = {"alone": _Side(), "steady": _Side()}
        self._truths: deque[Depth] = deque(maxlen=2 * LATEST + 1)
        self._count = 0

    def look(self, outcome: Outcome) -> Outcome:
        """Study the answer to the next picture; returns it with the steadied answer and its measures."""
        alone = np.nan_to_num(outcome.answer[::CELL, ::CELL], nan=0.0)
        truth = np.ascontiguousarray(outcome.truth[::CELL, ::CELL])
        steady = alone.copy()
        self._filter.steady(steady, Halves(outcome.pixels), self._count / RATE, self.steadiness)
        self._count += 1
        edges = near_edges(truth)
        self._truths.append(_slope(truth))
        for side, depth in zip(self._sides.values(), (alone, steady), strict=True):
            self._measure(side, depth, truth, edges)
        answer = np.where(steady > 0, steady, np.float32(np.nan)).repeat(CELL, 0).repeat(CELL, 1)
        metric, scaled = evaluate(answer, outcome.truth), evaluate(answer, outcome.truth, scale="median")
        return replace(outcome, answer=answer, metric=metric, scaled=scaled)

    def _measure(self, side: _Side, depth: Depth, truth: Depth, edges: npt.NDArray[np.bool_]) -> None:
        whole = evaluate(depth, truth)
        near = evaluate(np.where(edges, depth, np.nan), np.where(edges, truth, np.nan))
        with np.errstate(divide="ignore", invalid="ignore"):
            error = np.where(depth > 0, np.log(depth) - np.log(truth), np.nan).astype(np.float32)
        changed = np.nan if side.error is None else _mean(np.abs(error - side.error))
        side.error = error
        row = {"delta1": whole["delta1"], "rmse_m": whole["rmse_m"], "edge_delta1": near["delta1"]}
        side.rows.append({**row, "flicker": float(changed)})
        side.slopes.append(_slope(np.where(depth > 0, depth, np.float32(np.nan))))
        if len(self._truths) == self._truths.maxlen:
            side.alike.append([_alike(side.slopes[0], each) for each in self._truths])

    def summary(self) -> dict[str, dict[str, float]]:
        """``alone`` and ``steady`` -> :data:`MEASURES`."""
        return {name: self._summary(side) for name, side in self._sides.items()}

    @staticmethod
    def _summary(side: _Side) -> dict[str, float]:
        means = {name: _mean(np.array([row[name] for row in side.rows])) for name in MEASURES[:-1]}
        return {**means, "edges_late": _late(side.alike)}


def near_edges(truth: Depth) -> npt.NDArray[np.bool_]:
    """Cells that are near an edge of a true depth (rows, columns), within :data:`NEAR_EDGE` x as many."""
    known = np.isfinite(truth) & (truth > 0)
    log = np.log(np.where(known, truth, 1)).astype(np.float32)
    kernel = np.ones((3, 3), np.uint8)
    highest = cv2.dilate(np.where(known, log, np.float32(-1e3)), kernel)
    lowest = cv2.erode(np.where(known, log, np.float32(1e3)), kernel)
    edges = (highest - lowest > EDGE).astype(np.uint8)
    return np.asarray(cv2.dilate(edges, np.ones((NEAR_EDGE, NEAR_EDGE), np.uint8)) > 0)


def _slope(depth: Depth) -> Depth:
    """Steepness of log depth at each cell; 0 where it is not known."""
    with np.errstate(divide="ignore", invalid="ignore"):
        log = np.log(depth)
    steep = np.hypot(*np.gradient(log))
    return np.asarray(np.nan_to_num(np.minimum(steep, 1.0), nan=0.0, posinf=0.0, neginf=0.0), np.float32)


def _alike(one: Depth, other: Depth) -> float:
    """Correlation of two maps of slopes."""
    a, b = one - one.mean(), other - other.mean()
    size = float(np.sqrt(np.vdot(a, a) * np.vdot(b, b)))
    return float(np.vdot(a, b)) / size if size else float("nan")


def _late(alike: list[list[float]]) -> float:
    """Frames by which an answer's edges are late: the vertex of a parabola through the likeness to truths around."""
    if not alike:
        return float("nan")
    means = np.nanmean(np.array(alike), axis=0)
    if not np.isfinite(means).all():
        return float("nan")
    best = int(means.argmax())
    late = float(LATEST - best)  # truths are in the order of time: the last is the newest
    if 0 < best < len(means) - 1:
        before, top, after = means[best - 1 : best + 2]
        bend = before - 2 * top + after
        late -= 0.5 * (before - after) / bend if bend else 0.0
    return late


def _mean(values: npt.NDArray[Any]) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else float("nan")
