"""Each kernel alone against plain numpy: odd sizes, channels that do not fill a vector, every vector width."""

import itertools
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import plain
import pytest
import tvm
from halves import in_half
from made_weights import random_weights
from slowly import again, mostly_slow

from fastdepth_ros.compiler import ahead, layout
from fastdepth_ros.compiler.byte_spatial import spatial_of
from fastdepth_ros.compiler.codegen import SETTINGS
from fastdepth_ros.compiler.first import PIXEL_SCALE, first
from fastdepth_ros.compiler.layout import Map
from fastdepth_ros.compiler.plan import Planner
from fastdepth_ros.compiler.pointwise import FLOAT32
from fastdepth_ros.compiler.separable import block_by_rows, depthwise_by_channels, pointwise_by_panels, task_rows
from fastdepth_ros.compiler.sources import Plain, Upsampled
from fastdepth_ros.compiler.targets import find_target
from fastdepth_ros.compiler.tile import Tiling
from fastdepth_ros.network import PRUNED, Block, Convolution
from fastdepth_ros.runtime.engine import configure_pool

PREFETCH = "llvm.prefetch"

TILING = Tiling(panel=2, pixels=4, unroll=4, strip=5, rows=3)


@dataclass
class Case:
    """A kernel, its packed arguments, and what plain numpy gives for them."""

    kernel: Any
    arguments: list[np.ndarray]
    out: Map | tuple[int, int]
    expected: np.ndarray


def weights(rng, conv):
    fan_in = np.prod(conv.weight_shape[1:])
    weight = rng.normal(0, (2 / fan_in) ** 0.5, conv.weight_shape).astype(np.float32)
    return weight, rng.normal(0.2, 0.3, conv.outputs).astype(np.float32)


def packed(conv, weight, bias, lanes, precision=FLOAT32):
    if conv.kind == "depthwise":
        return [layout.pack_depthwise(weight, lanes), layout.pack_vector(bias, lanes)]
    return precision.pack(weight, bias, lanes, TILING.panel)


def separable(inputs, outputs, kernel, stride, activation):
    depthwise = Convolution("dw", "depthwise", kernel, stride, inputs, inputs, activation)
    return Block(depthwise, Convolution("pw", "pointwise", 1, 1, inputs, outputs, activation))


def first_case(name, rng, lanes, height, width, outputs):
    conv = Convolution("conv0", "full", 3, 2, 3, outputs, "relu6")
    weight, bias = weights(rng, conv)
    picture = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    target = Map(height // 2, width // 2, outputs, 1, lanes)
    arrays = [layout.pack_first(weight * np.float32(PIXEL_SCALE), lanes), layout.pack_vector(bias, lanes)]
    expected = plain.convolve(picture.transpose(2, 0, 1) / 255, conv, weight, bias)
    return Case(first(name, conv, target, TILING), [picture.reshape(height, -1), *arrays], target, expected)


def rows_case(name, rng, lanes, block, height, width, border, precision=FLOAT32):
    """``height`` x ``width`` of the answer; ``border`` is that of the answer."""
    stride, reach = block.depthwise.stride, block.depthwise.kernel // 2
    (dw, dw_bias), (pw, pw_bias) = weights(rng, block.depthwise), weights(rng, block.pointwise)
    x = rng.random((block.depthwise.inputs, height * stride, width * stride), np.float32)
    source = Map(height * stride, width * stride, len(x), reach, lanes)
    target = Map(height, width, block.pointwise.outputs, border, lanes)
    between = plain.convolve(x, block.depthwise, dw, dw_bias)
    arrays = packed(block.depthwise, dw, dw_bias, lanes) + packed(block.pointwise, pw, pw_bias, lanes, precision)
    expected = plain.convolve(between, block.pointwise, pw, pw_bias)
    kernel = block_by_rows(name, block, Plain(source), target, TILING, precision=precision)
    return Case(kernel, [source.pack(x), *arrays], target, expected)


def channels_case(name, rng, lanes, conv, height, width):
    weight, bias = weights(rng, conv)
    x = rng.random((conv.inputs, height * conv.stride, width * conv.stride), np.float32)
    source = Map(height * conv.stride, width * conv.stride, conv.inputs, conv.kernel // 2, lanes)
    target = Map(height, width, conv.outputs, 0, lanes)
    kernel = depthwise_by_channels(name, conv, source, target)
    expected = plain.convolve(x, conv, weight, bias)
    return Case(kernel, [source.pack(x), *packed(conv, weight, bias, lanes)], target, expected)


def panels_case(name, rng, lanes, inputs, outputs, height, width, border, precision=FLOAT32):
    conv = Convolution("pw", "pointwise", 1, 1, inputs, outputs, "relu6")
    weight, bias = weights(rng, conv)
    x = rng.random((inputs, height, width), np.float32)
    source, target = Map(height, width, inputs, 0, lanes), Map(height, width, outputs, border, lanes)
    kernel = pointwise_by_panels(name, conv, source, target, TILING, precision)
    expected = plain.convolve(x, conv, weight, bias)
    return Case(kernel, [source.pack(x), *packed(conv, weight, bias, lanes, precision)], target, expected)


def upsampled_case(name, rng, lanes, inputs, outputs, height, width, with_skip, is_last, precision=FLOAT32):
    """``height`` x ``width`` of the map before the upsampling."""
    block = separable(inputs, outputs, 5, 1, "relu")
    (dw, dw_bias), (pw, pw_bias) = weights(rng, block.depthwise), weights(rng, block.pointwise)
    x = rng.random((inputs, height, width), np.float32)
    full = plain.upsample(x)
    source, target = Map(height, width, inputs, 1, lanes), Map(2 * height, 2 * width, outputs, 1, lanes)
    skip, arguments = None, [source.pack(x)]
    if with_skip:
        skip = Map(2 * height, 2 * width, inputs, 2, lanes)
        added = rng.random(full.shape, np.float32)
        full = full + added
        arguments.append(skip.pack(added))
    spatial = spatial_of(precision, block.depthwise, Upsampled(source, skip))
    arguments += spatial.pack(dw, dw_bias, lanes) + packed(block.pointwise, pw, pw_bias, lanes, precision)
    between = plain.convolve(full, block.depthwise, dw, dw_bias)
    expected = plain.convolve(between, block.pointwise, pw, pw_bias)
    last = Convolution("last", "pointwise", 1, 1, outputs, 1, "relu") if is_last else None
    if last:
        weight, bias = weights(rng, last)
        arguments += [layout.pack_vector(weight.ravel(), lanes), bias]
        expected = plain.convolve(expected, last, weight, bias)[0]
    kernel = block_by_rows(name, block, Upsampled(source, skip), target, TILING, last, precision)
    return Case(kernel, arguments, expected.shape if is_last else target, expected)


def cases(lanes):
    rng = np.random.default_rng(lanes)
    for i, (size, outputs) in enumerate([((32, 64), 5), ((64, 96), 33)]):
        yield f"first{i}", first_case(f"first{i}", rng, lanes, *size, outputs)
    shapes = [(5, 19, 7, 9, 1), (16, 16, 6, 11, 2), (37, 40, 5, 13, 0), (3, 1, 1, 1, 1)]
    kinds = [(3, 1, "relu6"), (3, 2, "relu6"), (5, 1, "relu")]
    for i, ((inputs, outputs, h, w, border), (kernel, stride, act)) in enumerate(itertools.product(shapes, kinds)):
        name = f"rows{i}"
        yield name, rows_case(name, rng, lanes, separable(inputs, outputs, kernel, stride, act), h, w, border)
    for i, (channels, kernel, stride) in enumerate([(19, 3, 1), (16, 5, 1), (33, 3, 2)]):
        conv = Convolution("dw", "depthwise", kernel, stride, channels, channels, "relu6")
        yield f"channels{i}", channels_case(f"channels{i}", rng, lanes, conv, 7, 5)
    for i, (inputs, outputs, border) in enumerate([(19, 64, 0), (40, 33, 1), (16, 7, 2)]):
        yield f"panels{i}", panels_case(f"panels{i}", rng, lanes, inputs, outputs, 5, 7, border)
    for i, (skip, last) in enumerate(itertools.product((False, True), (False, True))):
        yield f"up{i}", upsampled_case(f"up{i}", rng, lanes, 19, 21, 3, 5, skip, last)
        yield f"wide{i}", upsampled_case(f"wide{i}", rng, lanes, 16, 70, 4, 2, skip, last)


@dataclass(frozen=True)
class Width:
    """Lanes of a vector, and which half of the cases is tried with them: 0, 1, or both for None."""

    lanes: int
    half: int | None = None

    def __str__(self):
        return f"{self.lanes} lanes" + ("" if self.half is None else f", half {self.half}")

    def cases(self):
        """Name -> case."""
        return {name: case for name, case in cases(self.lanes) if in_half(name, self.half)}


OWN = find_target("host").lanes
OTHERS = [lanes for lanes in (16, 8, 4) if lanes != OWN]
WIDTHS = [
    Width(OWN, 0),
    again(Width(OWN, 1)),
    *(again(Width(lanes, half)) for half, lanes in enumerate(OTHERS)),
    *(pytest.param(Width(lanes), marks=pytest.mark.slow) for lanes in OTHERS),
]
"""Any processor runs any width, if not fast."""


@pytest.fixture(scope="module", params=WIDTHS, ids=str)
def compiled(request):
    """Cases of one vector width, in one module."""
    named = request.param.cases()
    return named, compile_together({name: case.kernel for name, case in named.items()})


def compile_together(kernels):
    """A module of these kernels for this machine, with the settings of a network's."""
    with tvm.transform.PassContext(config=SETTINGS):
        return tvm.compile(tvm.IRModule(kernels), find_target("host").llvm())


@pytest.mark.parametrize(
    ("compiled", "half"),
    mostly_slow([(Width(OWN, 0), 0), (Width(OWN, 1), 1), *((Width(lanes), None) for lanes in OTHERS)]),
    indirect=["compiled"],
    ids=str,
)
def test_maps_that_are_asked_for_ahead_give_the_same_bits(compiled, half, request, monkeypatch):
    """Small maps, as if they were far: what is asked for lies behind their ends, too."""
    named, module = compiled
    monkeypatch.setattr(ahead, "NEAR_BYTES", 0)
    cases = replace(request.node.callspec.params["compiled"], half=half).cases()
    far = {name: case for name, case in cases.items() if name.startswith(("rows", "up", "wide"))}
    near = {name: named[name] for name in far}
    asks = {name for name, case in far.items() if PREFETCH in case.kernel.script()}
    assert asks == {name for name in near if not (name.startswith("rows") and int(name[4:]) % 3 == 1)}, "stride of 1"
    assert not any(PREFETCH in case.kernel.script() for case in near.values())
    asking = compile_together({name: far[name].kernel for name in asks})
    for name in asks:
        for threads in (1, 2):
            same, other = (run(near[name], made[name], threads) for made in (module, asking))
            assert np.array_equal(same, other), name


@pytest.mark.parametrize(
    ("side", "large"),
    [
        (96, set()),
        (224, {"conv3", "decode_conv3", "decode_conv4", "decode_conv5"}),
        (448, {"conv1", "conv3", "conv5", "conv7", "conv8", "conv11", "decode_conv3", "decode_conv4", "decode_conv5"}),
    ],
)
def test_a_network_asks_ahead_for_its_large_maps(side, large):
    stages = Planner(PRUNED, random_weights(PRUNED), 16).plan(side, side)
    assert {stage.name for stage in stages if PREFETCH in stage.kernel(TILING).script()} == large


def run(case, function, threads):
    configure_pool(threads)
    tensors = [tvm.runtime.tensor(argument if argument.ndim == 2 else argument.ravel()) for argument in case.arguments]
    size = (case.out.size,) if isinstance(case.out, Map) else case.out
    # NaN, so that a number that no kernel writes is seen.
    kind = case.out.dtype if isinstance(case.out, Map) else np.float32
    out = tvm.runtime.tensor(np.full(size, np.nan, kind))
    function(*tensors, out)
    return out.numpy()


def test_every_kernel_agrees_with_plain_numpy(compiled):
    named, module = compiled
    for name, case in named.items():
        stored = run(case, module[name], threads=1)
        assert np.isfinite(stored).all(), f"{name} leaves numbers unwritten"
        answer = case.out.unpack(stored) if isinstance(case.out, Map) else stored
        np.testing.assert_allclose(answer, case.expected, rtol=1e-4, atol=1e-5, err_msg=name)


def test_borders_and_filled_up_channels_are_zero(compiled):
    named, module = compiled
    for name, case in named.items():
        if isinstance(case.out, Map):
            stored = run(case, module[name], threads=1)
            every = replace(case.out, channels=case.out.vectors * case.out.lanes)
            assert not every.unpack(stored)[case.out.channels :].any(), name
            assert np.array_equal(every.pack(every.unpack(stored)).ravel(), stored), f"{name}: border"


def test_several_threads_give_the_same_bits(compiled):
    named, module = compiled
    for name, case in named.items():
        assert np.array_equal(run(case, module[name], 1), run(case, module[name], 2)), name


@pytest.mark.parametrize(
    ("height", "most", "rows"),
    [
        (28, 7, 7),
        (18, 7, 3),
        (36, 14, 9),
        (22, 7, 1),
        (9, 7, 3),
        (7, 7, 7),
        (1, 4, 1),
        (30, 7, 5),
        (112, 4, 4),
        (14, 14, 7),
    ],
)
def test_tasks_are_shared_by_two_threads_where_that_costs_nothing(height, most, rows):
    assert task_rows(height, most) == rows


def test_panels_cover_every_output_once():
    weight = np.arange(7 * 3, dtype=np.float32).reshape(7, 3, 1, 1) + 1
    packed = layout.pack_pointwise(weight, lanes=2, panel=3)
    wide, narrow = packed[: 3 * 6].reshape(3, 6), packed[3 * 6 :].reshape(3, 2)
    assert np.array_equal(wide, weight[:6, :, 0, 0].T)
    assert np.array_equal(narrow, [[19, 0], [20, 0], [21, 0]])
