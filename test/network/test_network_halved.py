"""Graphs as bundles need them: one answer for every 2x2 pixels, the same as before."""

import numpy as np
import pytest

from fastdepth_ros.errors import NetworkError
from fastdepth_ros.network.builder import GraphBuilder
from fastdepth_ros.network.entries import entry, names
from fastdepth_ros.network.halved import halved
from fastdepth_ros.network.kinds import Add, Full, Upsample
from fastdepth_ros.network.noise import noise_weights
from fastdepth_ros.network.plain import evaluate


def network(*layers, inputs=3):
    to = GraphBuilder("some", inputs=inputs)
    for number, layer in enumerate(layers):
        to.add(f"layer{number}", layer)
    return to.graph()


def half():
    return Full(3, 2, "relu", outputs=5)


def last(channels=1):
    return Full(1, 1, "none", "bias", channels)


def answers(graph, weights):
    picture = np.random.default_rng(0).random((3, 16, 24), np.float32)
    return evaluate(graph, weights, picture)


def test_a_doubling_before_pointwise_convolutions_is_left_out():
    graph = network(half(), Upsample(2), Full(1, 1, "relu6", outputs=3), last())
    weights = noise_weights(graph)
    small = halved(graph)
    assert small.weight_shapes() == graph.weight_shapes()
    whole, found = answers(graph, weights), answers(small, weights)
    assert found.shape == (1, 8, 12)
    np.testing.assert_array_equal(found.repeat(2, 1).repeat(2, 2), whole)
    assert np.ptp(whole) > 0.01


def test_a_doubling_at_the_end_is_left_out():
    graph = network(half(), last(), Upsample(2))
    weights = noise_weights(graph)
    np.testing.assert_array_equal(answers(halved(graph), weights), answers(graph, weights)[:, ::2, ::2])


def test_an_answer_of_half_the_size_stays():
    graph = network(half(), last())
    assert halved(graph) is graph


def test_a_coarser_answer_is_repeated():
    graph = network(half(), half(), half(), last())
    weights = noise_weights(graph)
    found = answers(halved(graph), weights)
    np.testing.assert_array_equal(found, answers(graph, weights).repeat(4, 1).repeat(4, 2))


@pytest.mark.parametrize(
    "graph",
    [
        network(Full(3, 1, "relu", outputs=2), last()),
        network(half(), Upsample(2), Full(3, 1, "none", "bias", 1)),
        network(half(), Upsample(2, "bilinear"), last()),
        network(half(), half(), Upsample(4), last()),
        network(last()),
    ],
    ids=["full size", "wide window", "bilinear", "four times", "nothing but pointwise"],
)
def test_an_answer_of_every_pixel_s_own_is_refused(graph):
    with pytest.raises(NetworkError, match=r"answers in 1 of the picture's height and width") as refused:
        halved(graph)
    assert "docs/networks.md" in refused.value.remedy


def test_a_doubling_that_others_read_too_is_refused():
    to = GraphBuilder("twice")
    to.add("down", half())
    up = to.add("up", Upsample(2))
    beside = to.add("beside", Full(3, 2, "relu", outputs=5))
    to.add("beside.up", Upsample(2), (beside,))
    to.add("sum", Add(), ("beside.up", up))
    to.add("last", last())
    with pytest.raises(NetworkError, match="answers in 1 of"):
        halved(to.graph())


@pytest.mark.parametrize(
    "graph", [network(half(), last(2)), network(half(), last(), inputs=4)], ids=["two answers", "four planes"]
)
def test_other_channels_are_refused(graph):
    with pytest.raises(NetworkError, match="a bundle's network reads 3 and gives 1"):
        halved(graph)


def test_networks_of_the_papers_that_a_bundle_can_hold():
    fit = {name for name in names() if is_fit(entry(name).graph)}
    assert {"fastdepth-full", "lite0-nnconv5dw", "litedepth", "mobilenetv3-unet", "resnet-50-nnconv5"} <= fit
    assert not {"mobilenet-upproj", "laina-upproj"} & fit


def is_fit(graph):
    try:
        small = halved(graph)
    except NetworkError:
        return False
    return small.scales[small.answer.name] * 2 == 1
