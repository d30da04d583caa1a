"""float16 in plain numpy: the one definition that kernels are held against, to the bit where a processor has it."""

import numpy as np
import plain

from fastdepth_ros.compiler.half_products import TOGETHER

F16, F32, F64 = np.float16, np.float32, np.float64


def fused(one, other, added):
    """one * other + added, rounded once: float64 holds every product and sum of float16 here."""
    return (one.astype(F64) * other.astype(F64) + added.astype(F64)).astype(F16)


def pointwise(x, weight, bias, activation):
    """The answer to inputs (channels, rows, columns) float32."""
    inputs, matrix = x.astype(F16), weight[:, :, 0, 0].astype(F16)
    sums = np.broadcast_to(bias.astype(F32)[:, None, None], (len(matrix), *x.shape[1:]))
    for first in range(0, len(inputs), TOGETHER):
        few = np.zeros(sums.shape, F16)
        for channel in range(first, min(first + TOGETHER, len(inputs))):
            few = fused(inputs[channel][None], matrix[:, channel, None, None], few)
        sums = sums + few.astype(F32)
    return np.clip(sums, 0, 6 if activation == "relu6" else None)


def depth(network, weights, picture):
    """(height, width, 3) uint8 -> (height / 2, width / 2): the whole network, its last upsampling left out."""

    def multiply(x, conv, weight, bias):
        return pointwise(x.astype(F32), weight, bias, conv.activation)

    return plain.depth(network, weights, picture, multiply)
