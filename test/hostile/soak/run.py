"""A soak: the node, the processes around it, and a plan of what goes wrong when."""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from hostile import CHECKOUT, meter
from hostile.soak.operator import Operator
from hostile.soak.parts import NAMESPACE, PARTS
from hostile.soak.parts import main as play
from hostile.soak.readings import SETTLED, Ledger, Readings
from hostile.soak.verdict import Outcome, markdown

HERE = Path(__file__).resolve().parents[1]
CHANGES: dict[str, tuple[object, ...]] = {
    "depth_encoding": ("32FC1", "16UC1"), "output_size": ("native", "camera"), "cloud": ("xyz", "off", "xyzrgb"),
    "cloud_stride": (1, 2, 8), "max_rate": (0.0, 15.0, 100.0), "max_depth": (10.0, 5.0), "threads": (0, 1),
    "stale_after": (1.0, 2.0),
    "power_profile": ("max-n", "max-q"), "min_depth": (0.1, 0.5, 50.0), "diagnostics_period": (0.5, 1.0),
}  # fmt: skip
"""Settings that the operator changes while the node runs; some of it is refused, because it does not fit together.

The first value of each is the standard's.
"""

SAMPLE, CHANGE, KILL, HOG, HOG_LASTS, PHASE = 5.0, 7.0, 45.0, 60.0, 10.0, 60.0
"""Periods of what happens, and how long a hog lasts [s]."""

HASTE, HOG_HASTE = 10, 5
"""Settings change, and hogs come, so much more often until memory is to stand still: each setting leaves its buffers,
each thread that takes over from another its own, and places between them that nothing else fits into, until all were
there some times and beside each other."""

REST = 8.0
"""After a turn through the lifecycle with the standard's settings nothing is changed for so long [s]."""


class Cast:
    """The processes around the node.

    Attributes:
        kills: name -> how often it was killed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: list[tuple[str, subprocess.Popen[bytes]]] = []
        self.kills: Counter[str] = Counter()

    def start(self, *names: str) -> None:
        for name in names:
            order = [sys.executable, str(HERE), "soak", "--part", name, "--folder", str(self._folder)]
            log = (self._folder / f"{name}.log").open("ab")
            self._running.append((name, subprocess.Popen(order, stdout=log, stderr=log, cwd=CHECKOUT)))

    def process(self, name: str) -> int:
        """The first of its processes."""
        return next(process.pid for each, process in self._running if each == name)

    def kill(self, name: str, again: bool = True) -> None:
        """End one by SIGKILL, and start another."""
        for entry in [each for each in self._running if each[0] == name][:1]:
            self._running.remove(entry)
            entry[1].kill()
            entry[1].wait()
            self.kills[name] += name != "hog"
            if again:
                self.start(name)

    def end(self) -> None:
        """End all, in order."""
        for _, process in self._running:
            process.send_signal(signal.SIGINT)
        for _, process in self._running:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._running.clear()


def start_node(folder: Path) -> subprocess.Popen[bytes]:
    """The node, as ``ros2 run`` would start it."""
    order = [sys.executable, "-m", "fastdepth_ros.node", "--ros-args", "-r", f"__ns:={NAMESPACE}", "-p", "cloud:='xyz'"]
    return subprocess.Popen(order, stdout=(folder / "node.log").open("wb"), stderr=subprocess.STDOUT, cwd=CHECKOUT)


def soak(minutes: float, cycles: int, folder: Path, seed: str, kills: bool = True, comings: bool = True) -> str:
    """Run it all, and return the table; it ends with the verdict.

    Without ``kills`` no process around the node is ended, without ``comings`` the camera's publishers stay, too: the
    middleware keeps something of each process, and of each publisher, that leaves.
    """
    node, cast, rng = start_node(folder), Cast(folder), random.Random(seed)
    operator = Operator()
    outcome = Outcome(
        minutes, Readings(node.pid, folder / "samples.csv"), Ledger(), (0.0, 0.0, 0), cast.kills, [], None
    )
    try:
        operator.wait_for("active")
        cast.start("camera" if comings else "still_camera", "reader", "reader", "reader", "neighbours", "stranger")
        outcome.readings.plain = cast.process("reader")
        outcome.readings.take(operator)
        _endure(60 * minutes, operator, cast, outcome, folder, rng, kills and comings)
        cast.end()
        outcome.cycles = _cycle(cycles, operator, node.pid)
    except (TimeoutError, OSError, KeyboardInterrupt) as error:
        outcome.problem = f"{type(error).__name__}: {error}"
    finally:
        cast.end()
        outcome.status = _end(node)
    return markdown(outcome, folder)


def _endure(
    seconds: float, operator: Operator, cast: Cast, outcome: Outcome, folder: Path, rng: random.Random, kills: bool
) -> None:
    """The plan: every deed has its period."""
    start = time.monotonic()
    transports, rested = ["raw", "compressed"], 0.0

    def turn() -> None:
        """Raw and compressed in turns, through the lifecycle, and with the settings of the standard."""
        nonlocal rested
        outcome.ledger.close(operator, folder)
        transports.reverse()
        for name, (standard, *_) in CHANGES.items():
            operator.set(name, standard)
        if not operator.change("deactivate"):
            raise TimeoutError("the node cannot be made inactive")
        if reason := operator.set("image_transport", transports[0]):
            raise TimeoutError(reason)
        operator.change("activate")
        operator.statuses.clear()
        rested = time.monotonic() + REST

    def change() -> None:
        if rested:
            return
        name = rng.choice(tuple(CHANGES))
        if reason := operator.set(name, rng.choice(CHANGES[name])):
            outcome.refused.append(reason)

    def sample() -> None:
        outcome.readings.take(operator)
        outcome.ledger.note(operator)

    def hog() -> None:
        cast.start("hog", "hog")

    deeds = [(SAMPLE, sample), (CHANGE, change), (PHASE, turn), (HOG, hog)]
    haste = {change: HASTE, hog: HOG_HASTE}
    if kills:
        deeds.append((KILL, lambda: cast.kill("camera")))
        deeds.append((KILL * 1.3, lambda: cast.kill(rng.choice(("neighbours", "stranger")))))
    due = [period for period, _ in deeds]
    while (now := time.monotonic() - start) < seconds:
        for place, (period, deed) in enumerate(deeds):
            if now >= due[place]:
                due[place] += period / (haste.get(deed, 1) if now < SETTLED else 1)
                deed()
        quick = HOG_HASTE if now < SETTLED else 1
        if now % (HOG / quick) > HOG_LASTS / quick:
            cast.kill("hog", again=False)
            cast.kill("hog", again=False)
        operator.spin(0.2)
        if rested and time.monotonic() > rested:
            rested = 0.0
            outcome.readings.take(operator, transports[0])
    outcome.ledger.close(operator, folder)


def _cycle(count: int, operator: Operator, process: int) -> tuple[float, float, int]:
    """Clean up and configure so often; memory before and after [MB]."""
    operator.wait_for("active")
    operator.change("deactivate")

    def once() -> None:
        for transition in ("cleanup", "configure"):
            if not operator.change(transition):
                raise TimeoutError(f"{transition} failed")

    for _ in range(min(5, count)):  # what the first ones leave is not a leak
        once()
    before = meter.resident(process) / 1e6
    for _ in range(count):
        once()
    return before, meter.resident(process) / 1e6, count


def _end(node: subprocess.Popen[bytes]) -> int:
    if node.poll() is None:
        node.send_signal(signal.SIGINT)
    try:
        return node.wait(30)
    except subprocess.TimeoutExpired:
        node.kill()
        return node.wait()


def main(arguments: list[str]) -> int:
    options = argparse.ArgumentParser("python test/hostile soak", description=__doc__)
    options.add_argument("--minutes", type=float, default=60.0)
    options.add_argument("--cycles", type=int, default=200)
    options.add_argument(
        "--kills", action=argparse.BooleanOptionalAction, default=True, help="end processes around the node"
    )
    options.add_argument(
        "--comings",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="publishers come and go; without, nothing is ended",
    )
    options.add_argument("--seed", default=str(time.time_ns()))
    options.add_argument("--out", type=Path, default=CHECKOUT / "build" / "soak")
    options.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    options.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = options.parse_args(arguments)
    if given.part:
        return play(given.part, given.folder)
    from fastdepth_ros.demo.graph import enter_graph

    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    enter_graph(folder)
    os.environ.setdefault("FASTDEPTH_CACHE", str(folder / "cache"))
    began = time.strftime("%Y-%m-%d")
    text = soak(given.minutes, given.cycles, folder, given.seed, given.kills, given.comings)
    text = f"`make soak MINUTES={given.minutes:g}`, {began}, {os.cpu_count()} processors, seed {given.seed}\n\n{text}"
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "table.md").write_text(text, encoding="utf-8")
    for name in ("samples.csv", "node.log"):
        shutil.copy(folder / name, given.out / name)
    shutil.rmtree(folder, ignore_errors=True)
    sys.stdout.write(text)
    return 0 if "Verdict: good" in text else 1
