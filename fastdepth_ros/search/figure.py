"""A search as a picture: milliseconds and losses over steps, what is likely, and the found network beside others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fastdepth_ros.evaluation.figures import save
from fastdepth_ros.evaluation.network_picture import COLOURS, INK, PALE
from fastdepth_ros.search.beside import CHANCE, FOUND, Rows
from fastdepth_ros.search.space import Space


def draw_search(path: Path, space: Space, log: Mapping[str, Any], beside: Rows) -> None:
    """Draw a log of ``searcher.Searcher``, finished or not.

    Above: expected milliseconds and those of the likeliest network within the budget, and both losses, over steps.
    Below: the probability of each candidate of each slot at the end with the found ones framed, and accuracy over
    milliseconds of networks that were trained alike, where some were.

    Args:
        path: PNG or SVG, by its suffix.
        space: of the networks.
        log: of the run.
        beside: of ``beside.json``.

    Raises:
        StorageError: it cannot be written.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 7.5), layout="constrained")
    axes = figure.subplots(2, 2, height_ratios=(1, 1.5), width_ratios=(1.25, 1))
    rows = log["rows"]
    steps = [row["step"] for row in rows]
    _lines(axes[0, 0], steps, rows, {"expected_ms": "encoder", "found_ms": "decoder"})
    axes[0, 0].axhline(log["job"]["budget_ms"], color=INK, linewidth=0.8, linestyle=":", label="budget")
    axes[0, 0].set_ylabel("milliseconds", fontsize=8)
    _lines(axes[0, 1], steps, rows, {"loss": "encoder", "architecture_loss": "decoder"})
    axes[0, 1].set_ylabel("loss", fontsize=8)
    for axis in axes[0]:
        axis.set_xlabel("steps of the weights", fontsize=8)
        axis.legend(fontsize=8, frameon=False)
        axis.grid(alpha=0.25)
    _candidates(axes[1, 0], space, log)
    _others(axes[1, 1], beside)
    save(figure, path, dpi=110)


def _lines(axis: Any, steps: Sequence[int], rows: Sequence[Mapping[str, float]], words: Mapping[str, str]) -> None:
    for word, colour in words.items():
        found = [(step, row[word]) for step, row in zip(steps, rows, strict=True) if word in row]
        if found:
            axis.plot(*zip(*found, strict=True), color=COLOURS[colour], linewidth=1.2, label=word.replace("_", " "))


def _candidates(axis: Any, space: Space, log: Mapping[str, Any]) -> None:
    """A cell for each candidate of each slot: the darker, the likelier; those that were found have a frame."""
    slots, found = list(space.slots.values()), log.get("found", {})
    words = list(dict.fromkeys(word for slot in slots for word in slot.candidates))
    cells = np.full((len(words), len(slots)), np.nan)
    for column, slot in enumerate(slots):
        for word, share in log.get("shares", {}).get(slot.name, {}).items():
            cells[words.index(word), column] = share
    axis.imshow(cells, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    taken = [(column, words.index(found[slot.name])) for column, slot in enumerate(slots) if slot.name in found]
    if taken:
        axis.scatter(*zip(*taken, strict=True), marker="s", s=42, facecolors="none", edgecolors=COLOURS["decoder"])
    axis.set_xticks(range(len(slots)), [slot.name for slot in slots], rotation=90, fontsize=6)
    axis.set_yticks(range(len(words)), words, fontsize=6)
    axis.set_title("probability of candidates, and those that were found", fontsize=8)


def _others(axis: Any, beside: Rows) -> None:
    """A dot for each network: mean over seeds, with a line from the least to the most."""
    shown = {name: row for name, row in beside.items() if row["seeds"] and row["milliseconds"] is not None}
    if not shown:
        axis.set_axis_off()
        return
    for name, row in shown.items():
        values = [errors["delta1"] for errors in row["seeds"].values()]
        colour = COLOURS["decoder"] if name == FOUND else PALE if name.startswith(CHANCE) else COLOURS["encoder"]
        place, mean = row["milliseconds"], float(np.mean(values))
        axis.plot([place, place], [min(values), max(values)], color=colour, linewidth=1.2)
        axis.scatter([place], [mean], color=colour, s=60 if name == FOUND else 28, marker="*" if name == FOUND else "o")
        axis.annotate(name, (place, mean), xytext=(4, 3), textcoords="offset points", fontsize=7, color=INK)
    axis.set_xlabel("milliseconds, whole networks in turns", fontsize=8)
    axis.set_ylabel("delta1 on pictures held out, trained alike", fontsize=8)
    axis.margins(x=0.25)
    axis.grid(alpha=0.25)
