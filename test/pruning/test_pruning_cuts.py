"""Channels that go: which layers lose them together, and what an answer is without them."""

import numpy as np
import pytest
from made_weights import narrowed, random_graph_weights

from fastdepth_ros.network import PRUNED
from fastdepth_ros.network.builder import GraphBuilder
from fastdepth_ros.network.entries import entry, names
from fastdepth_ros.network.fastdepth import graph_of
from fastdepth_ros.network.graph import Graph, weighted
from fastdepth_ros.network.kinds import Add, Concatenate, Full, Transposed
from fastdepth_ros.network.plain import evaluate
from fastdepth_ros.pruning.filters import strength, strongest
from fastdepth_ros.pruning.judge import NormJudge, cut_network
from fastdepth_ros.pruning.widths import channels_of, resized


def silenced(graph: Graph, makers: tuple[str, ...], places: list[int]) -> dict[str, np.ndarray]:
    """Random weights in which some channels of some layers are always zero."""
    arrays = random_graph_weights(graph)
    for maker in makers:
        weight = arrays[f"{maker}.weight"]
        if isinstance(graph.by_name[maker].layer, Transposed):
            weight[:, places] = 0
        else:
            weight[places] = 0
        if f"{maker}.bias" in arrays:
            arrays[f"{maker}.bias"][places] = 0
    return arrays


def test_the_paper_s_network_has_sixteen_groups_and_three_ties():
    channels = channels_of(entry("fastdepth-full").graph)
    assert len(channels.groups) == 16
    tied = {group.makers for group in channels.groups.values() if len(group.makers) > 1}
    assert tied == {
        ("conv1.pw", "decode_conv4.pw"),
        ("conv3.pw", "decode_conv3.pw"),
        ("conv5.pw", "decode_conv2.pw"),
    }
    assert "decode_conv6" not in channels.groups


def test_the_authors_widths_make_the_authors_network():
    graph, pruned = entry("fastdepth-full").graph, graph_of(PRUNED)
    channels = channels_of(graph)
    widths = {name: pruned.channels[name] for name in channels.groups}
    assert resized(graph, channels, widths).nodes == pruned.nodes


@pytest.mark.parametrize("name", names())
def test_every_group_of_every_network_can_be_cut(name):
    graph = narrowed(entry(name).graph)
    channels = channels_of(graph)
    assert channels.groups
    for group in channels.groups.values():
        smaller = resized(graph, channels, {group.name: max(group.channels - 1, 1)})
        assert {smaller.channels[maker] for maker in group.makers} == {max(group.channels - 1, 1)}


@pytest.mark.parametrize(
    "name", ["mobilenet-deconv5", "mobilenet-nnconv5dw-skipconcat", "efficientpose-a", "mobilenetv3-rfdb"]
)
def test_an_answer_stays_where_the_channels_that_go_were_zero(name):
    graph = narrowed(entry(name).graph)
    rng = np.random.default_rng(3)
    picture = rng.random((graph.inputs, 32, 32))
    channels = channels_of(graph)
    alone = [group for group in channels.groups.values() if len(group.makers) == 1 and group.channels > 2]
    for group in [alone[0], alone[len(alone) // 2], alone[-1]]:
        places = sorted(rng.choice(group.channels, group.channels // 3, replace=False).tolist())
        arrays = silenced(graph, group.makers, places)
        # A depthwise convolution makes something of nothing: its bias.
        for node in weighted(graph):
            if (
                node.layer.word == "depthwise"
                and group.name in channels.parts[node.name]
                and f"{node.name}.bias" in arrays
            ):
                arrays[f"{node.name}.bias"][:] = 0
        expected = evaluate(graph, arrays, picture)
        smaller, fewer = cut_network(graph, channels, arrays, group.name, group.channels - len(places))
        smaller.check_weights(fewer)
        assert np.allclose(evaluate(smaller, fewer, picture), expected, atol=1e-5 * np.ptp(expected))


def test_tied_layers_lose_the_same_channels():
    to = GraphBuilder("tied")
    first = to.add("first", Full(3, 1, "none", "none", 8))
    to.add("second", Full(1, 1, "none", "none", 8), (first,))
    to.add("sum", Add(), (first, "second"))
    to.add("last", Full(1, 1, "none", "bias", 1))
    graph = to.graph()
    arrays = silenced(graph, ("first", "second"), [1, 4, 6])
    arrays["second.weight"] *= 1000  # which alone would decide if norms were summed as they are
    channels = channels_of(graph)
    group = channels.groups["first"]
    assert group.makers == ("first", "second")
    keep = strongest(strength(graph, group, lambda name: arrays[f"{name}.weight"]), 5)
    assert keep.tolist() == [0, 2, 3, 5, 7]
    picture = np.random.default_rng(0).random((3, 8, 8))
    smaller, fewer = cut_network(graph, channels, arrays, "first", 5)
    assert np.allclose(evaluate(smaller, fewer, picture), evaluate(graph, arrays, picture))


def test_each_tied_layer_counts_alike():
    to = GraphBuilder("tied")
    first = to.add("first", Full(1, 1, "none", "none", 2))
    to.add("second", Full(1, 1, "none", "none", 2), (first,))
    to.add("sum", Add(), (first, "second"))
    to.add("last", Full(1, 1, "none", "bias", 1))
    graph = to.graph()
    arrays = random_graph_weights(graph)
    arrays["first.weight"][:] = np.array([3.0, 1.0]).reshape(2, 1, 1, 1)
    arrays["second.weight"][:] = np.array([100.0, 110.0]).reshape(2, 1, 1, 1)
    found = strength(graph, channels_of(graph).groups["first"], lambda name: arrays[f"{name}.weight"])
    assert found[0] > found[1]


def test_maps_of_unlike_parts_that_a_sum_adds_stay_as_they_are():
    to = GraphBuilder("unlike")
    first = to.add("first", Full(1, 1, "none", "none", 8))
    second = to.add("second", Full(1, 1, "none", "none", 4), (first,))
    to.add("join", Concatenate(), (second, first))
    joined = to.here
    to.add("third", Full(1, 1, "none", "none", 12))
    to.add("sum", Add(), (joined, "third"))
    to.add("fourth", Full(1, 1, "none", "none", 6))
    to.add("last", Full(1, 1, "none", "bias", 1))
    assert set(channels_of(to.graph()).groups) == {"fourth"}


def test_the_share_of_the_weights_that_is_kept_falls_with_every_cut():
    graph = narrowed(entry("fastdepth-full").graph)
    arrays = random_graph_weights(graph)
    judge = NormJudge(graph, arrays)
    assert judge.accuracy(graph, arrays) == pytest.approx(1.0)
    arrays["conv9.pw.norm.num_batches_tracked"] = np.array(3)
    smaller, fewer = cut_network(graph, channels_of(graph), arrays, "conv9.pw", 40)
    assert fewer["conv9.pw.norm.num_batches_tracked"].shape == ()
    assert judge.adapt(smaller, fewer, 0)[1] < 1.0
