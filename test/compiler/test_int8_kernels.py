"""The kernels whose pointwise convolutions are computed in int8, on every instruction set that this processor has."""

import itertools

import int8
import numpy as np
import pytest
import tvm
from test_kernels import TILING, compile_together, panels_case, rows_case, run, separable, upsampled_case, weights

from fastdepth_ros.compiler import layout
from fastdepth_ros.compiler.layout import Map
from fastdepth_ros.compiler.pointwise import NUMBERS, Int8, find_precision
from fastdepth_ros.compiler.separable import block_by_rows, pointwise_by_panels, task_rows
from fastdepth_ros.compiler.sources import Plain
from fastdepth_ros.compiler.targets import TARGETS
from fastdepth_ros.errors import SettingError
from fastdepth_ros.network import Convolution
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
def compiled(request):
    named = dict(cases(request.param))
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


def answer_of(kernel, source, target, x, arrays):
    function = compile_together({"k": kernel})["k"]
    tensors = [tvm.runtime.tensor(array.ravel()) for array in (source.pack(x), *arrays)]
    out = tvm.runtime.tensor(np.full(target.size, np.nan, np.float32))
    function(*tensors, out)
    return target.unpack(out.numpy())


@every_way
@pytest.mark.parametrize("activation", ["relu", "relu6"])
def test_a_product_is_the_definition_to_the_bit(products, activation):
    rng, lanes, precision = np.random.default_rng(11), products.lanes, Int8(products)
    conv = Convolution("pw", "pointwise", 1, 1, 83, 45, activation)
    weight, bias = weights(rng, conv)
    x = 9 * rng.random((83, 5, 7), np.float32)
    source, target = Map(5, 7, 83, 0, lanes), Map(5, 7, 45, 1, lanes)
    kernel = pointwise_by_panels("k", conv, source, target, TILING, precision)
    found = answer_of(kernel, source, target, x, precision.pack(weight, bias, lanes, TILING.panel))
    assert np.array_equal(found, int8.pointwise(x, weight, bias, activation))


@every_way
def test_a_block_is_the_definition_to_the_bit_with_a_scale_of_its_own_for_each_task(products):
    """A depthwise convolution that changes nothing, so that the answer is the product's alone."""
    rng, lanes, precision = np.random.default_rng(12), products.lanes, Int8(products)
    block = separable(21, 34, 3, 1, "relu")
    height, width = 9, 11
    nothing = np.zeros(block.depthwise.weight_shape, np.float32)
    nothing[:, :, 1, 1] = 1
    weight, bias = weights(rng, block.pointwise)
    x = rng.random((21, height, width), np.float32) * np.arange(1, height + 1, dtype=np.float32)[None, :, None]
    source, target = Map(height, width, 21, 1, lanes), Map(height, width, 34, 0, lanes)
    kernel = block_by_rows("k", block, Plain(source), target, TILING, precision=precision)
    arrays = [
        layout.pack_depthwise(nothing, lanes),
        layout.pack_vector(np.zeros(21, np.float32), lanes),
        *precision.pack(weight, bias, lanes, TILING.panel),
    ]
    rows = task_rows(height, TILING.rows)
    assert 1 < rows < height
    found = answer_of(kernel, source, target, x, arrays)
    assert np.array_equal(found, int8.pointwise_by_rows(x, weight, bias, "relu", rows))


@every_way
def test_the_largest_bytes_are_multiplied_and_added_exactly(products):
    """Inputs of 255 and weights of 127 alone: two such products are more than 16 bits hold, and none is cut off."""
    lanes, precision = products.lanes, Int8(products)
    rng = np.random.default_rng(3)
    conv = Convolution("pw", "pointwise", 1, 1, 512, 21, "relu")
    weight = rng.integers(-127, 128, conv.weight_shape).astype(np.float32)
    weight[:, 0] = 127
    weight[0], weight[1] = 127, -127
    x = rng.integers(0, 256, (512, 5, 7)).astype(np.float32)
    x[:, 0, 0] = 255
    source, target = Map(5, 7, 512, 0, lanes), Map(5, 7, 21, 0, lanes)
    kernel = pointwise_by_panels("k", conv, source, target, TILING, precision)
    found = answer_of(kernel, source, target, x, precision.pack(weight, np.zeros(21, np.float32), lanes, TILING.panel))
    expected = np.maximum(np.einsum("oi,ihw->ohw", weight[:, :, 0, 0], x), 0)
    assert expected[0, 0, 0] == 512 * 255 * 127
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("numbers", sorted(set(NUMBERS.values())))
def test_weights_of_an_output_that_is_always_zero_stay_zero(numbers):
    words, scale = layout.pack_pointwise_int8(np.zeros((3, 5, 1, 1), np.float32), 16, 2, numbers)
    assert not words.any()
    assert np.isfinite(scale).all()


def test_every_product_of_bytes_has_kernels():
    assert set(NUMBERS) == {products.name for products in BYTE_PRODUCTS}


@pytest.mark.parametrize(
    ("lanes", "found", "name"),
    [
        (16, "avx2 avx512_vnni", "AVX-512 VNNI"),
        (16, "avx2 avx512bw", None),
        (8, "avx2 avx_vnni", "AVX-VNNI"),
        (8, "avx2", "AVX2"),
        (4, "neon asimddp", None),
    ],
)
def test_the_fastest_products_of_bytes_are_taken(lanes, found, name):
    products = byte_products(flags(found), lanes)
    assert (products and products.name) == name


@pytest.mark.parametrize(
    ("target", "lacking"), [("x86-64-v4", "AVX-512 VNNI"), ("cortex-a76", "what x86 has"), ("carmel", "what x86 has")]
)
def test_a_target_without_byte_products_refuses_int8(target, lacking):
    with pytest.raises(SettingError, match=rf"{target} lacks {lacking}, which int8 needs. Use float32"):
        find_precision("int8", TARGETS[target])
