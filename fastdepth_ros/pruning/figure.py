"""A run as a picture: accuracy over milliseconds, and channels that layers read, before and after."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastdepth_ros.evaluation.figures import save
from fastdepth_ros.evaluation.network_picture import COLOURS, INK, PALE
from fastdepth_ros.network.graph import Graph, weighted
from fastdepth_ros.network.kinds import Depthwise
from fastdepth_ros.pruning.widths import channels_of, resized


def draw_run(path: Path, graph: Graph, log: Mapping[str, Any]) -> None:
    """Draw a log of ``run.Run``.

    Above: a dot for every proposal, and the way that was taken. Below: channels that each convolution reads, as in
    figure 6 of FastDepth's paper, after pruning in colour and before it pale.

    Args:
        path: PNG or SVG, by its suffix.
        graph: the network before.
        log: of the run.

    Raises:
        StorageError: it cannot be written.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 6.5), layout="constrained")
    above, below = figure.subplots(2, 1, height_ratios=(1, 1))
    start, taken = log["start"], log["taken"]
    dots = [(row["milliseconds"], row["accuracy"]) for one in taken for row in one["proposals"]]
    if dots:
        above.scatter(*zip(*dots, strict=True), s=10, color=PALE, label="proposals", zorder=1)
    way = [(start["milliseconds"], start["accuracy"]), *((one["milliseconds"], one["accuracy"]) for one in taken)]
    above.plot(*zip(*way, strict=True), marker="o", markersize=4, color=COLOURS["encoder"], label="taken", zorder=2)
    if "tuned" in log:
        last = taken[-1] if taken else start
        tuned = [(last["milliseconds"], log["tuned"]["judging"]["delta1"])]
        above.scatter(
            *zip(*tuned, strict=True), marker="*", s=120, color=COLOURS["decoder"], label="after long training"
        )
    above.axvline(log["job"]["budget_ms"], color=INK, linewidth=0.8, linestyle=":", label="budget")
    above.invert_xaxis()
    above.set_xlabel(f"milliseconds ({log['job']['latency'].rpartition(', ')[0] or log['job']['latency']})", fontsize=8)
    above.set_ylabel(log["accuracy"].partition(",")[0], fontsize=8)
    above.legend(fontsize=8, frameon=False)
    above.grid(alpha=0.25)
    _bars(below, graph, resized(graph, channels_of(graph), (taken[-1] if taken else start)["widths"]))
    save(figure, path, dpi=110)


def _bars(axes: Any, before: Graph, after: Graph) -> None:
    nodes = [node for node in weighted(before) if not isinstance(node.layer, Depthwise)]
    places = range(len(nodes))
    axes.bar(places, [before.input_channels(node) for node in nodes], color=PALE, zorder=1, label="before")
    reads = [after.input_channels(after.by_name[node.name]) for node in nodes]
    axes.bar(places, reads, color=[COLOURS[node.part] for node in nodes], zorder=2)
    axes.set_xticks(places, [node.name for node in nodes], rotation=90, fontsize=7 if len(nodes) < 60 else 4)
    axes.set_ylabel("channels read", fontsize=8)
    axes.set_xlim(-0.8, len(nodes) - 0.2)
    axes.legend(fontsize=8, frameon=False)
    axes.grid(axis="y", alpha=0.25)
    axes.set_axisbelow(True)
