"""A node that cannot start stays, unconfigured, and says why: for every parameter."""

from __future__ import annotations

import os
import sys

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from node_graph import image_of
from nursery import Nursery
from slowly import mostly_slow

GREY = np.full((48, 64, 3), 128, np.uint8)
COMPILED = 300.0
"""Seconds in which a model is compiled on the busiest of machines."""

BILLION_LAUGHS = "a: &a [x, x]\n" + "".join(
    f"{new}: &{new} [*{old}, *{old}, *{old}, *{old}, *{old}, *{old}, *{old}, *{old}]\n"
    for old, new in zip("abcdefghi", "bcdefghij", strict=True)
)
FILES = {
    "deep": b"[" * 100_000,
    "deep tables": b"{a: " * 5000,
    "laughing": BILLION_LAUGHS.encode() + b"profiles: {x: *j}\n",
    "merging": b"a: &a {x: 1}\nb: &b {<<: [*a, *a]}\nprofiles: *b\n",
    "binary": bytes(range(256)) * 10,
    "large": b"profiles: {}\n" + b"#" * (10 << 20),
    "a date that is none": b"profiles: 2024-13-45\n",
    "a number without end": b"profiles: {x: {linux: {threads: " + b"9" * 5000 + b"}}}\n",
    "not a table": b"17\n",
    "an object": b"profiles: !!python/object/apply:os.system [ls]\n",
}


def refused(start, *words: str, **parameters: object):
    graph = start(wait=False, **parameters)
    graph.wait_for(lambda: graph.says("node", DiagnosticStatus.ERROR, "not configured", *words), "the refusal")
    assert graph.state == "unconfigured"
    assert not graph.change("configure")
    assert "Traceback" not in graph.log.read_text()
    assert len(graph.statuses["node"].message) < 2500
    graph.end()


@pytest.mark.parametrize("kind", mostly_slow(FILES, 3))
def test_a_file_of_profiles_that_is_none_is_named(start, tmp_path, kind):
    path = tmp_path / "power.yaml"
    path.write_bytes(FILES[kind])
    refused(start, str(path), power_file=path)


def test_what_is_no_file_is_not_waited_for(start, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    refused(start, "fifo", "no regular file", power_file=tmp_path / "fifo")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["/dev/zero", "/dev/tty", "/proc/self", "/proc/self/none", "/proc/self/mem"])
def test_nor_is_a_device_or_a_folder(start, name):
    refused(start, name, power_file=name)


UNUSABLE = [
    ("nvpmodel_command", "'\"'", ["nvpmodel_command", "Quote"]),
    ("board_root", "[a, b]", ["board_root"]),
    ("power_profile", "turbo", ["turbo", "max-n"]),
    ("autostart", "yes please", ["autostart", "true or false"]),
    ("diagnostics_period", ".nan", ["diagnostics_period"]),
    ("nvpmodel_command", "'sudo nvpmodel'", ["nvpmodel_command", "sudo"]),
    ("nvpmodel_command", "' '", ["nvpmodel_command"]),
    ("nvpmodel_command", "false", ["nvpmodel_command", "false", "quotes"]),
    ("board_root", "true", ["board_root", "true", "quotes"]),
    ("board_root", "x" * 5000, ["board_root", "characters"]),
    ("power_profile", "[1, 2]", ["power_profile"]),
    ("cpu_affinity", "0-", ["cpu_affinity"]),
    ("cpu_affinity", "5-1", ["cpu_affinity"]),
    ("manage_board_mode", "1", ["manage_board_mode", "true or false"]),
    ("use_sim_time", "3", ["use_sim_time", "BOOL"]),
    ("start_type_description_service", "word", ["start_type_description_service", "BOOL"]),
    ("niceness", "1.5", ["niceness", "a whole number"]),
    ("diagnostics_period", "1e300", ["diagnostics_period", "60"]),
    ("max_rate", "[" + "1, " * 3000 + "1]", ["max_rate", "a number"]),
    ("model", "off", ["model", "quotes"]),
]
"""Parameter, a value that it cannot have, words of the refusal."""


@pytest.mark.parametrize(
    ("name", "value", "words"),
    mostly_slow(UNUSABLE, 5),
)
def test_a_parameter_that_cannot_be_is_named(start, name, value, words):
    parameters = {"autostart": True, name: value}
    refused(start, *words, **parameters)


@pytest.mark.parametrize("root", mostly_slow(["/dev/null", "/none", "/proc/self/fd", "relative", "/dev/shm/../.."]))
def test_a_board_that_is_none_is_told_of_and_is_no_hindrance(start, root):
    graph = start(board_root=root)
    assert graph.state == "active"
    graph.end()


@pytest.mark.parametrize("cache", mostly_slow(["one that is named", "none"]))
def test_a_node_starts_where_there_is_no_home(start, monkeypatch, cache):
    monkeypatch.setenv("HOME", "/proc/nowhere")  # where not even root can make it
    for name in ("ROS_LOG_DIR", "ROS_HOME", "XDG_CACHE_HOME", *(["FASTDEPTH_CACHE"] if cache == "none" else [])):
        monkeypatch.delenv(name, raising=False)
    graph = start(wait=False, afresh=True)
    graph.wait_for(lambda: graph.doing == "active", "the node to become active", COMPILED)
    graph.ask(image_of(GREY, graph.header()), "depth")
    assert "ROS cannot log to /proc/nowhere/.ros/log" in graph.log.read_text()
    graph.end()


PARAMETERS = {
    "cut off": "a: [",
    "a list of two kinds": "/**:\n  ros__parameters:\n    max_rate: [1, a]\n",
    "no table": "fastdepth: 3\n",
    "nothing for a value": "/**:\n  ros__parameters:\n    cloud: ~\n    max_rate:\n",
    "an alias": "/**:\n  ros__parameters:\n    max_rate: *x\n",
    "deep": "[" * 5000,
}


def cannot_start(nursery: Nursery, *arguments: str) -> str:
    """What a node says that ROS does not start."""
    done = nursery.run([sys.executable, "-m", "fastdepth_ros.node", "--ros-args", *arguments], timeout=60)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert "/src/" not in done.stderr
    return done.stderr


@pytest.mark.parametrize("kind", mostly_slow(PARAMETERS, 3))
@pytest.mark.usefixtures("domain")
def test_a_file_of_parameters_that_ros_cannot_read_is_named(nursery, tmp_path, kind):
    path = tmp_path / "depth.yaml"
    path.write_text(PARAMETERS[kind])
    assert str(path) in cannot_start(nursery, "--params-file", str(path))


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--params-file", "/no/such.yaml"), "/no/such.yaml"),
        (("-r", "__ns:=/1a"), "__ns:=/1a"),
        (("-r", "image:=a//b"), "image:=a//b"),
        (("--bogus",), "--bogus"),
        (("-p", "model"), "-p model"),
        (("-p", "model:='a 'b''"), "model"),
        (("--log-level", "loud"), "loud"),
    ],
)
@pytest.mark.usefixtures("domain")
def test_an_argument_that_ros_does_not_understand_is_named(nursery, arguments, word):
    assert word in cannot_start(nursery, *arguments)
