"""The tests run side by side; one that others upset gets a second try, one that fails does not pass."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parent.parent / "tools/tests_side_by_side.py"
UPSET_ONCE = """
from pathlib import Path

def test_{name}():
    tried = Path(__file__).with_suffix(".tried")
    upset, _ = not tried.exists(), tried.touch()
    assert not upset
"""


def run(folder: Path, **texts: str) -> tuple[int, list[str], str]:
    """Run files of these texts: status, last line's parts, and all that was said."""
    for name, text in texts.items():
        (folder / f"test_{name}.py").write_text(text)
    command = [sys.executable, TOOL, "--workers", "2", "-p", "no:cacheprovider", folder]
    done = subprocess.run(command, cwd=TOOL.parent.parent, capture_output=True, text=True)
    return done.returncode, done.stdout.splitlines()[-1].split(", "), done.stdout


def test_all_files_are_run_and_summed_up(tmp_path):
    status, sums, said = run(tmp_path, one="def test_a(): pass\ndef test_b(): pass", two="def test_c(): pass")
    assert status == 0, said
    assert sums == ["3 passed", "0 failed", "0 skipped"]
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
        "def test_a(): assert False",
        "import pytest\n@pytest.fixture\ndef bad(): assert False\ndef test_a(bad): pass",
        "import nowhere",
        "import os\ndef test_a(): os._exit(3)",
        "\n".join(UPSET_ONCE.format(name=name).replace(".tried", f".{name}") for name in "abcd"),
    ],
    ids=["fails", "cannot begin", "cannot be imported", "ends the process", "more than three"],
)
def test_what_fails_fails(tmp_path, text):
    status, _, said = run(tmp_path, one=text, two="def test_c(): pass")
    assert status != 0
    assert "passed alone" not in said
