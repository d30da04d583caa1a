"""``python -m fastdepth_ros.doctor.trial MODULE``: run a module some times and tell how it went, as JSON."""

from __future__ import annotations

import json
import statistics
import sys
import time
from pathlib import Path

import numpy as np

from fastdepth_ros.children import end_with_parent
from fastdepth_ros.runtime.engines import open_engine
from fastdepth_ros.runtime.module import CompiledModule

RUNS = 10


def main(folder: str) -> dict[str, object]:
    """Run the module in a folder on noise."""
    engine = open_engine(CompiledModule.open(folder))
    engine.input[:] = np.random.default_rng(0).integers(0, 256, engine.input.shape, np.uint8)
    times = []
    for _ in range(RUNS + 1):
        start = time.perf_counter()
        depth = engine.run()
        times.append(time.perf_counter() - start)
    status = Path("/proc/self/status").read_text(encoding="ascii")
    resident = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return {
        "median_ms": statistics.median(times[1:]) * 1e3,
        "threads": engine.threads,
        "resident_mb": int(resident.split()[1]) // 1024,
        "sensible": bool(np.isfinite(depth).all() and (depth >= 0).all()),
    }


if __name__ == "__main__":
    end_with_parent()
    sys.stdout.write(json.dumps(main(sys.argv[1])))
