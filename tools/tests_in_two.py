"""Runs the tests in two processes side by side: those of the node, which mostly wait, and all others.

python tools/tests_in_two.py [ARGUMENTS FOR PYTEST...]

What the second says is shown when both have ended; the status is that of the one that fared worse.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile

NODE, REST = ("test/node",), ("test", "--ignore=test/node")
NO_TESTS = 5
"""Status of pytest where a selection leaves it nothing to do."""


def main(arguments: list[str]) -> int:
    """Run both, and return the status."""
    command = [sys.executable, "-m", "pytest", *arguments]
    with tempfile.TemporaryFile() as said:
        node = subprocess.Popen([*command, *NODE], stdout=said, stderr=subprocess.STDOUT)
        rest = subprocess.call([*command, *REST])
        statuses = {node.wait(), rest}
        said.seek(0)
        sys.stdout.buffer.write(said.read())
        sys.stdout.flush()
    return max(statuses - {NO_TESTS}) if statuses != {NO_TESTS} else NO_TESTS


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
