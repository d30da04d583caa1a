"""``fastdepth bench``: how fast the network is here, beside other runtimes."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from fastdepth_ros.errors import SettingError
from fastdepth_ros.evaluation.benchmark import tables
from fastdepth_ros.evaluation.benchmark.rounds import Bench
from fastdepth_ros.evaluation.benchmark.runtimes import PEERS
from fastdepth_ros.models import DEFAULT, find_bundle
from fastdepth_ros.runtime import processor
from fastdepth_ros.runtime.cache import module_for

PEER_PYTHON = Path(".venv-bench/bin/python")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("bundle", nargs="?", default=DEFAULT, help=f"name or folder of a bundle (default: {DEFAULT})")
    parser.add_argument("--target", default="host", help="compile for this target (default: host)")
    parser.add_argument("--against", default="", metavar="LIST", help=f"other runtimes, by comma: {', '.join(PEERS)}")
    parser.add_argument("--peer-python", type=Path, metavar="PATH", help=f"their interpreter (default: {PEER_PYTHON})")
    parser.add_argument("--threads", metavar="LIST", help="numbers of threads, by comma (default: 1 and all cores)")
    parser.add_argument("--rounds", type=int, default=5, help="turns that each runtime gets (default: 5)")
    parser.add_argument("--seconds", type=float, default=1.0, help="length of a turn (default: 1)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure to FILE")


def run(args: argparse.Namespace) -> int:
    """Measure, and print what was found."""
    peers = [name for name in args.against.split(",") if name]
    if unknown := sorted(set(peers) - PEERS.keys()):
        raise SettingError(f"there is no runtime {unknown[0]!r}", f"Choose of {', '.join(PEERS)}.")
    threads = [int(n) for n in args.threads.split(",")] if args.threads else sorted({1, processor.cores()})
    peer_python = args.peer_python or (PEER_PYTHON if PEER_PYTHON.exists() else Path(sys.executable))
    console, errors = Console(), Console(stderr=True)
    bundle = find_bundle(args.bundle)
    module = module_for(bundle, args.target)
    with tempfile.TemporaryDirectory() as folder, errors.status("Preparing") as status:
        bench = Bench(bundle, module, peers, peer_python.absolute(), Path(folder))
        comparison = bench.compare(threads, args.rounds, args.seconds, status.update)
    report = tables.report(bundle, module, comparison)
    tables.show(console, report)
    if args.json:
        args.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    return 0
