"""A comparison as a picture: a bar for each runtime, the shorter the faster, on axes that begin at zero."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fastdepth_ros.evaluation.benchmark.measure import OURS
from fastdepth_ros.evaluation.benchmark.names import FLOAT32
from fastdepth_ros.evaluation.figures import save

OWN_COLOUR, PEER_COLOUR, INK = "#0b6e4f", "#b8bfc6", "#22272b"
PANEL_INCHES, BAR_INCHES, FRAME_INCHES = 5.0, 0.42, 1.5


def draw(path: Path, reports: Sequence[dict[str, Any]]) -> None:
    """Draw reports of ``tables.comparison_report``, one below the other, a panel for each number of threads.

    A bar is the median of the rounds' medians, the tick in it the fastest run, the line behind it goes up to the 95th
    percentile of all runs. The file's suffix says what it is, PNG or SVG.
    """
    from matplotlib.figure import Figure

    threads = sorted({row["threads"] for found in reports for row in found["runtimes"]})
    most = max(sum(row["threads"] == threads[0] for row in found["runtimes"]) for found in reports)
    height = (most * BAR_INCHES + FRAME_INCHES) * len(reports) + 0.4
    figure = Figure(figsize=(PANEL_INCHES * len(threads), height), layout="constrained")
    panels = figure.subplots(len(reports), len(threads), squeeze=False)
    for found, row in zip(reports, panels, strict=True):
        for count, axes in zip(threads, row, strict=True):
            _panel(axes, found, count)
    about = reports[0]
    figure.suptitle(f"{about['network']} for {about['cpu']} on {about['processor']}", fontsize=11, color=INK)
    figure.supxlabel("bar: median    tick: fastest run    line: up to the 95th percentile", fontsize=8, color=INK)
    save(figure, path, dpi=150)


def _panel(axes: Any, found: dict[str, Any], threads: int) -> None:
    rows = sorted((r for r in found["runtimes"] if r["threads"] == threads), key=lambda r: r["median_ms"], reverse=True)
    places = range(len(rows))
    medians = [row["median_ms"] for row in rows]
    slow = [max(0.0, row["p95_ms"] - row["median_ms"]) for row in rows]
    colours = [OWN_COLOUR if row["runtime"] == OURS else PEER_COLOUR for row in rows]
    axes.barh(places, medians, color=colours, height=0.62, zorder=2)
    axes.hlines(
        places, medians, [m + s for m, s in zip(medians, slow, strict=True)], color=INK, linewidth=0.8, zorder=3
    )
    for place, row in zip(places, rows, strict=True):
        axes.vlines(row["min_ms"], place - 0.31, place + 0.31, color=INK, linewidth=1.4, zorder=4)
        ratio = "" if (row["runtime"], row["way"]) == (OURS, FLOAT32) else f"  {row['times_ours']:.2f}x"
        end = max(row["median_ms"], row["p95_ms"])
        label = f"{row['median_ms']:.2f} ms{ratio}"
        axes.annotate(label, (end, place), (5, 0), textcoords="offset points", va="center", fontsize=8, color=INK)
    axes.set_yticks(places, [f"{row['runtime']} {row['version']}\n{row['precision']}" for row in rows], fontsize=8)
    # Room for the labels behind the bars.
    axes.set_xlim(0, max(m + s for m, s in zip(medians, slow, strict=True)) * 1.32)
    width, height = found["input_px"]
    plural = "thread" if threads == 1 else "threads"
    axes.set_title(f"{width}x{height}, {threads} {plural}", fontsize=10, color=INK, loc="left")
    axes.set_xlabel("ms for a picture", fontsize=8, color=INK)
    axes.grid(axis="x", alpha=0.25, zorder=0)
    axes.tick_params(colors=INK, labelsize=8)
    axes.tick_params(axis="y", length=0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
