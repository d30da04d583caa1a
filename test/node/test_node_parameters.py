"""Parameters at start and while the node runs."""

from __future__ import annotations

import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from robot import BOTH_WAYS
from slowly import mostly_slow

from fastdepth_ros.parameters import TABLE, Change


def test_every_parameter_is_declared_and_described(graph):
    for name, spec in TABLE.items():
        descriptor = graph.describe(name)
        assert descriptor.description == spec.description
        assert descriptor.read_only == (spec.change is Change.START)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("cloud", "xyzi", ["off, xyz, xyzrgb"]),
        ("output_size", "huge", ["native, camera"]),
        ("cloud_stride", 0, ["1", "64"]),
        ("threads", -1, ["threads", "0"]),
        ("max_rate", -0.5, ["0", "1000"]),
        ("max_rate", "fast", ["a number from 0 to 1000"]),
        ("min_depth", 50.0, ["min_depth < max_depth"]),
        ("model", "another", ["cleanup", "active"]),
        ("image_transport", "compressed", ["Deactivate", "active"]),
        ("autostart", False, ["read-only"]),
    ],
)
def test_what_is_not_allowed_is_refused_and_changes_nothing(graph, name, value, words):
    before = graph.get(name)
    successful, reason = graph.set(name, value)
    assert not successful
    assert all(word in reason for word in words), reason
    assert graph.get(name) == before


def test_the_model_is_not_changed_by_setting_it_to_what_it_is(graph, bundle):
    assert graph.set("model", str(bundle.path)) == (True, "")


@pytest.mark.parametrize(
    ("given", "words", "mended"),
    mostly_slow(
        [
            ({"cloud": "xyzi"}, ["cloud", "off, xyz, xyzrgb"], ("cloud", "xyz")),
            ({"cloud_stride": 1000}, ["cloud_stride", "1 to 64"], ("cloud_stride", 2)),
            ({"threads": "many"}, ["threads", "a whole number"], ("threads", 1)),
            ({"min_depth": 9.0, "max_depth": 3.0}, ["min_depth < max_depth"], ("max_depth", 12.0)),
        ]
    ),
)
def test_a_node_that_is_started_with_what_is_not_allowed_says_so_and_can_be_mended(start, given, words, mended):
    graph = start(wait=False, **given)
    graph.wait_for(lambda: graph.says("node", DiagnosticStatus.ERROR, *words), "the refusal in diagnostics")
    assert graph.state == "unconfigured"
    assert all(word in graph.log.read_text() for word in words)
    assert not graph.change("configure")
    assert graph.set(*mended) == (True, "")
    assert graph.change("configure")
    assert graph.change("activate")
    graph.wait_for(lambda: graph.says("node", DiagnosticStatus.OK, "active"), "the node to be well")


@pytest.mark.parametrize(
    ("name", "given", "meant"),
    mostly_slow(
        [
            ("cloud", "off", "off"),
            ("cloud", "on", None),
            ("cpu_affinity", "0", "0"),
            ("cloud", "no", "off"),
            ("max_rate", "15", 15.0),
            ("nvpmodel_command", "4", "4"),
            ("power_file", "shipped", "shipped"),
        ],
        3,
    ),
)
def test_words_that_yaml_takes_for_something_else_are_understood_at_start(start, name, given, meant):
    graph = start(wait=False, **{name: given})
    if meant is None:
        graph.wait_for(lambda: graph.says("node", DiagnosticStatus.ERROR, "true (a boolean)", "quotes"), "the refusal")
        return
    graph.wait_for(lambda: graph.doing == "active", "the node to become active")
    assert graph.get(name) == meant
    assert type(graph.get(name)) is type(meant)


def test_a_model_whose_name_is_a_number_is_looked_for(start):
    graph = start(wait=False, model=2024)
    graph.wait_for(lambda: graph.says("node", DiagnosticStatus.ERROR, "no model '2024'"), "the refusal")


@pytest.mark.parametrize(
    ("name", "given", "meant"),
    [("cloud", False, "off"), ("cpu_affinity", 0, "0"), ("max_rate", 15, 15.0), ("cloud", "xyz", "xyz")],
)
def test_words_that_yaml_takes_for_something_else_are_understood_while_the_node_runs(graph, name, given, meant):
    assert graph.set(name, given) == (True, "")
    assert graph.get(name) == meant
    assert type(graph.get(name)) is type(meant)
    graph.set(name, TABLE[name].default)


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("cloud", True, ["true", "off, xyz, xyzrgb", "quotes"]),
        ("cloud", 3, ["3", "off, xyz, xyzrgb"]),
        ("threads", "two", ["two", "a whole number"]),
        ("threads", [1, 2], ["a whole number"]),
        ("power_profile", "a\nb", ["power_profile", "printed"]),
        ("use_sim_time", 3, ["bool"]),
    ],
)
def test_types_are_named_by_their_names(graph, name, given, words):
    successful, reason = graph.set(name, given)
    assert not successful
    assert all(word in reason.lower() for word in words), reason
    assert "'4'" not in reason


@pytest.mark.skipif("private" not in BOTH_WAYS, reason="only the fast way knows parameters that nobody declares")
def test_a_misspelt_parameter_is_named_with_the_one_that_was_meant(start, tmp_path):
    file = tmp_path / "robot.yaml"
    file.write_text(
        """/**:
  ros__parameters:
    max_raet: 10.0
    zzzz: 1
    qos_overrides./imagee.subscription.reliability: reliable
"""
    )
    graph = start("--ros-args", "--params-file", str(file), namespace="/misspelt")
    graph.wait_for(lambda: graph.says("node", DiagnosticStatus.WARN, "max_raet", "max_rate?"), "the name")
    graph.next_reports()
    unknown = graph.values("node")["parameters that there are not"]
    assert all(name in unknown for name in ("max_raet", "zzzz", "imagee"))
    assert "zzzz" in graph.log.read_text()


def test_a_parameter_file_of_another_node_is_named(start, tmp_path):
    other, own = tmp_path / "robot.yaml", tmp_path / "own.yaml"
    other.write_text("depth_node: {ros__parameters: {cloud: xyzrgb}}")
    own.write_text("/other/*: {ros__parameters: {max_rate: 5.0}}\n/other/nodes: {ros__parameters: {a: 1}}")
    order = ["--ros-args", "--params-file", str(other), "--params-file", str(own)]
    graph = start(*order, namespace="/other")
    graph.wait_for(lambda: graph.says("node", DiagnosticStatus.WARN, "robot.yaml", "/depth_node"), "the file")
    assert "/other/fastdepth" in graph.statuses["node"].message
    assert "own.yaml" not in graph.statuses["node"].message
    assert graph.log.read_text().count("robot.yaml") == 1
    assert (graph.get("max_rate"), graph.get("cloud")) == (5.0, "xyz")


def test_a_parameter_that_is_known_is_not_named(graph):
    graph.next_reports(1)
    assert "parameters that there are not" not in graph.values("node")


def test_a_parameter_that_is_refused_at_start_is_told_once_in_the_log(start):
    graph = start(wait=False, cloud="xyzi")
    graph.wait_for(lambda: graph.says("node", DiagnosticStatus.ERROR, "xyzi"), "the refusal")
    log = graph.log.read_text()
    assert log.count("'xyzi'") == 1, log
    assert "Set it, then configure the node." in log
