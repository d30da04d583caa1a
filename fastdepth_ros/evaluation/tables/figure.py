"""Milliseconds over multiply-accumulates of all networks that were measured, and accuracy over milliseconds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastdepth_ros.evaluation.benchmark.measure import OURS
from fastdepth_ros.evaluation.figures import save
from fastdepth_ros.evaluation.tables.accuracy import Learned
from fastdepth_ros.evaluation.tables.labels import label
from fastdepth_ros.evaluation.tables.report import Reports

COLOURS = ("#0b6e4f", "#d17a22")
"""One thread, and all."""


def draw(path: Path, reports: Reports) -> None:
    """Draw each network once, on logarithmic axes; lines are of equal speed. The file's suffix says what it is."""
    from matplotlib.figure import Figure

    rows = {row["network"]: row for table in reports.values() for row in table}
    figure = Figure(figsize=(9.0, 6.0), layout="constrained")
    axes = figure.subplots()
    threads = sorted({each["threads"] for row in rows.values() for each in row["runtimes"]})
    drawn = []
    for colour, count in zip(COLOURS, dict.fromkeys((threads[0], threads[-1])), strict=False):
        points = [(row["macs_without_zeros"] / 1e9, _time(row, count), name) for name, row in rows.items()]
        words = f"{count} thread{'s' * (count > 1)}"
        axes.scatter([p[0] for p in points], [p[1] for p in points], color=colour, s=22, zorder=3, label=words)
        drawn.append(points)
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="GMAC, products with inserted zeros left out",
        ylabel=f"processor time on one thread{', least time on several' * (threads[-1] > 1)} [ms]",
    )
    low, high = axes.get_xlim()
    high *= 1.6  # Room for the last label.
    bottom, top = axes.get_ylim()
    for speed in (10, 20, 40, 80, 160, 320):
        axes.plot([low, high], [low / speed * 1e3, high / speed * 1e3], color="#d0d5da", linewidth=0.7, zorder=1)
        if bottom < high / speed * 1e3 < top:
            axes.annotate(f"{speed} GMAC/s", (high, high / speed * 1e3), fontsize=7, color="#8a9299", ha="right")
    axes.set(xlim=(low, high), ylim=(bottom, top))
    axes.legend(frameon=False, loc="upper left")
    first = next(iter(rows.values()))
    axes.set_title(f"Networks of the papers for {first['target']} on {first['processor']}", fontsize=10, loc="left")
    label(axes, drawn[0], free=[point for more in drawn[1:] for point in more])
    save(figure, path, dpi=150)


def draw_accuracy(path: Path, reports: Reports, learned: Learned) -> bool:
    """Draw delta1 over the milliseconds on one thread of each entry that was timed and trained: the paper's figure 1.

    Returns:
        Whether there was anything to draw.
    """
    from matplotlib.figure import Figure

    rows = {row["network"]: row for table in reports.values() for row in table}
    points = {
        name: (_time(row, min(each["threads"] for each in row["runtimes"])), learned[name]["delta1"])
        for name, row in rows.items()
        if learned.get(name, {}).get("delta1") is not None
    }
    if not points:
        return False
    first, about = next(iter(rows.values())), next(iter(learned.values()))
    figure = Figure(figsize=(9.0, 5.5), layout="constrained")
    axes = figure.subplots()
    times, shares = zip(*points.values(), strict=True)
    axes.scatter(times, shares, color=COLOURS[0], s=24, zorder=3)
    low, high = axes.get_xlim()
    axes.set(
        xscale="log",
        xlim=(max(low, min(took for took, _ in points.values()) * 0.8), high * 1.6),  # Room for the last label.
        xlabel=f"processor time on one thread [ms], for {first['target']} on {first['processor']}",
        ylabel=f"delta1 after {about['images']:.0f} views of {about['size']:.0f}x{about['size']:.0f}",
    )
    axes.grid(alpha=0.3)
    axes.set_title("Accuracy after the same short training, over run time", fontsize=10, loc="left")
    axes.set_ylim(axes.get_ylim())
    label(axes, [(*point, name) for name, point in points.items()])
    save(figure, path, dpi=150)
    return True


def _time(row: dict[str, Any], threads: int) -> float:
    word = "processor_ms" if threads == 1 else "min_ms"
    return float(next(e[word] for e in row["runtimes"] if (e["runtime"], e["threads"]) == (OURS, threads)))
