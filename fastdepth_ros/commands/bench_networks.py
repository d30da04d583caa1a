"""``fastdepth bench --network``: how fast networks of the papers are here, with weights of noise; --int8 adds int8."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fastdepth_ros.commands.terminal import Terminal
from fastdepth_ros.errors import SettingError
from fastdepth_ros.evaluation.benchmark import network_report
from fastdepth_ros.evaluation.benchmark.network_rounds import PEERS, Job, NetworkBench, measure
from fastdepth_ros.network.entries import entry
from fastdepth_ros.network.sizes import sizes
from fastdepth_ros.runtime.precision import FLOAT16, INT8


def job(name: str, width: int | None = None, height: int | None = None) -> Job:
    """The entry of that name, at its own size or another.

    Raises:
        NetworkError: there is none, or it cannot take a picture of that size.
    """
    found = entry(name)
    made = Job(found.name, found.graph, height or found.height, width or found.width)
    sizes(made.graph, made.height, made.width)
    return made


def run(args: argparse.Namespace, threads: Sequence[int], pythons: dict[str, Path], console: Terminal) -> Any:
    """Measure the networks of ``args.network``, which take turns, and print what was found.

    Returns:
        A report for each network.
    """
    for peer in pythons:
        if peer not in PEERS:
            cause = f"{peer} reads no graph that `fastdepth bench --network` could write"
            raise SettingError(cause, f"Choose of {', '.join(PEERS)}.")
    if args.precision == FLOAT16:
        raise SettingError("graphs have no kernels in float16", "Leave --precision out, or give float32 or int8.")
    jobs = [job(name) for name in args.network.split(",") if name]
    with tempfile.TemporaryDirectory() as scratch, Terminal(stderr=True).status("Preparing") as status:
        folder = Path(scratch)
        int8, said = args.precision == INT8, status.update
        benches = [
            NetworkBench(each, args.target, pythons, folder / str(number), folder / "objects", int8=int8, progress=said)
            for number, each in enumerate(jobs)
        ]
        measure(benches, threads, args.rounds, args.seconds, status.update)
    found = [network_report.report(bench, args.target) for bench in benches]
    network_report.show(console, found)
    return found
