"""`colcon test` runs what `make test` does, in a workspace where launch_testing is installed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

IMPORTS_EARLY = """
import importlib.util

def pytest_pycollect_makemodule(module_path):
    spec = importlib.util.spec_from_file_location("early", module_path)
    spec.loader.exec_module(importlib.util.module_from_spec(spec))
"""
"""A plugin that imports each file while its folder is listed, as launch_testing's does."""

FILES = {
    "conftest.py": "from collecting import pytest_configure, pytest_pycollect_makemodule",
    "pytest.ini": "[pytest]\nmarkers = slow: takes long",
    "imports_early.py": IMPORTS_EARLY,
    "test_one.py": "import pytest\ndef test_quick(): pass\n@pytest.mark.slow\ndef test_slow(): pass",
    "test_two.py": "import pytest\npytest.importorskip('nowhere')\ndef test_never(): pass",
    "test_three.py": "def test_quick(): pass",
}


@pytest.fixture
def run(tmp_path):
    """Runs pytest in a folder of three files, and gives its last line."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")

    def pytest_of(*arguments, status=0, **environment):
        paths = os.pathsep.join([str(tmp_path), str(Path(__file__).parent)])
        own = {name: value for name, value in os.environ.items() if not name.startswith(("COLCON", "PYTEST"))}
        command = [sys.executable, "-m", "pytest", "-q", "-p", "imports_early", *arguments]
        done = subprocess.run(
            command, cwd=tmp_path, env={**own, "PYTHONPATH": paths, **environment}, capture_output=True, text=True
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout.splitlines()[-1]

    return pytest_of


def test_a_file_that_skips_as_a_whole_leaves_the_others_of_its_folder(run):
    assert run().startswith("3 passed, 1 skipped")
    assert run("test_three.py").startswith("1 passed")


def test_colcon_leaves_out_the_slow_tests_unless_it_is_told_what_to_run(run):
    assert run(COLCON="1").startswith("2 passed, 1 skipped, 1 deselected")
    assert run("-m", "slow", COLCON="1").startswith("1 passed, 1 skipped, 2 deselected")


def test_colcon_runs_the_others_where_a_file_cannot_be_imported(run, tmp_path):
    (tmp_path / "test_broken.py").write_text("import nowhere", encoding="utf-8")
    assert run(COLCON="1", status=1).startswith("2 passed, 1 skipped, 1 deselected, 1 error")


def test_colcon_keeps_bytecode_apart_from_the_sources(run, tmp_path):
    """What tests start would else compile all of its Python each time."""
    starts = "import subprocess, sys\ndef test_it(): subprocess.run([sys.executable, '-c', 'import kept'], check=True)"
    (tmp_path / "test_starts.py").write_text(starts, encoding="utf-8")
    (tmp_path / "kept.py").touch()
    run("test_starts.py", COLCON="1", PYTHONDONTWRITEBYTECODE="1", PYTHONPYCACHEPREFIX="")
    assert not list(tmp_path.glob("__pycache__"))
    assert len(list((tmp_path / ".pytest_cache").rglob("kept.*.pyc"))) == 1
