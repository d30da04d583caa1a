"""The found network beside entries made by hand and networks by chance: milliseconds in turns, the same training.

Milliseconds need TVM, training needs torch, and no environment needs both: each half writes its own numbers into one
file, ``beside.json``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fastdepth_ros.errors import SettingError, brief
from fastdepth_ros.files.reading import parse_json, read
from fastdepth_ros.files.writing import write_file
from fastdepth_ros.network.entries import entry
from fastdepth_ros.network.graph import Graph
from fastdepth_ros.search.likeliest import likeliest
from fastdepth_ros.search.space import Choice, Space
from fastdepth_ros.search.table import Costs

BESIDE = "beside.json"
FOUND, LIKELIEST, CHANCE = "found", "likeliest", "chance"

Rows = dict[str, dict[str, Any]]
"""Network -> ``milliseconds``, and ``seeds``: seed -> errors on pictures held out, and ``curve``: views so far, delta1
and scaled delta1. None stands for an error that is no number, as of a network that answers no pixel of a picture."""


def by_chance_within(space: Space, costs: Costs, budget: float, seed: int) -> Choice:
    """A choice by chance within the budget: the likeliest one of random logits.

    Args:
        space, costs: of the search.
        budget: milliseconds.
        seed: of the logits, which are normal with deviation 1.

    Raises:
        SettingError: every network takes longer.
    """
    rng = np.random.default_rng(seed)
    shares = {}
    for slot in space.slots.values():
        raised = np.exp(rng.standard_normal(len(slot.candidates)))
        shares[slot.name] = dict(zip(slot.candidates, (raised / raised.sum()).tolist(), strict=True))
    return likeliest(space, costs, shares, budget)


def networks(
    space: Space, costs: Costs, budget: float, log: Mapping[str, Any], names: Sequence[str], chance: int
) -> dict[str, Graph]:
    """Networks that are compared, by name: the found one, ``chance`` ones by chance, and entries.

    Where the found one is not the likeliest but the best of several, the likeliest stands beside it.

    Args:
        space, costs, budget: of the search.
        log: of the search, at its end.
        names: of entries, or files of that form.
        chance: networks by chance.

    Raises:
        NetworkError: there is no such entry.
    """
    graphs = {FOUND: space.graph(log["found"], FOUND)}
    if len(log.get("finalists", ())) > 1:
        choice = likeliest(space, costs, log["shares"], budget)
        if choice != log["found"]:
            graphs[LIKELIEST] = space.graph(choice, LIKELIEST)
    for number in range(1, chance + 1):
        name = f"{CHANCE}-{number}"
        graphs[name] = space.graph(by_chance_within(space, costs, budget, number), name)
    return graphs | {known.name: known.graph for known in map(entry, names)}


def read_rows(out: Path) -> Rows:
    """Numbers so far; none where nothing was compared.

    Raises:
        SettingError: the file cannot be read.
    """
    path = out / BESIDE
    try:
        rows: Rows = parse_json(read(path)) if path.is_file() else {}
        for row in rows.values():
            if not isinstance(row["milliseconds"], float | None) or not isinstance(row["seeds"], dict):
                raise ValueError("its numbers are none")
    except (OSError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise SettingError(f"{path} cannot be read ({brief(repr(error), 300)})", "Remove it to begin anew.") from error
    return rows


def of_seeds(row: Mapping[str, Any], word: str) -> list[Any]:
    """Errors, or curves, of a network's row by their word, of each seed that has it."""
    found = (errors.get(word) for errors in row["seeds"].values())
    return [value for value in found if value is not None]


def add_rows(out: Path, found: Mapping[str, Mapping[str, Any]]) -> Rows:
    """Put numbers of networks into the file, beside those that are there; gives all."""
    rows = read_rows(out)
    for name, more in found.items():
        own = rows.setdefault(name, {"milliseconds": None, "seeds": {}})
        own["milliseconds"] = more.get("milliseconds", own["milliseconds"])
        own["seeds"] |= _known(more.get("seeds", {}))
    write_file(out / BESIDE, json.dumps(rows, indent=1) + "\n")
    return rows


def _known(value: Any) -> Any:
    """Numbers as JSON has them, wherever they stand: None for NaN and infinity."""
    if isinstance(value, dict):
        return {key: _known(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_known(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def measured(
    graphs: Mapping[str, Graph],
    size: tuple[int, int],
    folder: Path,
    *,
    target: str = "host",
    threads: int = 1,
    rounds: int = 7,
    progress: Callable[[str], object] = lambda _: None,
) -> Rows:
    """Milliseconds of whole networks that run in turns, all with pictures of one size.

    Args:
        graphs: name -> network.
        size: height and width [px].
        folder: for modules.
        target: the processor, which has to be this one.
        threads: to run with.
        rounds: turns of each.
        progress: told what is being done.

    Raises:
        NetworkError: one cannot take such a picture, or has a layer without a kernel.
    """
    from fastdepth_ros.pruning.kernels import GRAPH, compiled
    from fastdepth_ros.pruning.measure import Sampled, run_in_turns

    sampled = []
    for name, graph in graphs.items():
        progress(f"Compiling {name}")
        sampled.append(Sampled(compiled(graph, GRAPH, target, folder / name, size, threads), threads))
    run_in_turns(sampled, rounds, progress)
    pairs = zip(graphs, sampled, strict=True)
    return {name: {"milliseconds": float(np.median(one.whole)), "seeds": {}} for name, one in pairs}
