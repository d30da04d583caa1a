"""Latency table of a processor: networks of many widths run in turns, and every kernel call is timed where it stands.

A kernel is not timed alone: its maps come out of the cache, or do not, as they do in a network. Each group of channels
has a few widths. A set of networks is chosen so that of two groups that meet in a layer every pair of widths occurs:
for a prime p, network (a, b) gives group g the width number (a + b c_g) mod p, and p^2 networks hold all pairs of two
groups with different c (an orthogonal array: Bose and Bush, 1952).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fastdepth_ros.errors import SettingError
from fastdepth_ros.lowering.build import sources_version
from fastdepth_ros.network.graph import Graph
from fastdepth_ros.network.stored import to_json
from fastdepth_ros.pruning.kernels import GRAPH, Timed, compiled
from fastdepth_ros.pruning.proposals import STEP
from fastdepth_ros.pruning.widths import Channels, Widths, channels_of, resized
from fastdepth_ros.runtime import processor

Progress = Callable[[str], object]

PRIMES = (2, 3, 5, 7)
"""Numbers of widths of a group that can be asked for."""

UNSEEN = 4
"""Networks of random widths that the table is not made of, and is held against."""

WARM_UPS, RUNS = 1, 3
"""Runs of a network's turn that are not noted, and that are."""


class Sampled:
    """A network of the table, and its times.

    Args:
        network: compiled.
        threads: that it runs with.

    Attributes:
        calls: milliseconds of each call, by run.
        whole: milliseconds of runs that no clock was read in.
    """

    def __init__(self, network: Timed, threads: int) -> None:
        self.network = network
        self.clock = time.thread_time if threads == 1 else time.perf_counter
        self.calls: list[list[float]] = []
        self.whole: list[float] = []

    def turn(self) -> None:
        """Run a few times, and note what each call took, and the whole."""
        for _ in range(WARM_UPS):
            self.network.run()
        for _ in range(RUNS):
            self.calls.append([1e3 * seconds for seconds in self.network.timed(self.clock)])
            start = self.clock()
            self.network.run()
            self.whole.append(1e3 * (self.clock() - start))

    def units(self) -> dict[str, float]:
        """Layers -> median milliseconds of the calls that compute them."""
        found: dict[str, float] = {}
        for name, milliseconds in zip(self.network.layers, np.median(np.array(self.calls), axis=0), strict=True):
            found[name] = found.get(name, 0.0) + float(milliseconds)
        return found


def levels(full: int, count: int, step: int = STEP) -> list[int]:
    """Widths of a group to measure, from an eighth of ``full`` to all; multiples of ``step`` but for the last."""
    wanted = np.linspace(full / 8, full, count)
    return [max(min(step, full), round(width / step) * step) for width in wanted[:-1]] + [full]


def designs(graph: Graph, channels: Channels, count: int, step: int = STEP) -> list[Widths]:
    """Widths of the networks that a table is made of; every pair of widths of groups that meet in a layer is there.

    Args:
        graph: the network.
        channels: its groups.
        count: widths of a group, a prime.
        step: widths are multiples of it.

    Raises:
        SettingError: ``count`` is no prime that is allowed.
    """
    if count not in PRIMES:
        raise SettingError(f"{count} widths of a group cannot be paired", f"Choose of {', '.join(map(str, PRIMES))}.")
    meets: dict[str, set[str]] = {name: set() for name in channels.groups}
    for node in graph.nodes:
        touched = channels.touched(node)
        for group in touched:
            meets[group].update(other for other in touched if other != group)
    factor: dict[str, int] = {}
    for group in channels.groups:
        taken = {factor[other] for other in meets[group] if other in factor}
        free = [number for number in range(count) if number not in taken]
        # A group that meets more others than there are factors shares one: some pairs of theirs are not measured.
        factor[group] = free[0] if free else len(factor) % count
    choices = {name: levels(group.channels, count, step) for name, group in channels.groups.items()}
    found = [
        {group: choices[group][(a + b * factor[group]) % count] for group in channels.groups}
        for a in range(count)
        for b in range(count)
    ]
    whole = channels.widths
    return found if whole in found else [*found, whole]


def random_widths(channels: Channels, seed: int, step: int = STEP) -> Widths:
    """Widths of a network that is pruned by a quarter to two thirds in every group, by chance."""
    rng = np.random.default_rng(seed)
    share = {name: rng.uniform(1 / 3, 3 / 4) for name in channels.groups}
    full = {name: group.channels for name, group in channels.groups.items()}
    return {name: max(min(step, full[name]), round(full[name] * share[name] / step) * step) for name in full}


def measure(
    graph: Graph,
    height: int,
    width: int,
    folder: Path,
    *,
    kernels: str = GRAPH,
    target: str = "host",
    threads: int = 1,
    count: int = 5,
    rounds: int = 5,
    beside: Sequence[Graph] = (),
    progress: Progress = lambda _: None,
) -> dict[str, Any]:
    """A table, as ``table.latency_of`` reads it.

    Args:
        graph: the network at its full widths.
        height, width: of the picture [px].
        folder: for modules, and compiled kernels that the next table finds again.
        kernels: whose, one of ``kernels.PLANS``.
        target: the processor, which has to be this one.
        threads: of one the processor time is taken, which other programs hardly change; of more the clock's.
        count: widths of a group.
        rounds: turns of each network.
        beside: networks of the same layers to hold the table against, beside those of random widths.
        progress: told what is being done.

    Raises:
        NetworkError: a layer has no kernel, or the network cannot take such a picture.
        SettingError: a number is out of range.
    """
    if rounds < 1:
        raise SettingError(f"{rounds} rounds measure nothing", "Take one or more.")
    channels = channels_of(graph)
    widths = designs(graph, channels, count)
    checks = [channels.widths, *({g: each.channels[g] for g in channels.groups} for each in beside)]
    checks += [random_widths(channels, seed) for seed in range(UNSEEN)]
    names = ["whole", *(each.name for each in beside), *(f"random-{seed}" for seed in range(UNSEEN))]
    unique = [dict(each) for each in {tuple(each.items()): each for each in [*widths, *checks]}.values()]

    sampled = []
    for number, each in enumerate(unique):
        progress(f"Compiling network {number + 1} of {len(unique)}")
        own = resized(graph, channels, each)
        network = compiled(own, kernels, target, folder / str(number), (height, width), threads)
        sampled.append(Sampled(network, threads))
    run_in_turns(sampled, rounds, progress)
    return {
        "format": 1,
        "graph": to_json(graph),
        "height": height,
        "width": width,
        "target": target,
        "processor": processor.name(),
        "threads": threads,
        "clock": "processor time" if threads == 1 else "wall clock",
        "rounds": rounds,
        "kernels": kernels,
        "version": sources_version(),
        "units": _units(graph, channels, [(unique.index(each), each) for each in widths], sampled),
        "checks": [
            {"name": name, "widths": each, "milliseconds": float(np.median(sampled[unique.index(each)].whole))}
            for name, each in zip(names, checks, strict=True)
        ],
    }


def run_in_turns(sampled: Sequence[Sampled], rounds: int, progress: Progress) -> None:
    """Run networks ``rounds`` times, in turns."""
    for turn in range(rounds):
        # Who comes after whom changes, or one would always find the cache as the same other left it.
        for number, place in enumerate(np.random.default_rng(turn).permutation(len(sampled))):
            progress(f"Round {turn + 1} of {rounds}: network {number + 1} of {len(sampled)}")
            sampled[place].turn()


def _units(
    graph: Graph, channels: Channels, designed: Sequence[tuple[int, Widths]], sampled: Sequence[Sampled]
) -> list[dict[str, Any]]:
    """A row for each unit: the groups on which its time depends, and widths and milliseconds of every network."""
    times = [sampled[place].units() for place, _ in designed]
    names = list(dict.fromkeys(name for found in times for name in found))
    rows = []
    for name in names:
        nodes = [graph.by_name[layer] for layer in name.split() if layer in graph.by_name]
        # Between two layers of a unit there is a map that lies in registers: the widths on both ends decide.
        groups = list(dict.fromkeys(group for node in nodes for group in channels.touched(node)))
        rows.append(
            {
                "layers": name,
                "groups": groups,
                "widths": [[each[group] for group in groups] for _, each in designed],
                "milliseconds": [round(found.get(name, 0.0), 6) for found in times],
            }
        )
    return rows
