"""Kernels in int8 whose answers are those of the definition to the bit; also run for processors that are emulated."""

from dataclasses import dataclass, replace
from typing import Any

import int8
import numpy as np

from fastdepth_ros.compiler import byte_first, byte_spatial, layout
from fastdepth_ros.compiler.byte_products import BYTE_KERNELS
from fastdepth_ros.compiler.first import PIXEL_SCALE
from fastdepth_ros.compiler.layout import Map
from fastdepth_ros.compiler.pointwise import Int8
from fastdepth_ros.compiler.separable import block_by_rows, pointwise_by_panels, task_rows
from fastdepth_ros.compiler.sources import Plain, Upsampled
from fastdepth_ros.compiler.tile import Tiling
from fastdepth_ros.network import Block, Convolution

TILING = Tiling(panel=2, pixels=7, unroll=2, strip=4, rows=4)


@dataclass
class Exact:
    """A kernel, its packed arguments, the map that it writes, and what is in that to the bit."""

    kernel: Any
    arguments: list[np.ndarray]
    out: Map
    expected: np.ndarray


def exact(products):
    """Name -> case, for products of bytes."""
    return (
        {
            "product_relu": product(products, "product_relu", "relu"),
            "product_relu6": product(products, "product_relu6", "relu6"),
            "product_of_one": product(products, "product_of_one", "relu", (3, 1, 1)),
            "product_of_three": product(products, "product_of_three", "relu", (3, 1, 3)),
            "product_short": product(products, "product_short", "relu6", (37, 2, 5), 40),
            "largest": largest(products, "largest"),
            "block": block(products, "block"),
        }
        | (firsts(products) if BYTE_KERNELS[products.name].whole else {})
        | (spatials(products) if BYTE_KERNELS[products.name].doubled else {})
    )


def product(products, name, activation, shape=(83, 5, 7), outputs=45):
    rng, lanes = np.random.default_rng(11), products.lanes
    inputs, height, width = shape
    conv = Convolution("pw", "pointwise", 1, 1, inputs, outputs, activation)
    weight = rng.normal(0, (2 / inputs) ** 0.5, conv.weight_shape).astype(np.float32)
    bias = rng.normal(0.2, 0.3, outputs).astype(np.float32)
    x = 9 * rng.random(shape, np.float32)
    source, target = Map(height, width, inputs, 0, lanes), Map(height, width, outputs, 1, lanes)
    kernel = pointwise_by_panels(name, conv, source, target, TILING, Int8(products))
    arguments = [source.pack(x), *Int8(products).pack(weight, bias, lanes, TILING.panel)]
    return Exact(kernel, arguments, target, int8.pointwise(x, weight, bias, activation, sharing(products)))


def sharing(products):
    """Words whose products share sums of 16 bits, for the definition."""
    return BYTE_KERNELS[products.name].sharing


def largest(products, name):
    """The largest inputs and weights, which no sum of 16 bits would hold as they are: nothing is cut off."""
    rng, lanes = np.random.default_rng(3), products.lanes
    conv = Convolution("pw", "pointwise", 1, 1, 512, 21, "relu")
    weight = rng.integers(-127, 128, conv.weight_shape).astype(np.float32)
    weight[:, 0] = 127
    weight[0], weight[1] = 127, -127
    weight[2:6] = rng.choice([-127, 127], weight[2:6].shape)
    x = rng.integers(0, 256, (512, 5, 7)).astype(np.float32)
    x[:, 0, 0], x[:, 0, 1] = 255, 0
    source, target = Map(5, 7, 512, 0, lanes), Map(5, 7, 21, 0, lanes)
    kernel = pointwise_by_panels(name, conv, source, target, TILING, Int8(products))
    arguments = [source.pack(x), *Int8(products).pack(weight, np.zeros(21, np.float32), lanes, TILING.panel)]
    expected = int8.pointwise(x, weight, np.zeros(21, np.float32), "relu", sharing(products))
    # What is rounded is the weights: 127 of each in 127 steps is exact, in 126 / 4 or 124 / 8 it is not.
    assert abs(expected[0, 0, 0] / (512 * 255 * 127) - 1) < 1 / 30
    return Exact(kernel, arguments, target, expected)


def block(products, name, kind="float32"):
    """A depthwise convolution that changes nothing, so the answer is the product's alone; each task has its scale."""
    rng, lanes, height, width = np.random.default_rng(12), products.lanes, 9, 11
    both = Block(
        Convolution("dw", "depthwise", 3, 1, 21, 21, "relu"), Convolution("pw", "pointwise", 1, 1, 21, 34, "relu")
    )
    nothing = np.zeros(both.depthwise.weight_shape, np.float32)
    nothing[:, :, 1, 1] = 1
    weight = rng.normal(0, (2 / 21) ** 0.5, both.pointwise.weight_shape).astype(np.float32)
    bias = rng.normal(0.2, 0.3, 34).astype(np.float32)
    x = rng.random((21, height, width), np.float32) * np.arange(1, height + 1, dtype=np.float32)[None, :, None]
    source, target = (Map(height, width, *each, lanes, kind) for each in ((21, 1), (34, 0)))
    x = int8.kept(x, kind)
    kernel = block_by_rows(name, both, Plain(source), target, TILING, precision=Int8(products))
    arguments = [
        source.pack(x),
        layout.pack_depthwise(nothing, lanes),
        layout.pack_vector(np.zeros(21, np.float32), lanes),
        *Int8(products).pack(weight, bias, lanes, TILING.panel),
    ]
    rows = task_rows(height, TILING.rows)
    assert 1 < rows < height
    expected = int8.pointwise_by_rows(x, weight, bias, "relu", rows, sharing(products))
    return Exact(kernel, arguments, target, int8.kept(expected, kind))


def firsts(products):
    """The first convolution, of rows that are whole vectors, and of others."""
    halves = {"first_halves": first(products, "first_halves", 32, 64, "float16")} if maps_of_halves(products) else {}
    return halves | {"first": first(products, "first", 32, 64), "first_narrow": first(products, "first_narrow", 32, 36)}


def maps_of_halves(products):
    """Whether large maps are kept in float16."""
    return BYTE_KERNELS[products.name].doubled


def first(products, name, height, width, kind="float32"):
    rng, lanes = np.random.default_rng(14), products.lanes
    conv = Convolution("conv0", "full", 3, 2, 3, 19, "relu6")
    weight = rng.normal(0, 0.4, conv.weight_shape).astype(np.float32)
    weight[0], weight[1], weight[2] = 1, -1, 0
    weight *= np.float32(PIXEL_SCALE)
    bias = rng.normal(0.2, 0.3, 19).astype(np.float32)
    picture = rng.integers(0, 256, (height, width, 3), np.uint8)
    picture[:8, :8] = 255
    target = Map(height // 2, width // 2, 19, 1, lanes, kind)
    way = byte_first.bytes_by(BYTE_KERNELS[products.name])
    kernel = way.kernel(name, conv, target, TILING)
    arguments = [picture.reshape(height, -1), *way.pack(weight, bias, lanes)]
    expected = int8.first(picture, weight, bias, "relu6", sharing(products))
    return Exact(kernel, arguments, target, int8.kept(expected, kind))


def spatials(products):
    """Blocks behind a doubled map, in several tasks: whole strips, and columns that are none; few rows, and many."""
    return {
        "block_halves": block(products, "block_halves", "float16"),
        "doubled": doubled(products, "doubled", (21, 6, 14), TILING),
        "doubled_narrow": doubled(products, "doubled_narrow", (16, 3, 5), replace(TILING, rows=1)),
        "doubled_halves": doubled(products, "doubled_halves", (21, 4, 7), replace(TILING, rows=2), "float16"),
        "doubled_strips": doubled(products, "doubled_strips", (35, 4, 9), replace(TILING, strip=14, rows=8)),
    }


def doubled(products, name, shape, tiling, kind="float32"):
    """``shape`` is that of the small map; the depthwise convolution's answer is used up by the pointwise one."""
    rng, lanes, (channels, height, width) = np.random.default_rng(15), products.lanes, shape
    both = Block(
        Convolution("dw", "depthwise", 5, 1, channels, channels, "relu"),
        Convolution("pw", "pointwise", 1, 1, channels, 34, "relu"),
    )
    dw = rng.normal(0, 0.2, both.depthwise.weight_shape).astype(np.float32)
    dw[0], dw[1] = 0, 1
    dw_bias, bias = (rng.normal(0.2, 0.3, n).astype(np.float32) for n in (channels, 34))
    weight = rng.normal(0, (2 / channels) ** 0.5, both.pointwise.weight_shape).astype(np.float32)
    small = rng.random(shape, np.float32) * np.arange(1, height + 1, dtype=np.float32)[None, :, None]
    added = rng.random((channels, 2 * height, 2 * width), np.float32)
    small[2], added[2] = 0, 0
    small, added = int8.kept(small, kind), int8.kept(added, kind)
    source = Upsampled(
        Map(height, width, channels, 1, lanes, kind), Map(2 * height, 2 * width, channels, 2, lanes, kind)
    )
    target = Map(2 * height, 2 * width, 34, 1, lanes, kind)
    if kind == "float16":
        bias[3] = 1e6  # More than float16 holds.
    kernel = block_by_rows(name, both, source, target, tiling, precision=Int8(products))
    arguments = [
        source.layout.pack(small),
        source.skip.pack(added),
        *byte_spatial.BYTES.pack(dw, dw_bias, lanes),
        *Int8(products).pack(weight, bias, lanes, tiling.panel),
    ]
    rows = 2 * task_rows(height, max(1, tiling.rows // 2))
    assert rows < 2 * height
    full = small.repeat(2, axis=1).repeat(2, axis=2) + added
    between = int8.spatial(full, dw, dw_bias, "relu", rows)
    return Exact(kernel, arguments, target, int8.kept(int8.pointwise_by_rows(between, weight, bias, "relu", 2), kind))
