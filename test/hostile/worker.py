"""A process that runs cases, one after the other, until its time is up or one of them ends it.

It says on stdout, a line of JSON each, what became of them (:class:`Tally`), and what it found.
"""

from __future__ import annotations

import argparse
import faulthandler
import gc
import json
import os
import random
import shutil
import sys
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

from fastdepth_ros import children
from hostile.board import Board
from hostile.keep import minimise
from hostile.meter import Peak, Time, limit_memory
from hostile.target import Target

SLOWEST, LARGEST = 1.0, 500 << 20
"""Time and memory that a case may take [s, bytes]."""

ROOM = 4 << 30
"""Memory that it can take before it fails [bytes]; what was asked for and never used counts for nothing."""

SHARE_APART = 10
"""The others' cases to one of a target that has a process for each."""

SLICE, NEWS = 0.1, 0.5
"""Length of a target's turn, and period in which the parent hears [s]."""

ROOT = str(Path(__file__).resolve().parents[2] / "fastdepth_ros")


class Runner:
    """Runs cases of one target and judges each.

    Attributes:
        verdicts: what became of the cases -> how many.
        slowest, largest: what one of them took at most [s, bytes].
    """

    def __init__(self, target: Target, folder: Path) -> None:
        self.target = target
        folder.mkdir(parents=True, exist_ok=True)
        self._take = target.prepare(folder)
        self._time, self._peak = Time(), Peak()
        self.verdicts: Counter[str] = Counter()
        self.slowest, self.largest = 0.0, 0
        self.spent = self.told = 0.0

    def start(self) -> tuple[float, float, float]:
        self._peak.added()  # what it took to make the case is not the case's
        return self._time.start()

    def run(self, data: bytes, start: tuple[float, float, float] | None = None) -> tuple[str, str]:
        """Run a case.

        Returns:
            A verdict: ``accepted``, ``refused: CLASS``, or ``exception``, ``fooled``, ``slow`` or ``large``; and for
            the last four what is to be said of it, the same for cases of the same fault.
        """
        begun = start or self._time.start()
        verdict, words = self._judged(data)
        busy, held = self._time.since(begun)
        added = self._peak.added()
        took = busy if self.target.apart else max(busy, held)
        if took > SLOWEST and start is not None:
            took = self._again(data, took)
        self.slowest, self.largest = max(self.slowest, took), max(self.largest, added)
        if added > LARGEST:
            verdict, words = "large", f"{words or verdict}: over {LARGEST >> 20} MB"
        elif took > SLOWEST:
            verdict, words = "slow", f"{words or verdict}: over {SLOWEST:g} s"
        return verdict, words

    def _again(self, data: bytes, took: float) -> float:
        """Time and memory of a slow case that is tried again: once may have been the machine's fault."""
        for _ in range(2 if took < 10 else 0):
            begun = self._time.start()
            self._judged(data)
            busy, held = self._time.since(begun)
            took = min(took, busy if self.target.apart else max(busy, held))
        self._peak.added()
        return took

    def _judged(self, data: bytes) -> tuple[str, str]:
        from fastdepth_ros.errors import FastDepthError

        try:
            self._take(data)
        except FastDepthError as error:
            return f"refused: {type(error).__name__}", ""
        except AssertionError as error:
            return "fooled", f"{str(error)[:200]}"
        except BaseException as error:
            return "exception", _where(error)
        return "accepted", ""


def _where(error: BaseException) -> str:
    """Type of an exception, and the last line of the project that it went through."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(ROOT)]
    place = f"{Path(frames[-1].filename).relative_to(Path(ROOT).parent)}:{frames[-1].lineno}" if frames else "outside"
    return f"{type(error).__name__} at {place}"


def count_of(target: Target, cases: int) -> int:
    """Cases of a target where the others have so many: a process for each is some hundred times the work."""
    return -(-cases // SHARE_APART) if target.apart else cases


class Worker:
    """Shares the time among targets, and tells what it found."""

    def __init__(self, targets: list[Target], places: list[int], folder: Path, number: int) -> None:
        self.board = Board(folder / f"board{number}")
        self._runners = [Runner(target, folder / f"worker{number}" / target.name) for target in targets]
        self._places = places
        self._cases = 0
        self._found: Counter[tuple[str, str, str]] = Counter()

    def go(self, rng: random.Random, until: float) -> None:
        """Run cases until a time [s, monotonic]."""
        news = time.monotonic() + NEWS
        while (now := time.monotonic()) < until:
            runner, place = min(
                zip(self._runners, self._places, strict=True), key=lambda each: each[0].spent / each[0].target.share
            )
            self._turn(runner, place, rng, min(until, now + SLICE))
            runner.spent += time.monotonic() - now
            if time.monotonic() > news:
                self.tell()
                news = time.monotonic() + NEWS
        self.tell()

    def go_through(self, rng: random.Random, cases: int) -> None:
        """Run as many cases of each target as :func:`count_of` says, however long that takes."""
        for runner, place in zip(self._runners, self._places, strict=True):
            self._turn(runner, place, rng, float("inf"), count_of(runner.target, cases))
            self.tell()

    def _turn(self, runner: Runner, place: int, rng: random.Random, until: float, cases: int = 1 << 62) -> None:
        make, last = runner.target.make, self._cases + cases
        while time.monotonic() < until and self._cases < last:
            data = make(rng)
            self._cases += 1
            start = runner.start()
            self.board.begin(self._cases, place, *start, data)
            verdict, words = runner.run(data, start)
            self.board.end()
            runner.verdicts[verdict] += 1
            if words:
                self._finding(runner, verdict, words, data)

    def _finding(self, runner: Runner, verdict: str, words: str, data: bytes) -> None:
        key = (runner.target.name, verdict, words)
        self._found[key] += 1
        if self._found[key] == 1:
            small = minimise(runner.run, data, (verdict, words)) if verdict in ("exception", "fooled") else data
            _say(finding=[*key, small.hex()])

    def tell(self) -> None:
        """Say what became of the cases since the last time."""
        for runner in self._runners:
            if runner.verdicts:
                spent = runner.spent - runner.told
                _say(tally=[runner.target.name, dict(runner.verdicts), runner.slowest, runner.largest, spent])
                runner.told = runner.spent
                runner.verdicts.clear()
        gc.collect(0)


def _say(**words: Any) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


def prepare_process(folder: Path, number: int) -> None:
    """Keep this process small, quiet and away from the user's files."""
    os.environ["ROS_LOG_DIR"] = str(folder / "log")
    own = folder / f"worker{number}"
    shutil.rmtree(own, ignore_errors=True)
    (own / "tmp").mkdir(parents=True)
    os.environ["TMPDIR"] = str(own / "tmp")
    trace = (folder / f"trace{number}").open("w")
    faulthandler.enable(trace)
    # The decoders' own complaints: how many there are is told, and not what they say.
    os.dup2(os.open(folder / f"stderr{number}", os.O_WRONLY | os.O_CREAT | os.O_APPEND), 2)


def main(arguments: list[str]) -> int:
    options = argparse.ArgumentParser("worker")
    options.add_argument("--folder", type=Path, required=True)
    options.add_argument("--number", type=int, required=True)
    options.add_argument("--seed", required=True)
    options.add_argument("--seconds", type=float, default=60.0)
    options.add_argument("--cases", type=int, default=0, help="of each target (count_of), instead of seconds")
    options.add_argument("--targets", required=True)
    given = options.parse_args(arguments)
    prepare_process(given.folder, given.number)
    children.end_with_parent()
    import cv2

    from hostile.targets import ALL

    cv2.setNumThreads(1)
    names = list(ALL)
    chosen = given.targets.split(",")
    worker = Worker(
        [ALL[name] for name in chosen], [1 + names.index(name) for name in chosen], given.folder, given.number
    )
    os.chdir(given.folder / f"worker{given.number}")
    gc.freeze()
    limit_memory(ROOM)
    rng = random.Random(given.seed)
    if given.cases:
        worker.go_through(rng, given.cases)
    else:
        worker.go(rng, time.monotonic() + given.seconds)
    return 0
