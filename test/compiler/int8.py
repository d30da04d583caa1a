"""int8 in plain numpy: the one definition that the kernels of every instruction set are held against, bit by bit."""

import numpy as np

from fastdepth_ros.compiler.layout import LARGEST_BYTE, LARGEST_SHARED, LARGEST_WEIGHT, SMALLEST_RANGE

F32, F64 = np.float32, np.float64


def fused(one, other, added):
    """one * other + added, rounded once: float64 holds every product of two float32."""
    return (F64(one) * F64(other) + F64(added)).astype(F32)


def quantised(x):
    """All that a task of a kernel reads, as bytes, and what one step of them is worth."""
    step = np.maximum(x.max(), F32(SMALLEST_RANGE)) / F32(LARGEST_BYTE)
    return np.floor(fused(x, F32(1) / step, F32(0.5))).astype(np.int64), step


def sums_of_16_bits(inputs, sharing):
    """The sum of 16 bits, by its number, to which each input's product goes where ``sharing`` words share two."""
    number = np.arange(inputs)
    return number // (4 * sharing) * 2 + number % 4 // 2


def quantised_weights(weight, sharing=0):
    """(outputs, inputs, 1, 1) as signed bytes, and what one step of them is worth in each output channel.

    Where products share sums of 16 bits, the weights of one sign in a sum are at most LARGEST_SHARED together.
    """
    matrix = weight[:, :, 0, 0]
    scale = np.abs(matrix).max(axis=1) / F32(LARGEST_WEIGHT)
    if sharing:
        place = sums_of_16_bits(matrix.shape[1], sharing)
        for sign in (1, -1):
            sums = np.zeros((len(matrix), place.max() + 1))
            np.add.at(sums.T, place, (sign * F64(matrix)).clip(0).T)
            scale = np.maximum(scale, F32(sums.max(axis=1) / (LARGEST_SHARED - sharing)))
    scale[scale == 0] = 1
    return np.rint(matrix / scale[:, None]).astype(np.int64), scale


def pointwise(x, weight, bias, activation, sharing=0):
    """The answer to one task's inputs (channels, rows, columns)."""
    inputs, step = quantised(x)
    matrix, scale = quantised_weights(weight, sharing)
    sums = np.einsum("oi,ihw->ohw", matrix, inputs)
    value = fused(sums.astype(F32), (scale * step)[:, None, None], bias[:, None, None])
    return np.clip(value, 0, 6 if activation == "relu6" else None)


def pointwise_by_rows(x, weight, bias, activation, rows, sharing=0):
    """The answer of a kernel whose tasks read so many rows each."""
    tasks = [pointwise(x[:, at : at + rows], weight, bias, activation, sharing) for at in range(0, x.shape[1], rows)]
    return np.concatenate(tasks, axis=1)


def quantised_channels(x):
    """(channels, rows, columns) as bytes, each channel by its own largest number, and what one step is worth there."""
    step = np.maximum(x.max(axis=(1, 2)), F32(SMALLEST_RANGE)) / F32(LARGEST_BYTE)
    return np.rint(F64(x) * F64(F32(1) / step)[:, None, None]).astype(np.int64), step


def spatial(x, weight, bias, activation, rows):
    """A 5x5 depthwise convolution (channels, 1, 5, 5) in bytes; a task computes so many rows, and reads two more."""
    scale = np.abs(weight).max(axis=(1, 2, 3)) / F32(LARGEST_WEIGHT)
    scale[scale == 0] = 1
    steps = np.rint(weight / scale[:, None, None, None]).astype(np.int64)[:, 0]
    padded, tasks = np.pad(x, ((0, 0), (2, 2), (2, 2))), []
    for at in range(0, x.shape[1], rows):
        inputs, step = quantised_channels(padded[:, at : at + rows + 4])
        windows = np.lib.stride_tricks.sliding_window_view(inputs, (5, 5), axis=(1, 2))
        sums = np.einsum("chwij,cij->chw", windows, steps)
        value = fused(sums.astype(F32), (scale * step)[:, None, None], bias[:, None, None])
        tasks.append(np.clip(value, 0, 6 if activation == "relu6" else None))
    return np.concatenate(tasks, axis=1)


def kept(x, kind):
    """A map as it is kept in memory: in float32, or the nearest in float16, as far as that reaches."""
    return x if kind == "float32" else np.minimum(x, F32(np.finfo(np.float16).max)).astype(np.float16).astype(F32)


def quantised_first(weight, sharing=0):
    """(outputs, 3, 3, 3) as signed bytes, and what one step of them is worth in each output channel.

    Where products share sums of 16 bits: of a row's bytes, colour by colour, the first two of every four share one,
    and the last two another.
    """
    scale = np.abs(F64(weight)).max(axis=(1, 2, 3)) / LARGEST_WEIGHT
    for sign in (1, -1) if sharing else ():
        sums = np.zeros((len(weight), 3, 2))
        for colour, row, column in np.ndindex(weight.shape[1:]):
            sums[:, row, (3 * column + colour) % 4 // 2] += (sign * F64(weight[:, colour, row, column])).clip(0)
        scale = np.maximum(scale, sums.max(axis=(1, 2)) / (LARGEST_SHARED - 3))
    scale = scale.astype(F32)
    scale[scale == 0] = 1
    return np.rint(weight / scale[:, None, None, None]).astype(np.int64), scale


def first(picture, weight, bias, activation, sharing=0):
    """The first convolution of a picture (rows, columns, 3) uint8; the division by 255 is in the weights."""
    steps, scale = quantised_first(weight, sharing)
    padded = np.pad(picture.astype(np.int64), ((1, 1), (1, 1), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(0, 1))[::2, ::2]
    sums = np.einsum("hwcij,ocij->ohw", windows, steps)
    value = fused(sums.astype(F32), scale[:, None, None], bias[:, None, None])
    return np.clip(value, 0, 6 if activation == "relu6" else None)
