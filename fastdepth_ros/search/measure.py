"""Tables of a space: networks that cover every candidate, run in turns here, or by a board's measurements.

A kernel is not timed alone but where it stands, as in ``pruning.measure``. A call belongs to the slot of the first of
its convolutions; a candidate's milliseconds are the median over the networks that it is in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fastdepth_ros.errors import SettingError
from fastdepth_ros.estimate.latency import BOARDS
from fastdepth_ros.network.kinds import Weighted
from fastdepth_ros.pruning.board import board_latency
from fastdepth_ros.pruning.widths import channels_of
from fastdepth_ros.search.assembly import Assembled
from fastdepth_ros.search.choices import by_chance, covering
from fastdepth_ros.search.space import Choice, Space
from fastdepth_ros.search.table import FORMAT

Progress = Callable[[str], object]

UNSEEN = 4
"""Networks by chance that the table is not made of, and is held against."""

EXTRA = 6
"""Networks by chance that the table is made of, too, so that candidates are seen beside more than one neighbour."""

ROUNDS = 7

Times = Mapping[str, float]
"""Layers of a call, separated by spaces -> milliseconds."""


def is_board(target: str) -> bool:
    """Whether a target is a board that is not at hand, by measurements of its convolutions."""
    return target in BOARDS


def board_table(space: Space, board: str) -> dict[str, Any]:
    """The table of a board that is not at hand, by ``estimate``'s measurements.

    Raises:
        NetworkError: a layer is of a kind that nobody measured there.
    """
    parts = []
    for choice in covering(space):
        graph = space.graph(choice)
        channels = channels_of(graph)
        latency = board_latency(graph, channels, board, space.height, space.width)
        parts.append((choice, latency.parts(channels.widths)))
    return {**_table(space, f"{latency.about}", board, parts), "checks": []}


def measured_table(
    space: Space,
    folder: Path,
    *,
    target: str = "host",
    threads: int = 1,
    rounds: int = ROUNDS,
    progress: Progress = lambda _: None,
) -> dict[str, Any]:
    """The table of this machine, by the laboratory's kernels in float32.

    Args:
        space: of the networks.
        folder: for modules, and compiled kernels that the next table finds again.
        target: the processor, which has to be this one.
        threads: of one the processor time is taken, which other programs hardly change; of more the clock's.
        rounds: turns of each network.
        progress: told what is being done.

    Raises:
        NetworkError: a layer has no kernel.
        SettingError: a number is out of range.
    """
    # Load TVM's compiler, which whoever searches by a table does not need.
    from fastdepth_ros.lowering.build import sources_version
    from fastdepth_ros.pruning.kernels import GRAPH, compiled
    from fastdepth_ros.pruning.measure import Sampled, run_in_turns
    from fastdepth_ros.runtime import processor

    if rounds < 1 or threads < 1:
        raise SettingError(f"{rounds} rounds with {threads} threads measure nothing", "Take one or more.")
    used = [*covering(space), *(by_chance(space, UNSEEN + seed) for seed in range(EXTRA))]
    checks = [by_chance(space, seed) for seed in range(UNSEEN)]
    sampled = []
    for number, choice in enumerate([*used, *checks]):
        progress(f"Compiling network {number + 1} of {len(used) + len(checks)}")
        size = space.height, space.width
        network = compiled(space.graph(choice), GRAPH, target, folder / str(number), size, threads)
        sampled.append(Sampled(network, threads))
    run_in_turns(sampled, rounds, progress)
    clock = "processor time" if threads == 1 else "wall clock"
    about = f"{processor.name()}, {target}, {threads} thread{'s' * (threads > 1)}, {clock}"
    parts = [(choice, one.units()) for choice, one in zip(used, sampled, strict=False)]
    whole = [float(np.median(one.whole)) for one in sampled[len(used) :]]
    return {
        **_table(space, about, target, parts),
        "threads": threads,
        "rounds": rounds,
        "version": sources_version(),
        "checks": [
            {"name": f"random-{seed}", "choice": choice, "milliseconds": milliseconds}
            for seed, (choice, milliseconds) in enumerate(zip(checks, whole, strict=True))
        ],
    }


def _table(space: Space, about: str, target: str, parts: Sequence[tuple[Choice, Times]]) -> dict[str, Any]:
    fixed: list[float] = []
    slots: dict[str, dict[str, list[float]]] = {
        slot.name: {word: [] for word in slot.candidates} for slot in space.slots.values()
    }
    for choice, times in parts:
        made = space.assembled({slot: (word,) for slot, word in choice.items()})
        sums = shared_out(made, times)
        fixed.append(sums.pop(None, 0.0))
        for slot, word in choice.items():
            slots[slot][word].append(sums.get((slot, word), 0.0))
    return {
        "format": FORMAT,
        "space": space.name,
        "digest": space.digest,
        "about": about,
        "target": target,
        "fixed": round(float(np.median(fixed)), 6),
        "slots": {
            slot: {word: round(float(np.median(found)), 6) for word, found in own.items()}
            for slot, own in slots.items()
        },
    }


def shared_out(made: Assembled, times: Times) -> dict[tuple[str, str] | None, float]:
    """Slot and candidate -> milliseconds of the calls that belong to it; None -> those of all others."""
    found: dict[tuple[str, str] | None, float] = {}
    for name, milliseconds in times.items():
        layers = [layer for layer in name.split() if layer in made.graph.by_name]
        first = [layer for layer in layers if isinstance(made.graph.by_name[layer].layer, Weighted)] or layers
        owner = made.owners.get(first[0]) if first else None
        found[owner] = found.get(owner, 0.0) + milliseconds
    return found
