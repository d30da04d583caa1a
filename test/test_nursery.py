"""Copies of a process that has imported what a node needs: each is a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from family import alive, wait_until
from nursery import MODULES, Nursery

SCRIPT = """
import json, os, sys, threading
was_there = [name for name in {modules} if name in sys.modules]
own = [os.getpid(), os.getcwd(), sys.argv, sys.path[0], dict(os.environ)]
print(json.dumps([*own, was_there, threading.active_count()]))
print("and an error", file=sys.stderr)
sys.exit(7)
"""


def start(nursery: Nursery, folder: Path, text: str, *arguments: str, **environment: str):
    (folder / "script.py").write_text(text)
    order = [sys.executable, str(folder / "script.py"), *arguments]
    with (folder / "said").open("w") as output:
        return nursery.start(order, stdout=output, stderr=output, env={**os.environ, **environment})


def test_a_copy_has_its_own_arguments_folder_environment_and_status(nursery, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    copy = start(nursery, tmp_path, SCRIPT.format(modules=MODULES), "one", "two words", OWN="own")
    assert copy.wait(60) == 7
    assert copy.poll() == copy.returncode == 7
    error, told = sorted((tmp_path / "said").read_text().splitlines(), key=len)  # stdout is told at the end
    assert error == "and an error"
    pid, folder, argv, path, environment, was_there, threads = json.loads(told)
    assert pid == copy.pid != os.getpid()
    assert (folder, path) == (str(tmp_path), str(tmp_path))
    assert argv == [str(tmp_path / "script.py"), "one", "two words"]
    assert (environment["OWN"], was_there, threads) == ("own", list(MODULES), 1)
    assert "OWN" not in os.environ


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_a_copy_is_ended_by_signals_and_tells_by_which(nursery, tmp_path, number):
    copy = start(nursery, tmp_path, "import time\nprint('here', flush=True)\ntime.sleep(600)")
    wait_until(lambda: (tmp_path / "said").read_text())
    assert copy.poll() is None
    copy.send_signal(number)
    assert copy.wait(60) == -number
    copy.send_signal(number)  # it has ended: nobody else gets it


@pytest.mark.parametrize(
    ("words", "status", "said", "error"),
    [
        (["-m", "fastdepth_ros.children", "/nowhere"], 127, "", "/nowhere cannot be started"),
        (
            ["-c", "import sys\nfrom math import pi\ndef f(): return pi > 3\nprint(sys.argv, f())", "a"],
            0,
            "['-c', 'a'] True",
            "",
        ),
        (["-c", "raise SystemExit('why')"], 1, "", "why"),
        (["-c", "1 / 0"], 1, "", "ZeroDivisionError"),
        (["-c", "print(__import__('sys').stdin.read() == '')"], 0, "True", ""),
    ],
)
def test_it_runs_what_python_would(nursery, words, status, said, error):
    done = nursery.run([sys.executable, *words])
    assert done.returncode == status
    assert done.stdout.strip() == said
    assert error in done.stderr


def test_options_of_python_are_not_left_out(nursery):
    with pytest.raises(ValueError, match="-I"):
        nursery.start([sys.executable, "-I", "-c", "pass"])


def test_a_copy_reads_what_it_is_given(nursery, tmp_path):
    with (tmp_path / "said").open("w") as output:
        copy = nursery.start([sys.executable, "-c", "print(input() * 2)"], stdin=subprocess.PIPE, stdout=output)
    copy.stdin.write("word\n")
    copy.stdin.flush()
    assert copy.wait(60) == 0
    assert (tmp_path / "said").read_text() == "wordword\n"


def test_copies_end_with_the_process_that_had_them_made(tmp_path):
    nursery = Nursery()
    copy = start(nursery, tmp_path, "import time\nprint('here', flush=True)\ntime.sleep(600)")
    wait_until(lambda: (tmp_path / "said").read_text())
    nursery.end()
    wait_until(lambda: not alive([copy.pid]))
    assert copy.wait(60) == -signal.SIGKILL
