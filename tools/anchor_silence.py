"""Prints how wrong depth is once measured depths fall silent, beside depth with them and without.

    python -m tools.anchor_silence DATA... --sensors vo:150 uniform:200 [--set NAME] [--last SHARE] [--view VIEW]
    python -m tools.anchor_silence RECORDING --sensors vo:150 --every 3 10

DATA is what `fastdepth eval` takes, and sensors are simulated as there. Every picture stands for a place of its own, at
which the camera stands: it has the same points for four seconds, ten times a second, and none after. With --every the
pictures are a recording of 30 frames a second, of which every Nth has points. Each number is the mean of
abs(log(depth / truth)) / delta1, over pictures; float32 answers.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fastdepth_ros.anchoring import Anchoring, Anchors
from fastdepth_ros.anchoring.prior import Prior
from fastdepth_ros.evaluation.anchored import RATE
from fastdepth_ros.evaluation.evaluate import Outcome
from fastdepth_ros.evaluation.sensors import Scene, Sensor, parse
from fastdepth_ros.viewing import CELL
from tools.anchor_data import answered, cells_of, parser_of

STEP, FRAMES = 0.1, 40
"""Time from frame to frame with points [s], and how many there are."""

SILENT = (0.1, 2.0, 8.0, 20.0)
"""Time since the last points [s]."""

Depth = npt.NDArray[np.floating]


def errors(depth: Depth, truth: Depth) -> tuple[float, float]:
    """Mean of abs(log(depth / truth)), and delta1, where both are known; both (rows, columns) [m]."""
    seen = np.isfinite(truth) & (depth > 0)
    off = np.abs(np.log(depth[seen] / truth[seen]))
    return float(off.mean()), float((off < np.log(1.25)).mean())


def course(anchoring: Anchoring, outcome: Outcome, given: Sequence[Anchors]) -> list[tuple[float, float]]:
    """Errors of one picture alone, at the end of its points, and after each time of :data:`SILENT`.

    Args:
        anchoring: a new one.
        outcome: the picture's answer.
        given: its points.
    """
    cells = np.nan_to_num(outcome.answer[::CELL, ::CELL], nan=0.0)
    truth = outcome.truth[::CELL, ::CELL]
    last = (FRAMES - 1) * STEP
    times = [frame * STEP for frame in range(FRAMES)] + [last + silent for silent in SILENT]
    found = [errors(cells, truth)]
    for now in times:
        done = anchoring.correct(cells, given if now <= last else [], now, picture=outcome.pixels)
        if now >= last:
            found.append(errors(done.depth, truth))  # at once: the next frame is written over it
    return found


def slower(anchoring: Anchoring, outcomes: Sequence[Outcome], sensor: Sensor, every: int) -> tuple[float, float]:
    """Means of errors over the frames of a recording, of which every Nth has points.

    Args:
        anchoring: a new one.
        outcomes: the frames' answers.
        sensor: gives the points.
        every: N.
    """
    found = []
    for index, outcome in enumerate(outcomes):
        cells = np.nan_to_num(outcome.answer[::CELL, ::CELL], nan=0.0)
        scene = Scene(outcome.truth, outcome.pixels, outcome.camera)
        given = [] if index % every else [sensor.anchors(scene, 0, index)]
        done = anchoring.correct(cells, given, index / RATE, picture=outcome.pixels)
        found.append(errors(done.depth, outcome.truth[::CELL, ::CELL]))
    off, within = np.mean(found, axis=0)
    return float(off), float(within)


def row(prior: Prior, outcomes: Sequence[Outcome], sensor: Sensor) -> list[tuple[float, float]]:
    """Means of :func:`course` over pictures."""
    found = []
    for index, outcome in enumerate(outcomes):
        given = sensor.anchors(Scene(outcome.truth, outcome.pixels, outcome.camera), 0, index)
        found.append(course(Anchoring(cells_of(outcome), prior), outcome, [given]))
    return [(float(off), float(within)) for off, within in np.mean(found, axis=0)]


def main() -> None:
    """Print the table."""
    parser = parser_of(__doc__)
    parser.add_argument("--sensors", nargs="+", default=["vo:150", "uniform:200"])
    parser.add_argument("--every", nargs="+", type=int)
    args = parser.parse_args()
    outcomes, prior = answered(args)
    silent = ("alone", "with", *(f"{after:g} s after" for after in SILENT))
    names = [f"every {every}" for every in args.every] if args.every else silent
    sys.stdout.write(f"| {len(outcomes)} pictures | {' | '.join(names)} |\n")
    for name in args.sensors:
        sensor = parse(name)[0]
        if args.every:
            found = [slower(Anchoring(cells_of(outcomes[0]), prior), outcomes, sensor, every) for every in args.every]
        else:
            found = row(prior, outcomes, sensor)
        sys.stdout.write(f"| {name} | {' | '.join(f'{off:.3f} / {within:.3f}' for off, within in found)} |\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
