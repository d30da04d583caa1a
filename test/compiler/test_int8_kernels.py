"""The kernels whose pointwise convolutions are computed in int8, each alone against plain numpy in float32."""

import itertools

import numpy as np
import pytest
import tvm
from test_kernels import TILING, panels_case, rows_case, run, separable, upsampled_case

from fastdepth_ros.compiler import layout
from fastdepth_ros.compiler.layout import Map
from fastdepth_ros.compiler.pointwise import INT8
from fastdepth_ros.compiler.separable import pointwise_by_panels
from fastdepth_ros.compiler.targets import find_target
from fastdepth_ros.network import Convolution
from fastdepth_ros.runtime import processor

LANES = 16

pytestmark = pytest.mark.skipif(
    not processor.features().issuperset(INT8.needs), reason="this processor lacks AVX-512 VNNI"
)


def cases():
    rng = np.random.default_rng(7)
    shapes = [(5, 19, 7, 9, 1), (16, 16, 6, 11, 2), (37, 40, 5, 13, 0), (3, 1, 1, 1, 1)]
    kinds = [(3, 1, "relu6"), (3, 2, "relu6"), (5, 1, "relu")]
    for i, ((inputs, outputs, h, w, border), (kernel, stride, act)) in enumerate(itertools.product(shapes, kinds)):
        block = separable(inputs, outputs, kernel, stride, act)
        yield f"rows{i}", rows_case(f"rows{i}", rng, LANES, block, h, w, border, INT8)
    for i, (inputs, outputs, border) in enumerate([(19, 64, 0), (40, 33, 1), (16, 7, 2)]):
        yield f"panels{i}", panels_case(f"panels{i}", rng, LANES, inputs, outputs, 5, 7, border, INT8)
    for i, (skip, last) in enumerate(itertools.product((False, True), (False, True))):
        yield f"up{i}", upsampled_case(f"up{i}", rng, LANES, 19, 21, 3, 5, skip, last, INT8)
        yield f"wide{i}", upsampled_case(f"wide{i}", rng, LANES, 16, 70, 4, 2, skip, last, INT8)


@pytest.fixture(scope="module")
def compiled():
    named = dict(cases())
    module = tvm.IRModule({name: case.kernel for name, case in named.items()})
    return named, tvm.compile(module, find_target("host").llvm())


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


def test_whole_numbers_that_are_bytes_are_multiplied_exactly():
    rng = np.random.default_rng(3)
    conv = Convolution("pw", "pointwise", 1, 1, 37, 21, "relu")
    weight = rng.integers(-127, 128, conv.weight_shape).astype(np.float32)
    weight[:, 0] = 127
    x = rng.integers(0, 256, (37, 5, 7)).astype(np.float32)
    x[0, 0, 0] = 255
    source, target = Map(5, 7, 37, 0, LANES), Map(5, 7, 21, 0, LANES)
    kernel = pointwise_by_panels("pw", conv, source, target, TILING, INT8)
    function = tvm.compile(tvm.IRModule({"pw": kernel}), find_target("host").llvm())["pw"]
    arrays = INT8.pack(weight, np.zeros(21, np.float32), LANES, TILING.panel)
    out = tvm.runtime.tensor(np.zeros(target.size, np.float32))
    function(tvm.runtime.tensor(source.pack(x).ravel()), *map(tvm.runtime.tensor, arrays), out)
    expected = np.maximum(np.einsum("oi,ihw->ohw", weight[:, :, 0, 0], x), 0)
    np.testing.assert_allclose(target.unpack(out.numpy()), expected, rtol=1e-6)


def test_weights_of_an_output_that_is_always_zero_stay_zero():
    words, scale = layout.pack_pointwise_int8(np.zeros((3, 5, 1, 1), np.float32), LANES, 2)
    assert not words.any()
    assert np.isfinite(scale).all()
