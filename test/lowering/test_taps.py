"""Phases of convolutions against the convolution of the map that they save: every pixel, and no product with a zero."""

import itertools

import numpy as np
import pytest

from fastdepth_ros.lowering.taps import NEAREST, ZEROS, phase_weights, phases, transposed_phases
from fastdepth_ros.network.builder import GraphBuilder
from fastdepth_ros.network.kinds import Full, Transposed, Unpool, Upsample
from fastdepth_ros.network.plain import evaluate

HEIGHT, WIDTH = 4, 3


def assembled(x, weight, found, factor):
    """The answer of all phases, each a plain convolution of the small map."""
    answer = np.zeros((len(weight), HEIGHT * factor, WIDTH * factor))
    padded = np.pad(x, ((0, 0), (9, 9), (9, 9)))
    for (a, row), (b, column) in itertools.product(enumerate(found), repeat=2):
        mixed = phase_weights(weight, row, column).astype(float)
        for r, c in np.ndindex(mixed.shape[2:]):
            top, left = 9 + row.first + r, 9 + column.first + c
            part = np.tensordot(mixed[:, :, r, c], padded[:, top : top + HEIGHT, left : left + WIDTH], 1)
            answer[:, a::factor, b::factor] += part
    return answer


def made(kernel, before=None):
    builder = GraphBuilder("small", inputs=2)
    if before:
        builder.add("large", before)
    builder.add("conv", kernel)
    return builder.graph(loose=True)


@pytest.mark.parametrize("kernel", [1, 3, 5, 7])
@pytest.mark.parametrize("factor", [1, 2, 3])
@pytest.mark.parametrize("expansion", [NEAREST, ZEROS])
def test_phases_are_the_convolution_of_the_enlarged_map(kernel, factor, expansion):
    rng = np.random.default_rng(kernel * 10 + factor)
    before = Upsample(factor) if expansion == NEAREST else Unpool(factor)
    weight = rng.normal(size=(3, 2, kernel, kernel)).astype(np.float32)
    x = rng.normal(size=(2, HEIGHT, WIDTH))
    graph = made(Full(kernel, 1, "none", "none", 3), before)
    expected = evaluate(graph, {"conv.weight": weight}, x)
    found = phases(kernel, factor, expansion)
    np.testing.assert_allclose(assembled(x, weight, found, factor), expected, atol=1e-5)


@pytest.mark.parametrize(("kernel", "stride"), [(2, 2), (3, 2), (4, 2), (5, 2), (3, 3), (4, 3), (5, 1), (7, 3)])
def test_phases_are_the_transposed_convolution(kernel, stride):
    rng = np.random.default_rng(kernel * 10 + stride)
    layer = Transposed(kernel, stride, "none", "none", 3)
    weight = rng.normal(size=(2, 3, kernel, kernel)).astype(np.float32)
    x = rng.normal(size=(2, HEIGHT, WIDTH))
    expected = evaluate(made(layer), {"conv.weight": weight}, x)
    found = transposed_phases(layer)
    np.testing.assert_allclose(assembled(x, weight.transpose(1, 0, 2, 3), found, stride), expected, atol=1e-5)


def test_five_by_five_behind_a_doubling_is_four_times_three_by_three():
    assert [phase.count for phase in phases(5, 2, NEAREST)] == [3, 3]


def test_no_inserted_zero_is_multiplied():
    """25 weights are 9 + 6 + 6 + 4: each is used in one phase."""
    for found in (phases(5, 2, ZEROS), transposed_phases(Transposed(5, 2, outputs=1))):
        assert sum(one.count * other.count for one in found for other in found) == 25
