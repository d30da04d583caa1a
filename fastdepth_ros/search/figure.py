"""A search as a picture: milliseconds and losses over steps, what is likely, and the found network beside others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastdepth_ros.evaluation.figures import save
from fastdepth_ros.evaluation.network_picture import COLOURS, INK
from fastdepth_ros.search.beside import CHANCE, FOUND, LIKELIEST, Rows, of_seeds
from fastdepth_ros.search.space import Space
from fastdepth_ros.training.curves import SCALED

GREY = "#9aa3ab"
STYLES = ("-", "--", ":", "-.")


def draw_search(path: Path, space: Space, log: Mapping[str, Any], beside: Rows) -> None:
    """Draw a log of ``searcher.Searcher``, finished or not.

    Above: expected milliseconds and those of the likeliest network within the budget, and both losses, over steps.
    Below: the last probability of each candidate of each slot, with the found ones framed. Where networks were trained
    alike: their delta1 over milliseconds, and over the views so far, as it is and of answers with the truth's median.

    Args:
        path: PNG or SVG, by its suffix.
        space: of the networks.
        log: of the run.
        beside: of ``beside.json``.

    Raises:
        StorageError: it cannot be written.
    """
    from matplotlib.figure import Figure

    curves = _curves(beside)
    rows_of_axes = [["milliseconds", "losses"], ["candidates", "others"], ["delta1", "scaled"]][: 3 if curves else 2]
    figure = Figure(figsize=(10, 11 if curves else 7.5), layout="constrained")
    axes: dict[str, Any] = figure.subplot_mosaic(
        rows_of_axes, height_ratios=(1, 1.5, 1.1)[: len(rows_of_axes)], width_ratios=(1.25, 1)
    )
    rows = log["rows"]
    steps = [row["step"] for row in rows]
    _lines(axes["milliseconds"], steps, rows, {"expected_ms": "encoder", "found_ms": "decoder"})
    axes["milliseconds"].axhline(log["job"]["budget_ms"], color=INK, linewidth=0.8, linestyle=":", label="budget")
    axes["milliseconds"].set_ylabel("milliseconds", fontsize=8)
    _lines(axes["losses"], steps, rows, {"loss": "encoder", "architecture_loss": "decoder"})
    axes["losses"].set_ylabel("loss", fontsize=8)
    for axis in (axes["milliseconds"], axes["losses"]):
        axis.set_xlabel("steps of the weights", fontsize=8)
        axis.legend(fontsize=8, frameon=False)
        axis.grid(alpha=0.25)
    _candidates(axes["candidates"], space, log)
    _others(axes["others"], beside)
    if curves:
        _learning(axes["delta1"], curves, 1, "delta1")
        _learning(axes["scaled"], curves, 2, "delta1 with the truth's median")
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
    axis.set_title("probability of candidates" + ", and those that were found" * bool(taken), fontsize=8)


def _others(axis: Any, beside: Rows) -> None:
    """A dot for each network: mean over seeds, with a line from the least to the most; a ring with the median."""
    shown = {name: row for name, row in beside.items() if row["seeds"] and row["milliseconds"] is not None}
    if not shown:
        axis.set_axis_off()
        return
    # Names go up and down by turns, aslant, for networks of the same milliseconds stand side by side.
    for number, (name, row) in enumerate(sorted(shown.items(), key=lambda each: each[1]["milliseconds"])):
        up = 1 if number % 2 else -1
        place, colour, found = row["milliseconds"], _colour(name), name == FOUND
        for word, face in (("delta1", colour), (SCALED, "none")):
            values = of_seeds(row, word)
            if not values:
                continue
            mean = float(np.mean(values))
            axis.plot([place, place], [min(values), max(values)], color=colour, linewidth=1.2)
            marks = {"s": 60 if found else 28, "marker": "*" if found else "o"}
            axis.scatter([place], [mean], facecolors=face, edgecolors=colour, **marks)
            if word == "delta1":
                slant = {"rotation": 50 * up, "rotation_mode": "anchor", "va": "center"}
                axis.annotate(
                    name, (place, mean), (4, 6 * up), textcoords="offset points", fontsize=7, color=INK, **slant
                )
    axis.set_xlabel("milliseconds, whole networks in turns", fontsize=8)
    axis.set_ylabel("delta1, held out, trained alike; rings: with the truth's median", fontsize=8)
    axis.margins(x=0.25, y=0.35)
    axis.grid(alpha=0.25)


def _colour(name: str) -> str:
    return (
        COLOURS["decoder"]
        if name == FOUND
        else GREY
        if name.startswith(CHANCE) or name == LIKELIEST
        else COLOURS["encoder"]
    )


def _curves(beside: Rows) -> dict[str, npt.NDArray[np.float64]]:
    """Network -> (N, 3) views, delta1 and scaled delta1, the mean over seeds that were shown as many views."""
    found = {}
    for name, row in beside.items():
        curves = [np.array(curve, np.float64) for curve in of_seeds(row, "curve")]  # None becomes NaN
        curves = [curve for curve in curves if curve.size and curve.shape == curves[0].shape]
        if curves:
            found[name] = np.mean(curves, axis=0)
    return found


def _learning(axis: Any, curves: Mapping[str, npt.NDArray[np.float64]], column: int, label: str) -> None:
    styles = dict(zip((name for name in curves if _colour(name) == COLOURS["encoder"]), STYLES, strict=False))
    for name, curve in curves.items():
        options = {"color": _colour(name), "linestyle": styles.get(name, "-"), "linewidth": 2 if name == FOUND else 1.2}
        axis.plot(curve[:, 0], curve[:, column], label=name, **options)
    axis.set_xlabel("views so far, trained alike", fontsize=8)
    axis.set_ylabel(f"{label}, held out", fontsize=8)
    axis.legend(fontsize=7, frameon=False)
    axis.grid(alpha=0.25)
