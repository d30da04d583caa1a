"""The network table against the paper's figures, and what it says of weights that do not fit."""

import numpy as np
import pytest
from made_weights import random_weights

from fastdepth_ros.errors import WeightsError
from fastdepth_ros.network import FULL, NETWORKS, PRUNED, Network, check_weights, walk


@pytest.mark.parametrize(
    ("network", "weights", "macs"),
    # The paper says 1.34 M and 0.37 GMAC, 3.93 M and 0.74 GMAC (arXiv 1903.03273, tables 1 and 3).
    [(PRUNED, 1_343_664, 366_393_384), (FULL, 3_933_088, 736_658_944)],
)
def test_the_table_has_the_papers_size(network, weights, macs):
    assert sum(int(np.prod(conv.weight_shape)) for conv in network.convolutions) == weights
    assert network.macs() == macs
    assert len(network.convolutions) == 38


def test_the_way_through_the_network_is_that_of_the_paper():
    steps = PRUNED.steps(repeated=True)
    assert [step.name for step in steps] == [f"conv{i}" for i in range(14)] + [f"decode_conv{i}" for i in range(1, 7)]
    assert [step.name for step in steps if step.doubled] == [f"decode_conv{i}" for i in range(1, 6)]
    assert {step.name: step.skip for step in steps if step.skip} == {
        "decode_conv2": "conv5",
        "decode_conv3": "conv3",
        "decode_conv4": "conv1",
    }


def test_the_last_block_is_not_doubled_where_nobody_needs_every_value_four_times():
    assert [step.name for step in PRUNED.steps() if step.doubled] == [f"decode_conv{i}" for i in range(1, 5)]
    assert list(PRUNED.inputs(224, 224))[-1] == (PRUNED.last, 112, 112)
    assert list(PRUNED.inputs(224, 224, repeated=True))[-1] == (PRUNED.last, 224, 224)


def test_a_walk_adds_what_the_table_says_to_maps_of_the_same_size():
    class Sizes:
        """A graph whose values are sizes of maps."""

        def convolution(self, value, conv):
            channels, side = value
            assert channels == conv.inputs
            return conv.outputs, side // conv.stride

        def upsample(self, value):
            return value[0], value[1] * 2

        def add(self, one, other):
            assert one == other
            return one

    answers = walk(PRUNED, Sizes(), (3, 224))
    assert answers["conv13"] == (512, 7)
    assert answers["decode_conv6"] == (1, 112)


@pytest.mark.parametrize("network", NETWORKS.values(), ids=list(NETWORKS))
def test_a_table_survives_its_manifest(network):
    assert Network.from_json(network.to_json()) == network


def test_random_weights_fit():
    check_weights(PRUNED, random_weights(PRUNED))


def broken(**changes):
    weights = random_weights(PRUNED)
    for name, array in changes.items():
        key = name.replace("__", ".")
        if array is None:
            del weights[key]
        else:
            weights[key] = array
    return weights


@pytest.mark.parametrize(
    ("weights", "layer"),
    [
        (broken(conv5__pw__bias=None), "conv5.pw.bias is missing"),
        (broken(decode_conv2__dw__weight=np.zeros((200, 1, 3, 3), "f")), r"decode_conv2.dw.weight has shape"),
        (broken(conv0__bias=np.full(16, np.nan, "f")), "conv0.bias holds NaN"),
        (broken(extra=np.zeros(1, "f")), "extra is in no layer"),
    ],
)
def test_weights_that_do_not_fit_name_their_layer(weights, layer):
    with pytest.raises(WeightsError, match=layer):
        check_weights(PRUNED, weights)


def test_a_skip_between_unlike_maps_is_refused():
    table = {**PRUNED.to_json(), "skips": {"2": 4}}
    with pytest.raises(WeightsError, match="conv4 .144 channels. to decode_conv2 .256"):
        Network.from_json(table)


def test_a_table_with_a_row_too_few_is_refused():
    table = {**PRUNED.to_json(), "encoder": [16, 32]}
    with pytest.raises(WeightsError, match="2 encoder"):
        Network.from_json(table)
