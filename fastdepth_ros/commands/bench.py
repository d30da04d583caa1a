"""``fastdepth bench``: how fast the network is here, beside other runtimes."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fastdepth_ros.cameras import MOST
from fastdepth_ros.commands.numbers import seconds
from fastdepth_ros.commands.terminal import Terminal
from fastdepth_ros.errors import SettingError
from fastdepth_ros.evaluation import power_table
from fastdepth_ros.evaluation.benchmark import aims, layers, plot, tables
from fastdepth_ros.evaluation.benchmark.names import WAYS
from fastdepth_ros.evaluation.benchmark.processes import start
from fastdepth_ros.evaluation.benchmark.rounds import Bench, compare
from fastdepth_ros.evaluation.benchmark.runtimes import PEERS
from fastdepth_ros.files.writing import write_output
from fastdepth_ros.models import DEFAULT, find_bundle
from fastdepth_ros.runtime import processor
from fastdepth_ros.runtime.bundle import Bundle, write_bundle
from fastdepth_ros.runtime.cache import module_for
from fastdepth_ros.runtime.late import prepare_anchors
from fastdepth_ros.runtime.module import CompiledModule
from fastdepth_ros.runtime.precision import AUTO, INT8, choose
from fastdepth_ros.settings import LIMITS

PLOTS = (".png", ".svg")
WIDTH = 132
"""Columns of the tables in a file or a pipe."""

PEER_PYTHON = Path(".venv-bench/bin/python")
TORCH_PYTHON = Path(".venv-train/bin/python")
"""Torch is where it trains; with it another gigabyte would go into each of two environments."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("bundle", nargs="?", default=DEFAULT, help=f"name or folder of a bundle (default: {DEFAULT})")
    parser.add_argument(
        "--network", metavar="LIST", help="only networks of the papers, by comma (`fastdepth networks list`)"
    )
    parser.add_argument("--target", default="host", help="compile for this target (default: host)")
    parser.add_argument("--against", default="", metavar="LIST", help=f"other runtimes, by comma: {', '.join(PEERS)}")
    parser.add_argument(
        "--ways",
        default=",".join(WAYS),
        metavar="LIST",
        help="of theirs: held to float32, as each one comes, quantised by its own tool (default: %(default)s)",
    )
    interpreters = f"{PEER_PYTHON}; torch: {TORCH_PYTHON}"
    parser.add_argument(
        "--peer-python",
        type=Path,
        metavar="PATH",
        help=f"their interpreter (default: {interpreters})",
    )
    parser.add_argument("--threads", metavar="LIST", help="numbers of threads, by comma (default: 1 and all cores)")
    parser.add_argument("--rounds", type=int, default=5, help="turns that each runtime gets (default: 5)")
    parser.add_argument("--seconds", type=seconds, default=1.0, help="length of a turn (default: 1)")
    parser.add_argument("--sizes", metavar="LIST", help="sides of the input, multiples of 32, by comma")
    parser.add_argument("--layers", action="store_true", help="only where the time goes, kernel by kernel")
    parser.add_argument("--engine-only", action="store_true", help="only start-up time and memory of the engine")
    parser.add_argument(
        "--frame", action="store_true", help="only start-up, memory and what a frame costs beside the network"
    )
    parser.add_argument(
        "--cameras",
        type=int,
        metavar="N",
        help="only a node of N cameras beside one of a single: answers, ages, memory",
    )
    parser.add_argument(
        "--precision",
        choices=LIMITS["precision"].choices,
        default=AUTO,
        help="of the network; beside other runtimes float32 is measured, too (default: %(default)s)",
    )
    parser.add_argument("--int8", action="store_const", const=INT8, dest="precision", help="as --precision int8")
    parser.add_argument("--power", action="store_true", help="only the paper's table 2 for this machine: watts, joules")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the comparison to FILE (.png or .svg)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure to FILE")


def run(args: argparse.Namespace) -> int:
    """Measure, and print what was found."""
    if args.cameras is not None and not 1 <= args.cameras <= MOST:
        raise SettingError(f"--cameras is {args.cameras}", f"Give 1 to {MOST}.")
    if args.plot and (args.engine_only or args.frame or args.cameras or args.power or args.layers or args.network):
        raise SettingError("--plot draws the comparison", "Leave out what asks for other figures only.")
    if args.plot and args.plot.suffix not in PLOTS:
        raise SettingError(f"{args.plot} is no picture", f"End its name in {' or '.join(PLOTS)}.")
    threads = numbers(args.threads, "threads") if args.threads else sorted({1, processor.cores()})
    console = Terminal()
    if not console.is_terminal:
        console = Terminal(width=WIDTH)
    found: Any
    if args.network:
        from fastdepth_ros.commands import bench_networks

        found = bench_networks.run(args, threads, pythons_of(args), console)
        _write(args.json, found)
        return 0
    bundle = find_bundle(args.bundle)
    if args.engine_only:
        found = _engine_only(bundle, args)
        tables.show_start(console, found)
    elif args.frame:
        found = _frame(bundle, args)
        aims.show(console, found["rows"])
    elif args.cameras:
        found = _cameras(bundle, args, console)
    elif args.power:
        with Terminal(stderr=True).status("Preparing") as status:
            found = power_table.measure(_module(bundle, args), args.rounds * args.seconds, status.update)
        power_table.show(console, found)
    elif args.layers:
        _ = bundle.manifest.table  # their names are looked up there
        module = _module(bundle, args)
        found = [layers.rows(module, count, args.seconds * args.rounds) for count in threads]
        for rows in found:
            tables.show_layers(console, rows)
    else:
        with tempfile.TemporaryDirectory() as scratch:
            bundles = _resized(bundle, args.sizes, Path(scratch)) if args.sizes else [bundle]
            found = _compare(bundles, threads, args, Path(scratch))
        for report in found:
            tables.show_comparison(console, report)
        if args.sizes:
            tables.show_sizes(console, found)
        if args.plot:
            plot.draw(args.plot, found)
    _write(args.json, found)
    return 0


def _write(file: Path | None, found: Any) -> None:
    if file:
        write_output(file, json.dumps(found, indent=2) + "\n")


def pythons_of(args: argparse.Namespace) -> dict[str, Path]:
    """Runtime of ``--against`` -> the interpreter that has it.

    Raises:
        SettingError: there is no such runtime.
    """
    peers = [name for name in args.against.split(",") if name]
    if unknown := sorted(set(peers) - PEERS.keys()):
        raise SettingError(f"there is no runtime {unknown[0]!r}", f"Choose of {', '.join(PEERS)}.")
    return {name: _python_of(name, args.peer_python) for name in peers}


def _compare(
    bundles: Sequence[Bundle], threads: list[int], args: argparse.Namespace, scratch: Path
) -> list[dict[str, Any]]:
    """A report for each bundle; they take turns."""
    ways = args.ways.split(",")
    if strange := sorted(set(ways) - set(WAYS)):
        raise SettingError(f"there is no way {strange[0]!r} to compute", f"Choose of {', '.join(WAYS)}.")
    pythons = pythons_of(args)
    if pythons and (graph := next((each.manifest for each in bundles if each.manifest.is_graph), None)):
        remedy = f"`fastdepth bench --network {graph.network.name} --against ...` compares its network."
        raise SettingError(f"{graph.name} is of a graph, and other runtimes get FastDepth's own networks", remedy)
    with Terminal(stderr=True).status("Preparing") as status:
        benches = []
        for number, bundle in enumerate(bundles):
            module = module_for(bundle, args.target)
            chosen = _module(bundle, args)
            other = chosen if chosen.description.precision != module.description.precision else None
            folder = scratch / f"bench-{number}"
            folder.mkdir()
            benches.append(Bench(bundle, module, pythons, folder, other, ways, progress=status.update))
        taken = chosen.description.precision
        comparisons = compare(benches, threads, args.rounds, args.seconds, status.update, taken)
    return [
        tables.comparison_report(bench.module, comparison)
        for bench, comparison in zip(benches, comparisons, strict=True)
    ]


def _module(bundle: Bundle, args: argparse.Namespace) -> CompiledModule:
    """The module in the precision that was asked for, or in the one that is chosen where none was."""
    return module_for(bundle, args.target, choose(bundle, args.target, args.precision).precision)


def _python_of(peer: str, chosen: Path | None) -> Path:
    """The interpreter of the environment that has another runtime."""
    usual = TORCH_PYTHON if peer == "torch" else PEER_PYTHON
    return (chosen or (usual if usual.exists() else Path(sys.executable))).absolute()


def _engine_only(bundle: Bundle, args: argparse.Namespace) -> dict[str, Any]:
    """Start the engine in as many processes as there are rounds, one by one, and in one before that is not counted."""
    module = _module(bundle, args)
    found: dict[str, list[float]] = {}
    for turn in range(args.rounds + 1):
        text = start(Path(sys.executable), "start", [str(module.folder), repr(time.monotonic())])
        for key, value in json.loads(text).items() if turn else ():
            found.setdefault(key, []).append(value)
    spread = {key: {"min": min(values), "median": float(np.median(values))} for key, values in found.items()}
    return {"processor": processor.name(), "starts": args.rounds, **spread}


def _frame(bundle: Bundle, args: argparse.Namespace) -> dict[str, Any]:
    """Start-up, memory, and processor time of a frame of the node, in a ROS graph of its own."""
    from fastdepth_ros.demo.graph import enter_graph

    engine = _engine_only(bundle, args)
    with tempfile.TemporaryDirectory() as scratch, Terminal(stderr=True).status("Preparing") as status:
        folder = Path(scratch)
        # The graph is entered before ROS is loaded, for its libraries read the environment once.
        enter_graph(folder / "graph")
        from fastdepth_ros.evaluation.benchmark.frame_cost import CASES, RATE, measure

        prepare_anchors(bundle, args.target, _module(bundle, args).description.precision, status.update)
        frames = max(1, round(args.rounds * args.seconds * RATE))
        cases = measure(bundle.path, args.target, args.precision, CASES, frames, folder, status.update)
    return {"processor": processor.name(), "rows": aims.rows(engine, cases), "engine": engine, "cases": cases}


def _cameras(bundle: Bundle, args: argparse.Namespace, console: Terminal) -> dict[str, Any]:
    """Share answered, ages and memory of a node of several cameras, in a ROS graph of its own."""
    from fastdepth_ros.demo.graph import enter_graph

    precision = _module(bundle, args).description.precision
    with tempfile.TemporaryDirectory() as scratch, Terminal(stderr=True).status("Preparing") as status:
        folder = Path(scratch)
        enter_graph(folder / "graph")
        from fastdepth_ros.evaluation.benchmark import several_cameras

        module = {"model": str(bundle.path.resolve()), "target": args.target, "precision": args.precision}
        found = several_cameras.measure(module, args.cameras, args.rounds * args.seconds, folder, status.update)
    several_cameras.show(console, found)
    return {"processor": processor.name(), "precision": precision, "nodes": found}


def _resized(bundle: Bundle, sizes: str, scratch: Path) -> list[Bundle]:
    """The bundle with square inputs of other sizes: the same weights."""
    made = []
    for side in numbers(sizes, "sizes"):
        manifest = dataclasses.replace(bundle.manifest, input_width=side, input_height=side, files=None)
        made.append(write_bundle(scratch / str(side), manifest, bundle.weights()))
    return made


def numbers(text: str, name: str) -> list[int]:
    """Whole numbers of a list, separated by commas.

    Raises:
        SettingError: something else is there.
    """
    try:
        return [int(number) for number in text.split(",")]
    except ValueError as error:
        raise SettingError(f"--{name} is {text!r}", "Give whole numbers, separated by commas.") from error
