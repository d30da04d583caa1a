"""Pictures with their anchors, truth, errors without and with them, and sigma, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fastdepth_ros.anchoring import Anchoring
from fastdepth_ros.evaluation.anchored import Study
from fastdepth_ros.evaluation.evaluate import Outcome
from fastdepth_ros.evaluation.figures import save
from fastdepth_ros.evaluation.sensors import Sensor
from fastdepth_ros.evaluation.sheet import ERROR_RANGE

COLUMNS = ("anchors", "truth", "alone - truth", "anchored - truth", "sigma")


def draw(path: Path, outcomes: Sequence[Outcome], sensor: Sensor, anchoring: Anchoring, title: str) -> None:
    """Write a sheet with one row per outcome; the format is that of the suffix (PNG, PDF, SVG).

    Red errors are too far, blue ones too near, grey is unknown; sigma is from 0 (dark) to 1 m.
    """
    from matplotlib.figure import Figure

    rows = len(outcomes)
    figure = Figure(figsize=(11.2, 2.1 * rows + 0.7), layout="constrained", dpi=100)
    axes = figure.subplots(rows, len(COLUMNS), squeeze=False)
    figure.suptitle(f"{title}: {sensor.name}", fontsize=10)
    study = Study(sensor, 0, False, anchoring)
    for index, (row, outcome) in enumerate(zip(axes, outcomes, strict=True)):
        depth, sigma, anchors = study.look(outcome, index)
        assert anchors is not None
        known = outcome.truth[np.isfinite(outcome.truth)]
        near, far = np.percentile(known, (2, 98)) if known.size else (0.5, 5.0)
        row[0].imshow(outcome.pixels)
        row[0].scatter(*anchors.pixels.T, c=anchors.depths, s=7, cmap="turbo_r", vmin=near, vmax=far)
        row[1].imshow(outcome.truth, cmap="turbo_r", vmin=near, vmax=far, interpolation="nearest")
        for axis, error in ((row[2], outcome.answer - outcome.truth), (row[3], depth - outcome.truth)):
            axis.imshow(error, cmap="coolwarm", vmin=-ERROR_RANGE, vmax=ERROR_RANGE, interpolation="nearest")
        row[4].imshow(sigma, cmap="magma", vmin=0, vmax=ERROR_RANGE, interpolation="nearest")
        for axis, own in ((row[2], outcome.metric), (row[3], study.rows[-1])):
            axis.set_xlabel(f"RMSE {own['rmse_m']:.2f} m, delta1 {own['delta1']:.2f}", fontsize=7)
        row[0].set_ylabel(outcome.name[-28:], fontsize=7)
        for axis in row:
            axis.set_xticks([])
            axis.set_yticks([])
            axis.set_facecolor("0.6")
    for axis, words in zip(axes[0], COLUMNS, strict=True):
        axis.set_title(words, fontsize=9)
    path.parent.mkdir(parents=True, exist_ok=True)
    save(figure, path)
