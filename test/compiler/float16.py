"""float16 in plain numpy: the one definition that kernels are held against, to the bit where a processor has it."""

import numpy as np
import plain

from fastdepth_ros.compiler.first import PIXEL_SCALE
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


def fused32(one, other, added):
    """one * other + added in float32, rounded once."""
    return (one.astype(F64) * other + added).astype(F32)


def convolved(x, conv, weight, bias):
    """A convolution in float32, its products added in the kernels' order: rows, columns, and colours."""
    margin = conv.kernel // 2
    padded = np.pad(x, ((0, 0), (margin, margin), (margin, margin)))
    rows, columns = (side // conv.stride for side in x.shape[1:])
    sums = np.broadcast_to(bias.astype(F32)[:, None, None], (len(bias), rows, columns))
    for row, column in np.ndindex(conv.kernel, conv.kernel):
        window = padded[:, row:, column:][:, : rows * conv.stride : conv.stride, : columns * conv.stride : conv.stride]
        if conv.kind == "depthwise":
            sums = fused32(window, weight[:, 0, row, column, None, None], sums)
        else:
            for colour, plane in enumerate(window):
                sums = fused32(plane[None], weight[:, colour, row, column, None, None], sums)
    return np.clip(sums, 0, 6 if conv.activation == "relu6" else None)


def depth(network, weights, picture):
    """(height, width, 3) uint8 -> (height / 2, width / 2): the whole network, its last upsampling left out.

    What is float32 is rounded as in the kernels: else another float16 would be the nearest here and there, and answers
    as far apart as float16's own error.
    """

    def run(x, conv):
        return convolved(x, conv, weights[f"{conv.name}.weight"].astype(F32), weights[f"{conv.name}.bias"])

    def separable(x, block):
        name, conv = block.pointwise.name, block.pointwise
        return pointwise(run(x, block.depthwise), weights[f"{name}.weight"], weights[f"{name}.bias"], conv.activation)

    first = network.first
    scaled = weights[f"{first.name}.weight"].astype(F32) * F32(PIXEL_SCALE)
    x = convolved(picture.transpose(2, 0, 1).astype(F32), first, scaled, weights[f"{first.name}.bias"])
    maps = [x]
    for block in network.encoder_blocks:
        x = separable(x, block)
        maps.append(x)
    for block in network.decoder_blocks:
        x = separable(x, block)
        if block != network.decoder_blocks[-1]:
            x = plain.upsample(x)
        if block.skip is not None:
            x = x + maps[block.skip]
    last = network.last
    return plain.convolve(x, last, weights[f"{last.name}.weight"], weights[f"{last.name}.bias"])[0]
