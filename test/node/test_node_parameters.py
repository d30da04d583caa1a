"""Parameters at start and while the node runs."""

from __future__ import annotations

import pytest
from diagnostic_msgs.msg import DiagnosticStatus

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
    [
        ({"cloud": "xyzi"}, ["cloud", "off, xyz, xyzrgb"], ("cloud", "xyz")),
        ({"cloud_stride": 1000}, ["cloud_stride", "1 to 64"], ("cloud_stride", 2)),
        ({"threads": "many"}, ["threads", "a whole number"], ("threads", 1)),
        ({"min_depth": 9.0, "max_depth": 3.0}, ["min_depth < max_depth"], ("max_depth", 12.0)),
    ],
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
