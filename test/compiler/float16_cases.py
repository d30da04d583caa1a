"""Kernels in float16 whose answers are those of the definition; also run for processors that are emulated."""

import float16
import numpy as np
from int8_cases import Exact

from fastdepth_ros.compiler import layout
from fastdepth_ros.compiler.half_products import Float16
from fastdepth_ros.compiler.layout import Map
from fastdepth_ros.compiler.separable import block_by_rows, pointwise_by_panels
from fastdepth_ros.compiler.sources import Plain
from fastdepth_ros.compiler.tile import Tiling
from fastdepth_ros.network import Block, Convolution

TILING = Tiling(panel=3, pixels=2, unroll=1, strip=4, rows=4)
"""Vectors in pairs, and one alone."""


def cases(lanes):
    """Name -> case, for vectors of so many float32."""
    return {
        "halves_relu": product("halves_relu", lanes, "relu"),
        "halves_relu6": product("halves_relu6", lanes, "relu6"),
        "halves_of_one": product("halves_of_one", lanes, "relu", (3, 1, 1)),
        "halves_block": block("halves_block", lanes),
    }


def product(name, lanes, activation, shape=(83, 5, 7)):
    rng, inputs = np.random.default_rng(11), shape[0]
    conv = Convolution("pw", "pointwise", 1, 1, inputs, 45, activation)
    weight = rng.normal(0, (2 / inputs) ** 0.5, conv.weight_shape).astype(np.float32)
    bias = rng.normal(0.2, 0.3, 45).astype(np.float32)
    x = 9 * rng.random(shape, np.float32)
    source, target = Map(*shape[1:], inputs, 0, lanes), Map(*shape[1:], 45, 1, lanes)
    kernel = pointwise_by_panels(name, conv, source, target, TILING, Float16())
    arguments = [source.pack(x), *Float16().pack(weight, bias, lanes, TILING.panel)]
    return Exact(kernel, arguments, target, float16.pointwise(x, weight, bias, activation))


def block(name, lanes):
    """A whole block, whose depthwise convolution hands its inputs on as they are."""
    rng, (height, width) = np.random.default_rng(13), (8, 6)
    spatial = Convolution("dw", "depthwise", 3, 1, 21, 21, "relu")
    mixing = Convolution("pw", "pointwise", 1, 1, 21, 37, "relu")
    source, target = Map(height, width, 21, 1, lanes), Map(height, width, 37, 0, lanes)
    same = np.zeros(spatial.weight_shape, np.float32)
    same[:, 0, 1, 1] = 1
    weight = rng.normal(0, 0.3, mixing.weight_shape).astype(np.float32)
    bias = rng.normal(0.2, 0.3, 37).astype(np.float32)
    x = 5 * rng.random((21, height, width), np.float32)
    kernel = block_by_rows(name, Block(spatial, mixing), Plain(source), target, TILING, precision=Float16())
    arguments = [
        source.pack(x),
        layout.pack_depthwise(same, lanes),
        layout.pack_vector(np.zeros(21, np.float32), lanes),
        *Float16().pack(weight, bias, lanes, TILING.panel),
    ]
    return Exact(kernel, arguments, target, float16.pointwise(x, weight, bias, "relu"))
