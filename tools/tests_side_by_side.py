"""Runs the tests in a few processes side by side, each of which takes the next file until none is left.

python tools/tests_side_by_side.py [--workers N] [ARGUMENTS FOR PYTEST...]

Most tests wait for a node to say or do something, so there are twice as many workers as processors. What they say is
shown as each ends; the last line sums them up, and the status is that of the worker that fared worst.

Up to three tests that failed are run once more, alone, and named. One that passes then is no fault of the package, but
of a test that a busy machine can upset: mend it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TESTS_FAILED = 1
"""Status of pytest where tests failed."""

NO_TESTS = 5
"""Status of pytest where a selection leaves it nothing to do."""

MOST_AGAIN = 3
"""Failed tests that get a second try; more are no accident."""

WORDS = {"passed": "passed", "failed": "failed", "error": "failed", "skipped": "skipped"}
"""pytest's outcomes -> what the last line calls them."""


def main(arguments: list[str]) -> int:
    """Run the workers, and return the status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0], allow_abbrev=False)
    parser.add_argument("--workers", type=int, default=2 * (os.cpu_count() or 1), help="processes [%(default)s]")
    chosen, rest = parser.parse_known_args(arguments)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tests-") as name:
        folder = Path(name)
        workers = {start(number, folder, rest): number for number in range(chosen.workers)}
        statuses = []
        while workers:
            time.sleep(0.2)
            for process in [process for process in workers if process.poll() is not None]:
                statuses.append(process.returncode)
                show(folder, workers.pop(process))
        found = [json.loads(file.read_text(encoding="utf-8")) for file in folder.glob("*.json")]
        sums = dict.fromkeys(WORDS.values(), 0)
        for outcome, count in (item for each in found for item in each["sums"].items()):
            sums[WORDS[outcome]] += count
        bad = list(dict.fromkeys(name for each in found for name in each["bad"]))
        ill = {abs(status) for status in statuses} - {0, NO_TESTS}
        if ill == {TESTS_FAILED} and len(bad) <= MOST_AGAIN and pass_alone(bad, folder):
            sums["passed"], sums["failed"], ill = sums["passed"] + len(bad), sums["failed"] - len(bad), set()
    sys.stdout.write(f"{time.monotonic() - began:.0f} s with {chosen.workers} workers\n")
    sys.stdout.write(", ".join(f"{count} {word}" for word, count in sums.items()) + "\n")
    ran = sum(sums.values()) > 0
    return max(ill, default=0 if ran else NO_TESTS)


def pass_alone(names: list[str], folder: Path) -> bool:
    """Run a few tests once more, by themselves, and name them whatever comes of it."""
    sys.stdout.write("---- failed beside others, once more alone: " + " ".join(names) + "\n")
    sys.stdout.flush()
    passed = subprocess.run([sys.executable, "-m", "pytest", *names], env=environment_of(folder)).returncode == 0
    sys.stdout.write(f"---- {'passed' if passed else 'failed'} alone: " + " ".join(names) + "\n")
    return passed


def start(number: int, folder: Path, arguments: list[str]) -> subprocess.Popen:
    """Start a worker."""
    # No worker knows what part of the whole it has done.
    style = ("-o", "console_output_style=classic")
    command = [sys.executable, "-m", "pytest", "-p", "tools.tests_taken", *style, *arguments]
    environment = environment_of(folder) | {"TESTS_TAKEN": str(folder), "TESTS_WORKER": str(number)}
    with (folder / f"{number}.log").open("w") as log:
        return subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)


def environment_of(folder: Path) -> dict[str, str]:
    """Make the environment of a worker.

    One cache serves all, so that a model is compiled once. A node that starts would compile the package's Python anew
    where nothing is kept of it, and hundreds start. Threads of NumPy's BLAS would keep a processor busy for some time
    after each product, in case of another, and take it from the other workers.
    """
    environment = {"FASTDEPTH_CACHE": str(folder / "cache"), "OPENBLAS_NUM_THREADS": "1", **os.environ}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return environment


def show(folder: Path, number: int) -> None:
    """Show what a worker said, whatever bytes it said it in."""
    sys.stdout.flush()
    sys.stdout.buffer.write(f"---- worker {number}\n".encode() + (folder / f"{number}.log").read_bytes())
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
