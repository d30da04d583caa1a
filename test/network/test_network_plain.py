"""Plain NumPy's layers against loops over every pixel, against each other, and against OpenCV's interpolation."""

import importlib.util
from pathlib import Path

import cv2
import numpy as np
import pytest
from made_weights import narrowed, random_graph_weights, random_weights

from fastdepth_ros.errors import NetworkError, WeightsError
from fastdepth_ros.network import PRUNED, Network
from fastdepth_ros.network.builder import GraphBuilder
from fastdepth_ros.network.entries import entry, names
from fastdepth_ros.network.fastdepth import graph_of
from fastdepth_ros.network.graph import PICTURE, Graph, Node
from fastdepth_ros.network.kinds import Add, Concatenate, Depthwise, Full, MaxPool, Transposed, Unpool, Upsample
from fastdepth_ros.network.plain import activate, evaluate, evaluate_maps


@pytest.fixture
def rng():
    return np.random.default_rng(1)


def alone(layer, picture, **weights):
    """A layer's answer to a picture."""
    graph = Graph("one", (Node("one", layer, (PICTURE,)),), inputs=len(picture), loose=True)
    return evaluate(graph, {f"one.{part}": array for part, array in weights.items()}, picture)


def pixel(x, channel, row, column):
    _, height, width = x.shape
    return x[channel, row, column] if 0 <= row < height and 0 <= column < width else 0.0


@pytest.mark.parametrize("kernel", [1, 3, 5, 7])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize(("height", "width"), [(6, 9), (1, 1), (7, 4)])
def test_a_full_and_a_depthwise_convolution_are_their_sums(rng, kernel, stride, height, width):
    x = rng.normal(size=(3, height, width))
    full, each, bias = (
        rng.normal(size=(2, 3, kernel, kernel)),
        rng.normal(size=(3, 1, kernel, kernel)),
        rng.normal(size=3),
    )
    found = alone(Full(kernel, stride, "none", "bias", 2), x, weight=full, bias=bias[:2])
    depthwise = alone(Depthwise(kernel, stride, "none", "norm"), x, weight=each, bias=bias)
    pad = kernel // 2
    assert found.shape[1:] == depthwise.shape[1:] == (-(-height // stride), -(-width // stride))
    for row in range(found.shape[1]):
        for column in range(found.shape[2]):
            window = np.array(
                [
                    [
                        [pixel(x, c, row * stride + i - pad, column * stride + j - pad) for j in range(kernel)]
                        for i in range(kernel)
                    ]
                    for c in range(3)
                ]
            )
            np.testing.assert_allclose(found[:, row, column], (full * window).sum((1, 2, 3)) + bias[:2], atol=1e-12)
            np.testing.assert_allclose(depthwise[:, row, column], (each[:, 0] * window).sum((1, 2)) + bias, atol=1e-12)


@pytest.mark.parametrize(("kernel", "stride"), [(3, 2), (4, 2), (5, 2), (7, 2), (2, 2), (3, 3), (5, 4), (1, 1)])
def test_a_transposed_convolution_lets_each_pixel_write_its_kernel(rng, kernel, stride):
    layer = Transposed(kernel, stride, "none", "none", 2)
    x, weight = rng.normal(size=(3, 4, 5)), rng.normal(size=(3, 2, kernel, kernel))
    found = alone(layer, x, weight=weight)
    assert found.shape == (2, 4 * stride, 5 * stride)
    expected = np.zeros_like(found)
    for c, r, w in np.ndindex(x.shape):
        for o, i, j in np.ndindex(weight.shape[1:]):
            row, column = r * stride + i - layer.padding, w * stride + j - layer.padding
            if 0 <= row < found.shape[1] and 0 <= column < found.shape[2]:
                expected[o, row, column] += x[c, r, w] * weight[c, o, i, j]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_unpooling_and_a_5x5_are_a_transposed_5x5_of_the_turned_kernel(rng):
    x, weight = rng.normal(size=(3, 4, 6)), rng.normal(size=(3, 2, 5, 5))
    unpooled = alone(Unpool(), x)
    assert unpooled[:, ::2, ::2].tolist() == x.tolist()
    assert np.count_nonzero(unpooled) == x.size
    turned = weight[:, :, ::-1, ::-1].transpose(1, 0, 2, 3)
    found = alone(Full(5, 1, "none", "none", 2), unpooled, weight=turned)
    np.testing.assert_allclose(found, alone(Transposed(5, 2, "none", "none", 2), x, weight=weight), atol=1e-12)


@pytest.mark.parametrize("factor", [2, 3])
def test_bilinear_upsampling_is_opencv_s(rng, factor):
    x = rng.normal(size=(1, 5, 8))
    found = alone(Upsample(factor, "bilinear"), x)
    expected = cv2.resize(x[0], (8 * factor, 5 * factor), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose(found[0], expected, atol=1e-6)


def test_bilinear_upsampling_by_corners_keeps_them(rng):
    x = np.array([[[0.0, 1.0]]])
    assert alone(Upsample(2, "bilinear-corners"), x)[0, 0] == pytest.approx([0, 1 / 3, 2 / 3, 1])
    x = rng.normal(size=(2, 4, 6))
    found = alone(Upsample(2, "bilinear-corners"), x)
    np.testing.assert_allclose(found[:, [0, 0, -1, -1], [0, -1, 0, -1]], x[:, [0, 0, -1, -1], [0, -1, 0, -1]])
    assert alone(Upsample(4, "bilinear-corners"), x[:, :1, :1]).shape == (2, 4, 4)


def test_nearest_upsampling_repeats_and_pooling_takes_the_largest(rng):
    x = rng.normal(size=(2, 5, 4)) - 10
    doubled = alone(Upsample(), x)
    assert all((doubled[:, i::2, j::2] == x).all() for i in (0, 1) for j in (0, 1))
    found = alone(MaxPool(3, 2), x)
    for row, column in np.ndindex(3, 2):
        window = x[:, max(2 * row - 1, 0) : 2 * row + 2, max(2 * column - 1, 0) : 2 * column + 2]
        assert (found[:, row, column] == window.max((1, 2))).all()


def test_activations_are_their_formulas():
    x = np.array([[[-4.0, -1.5, 0.0, 1.5, 4.0, 9.0]]])
    assert activate(x, "none")[0, 0].tolist() == x[0, 0].tolist()
    assert activate(x, "relu")[0, 0].tolist() == [0, 0, 0, 1.5, 4, 9]
    assert activate(x, "relu6")[0, 0].tolist() == [0, 0, 0, 1.5, 4, 6]
    assert activate(x, "hard-swish")[0, 0] == pytest.approx([0, -1.5 * 1.5 / 6, 0, 1.5 * 4.5 / 6, 4, 9])


def test_maps_are_added_and_concatenated_in_order(rng):
    builder = GraphBuilder("joined")
    one = builder.add("one", Depthwise(1, 1, "none", "bias"))
    builder.add("sum", Add("relu"), (one, PICTURE))
    builder.add("both", Concatenate(), ("sum", PICTURE))
    x = rng.normal(size=(3, 2, 2))
    weights = {"one.weight": np.full((3, 1, 1, 1), 2.0), "one.bias": np.full(3, 0.5)}
    maps = evaluate_maps(builder.graph(), weights, x, ["one"])
    np.testing.assert_allclose(maps["one"], 2 * x + 0.5)
    np.testing.assert_allclose(maps["both"], np.concatenate([np.maximum(3 * x + 0.5, 0), x]))


ODD = Network("odd", encoder=(3, 17, 5, *[9] * 11), decoder=(7, 9, 5, 17, 33), skips=((2, 5), (4, 1)))


@pytest.mark.parametrize("network", [PRUNED, ODD], ids=lambda network: network.name)
def test_fastdepth_answers_as_the_compiler_s_own_reference(rng, network):
    path = Path(__file__).parents[1] / "compiler" / "plain.py"
    spec = importlib.util.spec_from_file_location("compiler_plain", path)
    plain = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(plain)
    picture, weights = rng.integers(0, 256, (64, 32, 3), np.uint8), random_weights(network, seed=1)
    half = plain.depth(network, weights, picture)
    (found,) = evaluate(graph_of(network), weights, picture.transpose(2, 0, 1) / 255)
    assert half.max() > 0.1
    np.testing.assert_allclose(found, half.repeat(2, 0).repeat(2, 1), rtol=1e-9)


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("times", [8, pytest.param(1, marks=pytest.mark.slow)], ids=["narrowed", "whole"])
def test_every_entry_can_be_computed(rng, name, times):
    graph = narrowed(entry(name).graph, times)
    picture = rng.random((3, 32, 64), np.float32)
    found = evaluate(graph, random_graph_weights(graph), picture)
    scale = graph.scales[graph.answer.name]
    assert found.shape == (1, 32 * scale, 64 * scale)
    assert found.dtype == np.float32
    assert np.isfinite(found).all()


def test_what_does_not_fit_is_refused_before_anything_is_computed():
    graph, weights = graph_of(PRUNED), random_weights(PRUNED)
    with pytest.raises(NetworkError, match=r"cannot take a picture of 33x32"):
        evaluate(graph, weights, np.zeros((3, 32, 33)))
    with pytest.raises(NetworkError, match=r"reads 3 channels, and the picture has the shape"):
        evaluate(graph, weights, np.zeros((1, 32, 32)))
    del weights["conv0.bias"]
    with pytest.raises(WeightsError, match=r"conv0.bias is missing"):
        evaluate(graph, weights, np.zeros((3, 32, 32)))
