"""Mean inputs from made-up pictures make up for what rounding weights takes from every answer."""

import cv2
import int8
import numpy as np
import pytest
from made_weights import random_weights
from small_network import SMALL

from fastdepth_ros.compiler import byte_first, byte_spatial, means
from fastdepth_ros.compiler.byte_products import BYTE_KERNELS
from fastdepth_ros.compiler.plan import Planner, turns
from fastdepth_ros.compiler.pointwise import FLOAT32, Int8
from fastdepth_ros.compiler.tile import Tiling
from fastdepth_ros.models import DEFAULT, find_bundle
from fastdepth_ros.network.fastdepth import graph_of
from fastdepth_ros.network.plain import evaluate_maps
from fastdepth_ros.runtime.processor import BYTE_PRODUCTS

(AVX2,) = [products for products in BYTE_PRODUCTS if products.name == "AVX2"]


def test_made_up_pictures_are_the_same_each_time_and_have_every_brightness():
    one, other = (means.leaves(np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(one, other)
    assert one.shape == (3, means.SIDE, means.SIDE)
    assert one.min() >= 0
    assert one.max() <= 1
    assert np.histogram(one, bins=4, range=(0, 1))[0].min() > one.size / 50


def test_rounded_weights_are_off_by_less_in_a_room_than_without_the_correction():
    """In the default bundle's own picture of a room, which the correction never saw; over all layers."""
    bundle = find_bundle(DEFAULT)
    network, weights, precision = bundle.manifest.network, bundle.weights(), Int8(AVX2)
    picture = cv2.imread(str(bundle.path / "room.png"))[..., ::-1]
    pixels = cv2.resize(picture, (224, 224), interpolation=cv2.INTER_AREA).transpose(2, 0, 1).astype(np.float32) / 255
    blocks = (*network.encoder_blocks, *network.decoder_blocks)
    seen = evaluate_maps(graph_of(network), weights, pixels, [block.depthwise.name for block in blocks])
    expected, shares = means.input_means(network, weights), []
    for block in blocks:
        name, own = block.depthwise.name, seen[block.depthwise.name].mean(axis=(1, 2))
        lost = precision.lost(weights[f"{block.pointwise.name}.weight"], AVX2.lanes)
        shares.append(np.linalg.norm(lost @ (own - expected[name])) / np.linalg.norm(lost @ own))
    assert np.mean(shares) < 0.75


def test_a_bias_is_corrected_by_what_its_weights_lose_of_the_mean_inputs():
    weights, tiling = random_weights(SMALL), Tiling(panel=1, pixels=7)
    planner = Planner(SMALL, weights, AVX2.lanes, Int8(AVX2))
    block = SMALL.encoder_blocks[3]
    name = block.pointwise.name
    *_, bias = planner.pointwise(block, tiling)
    lost = Int8(AVX2).lost(weights[f"{name}.weight"], AVX2.lanes)
    expected = weights[f"{name}.bias"] + lost @ planner.means[block.depthwise.name]
    np.testing.assert_allclose(bias[: len(expected)], expected, rtol=1e-6)


@pytest.mark.parametrize("products", [each for each in BYTE_PRODUCTS if not BYTE_KERNELS[each.name].whole])
def test_weights_that_keep_all_their_bits_are_not_corrected(products):
    weight = np.ones((3, 5, 1, 1), np.float32)
    assert Int8(products).lost(weight, products.lanes) is None
    assert FLOAT32.lost(weight, products.lanes) is None


@pytest.mark.parametrize("name", ["AVX2", "AVX-512 VNNI"])
def test_the_first_convolution_is_corrected_by_the_colours_of_the_made_up_pictures(name):
    """A picture of one colour, that of the means: with the correction the sums are those of weights that keep all."""
    weight = (np.random.default_rng(4).normal(0, 0.4, (19, 3, 3, 3)) / 255).astype(np.float32)
    colours = np.array([120.0, 110.0, 90.0])
    products = BYTE_KERNELS[name]
    steps, scale = int8.quantised_first(weight, products.sharing)
    rounded = (steps * scale[:, None, None, None].astype(np.float64)).sum(axis=(2, 3)) @ colours
    exact = weight.sum(axis=(2, 3), dtype=np.float64) @ colours
    assert np.abs(rounded - exact).max() > 1e-3
    np.testing.assert_allclose(rounded + byte_first.lost(products, weight) @ colours, exact, atol=1e-6)


@pytest.mark.parametrize("products", [each for each in BYTE_PRODUCTS if BYTE_KERNELS[each.name].doubled])
def test_a_depthwise_convolution_in_bytes_is_corrected_by_its_mean_inputs(products):
    """A sum of a doubled map and a skip that is everywhere its mean: the answer is that of weights that keep all."""
    weights, precision = random_weights(SMALL), Int8(products)
    planner, (turn, *_) = Planner(SMALL, weights, products.lanes, precision), [t for t in turns(SMALL) if t.skip]
    name = turn.block.depthwise.name
    *_, scale, bias = planner.depthwise(turn.block, byte_spatial.BYTES, turn)
    weight = weights[f"{name}.weight"]
    steps = np.rint(weight / scale[: len(weight), None, None, None]).sum(axis=(1, 2, 3))
    mean = planner.means[f"{turn.before}.add"]
    assert mean.min() > 0
    exact = weight.sum(axis=(1, 2, 3), dtype=np.float64) * mean + weights[f"{name}.bias"]
    rounded = steps * scale[: len(weight)].astype(np.float64) * mean
    assert np.abs(rounded + weights[f"{name}.bias"] - exact).max() > 1e-3
    np.testing.assert_allclose(rounded + bias[: len(weight)], exact, atol=1e-5)
