"""Makes the picture of docs/log/2026-11-better-network.md from its tables.

To the left what a place gains and NYU loses on the way to adapted weights, then sets over views of two trainings.

python -m tools.attempts_picture docs/pictures/attempts.png
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from fastdepth_ros.evaluation.figures import save

LOG = Path(__file__).resolve().parent.parent / "docs" / "log" / "2026-11-better-network.md"
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
    """Every column over the views seen."""
    views = [int(row["views"].replace(",", "")) for row in rows]
    for colour, name in zip(COLOURS, [name for name in rows[0] if name != "views"], strict=False):
        axes.plot(views, [float(row[name]) for row in rows], marker="o", markersize=4, color=colour, label=name)
    axes.set_xlabel("views seen")
    axes.set_ylabel("delta1")


def draw(path: Path) -> None:
    """Draw the log's tables side by side."""
    text = LOG.read_text(encoding="utf-8")
    figure = Figure(figsize=(12, 4), layout="constrained")
    panels = figure.subplots(1, 3)
    for axes, (heading, how) in zip(panels, PANELS.items(), strict=True):
        how(axes, table(text, heading))
        axes.set_title(heading, fontsize=9)
        axes.grid(alpha=0.25)
        axes.legend(fontsize=7, framealpha=0.8, edgecolor="none")
    save(figure, path, dpi=90)


PANELS = {"Adapting to a place": _ways, "Half of the milliseconds": _views, "Places of new kinds": _views}
"""Headings of the log, and how their tables are drawn."""


def main() -> None:
    """Draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("picture", type=Path)
    draw(parser.parse_args().picture)


if __name__ == "__main__":
    main()
