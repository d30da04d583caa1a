"""Measures what watching the machine costs: ``python tools/watch_cost.py [--root DIR] [--seconds S]``.

Prints the part of a core that the watching thread takes, beside that of a thread which only wakes up as often: on a
processor that has slept since, that alone is not little.
"""

from __future__ import annotations

import argparse
import threading
import time
from pathlib import Path

from fastdepth_ros.power import PowerMonitor, load_profiles

RATE = 10
"""Rounds a second, as the node's."""


def waking(seconds: float) -> float:
    """Part of a core that a thread takes which wakes up RATE times a second and does nothing."""
    spent = []

    def sleep() -> None:
        before = time.thread_time()
        for _ in range(int(seconds * RATE)):
            time.sleep(1 / RATE)
        spent.append(time.thread_time() - before)

    thread = threading.Thread(target=sleep)
    thread.start()
    thread.join()
    return spent[0] / seconds


def told(monitor: PowerMonitor) -> tuple[float, float]:
    """Processor time that watching has cost so far [s], at the moment when that is told, and that moment [s]."""
    before = monitor.sampler.cost
    while monitor.sampler.cost == before:
        time.sleep(0.005)
    return monitor.sampler.cost, time.monotonic()


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, default=Path("/"), help="where the board's sys and etc are (default: /)")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long (default: 10)")
    args = parser.parse_args()
    monitor = PowerMonitor(load_profiles()["max-n"], args.root)
    monitor.start()
    monitor.wait()
    before, begun = told(monitor)
    time.sleep(args.seconds)
    after, ended = told(monitor)
    share = (after - before) / (ended - begun)
    monitor.stop()
    bare = waking(args.seconds)
    print(f"watching {share:.3%} of a core; waking up {RATE} times a second alone {bare:.3%}")  # noqa: T201


if __name__ == "__main__":
    main()
