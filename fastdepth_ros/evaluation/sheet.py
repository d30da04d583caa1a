"""Pictures, truths, answers and errors side by side, as in figure 4 of the FastDepth paper."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fastdepth_ros.evaluation.evaluate import Outcome
from fastdepth_ros.evaluation.figures import save

ERROR_RANGE = 1.0
"""Errors are coloured from -ERROR_RANGE to +ERROR_RANGE [m]."""


def draw(path: Path, outcomes: Sequence[Outcome], title: str) -> None:
    """Write a sheet with one row per outcome; the format is that of the suffix (PNG, PDF, SVG).

    A row's depths share their colours, from its truth's 2nd to its 98th percentile. Red errors are too far,
    blue ones too near, grey is unknown.
    """
    from matplotlib.figure import Figure

    rows = len(outcomes)
    height, width = outcomes[0].truth.shape if rows else (1, 1)
    figure = Figure(figsize=(9.6, (1.75 * height / width + 0.4) * rows + 0.7), layout="constrained", dpi=110)
    axes = figure.subplots(rows, 4, squeeze=False)
    figure.suptitle(title, fontsize=10)
    for row, outcome in zip(axes, outcomes, strict=True):
        known = outcome.truth[np.isfinite(outcome.truth)]
        near, far = np.percentile(known, (2, 98)) if known.size else (0.5, 5.0)
        row[0].imshow(outcome.pixels)
        for axis, depth in ((row[1], outcome.truth), (row[2], outcome.answer)):
            shown = axis.imshow(depth, cmap="turbo_r", vmin=near, vmax=far, interpolation="nearest")
        figure.colorbar(shown, ax=row[2], label="m", pad=0.02)
        error = outcome.answer - outcome.truth
        shown = row[3].imshow(error, cmap="coolwarm", vmin=-ERROR_RANGE, vmax=ERROR_RANGE, interpolation="nearest")
        figure.colorbar(shown, ax=row[3], label="m", pad=0.02)
        row[0].set_ylabel(outcome.name[-28:], fontsize=7)
        row[3].set_xlabel(f"RMSE {outcome.metric['rmse_m']:.2f} m, delta1 {outcome.metric['delta1']:.2f}", fontsize=7)
        for axis in row:
            axis.set_xticks([])
            axis.set_yticks([])
            axis.set_facecolor("0.6")
    for axis, words in zip(axes[0], ("what the network sees", "truth", "answer", "answer - truth"), strict=True):
        axis.set_title(words, fontsize=9)
    path.parent.mkdir(parents=True, exist_ok=True)
    save(figure, path)
