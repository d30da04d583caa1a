"""Times one runtime in a process of its own; prints what it found as JSON.

Runs in this package's environment for the compiled module and in that of the other runtimes for those.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fastdepth_ros.evaluation.benchmark.graph import floats
from fastdepth_ros.evaluation.benchmark.names import FLOAT32
from fastdepth_ros.evaluation.benchmark.runtimes import PEERS, Ready

WARM_UP_S = 0.3
"""Long enough for caches, branch predictors, thread pools and the processor's clock to settle."""

OURS, OUR_GRAPH = "fastdepth", "graph"
OWN = (OURS, OUR_GRAPH)
"""Modules of this package: of FastDepth, and of any graph."""


def main() -> None:
    """Load, warm up, time each run for a while."""
    parser = argparse.ArgumentParser()
    parser.add_argument("runtime", help="'fastdepth', 'graph', or a name of runtimes.PEERS")
    parser.add_argument("model", type=Path, help="a module's folder, or the file that the runtime reads")
    parser.add_argument("source", type=Path, help=".npy: a picture (h, w, 3) uint8 RGB, or what the model reads")
    parser.add_argument("--way", default=FLOAT32)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--answer", type=Path, help=".npy to write the answer to")
    args = parser.parse_args()
    network = load(args.runtime, args.model, readable(args.runtime, np.load(args.source)), args.threads, args.way)
    answer = np.array(network.metres(network.run()), copy=True).squeeze()
    if args.answer:
        np.save(args.answer, answer)
    times(network.run, WARM_UP_S, least=1)
    taken = times(network.run, args.seconds)
    found = {"version": version_of(args.runtime), "precision": network.precision}
    json.dump({"seconds": taken.clock, "processor_seconds": taken.processor, **found}, sys.stdout)


def readable(runtime: str, source: Any) -> Any:
    """A picture as a runtime takes it: a compiled module its bytes, the others floats. All else stays as it is."""
    return floats(source) if runtime not in OWN and source.dtype == np.uint8 else source


def load(runtime: str, model: Path, source: Any, threads: int, way: str) -> Ready:
    """The network, loaded by a runtime, with ``source`` as its picture."""
    if runtime == OUR_GRAPH:
        return load_graph(model, source, threads)
    if runtime != OURS:
        return PEERS[runtime].load(model, source, threads, way)
    from fastdepth_ros.runtime.engines import open_engine
    from fastdepth_ros.runtime.module import CompiledModule

    module = CompiledModule.open(model)
    engine = open_engine(module, threads)

    def put(new: Any) -> None:
        engine.input[:] = new

    put(source)
    return Ready(put, engine.run, module.description.precision)


def load_graph(model: Path, source: Any, threads: int) -> Ready:
    """A graph's module of ours, with ``source`` as its picture."""
    from fastdepth_ros.runtime.graph_engine import GraphEngine
    from fastdepth_ros.runtime.graph_module import GraphModule

    module = GraphModule.open(model)
    engine = GraphEngine(module, threads)

    def put(new: Any) -> None:
        engine.input[:] = new

    put(source)
    return Ready(put, engine.run, module.program.precision)


class Times(NamedTuple):
    """Times of runs [s].

    Attributes:
        clock: duration of each.
        processor: time that each took of all cores together. Other programs hardly change it.
    """

    clock: list[float]
    processor: list[float]


def times(run: Callable[[], Any], seconds: float, least: int = 5) -> Times:
    """The times of each run, for about so many seconds, and of ``least`` runs however long they take."""
    found = Times([], [])
    end = time.perf_counter() + seconds
    while len(found.clock) < least or found.clock[-1] + time.perf_counter() < end:
        processor, start = time.process_time(), time.perf_counter()
        run()
        found.clock.append(time.perf_counter() - start)
        found.processor.append(time.process_time() - processor)
    return found


def version_of(runtime: str) -> str:
    """The version of the package behind a runtime."""
    return version("apache-tvm" if runtime in OWN else PEERS[runtime].package)


if __name__ == "__main__":
    main()
