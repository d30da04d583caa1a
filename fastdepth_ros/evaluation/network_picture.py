"""A network as a picture: channels and size of every layer's answer, as in figure 6 of FastDepth's paper."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastdepth_ros.evaluation.figures import save
from fastdepth_ros.network.count import LayerCount, count
from fastdepth_ros.network.graph import Graph

if TYPE_CHECKING:
    from collections.abc import Sequence

COLOURS = {"encoder": "#0b6e4f", "decoder": "#c8741a", "": "#5b6670"}
INK, PALE = "#22272b", "#cfd4d9"
BAR_INCHES, LEAST_INCHES, MOST_INCHES = 0.16, 6.0, 22.0


def draw_network(path: Path, graph: Graph, height: int = 224, width: int = 224, beside: Graph | None = None) -> None:
    """Draw a bar for each convolution: above its channels, below the height of its answer on a scale of doublings.

    Args:
        path: file to write; its suffix says what it is, PNG or SVG.
        graph: the network.
        height, width: of the picture [px].
        beside: another network, whose channels stand pale behind those of layers with the same name: what was pruned.

    Raises:
        NetworkError: the network cannot take a picture of that size.
    """
    from matplotlib.figure import Figure

    rows = [row for row in count(graph, height, width) if row.weights]
    inches = min(max(BAR_INCHES * len(rows) + 1.2, LEAST_INCHES), MOST_INCHES)
    figure = Figure(figsize=(inches, 4.2), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    places = range(len(rows))
    colours = [COLOURS[row.part] for row in rows]
    if beside is not None:
        theirs = [beside.channels.get(row.name, 0) for row in rows]
        above.bar(places, theirs, color=PALE, zorder=1, label=beside.name)
        above.legend(loc="upper right", fontsize=8, frameon=False)
    above.bar(places, [row.channels for row in rows], color=colours, zorder=2)
    above.set_ylabel("channels", fontsize=9, color=INK)
    below.bar(places, [row.height for row in rows], color=colours, zorder=2)
    below.set_yscale("log", base=2)
    sides = sorted({row.height for row in rows})
    below.set_ylim(sides[0] / 2, sides[-1] * 1.4)
    below.set_yticks(sides, [str(side) for side in sides])
    below.minorticks_off()
    below.set_ylabel("height [px]", fontsize=9, color=INK)
    below.set_xticks(places, [row.name for row in rows], rotation=90, fontsize=6 if len(rows) < 90 else 4)
    below.set_xlim(-0.8, len(rows) - 0.2)
    above.set_title(_title(graph, rows, height, width), fontsize=10, color=INK, loc="left")
    for axes in (above, below):
        _plain(axes)
    save(figure, path, dpi=110)


def _title(graph: Graph, rows: Sequence[LayerCount], height: int, width: int) -> str:
    weights, macs = sum(row.weights for row in rows), sum(row.macs for row in rows)
    return f"{graph.name} at {width}x{height}: {weights / 1e6:.2f} M weights, {macs / 1e9:.3f} GMAC"


def _plain(axes: Any) -> None:
    axes.set_axisbelow(True)
    axes.grid(axis="y", alpha=0.25, zorder=0)
    axes.tick_params(axis="y", colors=INK, labelsize=8, length=0)
    axes.tick_params(axis="x", colors=INK, length=0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
