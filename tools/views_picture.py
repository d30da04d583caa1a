"""Makes the picture of docs/better-network.md: delta1 on NYU's held-out tenth over views seen, from the model card.

python -m tools.views_picture docs/pictures/views.png
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from fastdepth_ros.evaluation.figures import save

CARD = Path(__file__).resolve().parent.parent / "models" / "fastdepth-indoor" / "MODEL_CARD.md"
HEADING = "## How it came to this"
GOAL = 0.82
SETTLED = (192_952, 344_216)
"""Views at the ends of two ways down of the rate, both at 224 px: the trend goes through them."""

COLOURS = {"128": "#9ccbb8", "160": "#c8741a", "224": "#0b6e4f"}


def rows(card: str) -> list[tuple[int, float, str]]:
    """Views, delta1 and the pictures' size [px] of each report in the card's table."""
    found, size = [], "128"
    for line in card.split(HEADING)[1].splitlines():
        cells = line.strip("| ").split(" | ")
        if len(cells) != 2:
            continue
        size = (re.findall(r"(\d{3}) px", cells[0]) or [size])[-1]
        views = [int(text.replace(",", "")) for text in re.findall(r"\d{1,3}(?:,\d{3})+", cells[0])]
        values = [float(text) for text in re.findall(r"(0\.\d{3}) / ", cells[1])]
        if views and len(views) == len(values):
            found += [(each, value, size) for each, value in zip(views, values, strict=True)]
    return found


def draw(path: Path) -> None:
    """Draw the card's reports, the goal, and the trend of the last ones."""
    reports = rows(CARD.read_text(encoding="utf-8"))
    figure = Figure(figsize=(7.5, 4), layout="constrained")
    axes = figure.subplots()
    for size, colour in COLOURS.items():
        shown = [(views, value) for views, value, own in reports if own == size]
        axes.scatter(*zip(*shown, strict=True), color=colour, s=26, label=f"at {size} px", zorder=3)
    known = {views: value for views, value, _ in reports}
    (first, low), (second, high) = ((views, known[views]) for views in SETTLED)
    slope = (high - low) / np.log2(second / first)
    ends = np.array([first, 8e6])
    axes.plot(ends, low + slope * np.log2(ends / first), "--", color="#5b6670", label=f"{slope:.3f} a doubling")
    axes.axhline(GOAL, color="#22272b", linewidth=0.8, linestyle=":", label="goal")
    axes.set_xscale("log")
    axes.set_xlabel("views seen")
    axes.set_ylabel("delta1, NYU's held-out tenth")
    axes.grid(alpha=0.25)
    axes.legend(fontsize=8, frameon=False)
    save(figure, path, dpi=100)


def main() -> None:
    """Draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("picture", type=Path)
    draw(parser.parse_args().picture)


if __name__ == "__main__":
    main()
