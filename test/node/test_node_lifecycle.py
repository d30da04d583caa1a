"""The node through its lifecycle, and to its end."""

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
from diagnostic_msgs.msg import DiagnosticStatus
from family import alive, children, named, wait_until
from made_weights import random_weights
from node_graph import image_of
from rosgraph_msgs.msg import Clock
from slowly import mostly_again, mostly_slow

from fastdepth_ros.network import PRUNED
from fastdepth_ros.runtime.bundle import Manifest, write_bundle

GREY = np.full((48, 64, 3), 128, np.uint8)


def test_without_autostart_the_node_waits_for_its_manager(start):
    graph = start(autostart=False, wait=False)
    graph.wait_for(lambda: graph.doing == "unconfigured", "a sign of life")
    assert graph.state == "unconfigured"
    assert graph.images.get_subscription_count() == 0
    assert graph.change("configure")
    assert graph.state == "inactive"
    assert graph.images.get_subscription_count() == 0
    assert graph.change("activate")
    graph.ask(image_of(GREY, graph.header()), "depth")

    assert graph.change("deactivate")
    graph.wait_for(lambda: graph.images.get_subscription_count() == 0, "the node to leave the camera")
    assert graph.set("image_transport", "compressed") == (True, "")
    assert graph.set("image_transport", "raw") == (True, "")
    assert graph.change("activate")
    graph.ask(image_of(GREY, graph.header()), "depth")

    assert graph.change("deactivate")
    assert graph.change("cleanup")
    assert graph.set("target", "host")[0]
    assert graph.change("configure")
    assert graph.change("activate")
    graph.ask(image_of(GREY, graph.header()), "depth")
    assert not graph.change("configure"), "an active node cannot be configured"
    graph.ask(image_of(GREY, graph.header()), "depth")

    assert graph.change("deactivate")
    assert graph.change("shutdown")
    assert graph.state == "finalized"


@pytest.mark.parametrize("damage", mostly_again(["altered", "missing"]))
def test_a_bundle_that_cannot_be_trusted_is_refused_and_replaced_while_the_node_lives(start, bundle, tmp_path, damage):
    copy = tmp_path / "bundle"
    shutil.copytree(bundle.path, copy)
    weights = copy / "weights.safetensors"
    if damage == "altered":
        content = bytearray(weights.read_bytes())
        content[-1] ^= 1
        weights.write_bytes(content)
    else:
        shutil.rmtree(copy)
    graph = start(wait=False, model=copy)
    words = ["not configured", str(copy)] + (["altered"] if damage == "altered" else [])
    graph.wait_for(lambda: graph.says("node", DiagnosticStatus.ERROR, *words), "the refusal in diagnostics")
    assert all(word in graph.log.read_text() for word in words)
    assert graph.state == "unconfigured"
    assert not graph.change("configure")
    assert graph.set("model", str(bundle.path)) == (True, "")
    assert graph.change("configure")
    assert graph.change("activate")
    graph.ask(image_of(GREY, graph.header()), "depth")
    graph.wait_for(lambda: graph.says("node", DiagnosticStatus.OK, "active"), "the node to be well")


def test_an_unknown_target_is_refused(start):
    graph = start(wait=False, target="no-such-processor")
    graph.wait_for(lambda: graph.says("node", DiagnosticStatus.ERROR, "no-such-processor"), "the refusal")
    assert graph.state == "unconfigured"


def test_ages_are_told_in_the_clock_of_a_recording(start):
    graph = start(use_sim_time=True)
    graph.wait_for(lambda: graph.says("node", DiagnosticStatus.WARN, "/clock"), "the node to miss its clock")
    clock = graph.node.create_publisher(Clock, "/clock", 10)
    now = Clock()
    now.clock.sec, now.clock.nanosec = 1000, 500_000_000

    def tick():
        clock.publish(now)
        return graph.says("node", DiagnosticStatus.OK, "active")

    graph.wait_for(tick, "the node to have its clock")
    image = image_of(GREY, graph.header())
    image.header.stamp.sec, image.header.stamp.nanosec = 1000, 480_000_000
    graph.ask(image, "depth")
    age = "age p50/p95/max [ms]"
    graph.wait_for(lambda: graph.values("outputs").get(age) == "20.0 / 20.0 / 20.0", "an age of 20 ms by /clock")


@pytest.mark.parametrize("number", mostly_again([signal.SIGINT, signal.SIGTERM]))
def test_the_node_ends_with_status_0_when_told_to(start, number):
    graph = start(afresh=True)
    graph.ask(image_of(GREY, graph.header()), "depth")
    graph.process.send_signal(number)
    graph.process.send_signal(number)  # as launch does when it gets impatient
    assert graph.process.wait(60) == 0
    assert "Traceback" not in graph.log.read_text()


@pytest.mark.again
def test_a_node_that_is_configured_again_and_again_keeps_its_size(start):
    graph = start(afresh=True)
    graph.ask(image_of(GREY, graph.header()), "depth")

    def cycle(times: int) -> tuple[int, int]:
        """Maps of modules, and memory of the node's own [B], after so many cycles."""
        for _ in range(times):
            for transition in ("deactivate", "cleanup", "configure", "activate"):
                assert graph.change(transition)
        process = Path(f"/proc/{graph.process.pid}")
        maps = sum("fastdepth-module" in line for line in (process / "maps").read_text().splitlines())
        return maps, int((process / "status").read_text().partition("RssAnon:")[2].split()[0]) << 10

    maps, before = cycle(3)
    later, after = cycle(12)
    assert after - before < 30 << 20, "12 modules that were kept are 62 MB"
    assert later == maps > 0, "modules that were given back are mapped still"
    graph.ask(image_of(GREY, graph.header()), "depth")


@pytest.mark.parametrize("number", mostly_slow([signal.SIGKILL, signal.SIGINT]), ids=lambda each: each.name)
def test_a_node_that_ends_while_it_compiles_leaves_no_process(domain, tmp_path, number):  # noqa: ARG001
    folder, weights = tmp_path / "new", random_weights(PRUNED)
    write_bundle(folder, Manifest("new", PRUNED), weights, "# Random weights, for tests\n")
    order = [sys.executable, "-m", "fastdepth_ros.node", "--ros-args", "-p", f"model:={folder}"]
    environment = {name: value for name, value in os.environ.items() if name != "_ROS_WHEELS_BOOTSTRAP_COMPLETE"}
    environment["FASTDEPTH_CACHE"] = str(tmp_path / "cache")  # where no earlier run left its module
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(order, env=environment, stdout=log, stderr=subprocess.STDOUT)
    compilers: list[int] = []
    while not compilers:
        compilers = named(children(process.pid), "fastdepth_ros.compiler")
        assert process.poll() is None, (tmp_path / "log").read_text()
        time.sleep(0.02)
    process.send_signal(number)
    process.wait(60)
    wait_until(lambda: not alive([*compilers, *(inner for each in compilers for inner in children(each))]))
    if number == signal.SIGKILL:
        assert not list((tmp_path / "cache").rglob("module.json")), "it was compiled to its end"
