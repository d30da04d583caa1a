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
from typing import Any

import numpy as np

WARM_UP_S = 0.3
"""Long enough for caches, branch predictors, thread pools and the processor's clock to settle."""


def main() -> None:
    """Load, warm up, time each run for a while."""
    parser = argparse.ArgumentParser()
    parser.add_argument("runtime", help="'fastdepth', 'graph', or a name of runtimes.PEERS")
    parser.add_argument("model", type=Path, help="a module's folder, or the file that the runtime reads")
    parser.add_argument("source", type=Path, help=".npy that the runtime reads")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--answer", type=Path, help=".npy to write the answer to")
    args = parser.parse_args()
    run = load(args.runtime, args.model, np.load(args.source), args.threads)
    answer = np.array(run(), copy=True).squeeze()
    if args.answer:
        np.save(args.answer, answer)
    times(run, WARM_UP_S)
    took: list[float] = []
    seconds = times(run, args.seconds, took)
    json.dump({"seconds": seconds, "processor_seconds": took, "version": version_of(args.runtime)}, sys.stdout)


def load(runtime: str, model: Path, source: Any, threads: int) -> Callable[[], Any]:
    """A function that runs the network once."""
    if runtime == "graph":
        from fastdepth_ros.runtime.graph_engine import GraphEngine
        from fastdepth_ros.runtime.graph_module import GraphModule

        graph = GraphEngine(GraphModule.open(model), threads)
        graph.input[:] = source
        return graph.run
    if runtime == "fastdepth":
        from fastdepth_ros.runtime.engines import open_engine
        from fastdepth_ros.runtime.module import CompiledModule

        engine = open_engine(CompiledModule.open(model), threads)
        engine.input[:] = source
        return engine.run
    from fastdepth_ros.evaluation.benchmark.runtimes import PEERS

    return PEERS[runtime].load(model, source, threads)


def times(run: Callable[[], Any], seconds: float, processor: list[float] | None = None) -> list[float]:
    """The duration of each run [s], for about so many seconds, at least five.

    Args:
        run: what is timed.
        seconds: about how long.
        processor: gets the processor time of each run [s], of all threads together; it hardly changes when other
            programs are running.
    """
    found: list[float] = []
    end = time.perf_counter() + seconds
    while len(found) < 5 or found[-1] + time.perf_counter() < end:
        began, start = time.process_time(), time.perf_counter()
        run()
        found.append(time.perf_counter() - start)
        if processor is not None:
            processor.append(time.process_time() - began)
    return found


def version_of(runtime: str) -> str:
    """The version of the package behind a runtime."""
    if runtime in ("fastdepth", "graph"):
        return version("apache-tvm")
    from fastdepth_ros.evaluation.benchmark.runtimes import PEERS

    return version(PEERS[runtime].package)


if __name__ == "__main__":
    main()
