"""int8 in plain numpy: the one definition that the kernels of every instruction set are held against, bit by bit."""

import numpy as np

from fastdepth_ros.compiler.layout import LARGEST_WEIGHT
from fastdepth_ros.compiler.pointwise import LARGEST_BYTE, SMALLEST_RANGE

F32, F64 = np.float32, np.float64


def fused(one, other, added):
    """one * other + added, rounded once: float64 holds every product of two float32."""
    return (F64(one) * F64(other) + F64(added)).astype(F32)


def quantised(x):
    """All that a task of a kernel reads, as bytes, and what one step of them is worth."""
    step = np.maximum(x.max(), F32(SMALLEST_RANGE)) / F32(LARGEST_BYTE)
    return np.floor(fused(x, F32(1) / step, F32(0.5))).astype(np.int64), step


def quantised_weights(weight):
    """(outputs, inputs, 1, 1) as signed bytes, and what one step of them is worth in each output channel."""
    matrix = weight[:, :, 0, 0]
    scale = np.abs(matrix).max(axis=1) / F32(LARGEST_WEIGHT)
    scale[scale == 0] = 1
    return np.rint(matrix / scale[:, None]).astype(np.int64), scale


def pointwise(x, weight, bias, activation):
    """The answer to one task's inputs (channels, rows, columns)."""
    inputs, step = quantised(x)
    matrix, scale = quantised_weights(weight)
    sums = np.einsum("oi,ihw->ohw", matrix, inputs)
    value = fused(sums.astype(F32), (scale * step)[:, None, None], bias[:, None, None])
    return np.clip(value, 0, 6 if activation == "relu6" else None)


def pointwise_by_rows(x, weight, bias, activation, rows):
    """The answer of a kernel whose tasks read so many rows each."""
    tasks = [pointwise(x[:, at : at + rows], weight, bias, activation) for at in range(0, x.shape[1], rows)]
    return np.concatenate(tasks, axis=1)
