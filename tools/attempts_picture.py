"""Makes the picture of docs/log/2026-11-better-network.md from its tables and those of the two logs that follow it.

First what a place gains and NYU loses on the way to adapted weights, then sets over views of trainings.

python -m tools.attempts_picture docs/pictures/attempts.png
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from fastdepth_ros.evaluation.figures import save

LOGS = Path(__file__).resolve().parent.parent / "docs" / "log"
FIRST, LONGER, TRAINED = "2026-11-better-network.md", "2026-11-longer-trainings.md", "2026-11-photographs-imagenet.md"
COLOURS = ("#0b6e4f", "#c8741a", "#3d5a80", "#9ccbb8", "#a23b72", "#5b6670", "#b0a160", "#22272b")

Rows = list[dict[str, str]]


def table(text: str, heading: str) -> Rows:
    """Rows of the first table below a heading of the log, by the names of their columns."""
    lines = [line for line in text.split(f"\n## {heading}\n")[1].split("\n## ")[0].splitlines() if line[:1] == "|"]
    names, _, *cells = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
    found = []
    for row in cells:
        if len(row) != len(names):
            break
        found.append(dict(zip(names, row, strict=True)))
    return found


def _ways(axes: Any, rows: Rows) -> None:
    """A line for each way: NYU's loss, and the place's gain."""
    ways = dict.fromkeys(row["rehearsed"] for row in rows if row["rehearsed"] != "before")
    before = next(row for row in rows if row["rehearsed"] == "before")
    for colour, way in zip(COLOURS, ways, strict=False):
        own = [before, *(row for row in rows if row["rehearsed"] == way)]
        lost = [float(before["NYU"]) - float(row["NYU"]) for row in own]
        axes.plot(lost, [float(row["the place"]) for row in own], marker="o", markersize=4, color=colour, label=way)
    axes.axhline(0.8, color="#22272b", linewidth=0.8, linestyle=":")
    axes.axvline(0.01, color="#22272b", linewidth=0.8, linestyle=":", label="goal: above, and left")
    axes.set_xlabel("delta1 that NYU loses")
    axes.set_ylabel("delta1, second half of tum_fr3_cabinet")


def _views(axes: Any, rows: Rows) -> None:
    """Every column over the views seen; empty cells are left out."""
    for colour, name in zip(COLOURS, [name for name in rows[0] if name != "views"], strict=False):
        seen = [row for row in rows if row[name]]
        views = [int(row["views"].replace(",", "")) for row in seen]
        axes.plot(views, [float(row[name]) for row in seen], marker="o", markersize=4, color=colour, label=name)
    axes.locator_params(axis="x", nbins=6)
    axes.set_xlabel("views seen")
    axes.set_ylabel("delta1")


def draw(path: Path) -> None:
    """Draw the logs' tables side by side."""
    figure = Figure(figsize=(15, 13), layout="constrained")
    panels = figure.subplots(3, 3).flat
    for axes, (log, heading, how) in zip(panels, PANELS, strict=True):
        how(axes, table((LOGS / log).read_text(encoding="utf-8"), heading))
        axes.set_title(heading, fontsize=9)
        axes.grid(alpha=0.25)
        axes.legend(fontsize=7, framealpha=0.8, edgecolor="none")
    save(figure, path, dpi=90)


PANELS = (
    (FIRST, "Adapting to a place", _ways),
    (FIRST, "Half of the milliseconds", _views),
    (FIRST, "Places of new kinds", _views),
    (LONGER, "Half of the milliseconds, 76,000 views", _views),
    (TRAINED, "Half of the milliseconds, photographs first", _views),
    (LONGER, "Widths that were pruned, and the authors'", _views),
    (LONGER, "An encoder that saw ImageNet", _views),
    (TRAINED, "An encoder that saw ImageNet, trained", _views),
    (TRAINED, "An encoder that saw ImageNet, four times as long", _views),
)
"""Logs, their headings, and how the tables below are drawn."""


def main() -> None:
    """Draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("picture", type=Path)
    draw(parser.parse_args().picture)


if __name__ == "__main__":
    main()
