"""The node through its lifecycle, and to its end."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from node_graph import image_of
from rosgraph_msgs.msg import Clock

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


@pytest.mark.parametrize("damage", ["altered", "missing"])
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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_node_ends_with_status_0_when_told_to(start, number):
    graph = start()
    graph.ask(image_of(GREY, graph.header()), "depth")
    graph.process.send_signal(number)
    graph.process.send_signal(number)  # as launch does when it gets impatient
    assert graph.process.wait(20) == 0
    assert "Traceback" not in graph.log.read_text()


def test_a_node_that_is_configured_again_and_again_keeps_its_size(start):
    graph = start()
    graph.ask(image_of(GREY, graph.header()), "depth")

    def cycle(times: int) -> int:
        for _ in range(times):
            for transition in ("deactivate", "cleanup", "configure", "activate"):
                assert graph.change(transition)
        return sum("module.so" in line for line in Path(f"/proc/{graph.process.pid}/maps").read_text().splitlines())

    assert cycle(10) == cycle(1), "modules that were given back are mapped still"
    graph.ask(image_of(GREY, graph.header()), "depth")
