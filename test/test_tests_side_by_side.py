"""The tests run side by side; one that others upset gets a second try, one that fails does not pass."""

from __future__ import annotations

import os
import runpy
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from slowly import again

TOOL = Path(__file__).parent.parent / "tools/tests_side_by_side.py"
UPSET_ONCE = """
from pathlib import Path

def test_{name}():
    tried = Path(__file__).with_suffix(".tried")
    upset, _ = not tried.exists(), tried.touch()
    assert not upset
"""


TAKEN = runpy.run_path(str(TOOL.with_name("tests_taken.py")))


def run(folder: Path, *options: str, workers: int = 1, **texts: str) -> tuple[int, list[str], str]:
    """Run files of these texts: status, last line's parts, and all that was said."""
    for name, text in texts.items():
        (folder / f"test_{name}.py").write_text(text)
    command = [sys.executable, TOOL, "--workers", str(workers), *options, "-p", "no:cacheprovider", folder]
    # Nothing that is installed beside pytest is needed, and all of it would be imported three times.
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, cwd=TOOL.parent.parent, env=environment, capture_output=True, text=True)
    return done.returncode, done.stdout.splitlines()[-1].split(", "), done.stdout


def test_all_files_are_run_and_summed_up(tmp_path):
    check = ("--beside", "sh -c 'echo it was looked at'")
    texts = {"one": "def test_a(): pass\ndef test_b(): pass", "two": "def test_c(): pass"}
    status, sums, said = run(tmp_path, *check, workers=2, **texts)
    assert status == 0, said
    assert "it was looked at" in said
    assert sums == ["3 passed", "0 failed", "0 skipped"]
    assert "alone" not in said


def test_processes_end_on_sigint_wherever_the_tests_were_started(tmp_path):
    """A script ignores it for what it starts in the background, and nodes that tests end by it would go on."""
    text = "import signal\ndef test_a(): assert signal.getsignal(signal.SIGINT) is signal.default_int_handler"
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        status, _, said = run(tmp_path, one=text)
    finally:
        signal.signal(signal.SIGINT, before)
    assert status == 0, said


def test_files_that_take_long_are_taken_first():
    names = ["test/a.py", "test/new.py", str(TOOL.parent.parent / "test/b.py"), "test/c.py", "/elsewhere/d.py"]
    seconds = {"test/a.py": 1, "test/b.py": 60, "test/c.py": 20}
    order = [names[2], names[3], names[1], names[4], names[0]]
    assert TAKEN["in_order"](names, seconds) == order


def test_a_check_beside_the_tests_has_to_end_well_and_is_tried_once(tmp_path):
    check = ("--beside", "sh -c 'echo it is wrong; exit 1'")
    status, sums, said = run(tmp_path, *check, one="def test_a(): pass")
    assert status == 1
    assert sums == ["1 passed", "0 failed", "0 skipped"]
    assert said.count("it is wrong") == 2, "in its name, and as it was said"
    assert "alone" not in said


def test_what_passes_alone_is_named_and_passes(tmp_path):
    status, sums, said = run(tmp_path, one=UPSET_ONCE.format(name="upset"), two="def test_c(): pass")
    assert status == 0, said
    assert sums == ["2 passed", "0 failed", "0 skipped"]
    assert "---- passed alone: " in said
    assert "test_one.py::test_upset" in said.splitlines()[-3]


@pytest.mark.parametrize(
    "text",
    [
        again("def test_a(): assert False"),
        "import pytest\n@pytest.fixture\ndef bad(): assert False\ndef test_a(bad): pass",
        again("import nowhere"),
        "import os\ndef test_a(): os._exit(3)",
        "\n".join(UPSET_ONCE.format(name=name).replace(".tried", f".{name}") for name in "abcd"),
    ],
    ids=["fails", "cannot begin", "cannot be imported", "ends the process", "more than three"],
)
def test_what_fails_fails(tmp_path, text):
    status, _, said = run(tmp_path, one=text, two="def test_c(): pass")
    assert status != 0
    assert "passed alone" not in said
