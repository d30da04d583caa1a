"""Programs of others that launch starts do not outlive it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from family import alive, wait_until

LAUNCH = """
import os, subprocess, sys, time
environment = {**os.environ, "FASTDEPTH_LAUNCH": str(os.getpid())}
program = "import os, time; print(os.getpid(), 'FASTDEPTH_LAUNCH' in os.environ, flush=True); time.sleep(600)"
subprocess.Popen([sys.executable, "-m", "fastdepth_ros.children", sys.executable, "-S", "-c", program], env=environment)
time.sleep(600)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_program_of_others_ends_with_the_launch_that_started_it(number):
    with subprocess.Popen([sys.executable, "-c", LAUNCH], stdout=subprocess.PIPE, text=True) as parent:
        pid, told = parent.stdout.readline().split()
        assert told == "False", "it would tell what it starts"
        assert alive([int(pid)])
        parent.send_signal(number)
        wait_until(lambda: not alive([int(pid)]))


def test_without_a_launch_it_is_the_program_alone():
    command = [sys.executable, "-m", "fastdepth_ros.children", "sh", "-c", "echo $PPID; exit 3"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip(), done.stderr) == (3, str(os.getpid()), "")


def test_a_program_that_is_not_there_is_named():
    command = [sys.executable, "-m", "fastdepth_ros.children", "/nowhere/rviz2"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 127
    assert done.stderr == "/nowhere/rviz2 cannot be started: No such file or directory\n"
