"""The kernels whose pointwise convolutions are computed in float16, and the targets that have them.

Processors without float16 compute it in float32 and round; nobody would use that, but it runs here.
"""

import float16
import numpy as np
import pytest
from float16_cases import TILING, cases
from test_kernels import compile_together, run

from fastdepth_ros.compiler.half_products import TOGETHER, Float16
from fastdepth_ros.compiler.pointwise import find_precision
from fastdepth_ros.compiler.targets import TARGETS
from fastdepth_ros.errors import SettingError

LANES = 4


@pytest.fixture(scope="module")
def compiled():
    named = cases(LANES)
    return named, compile_together({name: case.kernel for name, case in named.items()})


def test_products_in_float16_are_their_definition_to_the_bit(compiled):
    named, module = compiled
    for name, case in named.items():
        answer = case.out.unpack(run(case, module[name], 1))
        np.testing.assert_array_equal(answer, case.expected, err_msg=name)


def test_several_threads_give_the_same_bits_in_float16(compiled):
    named, module = compiled
    for name, case in named.items():
        assert np.array_equal(run(case, module[name], 1), run(case, module[name], 2)), name


def test_many_inputs_do_not_lose_more_than_few():
    """Sums of all products in float16 would: this one would stand at 1024, where a step is larger than two products."""
    ones = np.full((64 * TOGETHER, 1, 1), 1.0, np.float32)
    weight = np.full((1, len(ones), 1, 1), 0.3333, np.float32)
    answer = float16.pointwise(ones, weight, np.zeros(1, np.float32), "relu")
    assert answer == pytest.approx(len(ones) * 0.3333, rel=2e-3)


def test_packed_weights_are_rounded_and_filled_up():
    weight = np.random.default_rng(3).normal(0, 1, (5, 6, 1, 1)).astype(np.float32)
    packed, bias = Float16().pack(weight, np.zeros(5, np.float32), LANES, TILING.panel)
    assert packed.dtype == np.float16
    matrix = packed.reshape(8, 8).T  # One panel: [input][output].
    np.testing.assert_array_equal(matrix[:5, :6], weight[:, :, 0, 0].astype(np.float16))
    assert not matrix[5:].any()
    assert not matrix[:, 6:].any()
    assert bias.shape == (8,)


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_float16_is_for_processors_of_armv8_2(name):
    if name in ("cortex-a76", "cortex-a78", "carmel"):
        assert find_precision("float16", TARGETS[name]).needs <= TARGETS[name].needs
    else:
        with pytest.raises(SettingError, match=f"{name} does not compute in float16"):
            find_precision("float16", TARGETS[name])
