"""The CUDA kernels without a GPU: their CUDA C, compiled by g++ with a stand-in for blocks, threads and barriers."""

import itertools
import runpy
import shutil
from dataclasses import dataclass, field

import numpy as np
import plain
import pytest
from halves import in_half
from made_weights import CHECKOUT, random_weights
from slowly import mostly_again, mostly_slow

from fastdepth_ros.arguments import allocate
from fastdepth_ros.compiler.cuda import grid, layout, separable
from fastdepth_ros.compiler.cuda.first import first, outputs_at_once
from fastdepth_ros.compiler.cuda.gpus import GPUS
from fastdepth_ros.compiler.cuda.layout import Flat, Map
from fastdepth_ros.compiler.cuda.plan import CudaPlanner
from fastdepth_ros.compiler.cuda.sources import Plain, Upsampled
from fastdepth_ros.compiler.cuda.tile import Tile
from fastdepth_ros.compiler.first import PIXEL_SCALE
from fastdepth_ros.network import FULL, PRUNED, Block, Convolution, Network

TOOL = runpy.run_path(str(CHECKOUT / "tools" / "cuda_on_host.py"))
ODD = Network("odd", encoder=(3, 17, 5, *[9] * 11), decoder=(7, 9, 5, 17, 33), skips=((2, 5), (4, 1)))

pytestmark = pytest.mark.skipif(shutil.which(TOOL["COMPILER"]) is None, reason="g++ is missing (apt install g++)")


@dataclass
class Case:
    """A kernel, its packed arguments, and what plain numpy gives for them."""

    kernel: grid.Kernel
    arguments: list[np.ndarray]
    out: Map | Flat | tuple[int, int]
    expected: np.ndarray = field(repr=False)


def weights(rng, conv):
    fan_in = np.prod(conv.weight_shape[1:])
    weight = rng.normal(0, (2 / fan_in) ** 0.5, conv.weight_shape).astype(np.float32)
    return weight, rng.normal(0.2, 0.3, conv.outputs).astype(np.float32)


def separable_block(inputs, outputs, kernel, stride, activation):
    depthwise = Convolution("dw", "depthwise", kernel, stride, inputs, inputs, activation)
    return Block(depthwise, Convolution("pw", "pointwise", 1, 1, inputs, outputs, activation))


def first_case(name, rng, height, width, outputs):
    conv = Convolution("conv0", "full", 3, 2, 3, outputs, "relu6")
    weight, bias = weights(rng, conv)
    picture = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    target, tile = Map(height // 2, width // 2, outputs, 1), outputs_at_once(conv)
    arrays = [layout.pack_first(weight * np.float32(PIXEL_SCALE), tile), layout.pack_vector(bias, tile)]
    expected = plain.convolve(picture.transpose(2, 0, 1) / 255, conv, weight, bias)
    return Case(first(name, conv, target), [picture.reshape(height, -1), *arrays], target, expected)


def packed(block, rng, tile):
    (dw, dw_bias), (pw, pw_bias) = weights(rng, block.depthwise), weights(rng, block.pointwise)
    spatial = [layout.pack_depthwise(dw, tile.chunk), layout.pack_vector(dw_bias, tile.chunk)]
    mixing = [layout.pack_pointwise(pw, tile.chunk, tile.outputs), layout.pack_vector(pw_bias, tile.outputs)]

    def run(x):
        return plain.convolve(plain.convolve(x, block.depthwise, dw, dw_bias), block.pointwise, pw, pw_bias)

    return [*spatial, *mixing], run


def fused_case(name, rng, block, height, width, border, tile):
    """``height`` x ``width`` of the answer; ``border`` is that of the answer."""
    stride, reach = block.depthwise.stride, block.depthwise.kernel // 2
    x = rng.random((block.depthwise.inputs, height * stride, width * stride), np.float32)
    source = Map(height * stride, width * stride, len(x), reach)
    target = Map(height, width, block.pointwise.outputs, border)
    arrays, run = packed(block, rng, tile)
    kernel = separable.fused(name, block, Plain(source), target, tile)
    return Case(kernel, [source.pack(x), *arrays], target, run(x))


def upsampled_case(name, rng, inputs, outputs, height, width, with_skip, is_last, tile):
    """``height`` x ``width`` of the map before the upsampling."""
    block = separable_block(inputs, outputs, 5, 1, "relu")
    x = rng.random((inputs, height, width), np.float32)
    full = plain.upsample(x)
    source, target = Map(height, width, inputs, 1), Map(2 * height, 2 * width, outputs, 1)
    skip, arguments = None, [source.pack(x)]
    if with_skip:
        skip = Map(2 * height, 2 * width, inputs, 2)
        added = rng.random(full.shape, np.float32)
        full = full + added
        arguments.append(skip.pack(added))
    arrays, run = packed(block, rng, tile)
    expected = run(full)
    last = Convolution("last", "pointwise", 1, 1, outputs, 1, "relu") if is_last else None
    if last:
        weight, bias = weights(rng, last)
        arrays += [layout.pack_vector(weight.ravel(), tile.outputs), bias]
        expected = plain.convolve(expected, last, weight, bias)[0]
    kernel = separable.fused(name, block, Upsampled(source, skip), target, tile, last)
    return Case(kernel, [*arguments, *arrays], expected.shape if is_last else target, expected)


def depthwise_case(name, rng, conv, height, width, tile):
    weight, bias = weights(rng, conv)
    x = rng.random((conv.inputs, height * conv.stride, width * conv.stride), np.float32)
    source = Map(height * conv.stride, width * conv.stride, conv.inputs, conv.kernel // 2)
    target = Flat(height, width, conv.outputs)
    arrays = [layout.pack_depthwise(weight, tile.chunk), layout.pack_vector(bias, tile.chunk)]
    kernel = separable.depthwise(name, conv, Plain(source), target, tile)
    return Case(kernel, [source.pack(x), *arrays], target, plain.convolve(x, conv, weight, bias))


def pointwise_case(name, rng, inputs, outputs, height, width, border, tile):
    conv = Convolution("pw", "pointwise", 1, 1, inputs, outputs, "relu6")
    weight, bias = weights(rng, conv)
    x = rng.random((inputs, height, width), np.float32)
    source, target = Flat(height, width, inputs), Map(height, width, outputs, border)
    arrays = [layout.pack_pointwise(weight, tile.chunk, tile.outputs), layout.pack_vector(bias, tile.outputs)]
    kernel = separable.pointwise(name, conv, source, target, tile)
    return Case(kernel, [source.pack(x), *arrays], target, plain.convolve(x, conv, weight, bias))


def cases():
    rng = np.random.default_rng(0)
    for i, (size, outputs) in enumerate([((32, 64), 5), ((34, 18), 33)]):
        yield f"first{i}", first_case(f"first{i}", rng, *size, outputs)
    # Tiles that fit the map and tiles that stick out of it, to the side, below and among the channels.
    shapes = [
        (5, 19, 7, 9, 1, (3, 4)),
        (16, 16, 6, 12, 2, (3, 12)),
        (37, 40, 5, 13, 0, (2, 8)),
        (3, 1, 1, 1, 1, (1, 4)),
    ]
    kinds = [(3, 1, "relu6"), (3, 2, "relu6"), (5, 1, "relu")]
    for i, (shape, (kernel, stride, act)) in enumerate(itertools.product(shapes, kinds)):
        (inputs, outputs, height, width, border, (rows, columns)), name = shape, f"fused{i}"
        tile = Tile(rows, columns, grid.round_up(outputs, 8), 8)
        yield (
            name,
            fused_case(name, rng, separable_block(inputs, outputs, kernel, stride, act), height, width, border, tile),
        )
    for i, (channels, kernel, stride) in enumerate([(19, 3, 1), (16, 5, 1), (33, 3, 2)]):
        conv = Convolution("dw", "depthwise", kernel, stride, channels, channels, "relu6")
        yield f"channels{i}", depthwise_case(f"channels{i}", rng, conv, 7, 5, Tile(7, 8, 8, 8))
    for i, (inputs, outputs, border) in enumerate([(19, 64, 0), (40, 33, 1), (16, 7, 2)]):
        yield f"products{i}", pointwise_case(f"products{i}", rng, inputs, outputs, 5, 7, border, Tile(1, 12, 16, 16))
    for i, (skip, last) in enumerate(itertools.product((False, True), (False, True))):
        yield f"up{i}", upsampled_case(f"up{i}", rng, 19, 21, 3, 5, skip, last, Tile(2, 4, 24, 8))
        yield f"wide{i}", upsampled_case(f"wide{i}", rng, 16, 70, 4, 2, skip, last, Tile(8, 4, 72, 8))


@pytest.fixture(scope="module", params=mostly_again([0, 1]), ids="half {}".format)
def compiled(request, tmp_path_factory):
    named = {name: case for name, case in cases() if in_half(name, request.param)}
    kernels = {name: case.kernel for name, case in named.items()}
    return named, TOOL["OnHost"](kernels, "sm_62", tmp_path_factory.mktemp("host"))


def run(case, host, name, downwards=False):
    """The kernel's answer where it is written; what is around it is still NaN."""
    is_depth = isinstance(case.out, tuple)
    out = allocate((int(np.prod(case.out)) if is_depth else case.out.size,), np.float32)
    out[:] = np.nan
    host.run(name, [*map(TOOL["own"], case.arguments), out], downwards)
    return out, (out.reshape(case.out) if is_depth else case.out.unpack(out))


def test_every_kernel_agrees_with_plain_numpy(compiled):
    named, host = compiled
    for name, case in named.items():
        _, answer = run(case, host, name)
        assert np.isfinite(answer).all(), f"{name} leaves numbers unwritten"
        np.testing.assert_allclose(answer, case.expected, rtol=1e-4, atol=1e-5, err_msg=name)


def test_no_kernel_writes_to_the_border(compiled):
    named, host = compiled
    for name, case in named.items():
        out, answer = run(case, host, name)
        assert np.isfinite(out).sum() == answer.size, name


def test_threads_in_the_other_order_give_the_same_bits(compiled):
    named, host = compiled
    for name, case in named.items():
        assert np.array_equal(run(case, host, name)[1], run(case, host, name, downwards=True)[1]), name


def test_a_missing_barrier_is_noticed(monkeypatch, tmp_path):
    inside, write = TOOL["OnHost"].__init__.__globals__, TOOL["cuda_source"]
    monkeypatch.setitem(inside, "cuda_source", lambda *words: write(*words).replace("__syncthreads();", ""))
    tile = Tile(2, 4, 16, 8)
    case = fused_case("open", np.random.default_rng(0), separable_block(16, 16, 3, 1, "relu6"), 4, 4, 1, tile)
    host = TOOL["OnHost"]({"open": case.kernel}, "sm_62", tmp_path)
    answers = [run(case, host, "open", downwards)[1] for downwards in (False, True)]
    assert not all(np.allclose(answer, case.expected, rtol=1e-3) for answer in answers)


@pytest.mark.parametrize(
    ("network", "width", "height", "gpu"),
    mostly_slow([(ODD, 32, 64, "cuda-sm_90"), (PRUNED, 160, 96, "cuda-sm_62"), (FULL, 64, 96, "cuda-sm_87")]),
    ids=["odd channels", "pruned", "unpruned"],
)
def test_the_kernels_of_a_network_agree_with_plain_numpy(tmp_path, network, width, height, gpu):
    weights = random_weights(network)
    picture = np.random.default_rng(1).integers(0, 256, (height, width, 3)).astype(np.uint8)
    launches = CudaPlanner(network, weights, GPUS[gpu]).plan(height, width)
    host = TOOL["OnHost"]({launch.name: launch.kernel for launch in launches}, GPUS[gpu].arch, tmp_path)
    depth = TOOL["run_network"](launches, picture, host)
    expected = plain.depth(network, weights, picture)
    assert expected.max() > 0.1, "the comparison would say nothing"
    np.testing.assert_allclose(depth, expected, rtol=1e-3, atol=1e-4 * expected.max())


@pytest.mark.parametrize("network", [PRUNED, FULL], ids=["pruned", "unpruned"])
def test_the_launches_do_all_the_work_of_the_network(network):
    launches = CudaPlanner(network, random_weights(network), GPUS["cuda-sm_62"]).plan(224, 224)
    # The last convolution is computed before the last upsampling, for a quarter of its pixels.
    saved = network.last.macs(224, 224) - network.last.macs(112, 112)
    assert sum(launch.macs for launch in launches) == network.macs() - saved
