"""Curves of a training run: a CSV file with a row per report, and a plot of it."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from fastdepth_ros.evaluation.figures import save
from fastdepth_ros.files.writing import write_file

SCALED = "delta1_scaled"
"""Delta1 of answers that were multiplied to have the truth's median: shape without scale."""

COLUMNS = (
    "step",
    "images",
    "hours",
    "size",
    "rate",
    "loss",
    "truth",
    "teacher",
    "hints",
    "delta1",
    "rmse_m",
    "abs_rel",
    "si_rmse",
    SCALED,
)


def read(path: Path) -> list[dict[str, float]]:
    """The rows of a CSV file of :func:`append`; none where there is no file. Empty fields are left out."""
    if not path.is_file():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [{key: float(value) for key, value in row.items() if value} for row in csv.DictReader(file)]


def write(path: Path, rows: list[dict[str, float]]) -> None:
    """Write all rows anew."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    write_file(path, text.getvalue())


def append(path: Path, row: dict[str, float]) -> None:
    """Add one row; its keys are among :data:`COLUMNS`."""
    if not path.is_file():
        write(path, [])
    with path.open("a", newline="", encoding="utf-8") as file:
        csv.DictWriter(file, COLUMNS).writerow(row)


def plot(path: Path, rows: list[dict[str, float]]) -> None:
    """Loss and validation over the images seen, as a picture (PNG or SVG by suffix)."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 6), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True)
    for name in ("loss", "truth", "teacher", "hints"):
        points = [(row["images"] / 1000, row[name]) for row in rows if name in row]
        if points:
            upper.plot(*zip(*points, strict=True), label=name, linewidth=1)
    for name in ("delta1", SCALED, "rmse_m", "abs_rel"):
        points = [(row["images"] / 1000, row[name]) for row in rows if name in row]
        if points:
            lower.plot(*zip(*points, strict=True), label=name, marker=".", markersize=3)
    upper.set_ylabel("loss in training")
    upper.set_yscale("log")
    lower.set_ylabel("averaged weights, held-out pictures")
    lower.set_xlabel("thousand images seen")
    for axes in (upper, lower):
        axes.grid(alpha=0.3)
        axes.legend()
    save(figure, path)
