"""Runs the tests in a few processes side by side, each of which takes the next file until none is left.

python tools/tests_side_by_side.py [--workers N] [--beside COMMAND] [--remember] [ARGUMENTS FOR PYTEST...]

Most tests wait for a node to say or do something, so there are twice as many workers as processors. What they say is
shown as each ends; the last line sums them up, and the status is that of the worker that fared worst.

Up to three tests that failed are run once more, alone, and named. One that passes then is no fault of the package, but
of a test that a busy machine can upset: mend it.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TESTS_FAILED = 1
"""Status of pytest where tests failed."""

NO_TESTS = 5
"""Status of pytest where a selection leaves it nothing to do."""

SECONDS = Path(__file__).with_name("tests_seconds.json")

MOST_AGAIN = 3
"""Failed tests that get a second try; more are no accident."""

WORDS = {"passed": "passed", "failed": "failed", "error": "failed", "skipped": "skipped"}
"""pytest's outcomes -> what the last line calls them."""


def main(arguments: list[str]) -> int:
    """Run the workers, and return the status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0], allow_abbrev=False)
    parser.add_argument("--workers", type=int, default=2 * (os.cpu_count() or 1), help="processes [%(default)s]")
    parser.add_argument(
        "--remember", action="store_true", help="write down how long each file took, for the order of the next runs"
    )
    parser.add_argument("--beside", default="", metavar="COMMAND", help="another check, which has to end well, too")
    chosen, rest = parser.parse_known_args(arguments)
    began = time.monotonic()
    # What a script starts in the background ignores SIGINT, and so would all that tests start here and end by it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="tests-") as name:
        folder = Path(name)
        running = {start(number, folder, rest): f"worker {number}" for number in range(chosen.workers)}
        if chosen.beside:
            running[start_beside(chosen.beside, folder)] = chosen.beside
        statuses = {}
        while running:
            time.sleep(0.2)
            for process in [process for process in running if process.poll() is not None]:
                what = running.pop(process)
                statuses[what] = process.returncode
                show(what, log_of(what, folder))
        other = abs(statuses.pop(chosen.beside, 0))
        found = [json.loads(file.read_text(encoding="utf-8")) for file in folder.glob("*.json")]
        sums = dict.fromkeys(WORDS.values(), 0)
        for outcome, count in (item for each in found for item in each["sums"].items()):
            sums[WORDS[outcome]] += count
        bad = list(dict.fromkeys(name for each in found for name in each["bad"]))
        ill = {abs(status) for status in statuses.values()} - {0, NO_TESTS}
        if ill == {TESTS_FAILED} and len(bad) <= MOST_AGAIN and pass_alone(bad, folder):
            sums["passed"], sums["failed"], ill = sums["passed"] + len(bad), sums["failed"] - len(bad), set()
    if chosen.remember:
        remember({name: seconds for each in found for name, seconds in each["spent"].items()})
    sys.stdout.write(f"{time.monotonic() - began:.0f} s with {chosen.workers} workers\n")
    sys.stdout.write(", ".join(f"{count} {word}" for word, count in sums.items()) + "\n")
    ran = sum(sums.values()) > 0
    return max({*ill, other} - {0}, default=0 if ran else NO_TESTS)


def remember(spent: dict[str, float]) -> None:
    """Write down how long files took [s], below a second nothing."""
    rounded = {name: round(seconds) for name, seconds in sorted(spent.items()) if seconds >= 1}
    SECONDS.write_text(json.dumps(rounded, indent=1) + "\n", encoding="utf-8")


def pass_alone(names: list[str], folder: Path) -> bool:
    """Run a few tests once more, by themselves, and name them whatever comes of it."""
    sys.stdout.write("---- failed beside others, once more alone: " + " ".join(names) + "\n")
    sys.stdout.flush()
    passed = subprocess.run([sys.executable, "-m", "pytest", *names], env=environment_of(folder)).returncode == 0
    sys.stdout.write(f"---- {'passed' if passed else 'failed'} alone: " + " ".join(names) + "\n")
    return passed


def start_beside(command: str, folder: Path) -> subprocess.Popen:
    """Start the check that goes on beside the tests."""
    with log_of(command, folder).open("w") as log:
        return subprocess.Popen(shlex.split(command), stdout=log, stderr=subprocess.STDOUT)


def start(number: int, folder: Path, arguments: list[str]) -> subprocess.Popen:
    """Start a worker."""
    # No worker knows what part of the whole it has done.
    style = ("-o", "console_output_style=classic")
    command = [sys.executable, "-m", "pytest", "-p", "tools.tests_taken", *style, *arguments]
    environment = environment_of(folder) | {"TESTS_TAKEN": str(folder), "TESTS_WORKER": str(number)}
    with log_of(f"worker {number}", folder).open("w") as log:
        return subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)


def log_of(what: str, folder: Path) -> Path:
    """The file with what a process said."""
    return folder / f"{what.replace('/', '_')}.log"


def environment_of(folder: Path) -> dict[str, str]:
    """Make the environment of a worker.

    One cache serves all, so that a model is compiled once. A node that starts would compile the package's Python anew
    where nothing is kept of it, and hundreds start. Threads of NumPy's BLAS and of OpenCV would keep a processor busy
    for some time after each piece of work, in case of another, and take it from the other workers.
    """
    own = {
        "FASTDEPTH_CACHE": str(folder / "cache"),
        "OPENBLAS_NUM_THREADS": "1",
        "OPENCV_THREAD_POOL_ACTIVE_WAIT_MAIN": "0",
        "OPENCV_THREAD_POOL_ACTIVE_WAIT_WORKER": "0",
    }
    environment = {**own, **os.environ}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return environment


def show(what: str, log: Path) -> None:
    """Show what a process said, whatever bytes it said it in."""
    sys.stdout.flush()
    sys.stdout.buffer.write(f"---- {what}\n".encode() + log.read_bytes())
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
