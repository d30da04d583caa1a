"""Runs the tests in two processes side by side: those of the node, which mostly wait, with a few more, and all others.

python tools/tests_in_two.py [ARGUMENTS FOR PYTEST...]

What the first says is shown when both have ended; the status is that of the one that fared worse.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile

FIRST = ("test/node", "test/runtime", "test/scene")
REST = ("test", *(f"--ignore={folder}" for folder in FIRST))
NO_TESTS = 5
"""Status of pytest where a selection leaves it nothing to do."""


def main(arguments: list[str]) -> int:
    """Run both, and return the status."""
    command = [sys.executable, "-m", "pytest", *arguments]
    with tempfile.TemporaryFile() as said:
        first = subprocess.Popen([*command, *FIRST], stdout=said, stderr=subprocess.STDOUT)
        rest = subprocess.call([*command, *REST])
        statuses = (first.wait(), rest)
        said.seek(0)
        sys.stdout.buffer.write(said.read())
        sys.stdout.flush()
    bad = [abs(status) for status in statuses if status not in (0, NO_TESTS)]
    return bad[0] if bad else min(statuses)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
