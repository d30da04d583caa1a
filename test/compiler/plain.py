"""FastDepth in plain numpy, slow and obvious: what the kernels are held against."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def convolve(x, conv, weight, bias):
    """A convolution of ``network.Convolution`` over (channels, height, width), in float64."""
    pad = conv.kernel // 2
    padded = np.pad(x.astype(np.float64), ((0, 0), (pad, pad), (pad, pad)))
    windows = sliding_window_view(padded, (conv.kernel, conv.kernel), axis=(1, 2))[:, :: conv.stride, :: conv.stride]
    path = "chwij,cij->chw" if conv.kind == "depthwise" else "chwij,ocij->ohw"
    taps = weight[:, 0] if conv.kind == "depthwise" else weight
    sums = np.einsum(path, windows, taps.astype(np.float64), optimize=True) + bias[:, None, None]
    return np.clip(sums, 0, 6 if conv.activation == "relu6" else None)


def upsample(x):
    return x.repeat(2, axis=1).repeat(2, axis=2)


def depth(network, weights, picture):
    """(height, width, 3) uint8 -> (height / 2, width / 2): the whole network, its last upsampling left out."""

    def run(x, conv):
        return convolve(x, conv, weights[f"{conv.name}.weight"], weights[f"{conv.name}.bias"])

    x = run(picture.transpose(2, 0, 1) / 255, network.first)
    maps = [x]
    for block in network.encoder_blocks:
        x = run(run(x, block.depthwise), block.pointwise)
        maps.append(x)
    for block in network.decoder_blocks:
        x = run(run(x, block.depthwise), block.pointwise)
        if block != network.decoder_blocks[-1]:
            x = upsample(x)
        if block.skip is not None:
            x = x + maps[block.skip]
    return run(x, network.last)[0]
