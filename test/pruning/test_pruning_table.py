"""Latency tables: what is measured of a network's kernels, what lies between, and the sum beside the whole."""

import json
import time
from dataclasses import replace

import numpy as np
import pytest
from made_weights import narrowed
from slowly import again

from fastdepth_ros.errors import SettingError
from fastdepth_ros.network.builder import GraphBuilder
from fastdepth_ros.network.entries import entry, names
from fastdepth_ros.network.graph import Graph
from fastdepth_ros.network.kinds import Add, Depthwise, Full, Upsample
from fastdepth_ros.pruning.kernels import compiled
from fastdepth_ros.pruning.latency import Cubic
from fastdepth_ros.pruning.measure import designs, levels, measure, random_widths
from fastdepth_ros.pruning.table import held, latency_of, read_table, write_table
from fastdepth_ros.pruning.widths import channels_of, resized


def small() -> Graph:
    """A sum that ties two layers, a separable pair and an upsampling."""
    to = GraphBuilder("small")
    to.part = "encoder"
    first = to.add("first", Full(3, 2, outputs=16))
    to.add("second.dw", Depthwise(3, 2))
    to.add("second.pw", Full(1, 1, outputs=24))
    to.part = "decoder"
    to.add("third", Full(1, 1, outputs=16))
    to.add("up", Upsample())
    to.add("sum", Add(), ("up", first))
    to.add("last", Full(1, 1, outputs=1))
    return to.graph()


def wider(graph: Graph) -> Graph:
    """The same layers with more channels."""
    channels = channels_of(graph)
    return resized(graph, channels, {"second.pw": 32})


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """The table of a small network, of few widths and turns."""
    return measure(small(), 32, 48, tmp_path_factory.mktemp("table"), count=2, rounds=2)


def test_a_cubic_goes_through_its_points_and_between_them():
    grid = [(a, b) for a in (8, 16, 24, 32) for b in (8, 24, 40, 64)]
    true = lambda a, b: 0.1 + 0.01 * a * b  # noqa: E731
    cubic = Cubic(grid, [true(*point) for point in grid])
    for point in grid:
        assert cubic(point) == pytest.approx(true(*point), rel=1e-6)
    assert cubic((20, 32)) == pytest.approx(true(20, 32), rel=0.05)


def test_a_plane_is_met_exactly():
    rng = np.random.default_rng(0)
    points = rng.integers(1, 64, (12, 2))
    cubic = Cubic(points, 1.0 + points @ np.array([0.5, 0.25]))
    assert cubic((30, 50)) == pytest.approx(1 + 15 + 12.5)
    assert cubic((1, 1)) == pytest.approx(1.75)


def test_points_that_were_measured_twice_count_once_and_nothing_is_below_zero():
    assert Cubic([[8], [8], [8], [16]], [1.0, 2.0, 9.0, 4.0])((8,)) == pytest.approx(2.0)
    assert Cubic([[8], [8]], [1.0, 3.0])((64,)) == 2.0
    assert Cubic([[16, 8], [32, 8]], [4.0, 10.0])((24, 8)) == pytest.approx(7.0)
    assert Cubic([[16], [32]], [1.0, 10.0])((1,)) == 0.0


@pytest.mark.parametrize("full", [3, 8, 16, 37, 1024])
def test_levels_end_at_the_full_width(full):
    found = levels(full, 5)
    assert found == sorted(found)
    assert found[-1] == full
    assert all(width % 8 == 0 or width == full for width in found)


@pytest.mark.parametrize("name", names())
def test_every_pair_of_widths_of_two_layers_that_follow_each_other_is_measured(name):
    graph = entry(name).graph
    channels = channels_of(graph)
    found = designs(graph, channels, 3)
    assert len(found) <= 10
    missed = 0
    for node in graph.nodes:
        for one in channels.touched(node):
            for other in channels.touched(node):
                pairs = {(widths[one], widths[other]) for widths in found}
                wanted = len({widths[one] for widths in found}) * len({widths[other] for widths in found})
                missed += one != other and len(pairs) < wanted
    # Concatenations of many maps may meet more groups than there are ways to pair them.
    assert missed == 0 or any(node.layer.word == "concatenate" for node in graph.nodes)


def test_random_widths_are_of_a_pruned_network():
    channels = channels_of(entry("fastdepth-full").graph)
    assert random_widths(channels, 1) == random_widths(channels, 1) != random_widths(channels, 2)
    assert all(8 <= width < channels.widths[name] for name, width in random_widths(channels, 1).items())


def test_a_table_has_the_time_of_every_kernel_and_whole_networks_beside_it(table):
    layers = {name for row in table["units"] for name in row["layers"].split()}
    assert {"first", "second.dw", "second.pw", "third", "last", "picture", "answer"} <= layers
    assert all(value >= 0 for row in table["units"] for value in row["milliseconds"])
    by_layer = {name: row["groups"] for row in table["units"] for name in row["layers"].split()}
    assert by_layer["picture"] == by_layer["answer"] == []
    assert set(by_layer["second.dw"]) <= {"first", "second.pw"}
    rows = held(table)
    assert [row["name"] for row in rows] == ["whole", *(f"random-{i}" for i in range(4))]
    assert all(row["measured_ms"] > 0 and row["table_ms"] > 0 for row in rows)


@pytest.mark.parametrize("precision", [pytest.param("float32", marks=pytest.mark.slow), again("int8")])
def test_a_bundle_s_kernels_are_timed_one_by_one(precision, tmp_path):
    graph = narrowed(entry("fastdepth-pruned").graph, 8)
    found = compiled(graph, precision, "host", tmp_path / "module", (32, 64), 1)
    layers = [name for words in found.layers for name in words.split()]
    assert sorted(layers) == sorted(node.name for node in graph.nodes if node.layer.word in ("full", "depthwise"))
    assert any({"decode_conv5.pw", "decode_conv6"} <= set(words.split()) for words in found.layers)
    times = found.timed(time.thread_time)
    assert len(times) == len(found.layers)
    assert all(seconds >= 0 for seconds in times)
    assert sum(times) > 0
    found.run()


def test_kernels_of_bundles_compute_a_fastdepth_alone(tmp_path):
    with pytest.raises(SettingError, match="small is no variant of FastDepth"):
        measure(small(), 32, 48, tmp_path, kernels="int8", count=2, rounds=1)
    with pytest.raises(SettingError, match="no kernels called"):
        measure(small(), 32, 48, tmp_path, kernels="float64", count=2, rounds=1)


def test_a_table_s_sum_is_of_the_widths_that_are_asked_for(table):
    latency = latency_of(table)
    graph = small()
    whole = channels_of(graph).widths
    assert latency.milliseconds(whole) == pytest.approx(sum(latency.parts(whole).values()))
    assert set(latency.parts(whole)) == {row["layers"] for row in table["units"]}


def test_a_table_is_read_as_it_was_written_and_of_its_own_network_alone(table, tmp_path):
    write_table(tmp_path / "table.json", table)
    assert read_table(tmp_path / "table.json", small()) == json.loads(json.dumps(table))
    assert read_table(tmp_path / "table.json", narrowed(small(), 2)), "it holds for fewer channels"
    for other in (entry("litedepth").graph, replace(small(), nodes=small().nodes[:2]), wider(small())):
        with pytest.raises(SettingError, match="another network"):
            read_table(tmp_path / "table.json", other)


@pytest.mark.parametrize("damage", [{"checks": None}, {"checks": [{}]}, {"checks": [{"name": "a", "widths": {}}]}])
def test_a_table_whose_checks_are_none_is_told(table, damage, tmp_path):
    write_table(tmp_path / "table.json", {**table, **damage})
    with pytest.raises(SettingError, match="Measure again"):
        read_table(tmp_path / "table.json", small())


@pytest.mark.parametrize("text", ["", "[]", '{"format": 1}', '{"format": 2}'])
def test_a_file_that_is_no_table_is_told(text, tmp_path):
    (tmp_path / "table.json").write_text(text)
    with pytest.raises(SettingError, match="Measure again"):
        read_table(tmp_path / "table.json", small())


def test_numbers_that_measure_nothing_are_refused(tmp_path):
    with pytest.raises(SettingError, match="4 widths"):
        measure(small(), 32, 48, tmp_path, count=4)
    with pytest.raises(SettingError, match="0 rounds"):
        measure(small(), 32, 48, tmp_path, rounds=0)
