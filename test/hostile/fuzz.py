"""Runs workers and looks after them: whichever a case ends, stalls or bloats is replaced, and the case kept."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from fastdepth_ros import children
from hostile import CHECKOUT, meter
from hostile.board import Board
from hostile.keep import keep
from hostile.table import BAD, Row, markdown

STALLED = 10.0
"""Time that a case may hold its worker before that is killed [s]; any case over a second is told of anyway."""

STALLED_APART = 300.0
"""The same for one that runs in a process of its own, whose wait for a processor nobody sees [s]. Its own limit is 60 s
of processor time."""

BLOATED = 8 << 30
"""Memory that a worker may use before it is killed [bytes]."""

START = 180.0
"""Time that a worker may take until its first case [s]."""

TURN = 120.0
"""Life of a worker [s]: what it leaks is not the next one's."""

LIVES = 5
"""Workers that a target may take with it; then it is left out, because the others would not get their turn."""


class Keeper:
    """Takes what workers say, and keeps each finding once.

    Attributes:
        rows: target -> what became of its cases.
        findings: (target, verdict, words) -> how often; ``files`` where the first of each is.
        deaths: target -> workers that it took with it.
    """

    def __init__(self, rows: dict[str, Row], folder: Path) -> None:
        self.rows, self.folder = rows, folder
        self.findings: Counter[tuple[str, str, str]] = Counter()
        self.files: dict[tuple[str, str, str], Path] = {}
        self.deaths: Counter[str] = Counter()

    def hear(self, line: str) -> None:
        """A line of a worker."""
        with contextlib.suppress(ValueError):
            said = json.loads(line)
            if "tally" in said:
                name, verdicts, slowest, largest, spent = said["tally"]
                row = self.rows[name]
                row.verdicts.update(verdicts)
                row.spent += spent
                row.slowest, row.largest = max(row.slowest, slowest), max(row.largest, largest)
            elif "finding" in said:
                name, verdict, words, data = said["finding"]
                self.found(name, verdict, words, bytes.fromhex(data))

    def found(self, name: str, verdict: str, words: str, data: bytes) -> None:
        """A case that did what it must not."""
        key = (name, verdict, words)
        self.findings[key] += 1
        if key not in self.files:
            self.files[key] = keep(self.folder, name, verdict, words, data)
            sys.stderr.write(f"{name}: {verdict}: {words} ({self.files[key]})\n")


class Hand:
    """One worker after the other.

    Args:
        number: of it.
        folder: of the run.
        names: of all targets, in the order in which boards count them.
        chosen: of its own.
        keeper: takes what it says.
        seed: of the run.
    """

    def __init__(
        self, number: int, folder: Path, names: list[str], chosen: list[str], keeper: Keeper, seed: str
    ) -> None:
        self.number, self._folder, self._names, self._keeper, self._seed = number, folder, names, keeper, seed
        self._chosen = chosen
        self._process: subprocess.Popen[str] | None = None
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._starts = 0
        self._killed = ""
        self._board = Board(folder / f"board{number}")

    def start(self, seconds: float, cases: int = 0) -> None:
        """Start a worker for so long, or for so many cases of each target."""
        self._starts += 1
        self._killed = ""
        self._board.clear()
        self._began = time.monotonic()
        order = [
            sys.executable,
            str(Path(__file__).parent),
            "worker",
            "--folder",
            str(self._folder),
            "--number",
            str(self.number),
        ]
        order += [
            "--seed",
            f"{self._seed}-{self.number}-{self._starts}",
            "--seconds",
            f"{seconds:.1f}",
            "--cases",
            str(cases),
            "--targets",
            ",".join(self._chosen),
        ]
        environment = children.environment(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")
        self._process = subprocess.Popen(
            order, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True, env=environment, cwd=CHECKOUT
        )
        self._listener = threading.Thread(target=self._listen, args=(self._process,), daemon=True)
        self._listener.start()

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self._lines.put(line)

    def look_after(self, until: float) -> bool:
        """Hear it, judge it, replace it; False when it has ended and there is no time for another."""
        if self._process is None:
            return False
        status = self._process.poll()
        if status is None:
            self._hear()
            self._judge(self._process.pid)
            return True
        self._listener.join()
        self._hear()
        if status:
            self._died(status)
        left = until - time.monotonic()
        if left > 2 and self._starts < 500:
            self._chosen = [name for name in self._chosen if self._keeper.deaths[name] < LIVES]
            if self._chosen:
                self.start(min(TURN, left))
                return True
        self._process = None
        return False

    def _hear(self) -> None:
        while not self._lines.empty():
            self._keeper.hear(self._lines.get())

    def _judge(self, process: int) -> None:
        entry = self._board.read()
        if entry.target:
            held = time.monotonic() - entry.begun - max(0.0, meter.run_delay(process) - entry.delay)
            if held > self._patience(self._names[entry.target - 1]):
                self._kill("hang")
        elif entry.number == 0 and time.monotonic() - self._began > START:
            self._kill("start")
        if meter.resident(process) > BLOATED:
            self._kill("large")

    @staticmethod
    def _patience(name: str) -> float:
        from hostile.targets import ALL

        return STALLED_APART if ALL[name].apart else STALLED

    def _kill(self, why: str) -> None:
        self._killed = why
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def _died(self, status: int) -> None:
        """A worker that did not end by itself: its board says which case it was."""
        entry = self._board.read()
        if not entry.target:
            words = f"a worker ended with status {status} outside of a case"
            sys.stderr.write(f"{words}; see {self._folder}/stderr{self.number}\n")
            self._keeper.findings["worker", "crash", words] += 1
            return
        name = self._names[entry.target - 1]
        verdict = self._killed or "crash"
        words = (
            f"killed after {self._patience(name):g} s"
            if verdict == "hang"
            else f"signal {signal.Signals(-status).name if status < 0 else status}"
        )
        place = _place(self._folder / f"trace{self.number}")
        self._keeper.rows[name].verdicts[verdict] += 1
        self._keeper.deaths[name] += 1
        self._keeper.found(name, verdict, f"{words} {place}".strip(), entry.data)

    def end(self) -> None:
        """End the worker that runs."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()


def _place(trace: Path) -> str:
    """Place where faulthandler says that a process was: the first line of the project."""
    with contextlib.suppress(OSError, ValueError):
        for line in trace.read_text().splitlines():
            if "fastdepth_ros" in line and "File" in line:
                file = line.split('"')[1].rpartition("fastdepth_ros/")[2]
                return f"at {file}:{line.split('line ')[1].split()[0]}"
    return ""


def run(minutes: float, workers: int, chosen: list[str], seed: str, out: Path, live: bool) -> tuple[Keeper, str]:
    """Fuzz for so long, and return what was found, and the table."""
    from hostile.targets import ALL

    shm = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="hostile-", dir=shm if shm.is_dir() and os.access(shm, os.W_OK) else None))
    rows = {name: Row(ALL[name].kind) for name in chosen}
    keeper = Keeper(rows, out)
    compile_once(folder)
    until = time.monotonic() + 60 * minutes
    hands = [Hand(number, folder, list(ALL), chosen, keeper, seed) for number in range(workers)]
    beside = _start_live(minutes, out, folder, seed) if live else None
    try:
        for hand in hands:
            hand.start(min(TURN, 60 * minutes))
        while _any_left(hands, until) and time.monotonic() < until + START:
            time.sleep(0.1)
        for hand in hands:
            hand.look_after(0)
        said = beside.communicate(timeout=600)[0] if beside else ""
    finally:
        for hand in hands:
            hand.end()
        if beside is not None and beside.poll() is None:
            beside.kill()
        complaints = sum(file.stat().st_size for file in folder.glob("stderr*"))
        shutil.rmtree(folder, ignore_errors=True)
    text = markdown(rows)
    text += f"\nThe decoders wrote {complaints / 1e6:.1f} MB of their own complaints to stderr.\n"
    if beside is not None:
        text += f"\n{said}"
        if beside.returncode:
            keeper.findings["live", "crash", f"status {beside.returncode}"] += 1
    return keeper, text + _findings(keeper)


def compile_once(folder: Path) -> None:
    """Have the shipped model compiled for this machine, for whoever runs it here; in a cache of its own."""
    from fastdepth_ros.models import find_bundle
    from fastdepth_ros.runtime.cache import module_for

    os.environ.setdefault("FASTDEPTH_CACHE", str(folder / "cache"))
    module_for(find_bundle())


def _any_left(hands: list[Hand], until: float) -> bool:
    left = [hand.look_after(until) for hand in hands]  # all of them, whichever are left
    return any(left)


def run_cases(cases: int, chosen: list[str], seed: str, out: Path, folder: Path) -> Keeper:
    """So many cases of each target, in one worker; the first that ends it is the last."""
    from hostile.targets import ALL

    folder.mkdir(parents=True, exist_ok=True)
    compile_once(folder)
    keeper = Keeper({name: Row(ALL[name].kind) for name in chosen}, out)
    hand = Hand(0, folder, list(ALL), chosen, keeper, seed)
    try:
        hand.start(0, cases)
        while hand.look_after(0):
            time.sleep(0.05)
    finally:
        hand.end()
    return keeper


def _start_live(minutes: float, out: Path, folder: Path, seed: str) -> subprocess.Popen[str]:
    order = [
        sys.executable,
        str(Path(__file__).parent),
        "live",
        "--minutes",
        str(minutes),
        "--out",
        str(out),
        "--seed",
        seed,
    ]
    order += ["--folder", str(folder / "live")]
    return subprocess.Popen(order, stdout=subprocess.PIPE, text=True, cwd=CHECKOUT, env=children.environment())


def _findings(keeper: Keeper) -> str:
    lines = [
        f"- {name}: {verdict}: {words}: {keeper.files.get((name, verdict, words), '')}"
        for name, verdict, words in sorted(keeper.findings)
    ]
    return "\n" + "\n".join(lines) + "\n" if lines else ""


def main(arguments: list[str]) -> int:
    from hostile.targets import ALL

    options = argparse.ArgumentParser("python test/hostile fuzz", description=__doc__)
    options.add_argument("--minutes", type=float, default=20.0)
    options.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    options.add_argument("--targets", default=",".join(ALL), help="names with commas between them")
    options.add_argument("--seed", default=str(time.time_ns()))
    options.add_argument(
        "--out", type=Path, default=CHECKOUT / "build" / "fuzz", help="where inputs and the table are written"
    )
    options.add_argument("--no-live", action="store_true", help="without the node in a process of its own")
    given = options.parse_args(arguments)
    given.out.mkdir(parents=True, exist_ok=True)
    began = time.strftime("%Y-%m-%d")
    keeper, text = run(
        given.minutes, given.workers, given.targets.split(","), given.seed, given.out.resolve(), not given.no_live
    )
    machine = f"{platform.machine()}, Python {platform.python_version()}"
    head = f"`make fuzz MINUTES={given.minutes:g}`, {began}, {given.workers} workers, {machine}, seed {given.seed}\n\n"
    (given.out / "table.md").write_text(head + text, encoding="utf-8")
    sys.stdout.write(head + text)
    bad = sum(row.verdicts[verdict] for row in keeper.rows.values() for verdict in BAD)
    return 1 if bad or keeper.findings else 0
