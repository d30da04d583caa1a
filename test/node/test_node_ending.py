"""Told to end, the node ends by itself: quietly, with status 0, and it says so."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from family import alive, children, named, wait_until
from node_graph import image_of
from slowly import again, mostly_slow

WRAPPER = Path(__file__).parents[2] / "scripts" / "depth_node"
GREY = np.full((48, 64, 3), 128, np.uint8)
holds = subprocess.run(["env", "--block-signal=INT", "true"], capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not holds, reason="this system's env cannot hold signals back")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("delay", [0.2, again(0.0), again(0.5), *mostly_slow([0.03, 0.06, 0.1, 0.3, 0.4, 0.6, 0.8], 0)])
def test_at_its_start_the_node_ends_quietly(domain, tmp_path, delay, number):  # noqa: ARG001
    script = tmp_path / "lib" / "fastdepth_ros" / "depth_node"
    script.parent.mkdir(parents=True)
    shutil.copy(WRAPPER, script)
    (tmp_path / "bin").mkdir()
    begun = tmp_path / "begun"
    (tmp_path / "bin" / "python3").write_text(f'#!/bin/sh\n: > {begun}\nexec {sys.executable} "$@"\n')
    (tmp_path / "bin" / "python3").chmod(0o755)
    environment = {name: value for name, value in os.environ.items() if name != "_ROS_WHEELS_BOOTSTRAP_COMPLETE"}
    process = subprocess.Popen([script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, text=True)
    while not begun.exists():
        time.sleep(0.001)
    time.sleep(delay)
    process.send_signal(number)
    said, _ = process.communicate(timeout=60)
    assert (process.returncode, "Traceback" in said) == (0, False), said


@pytest.mark.parametrize("number", mostly_slow([signal.SIGINT, signal.SIGTERM]))
@pytest.mark.parametrize("times", [1, again(3)])
def test_while_frames_flow_the_node_ends_without_a_word_of_its_context(start, number, times):
    for _ in range(times):
        graph = start(afresh=True)
        graph.ask(image_of(GREY, graph.header()), "depth")
        for _ in range(20):
            graph.images.publish(image_of(GREY, graph.header()))
            graph.spin(0.005)
        graph.process.send_signal(number)
        while graph.process.poll() is None:
            graph.images.publish(image_of(GREY, graph.header()))
            graph.spin(0.002)
        assert graph.process.returncode == 0
        said = graph.log.read_text()
        assert "Traceback" not in said
        assert "invalid" not in said


LAUNCH = """
import os, subprocess, sys, time
environment = {**os.environ, "FASTDEPTH_LAUNCH": str(os.getpid())}
between = sys.argv.pop(1) == "between"
if between:
    sys.argv[1:1] = ["-c", "import subprocess, sys; sys.exit(subprocess.call([sys.executable, *sys.argv[1:]]))"]
subprocess.Popen([sys.executable, *sys.argv[1:]], env=environment)
time.sleep(600)
"""
NODE = ("-m", "fastdepth_ros.node", "--ros-args", "-p", "gate:=off", "-p")


@pytest.fixture
def launched(domain, bundle, module, tmp_path):  # noqa: ARG001
    """Starts a process that starts a node as launch does, or another process between; gives both and the log."""
    started = []

    def launch(how):
        environment = {name: value for name, value in os.environ.items() if name != "_ROS_WHEELS_BOOTSTRAP_COMPLETE"}
        order = [sys.executable, "-c", LAUNCH, how, *NODE, f"model:={bundle.path}", "-r", f"__ns:=/l{os.getpid()}"]
        with (tmp_path / "log").open("w") as log:
            parent = subprocess.Popen(order, stdout=log, stderr=log, env=environment)
        started.append(parent)
        wait_until(lambda: "answers " in (tmp_path / "log").read_text() or parent.poll() is not None)
        started.extend(named(children(parent.pid), "fastdepth_ros.node"))
        return parent, started[1:]

    yield launch
    for process in started[1:]:
        if alive([process]):
            os.kill(process, signal.SIGKILL)
    if started:
        started[0].kill()
        started[0].wait()


@pytest.mark.parametrize("number", mostly_slow([signal.SIGTERM, signal.SIGKILL]))
def test_a_node_ends_with_the_launch_that_started_it(launched, tmp_path, number):
    parent, processes = launched("at once")
    assert len(processes) == 1
    parent.send_signal(number)
    wait_until(lambda: not alive(processes))
    assert "Traceback" not in (tmp_path / "log").read_text()


@pytest.mark.again
def test_a_node_under_a_debugger_of_launch_is_left_to_that(launched):
    _, processes = launched("between")
    assert alive(processes) == processes != []


LOADING = (str(Path(__file__).with_name("loading_node.py")),)


@pytest.mark.parametrize("number", mostly_slow([signal.SIGINT, signal.SIGTERM]))
def test_while_its_model_is_loaded_the_node_ends_without_waiting_for_it(start, number):
    """Python would end the thread in the middle of C++, which aborts the process."""
    graph = start(wait=False, program=LOADING)
    graph.wait_for(lambda: "is being loaded" in graph.log.read_text(), "the node to configure")
    graph.process.send_signal(number)
    assert graph.process.wait(60) == 0, graph.log.read_text()
    said = graph.log.read_text()
    assert not any(word in said for word in ("terminate", "Traceback", "Fatal")), said


def test_no_shared_memory_stays_behind(start):
    """Nobody would remove it: it is in /dev/shm until the machine is started again."""
    start()  # from here on this process has its own
    before = set(Path("/dev/shm").glob("fastdds_*"))
    graph = start(afresh=True)
    mapped = {Path(each) for each in Path(f"/proc/{graph.process.pid}/maps").read_text().split() if "fastdds_" in each}
    own = {each for each in mapped - before if "_port" not in each.name}
    if not own:
        pytest.skip("the middleware keeps nothing in /dev/shm")
    graph.process.send_signal(signal.SIGINT)
    assert graph.process.wait(60) == 0
    assert not [each for each in own if each.exists()]


def test_the_last_report_says_that_the_node_ended(start):
    graph = start()
    assert graph.set("diagnostics_period", 60.0)[0]
    graph.process.send_signal(signal.SIGINT)
    end = time.monotonic() + 60
    while graph.doing != "ended" and time.monotonic() < end:
        graph.spin()
    assert graph.doing == "ended"
    assert graph.process.wait(60) == 0


def test_each_transition_is_reported_at_once_whatever_the_period(start):
    graph = start()
    assert graph.set("diagnostics_period", 60.0)[0]
    for transition, state in (
        ("deactivate", "inactive"),
        ("cleanup", "unconfigured"),
        ("configure", "inactive"),
        ("activate", "active"),
        ("deactivate", "inactive"),
        ("shutdown", "finalized"),
    ):
        assert graph.change(transition)
        graph.wait_for(lambda state=state: graph.doing == state, f"the report of {state}")


def test_another_period_of_the_reports_holds_at_once(start):
    graph = start()
    assert graph.set("diagnostics_period", 60.0)[0]
    # The next report is due in a minute, and not any more when it was before: nothing that is waited for says so.
    end = time.monotonic() + 2.0
    while time.monotonic() < end:
        graph.spin()
    assert graph.set("diagnostics_period", 0.2)[0]
    graph.next_reports(3)
