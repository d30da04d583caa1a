"""Nodes in processes of their own, and a ROS graph that nobody else is in: loopback and shared memory only."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from node_graph import Graph
from nursery import Copy, Nursery
from robot import Robot

from fastdepth_ros.node.rclpy_ways.choice import choose
from fastdepth_ros.node.rclpy_ways.interface import Way
from fastdepth_ros.node.rclpy_ways.plain import PlainWay
from fastdepth_ros.runtime.bundle import Bundle
from fastdepth_ros.runtime.module import CompiledModule

NodeProcess = Callable[..., Graph]
NODE = ("-m", "fastdepth_ros.node")
PATIENCE = 60.0
namespaces = count()


@pytest.fixture(scope="session")
def domain(dds_profile: dict[str, str]) -> Iterator[None]:
    """The environment of every process in these tests, this one included."""
    own = {
        "ROS_DOMAIN_ID": str(1 + os.getpid() % 50),
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "SYSTEM_DEFAULT",
        **dds_profile,
    }
    before = {name: os.environ.get(name) for name in own}
    os.environ.update(own)
    import rclpy

    rclpy.init(args=[])
    yield
    rclpy.try_shutdown()
    for name, value in before.items():
        os.environ.pop(name) if value is None else os.environ.update({name: value})


@pytest.fixture
def way(request: pytest.FixtureRequest) -> Way:
    """The way to use rclpy: by name, where a test names it, else that of its release."""
    return PlainWay() if getattr(request, "param", "") == "plain" else choose()[0]


@pytest.fixture
def robot(domain: None, way: Way) -> Iterator[Robot]:  # noqa: ARG001
    """A node in this process, and another beside it."""
    robot = Robot(way)
    yield robot
    robot.end()


@pytest.fixture(scope="session")
def unhurried(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Profiles without a wished age: on a busy machine the governor would hold images back that a test waits for."""
    path = tmp_path_factory.mktemp("profiles") / "power.yaml"
    path.write_text("profiles: {max-n: {linux: {cpu: {}}}}\n")
    return path


@pytest.fixture(scope="module")
def start(
    domain: None,  # noqa: ARG001
    bundle: Bundle,
    module: CompiledModule,  # noqa: ARG001
    unhurried: Path,
    nursery: Nursery,
    tmp_path_factory: pytest.TempPathFactory,
):
    """Starts nodes in namespaces of their own, and ends them with the module of the test.

    They are copies of a process that has imported what they need, unless a test is about starts, ends or memory: then
    they are started ``afresh``.
    """
    processes: list[tuple[subprocess.Popen | Copy, Graph, Path]] = []

    def start_node(
        *arguments: str,
        wait: bool = True,
        namespace: str = "",
        program: tuple[str, ...] = NODE,
        afresh: bool = False,
        **parameters: object,
    ) -> Graph:
        # Tests show pictures in which nothing is to be seen.
        ours = {"model": bundle.path, "diagnostics_period": 0.2, "power_file": unhurried, "gate": "off"}
        parameters = ours | parameters
        namespace = namespace or f"/t{os.getpid()}_{next(namespaces)}"
        order = [sys.executable, *program, *arguments, "--ros-args", "-r", f"__ns:={namespace}"]
        for name, value in parameters.items():
            order += ["-p", f"{name}:={str(value).lower() if isinstance(value, bool) else value}"]
        log = tmp_path_factory.mktemp("node") / "log"
        with log.open("w") as output:
            process = (process_of if afresh else nursery.start)(order, stdout=output, stderr=subprocess.STDOUT)
        graph = Graph(namespace, process, log)
        processes.append((process, graph, log))
        if wait:
            graph.wait_for(lambda: graph.doing == "active", "the node to become active")
        return graph

    start_node.end_since = lambda number: end(processes, number)
    start_node.count = lambda: len(processes)
    yield start_node
    end(processes, 0)


def process_of(order: list[str], **options: Any) -> subprocess.Popen:
    """Start Python as a user does."""
    # The wheels' guard would keep the child from finding its libraries where it runs in another environment.
    environment = {name: value for name, value in os.environ.items() if name != "_ROS_WHEELS_BOOTSTRAP_COMPLETE"}
    return subprocess.Popen(order, env=environment, **options)


def end(processes: list[tuple[subprocess.Popen | Copy, Graph, Path]], number: int) -> None:
    """End the nodes from a number on."""
    # One after the other: Fast DDS may wait for itself for ever where many participants leave at one moment.
    ended = processes[number:]
    del processes[number:]
    # Whatever one of them does, the others are told to end, or they work beside all tests that come after.
    with ExitStack() as stack:
        for process, graph, _ in reversed(ended):
            stack.callback(interrupt, process)
            stack.callback(graph.close)
    for process, _, log in ended:
        assert process.returncode == 0, log.read_text()


def interrupt(process: subprocess.Popen | Copy) -> None:
    """End a node as Ctrl-C would, and one that does not heed that in time by force: its status tells."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture(autouse=True)
def tidy(request: pytest.FixtureRequest) -> Iterator[None]:
    """End the nodes that a test started for itself: each that lives on talks to all that come after it."""
    if "start" not in request.fixturenames:
        yield
        return
    start_node = request.getfixturevalue("start")
    before = start_node.count()
    yield
    start_node.end_since(before)


@pytest.fixture(scope="module")
def graph(start: NodeProcess) -> Graph:
    """One node for the whole module, as it starts by default."""
    return start()
