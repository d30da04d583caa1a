"""The kernels whose pointwise convolutions are computed in int8, on every instruction set that this processor has."""

import itertools

import int8
import numpy as np
import pytest
from halves import in_half
from int8_cases import exact
from made_weights import random_weights
from slowly import mostly_again
from test_kernels import compile_together, panels_case, rows_case, run, separable, upsampled_case

from fastdepth_ros.compiler.byte_products import BYTE_KERNELS
from fastdepth_ros.compiler.layout import LARGEST_SHARED, Map, last_lanes, quantised
from fastdepth_ros.compiler.plan import Planner
from fastdepth_ros.compiler.pointwise import Int8, find_precision
from fastdepth_ros.compiler.targets import TARGETS
from fastdepth_ros.errors import SettingError
from fastdepth_ros.network import PRUNED
from fastdepth_ros.runtime import processor
from fastdepth_ros.runtime.processor import BYTE_PRODUCTS, byte_products, flags


def ways():
    for products in BYTE_PRODUCTS:
        lacking = products.needs - processor.features()
        skip = pytest.mark.skipif(bool(lacking), reason=f"this processor lacks {', '.join(lacking)}")
        yield pytest.param(products, marks=skip, id=products.name)


every_way = pytest.mark.parametrize("products", ways())


def cases(products):
    rng, lanes, precision = np.random.default_rng(7), products.lanes, Int8(products)
    shapes = [(5, 19, 7, 9, 1), (16, 16, 6, 11, 2), (37, 40, 5, 13, 0), (3, 1, 1, 1, 1)]
    kinds = [(3, 1, "relu6"), (3, 2, "relu6"), (5, 1, "relu")]
    for i, ((inputs, outputs, h, w, border), (kernel, stride, act)) in enumerate(itertools.product(shapes, kinds)):
        block = separable(inputs, outputs, kernel, stride, act)
        yield f"rows{i}", rows_case(f"rows{i}", rng, lanes, block, h, w, border, precision)
    for i, (inputs, outputs, border) in enumerate([(19, 64, 0), (40, 33, 1), (16, 7, 2)]):
        yield f"panels{i}", panels_case(f"panels{i}", rng, lanes, inputs, outputs, 5, 7, border, precision)
    for i, (skip, last) in enumerate(itertools.product((False, True), (False, True))):
        yield f"up{i}", upsampled_case(f"up{i}", rng, lanes, 19, 21, 3, 5, skip, last, precision)
        yield f"wide{i}", upsampled_case(f"wide{i}", rng, lanes, 16, 70, 4, 2, skip, last, precision)


@pytest.fixture(scope="module", params=ways())
def products(request):
    return request.param


@pytest.fixture(scope="module", params=mostly_again([0, 1]), ids="half {}".format)
def compiled(request, products):
    named = {name: case for name, case in cases(products) if in_half(name, request.param)}
    return named, compile_together({name: case.kernel for name, case in named.items()})


def test_every_int8_kernel_is_near_plain_numpy(compiled):
    """A byte has 255 steps: sums of some hundred rounded products are off by hundredths of the largest."""
    named, module = compiled
    for name, case in named.items():
        stored = run(case, module[name], threads=1)
        assert np.isfinite(stored).all(), f"{name} leaves numbers unwritten"
        answer = case.out.unpack(stored) if isinstance(case.out, Map) else stored
        largest = max(1.0, float(np.abs(case.expected).max()))
        assert np.abs(answer - case.expected).max() < 0.05 * largest, name


def test_several_threads_give_the_same_bits_in_int8(compiled):
    named, module = compiled
    for name, case in named.items():
        assert np.array_equal(run(case, module[name], 1), run(case, module[name], 2)), name


@every_way
def test_products_are_the_definition_to_the_bit(products):
    cases = exact(products)
    module = compile_together({name: case.kernel for name, case in cases.items()})
    for name, case in cases.items():
        np.testing.assert_array_equal(case.out.unpack(run(case, module[name], 1)), case.expected, err_msg=name)


@pytest.mark.parametrize("products", BYTE_PRODUCTS)
def test_weights_of_an_output_that_is_always_zero_stay_zero(products):
    nothing = np.zeros((3, 5, 1, 1), np.float32)
    words, scale, *_ = Int8(products).pack(nothing, np.zeros(3, np.float32), products.lanes, 2)
    assert not words.any()
    assert np.isfinite(scale).all()


@pytest.mark.parametrize("products", BYTE_PRODUCTS)
def test_packed_weights_multiply_as_the_instructions_do(products):
    """The sums of a panel, from its words alone: what each instruction set adds to which lane."""
    rng, lanes, kernels = np.random.default_rng(5), products.lanes, BYTE_KERNELS[products.name]
    weight = rng.integers(-127, 128, (lanes, 2 * lanes, 1, 1)).astype(np.float32)
    weight[:, 0] = 127
    words, scale, _, *shift = Int8(products).pack(weight, np.zeros(lanes, np.float32), lanes, 1)
    steps, worth = int8.quantised_weights(weight, kernels.sharing)
    np.testing.assert_array_equal(scale, worth)
    inputs = rng.integers(0, 256, 2 * lanes)
    inputs[:2] = 255, 0
    stored = inputs - 128 * kernels.signed
    numbers = words.view(np.int8).astype(np.int64)
    if kernels.halves:
        lane = numbers.reshape(-1, 2, lanes, 2).transpose(0, 1, 3, 2).reshape(-1, lanes)
    else:
        lane = numbers.reshape(-1, lanes, 4).transpose(0, 2, 1).reshape(-1, lanes)
    sums = lane.T @ stored + (shift[0] if shift else 0)
    np.testing.assert_array_equal(sums, steps @ inputs)


def hard_weights(rng):
    """Weights whose sums come near the limit, or would be beyond it: all alike, signs by chance, few large ones."""
    yield np.full((3, 40), 0.7)
    yield -np.full((3, 37), 1e-3)
    yield rng.choice([-1.0, 1.0], (64, 53))
    yield rng.normal(0, 1, (256, 408))
    yield rng.uniform(0, 1, (64, 16)) ** 8
    yield np.linspace(-1, 1, 7 * 19).reshape(7, 19)


@pytest.mark.parametrize("sharing", [1, 2, 4])
def test_no_sum_of_16_bits_overflows_whatever_the_inputs(sharing):
    """The most that a sum can come to, at any moment: inputs of 255 where weights have one sign, and of 0 elsewhere."""
    for weight in hard_weights(np.random.default_rng(1)):
        weight = weight.astype(np.float32)[:, :, None, None]
        steps, scale = quantised(weight, 8, sharing)
        place = int8.sums_of_16_bits(steps.shape[1], sharing)
        for number in range(place.max() + 1):
            own = steps[:, place == number]
            assert (255 * own.clip(0).sum(axis=1)).max() < 2**15
            assert (255 * own.clip(None, 0).sum(axis=1)).min() >= -(2**15)
        expected, worth = int8.quantised_weights(weight, sharing)
        np.testing.assert_array_equal(steps[: len(weight), : weight.shape[1]], expected)
        np.testing.assert_array_equal(scale, worth)


def test_weights_that_share_sums_use_the_most_of_their_range():
    """Steps are no larger than what the sums of 16 bits ask for: some sum reaches the limit, but for the rounding."""
    weight = np.random.default_rng(2).normal(0, 1, (64, 256, 1, 1)).astype(np.float32)
    steps, _ = quantised(weight, 8, 2)
    place = int8.sums_of_16_bits(256, 2)
    most = [max((sign * steps).clip(0)[:, place == n].sum(axis=1).max() for sign in (1, -1)) for n in range(128)]
    assert 122 <= max(most) <= LARGEST_SHARED


@pytest.mark.parametrize("products", BYTE_PRODUCTS)
def test_large_maps_are_kept_in_float16_where_all_is_of_bytes(products):
    planner = Planner(PRUNED, random_weights(PRUNED), products.lanes, Int8(products))
    kept = {stage.name for stage in planner.plan(224, 224) if stage.dtype == "float16"}
    large = {"conv1", "conv2", "conv3"}
    assert kept == (large if BYTE_KERNELS[products.name].doubled else set())
    floats = Planner(PRUNED, random_weights(PRUNED), products.lanes).plan(224, 224)
    assert {stage.dtype for stage in floats} == {"float32"}


@pytest.mark.parametrize(
    ("channels", "lanes"), [(1, 8), (8, 8), (9, 16), (15, 16), (16, 16), (17, 8), (40, 8), (56, 8), (60, 16), (88, 8)]
)
def test_a_last_vector_that_is_at_most_half_full_is_computed_as_a_short_one(channels, lanes):
    assert last_lanes(channels, 16, True) == lanes
    assert last_lanes(channels, 16, False) == 16


def test_short_vectors_are_of_avx512_alone():
    assert {name for name, products in BYTE_KERNELS.items() if products.short} == {"AVX-512 VNNI"}


def test_every_product_of_bytes_has_kernels():
    assert set(BYTE_KERNELS) == {products.name for products in BYTE_PRODUCTS}


@pytest.mark.parametrize(
    ("lanes", "found", "name"),
    [
        (16, "avx2 avx512_vnni", "AVX-512 VNNI"),
        (16, "avx2 avx512bw", None),
        (8, "avx2 avx_vnni", "AVX-VNNI"),
        (8, "avx2", "AVX2"),
        (4, "neon asimddp", "sdot"),
        (4, "neon", "smull"),
    ],
)
def test_the_fastest_products_of_bytes_are_taken(lanes, found, name):
    products = byte_products(flags(found), lanes)
    assert (products and products.name) == name


def test_a_target_without_byte_products_refuses_int8():
    with pytest.raises(SettingError, match=r"x86-64-v4 lacks AVX-512 VNNI, which int8 needs. Use float32"):
        find_precision("int8", TARGETS["x86-64-v4"])
