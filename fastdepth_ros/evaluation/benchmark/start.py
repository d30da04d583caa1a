"""Time and memory that a process takes to have an engine: `python -m ... MODULE START` prints it as JSON."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from fastdepth_ros.runtime.engines import open_engine
from fastdepth_ros.runtime.module import CompiledModule


def main() -> None:
    """Load the module, run once; START is the monotonic clock [s] when the parent started this process."""
    folder, start = sys.argv[1], float(sys.argv[2])
    engine = open_engine(CompiledModule.open(folder))
    ready = time.monotonic() - start
    engine.run()
    first = time.monotonic() - start
    status = Path("/proc/self/status").read_text(encoding="ascii")
    resident = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    found = {"ready_s": ready, "first_depth_s": first, "resident_mb": int(resident.split()[1]) * 1024 / 1e6}
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
