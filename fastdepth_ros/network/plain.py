"""A graph in plain NumPy, slow and obvious: the reference that compilers and torch are held against.

Maps are (channels, height, width) and keep the picture's type: give float64 for a reference.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np
import numpy.typing as npt

from fastdepth_ros.errors import NetworkError
from fastdepth_ros.network.graph import Graph, Node, follow
from fastdepth_ros.network.kinds import (
    Add,
    Concatenate,
    Depthwise,
    Full,
    MaxPool,
    Transposed,
    Unpool,
    Upsample,
    Weighted,
)
from fastdepth_ros.network.layer import Layer
from fastdepth_ros.network.sizes import sizes

__all__ = ["evaluate", "evaluate_maps"]

Map = npt.NDArray[np.floating[Any]]
Arrays = Mapping[str, npt.NDArray[Any]]


def evaluate(graph: Graph, weights: Arrays, picture: Map) -> Map:
    """The network's answer.

    Args:
        graph: the network.
        weights: its arrays, as :meth:`Graph.weight_shapes` names them.
        picture: (channels, height, width), RGB / 255, of any floating type.

    Returns:
        (channels, height, width) of the network's last layer, in the picture's type.

    Raises:
        NetworkError: the network cannot take a picture of that size or those channels.
        WeightsError: an array does not fit its layer.
    """
    return evaluate_maps(graph, weights, picture)[graph.answer.name]


def evaluate_maps(graph: Graph, weights: Arrays, picture: Map, keep: Iterable[str] = ()) -> dict[str, Map]:
    """The answers of the last layer and of those in ``keep``, by name; else as :func:`evaluate`."""
    graph.check_weights(weights)
    if picture.ndim != 3 or len(picture) != graph.inputs:
        cause = f"{graph.name} reads {graph.inputs} channels, and the picture has the shape {picture.shape}"
        raise NetworkError(cause, "Give it as (channels, height, width).")
    sizes(graph, *picture.shape[1:])

    def compute(node: Node, read: Sequence[Map]) -> Map:
        layer = node.layer
        if isinstance(layer, Weighted):
            weight = weights[f"{node.name}.weight"].astype(picture.dtype)
            sums: Map = _WEIGHTED[type(layer)](layer, weight, read[0])
            if layer.offset != "none":
                sums = sums + weights[f"{node.name}.bias"].astype(picture.dtype)[:, None, None]
        else:
            sums = _OTHERS[type(layer)](layer, read)
        return activate(sums, getattr(layer, "activation", "none"))

    return follow(graph, compute, picture, keep)


def activate(x: Map, activation: str) -> Map:
    """An activation of ``kinds.Activation``, of each number by itself."""
    if activation == "relu":
        return np.maximum(x, 0)
    if activation == "relu6":
        return np.clip(x, 0, 6)
    if activation == "hard-swish":
        return x * np.clip(x + 3, 0, 6) / 6
    return x


def _taps(x: Map, kernel: int, stride: int, beyond: float = 0.0) -> Iterable[tuple[int, int, Map]]:
    """Row and column in the kernel, and the map's pixels that they meet, padded with ``beyond``."""
    pad = kernel // 2
    padded = np.pad(x, ((0, 0), (pad, pad), (pad, pad)), constant_values=beyond)
    for row in range(kernel):
        for column in range(kernel):
            ends = (row + x.shape[1], column + x.shape[2])
            yield row, column, padded[:, row : ends[0] : stride, column : ends[1] : stride]


def _full(layer: Any, weight: Map, x: Map) -> Map:
    parts = (np.tensordot(weight[:, :, i, j], part, 1) for i, j, part in _taps(x, layer.kernel, layer.stride))
    return reduce(operator.add, parts)


def _depthwise(layer: Any, weight: Map, x: Map) -> Map:
    parts = (weight[:, 0, i, j, None, None] * part for i, j, part in _taps(x, layer.kernel, layer.stride))
    return reduce(operator.add, parts)


def _transposed(layer: Any, weight: Map, x: Map) -> Map:
    """Each pixel adds its kernel, ``stride`` pixels from its neighbour's; the sums are cut to size."""
    stride, kernel, (_, height, width) = layer.stride, layer.kernel, x.shape
    whole = np.zeros((layer.outputs, height * stride + kernel, width * stride + kernel), x.dtype)
    for i in range(kernel):
        for j in range(kernel):
            part = np.tensordot(weight[:, :, i, j].T, x, 1)
            whole[:, i : i + height * stride : stride, j : j + width * stride : stride] += part
    first = layer.padding
    return whole[:, first : first + height * stride, first : first + width * stride]


def _unpool(layer: Any, read: Sequence[Map]) -> Map:
    (x,) = read
    found = np.zeros((x.shape[0], x.shape[1] * layer.factor, x.shape[2] * layer.factor), x.dtype)
    found[:, :: layer.factor, :: layer.factor] = x
    return found


def _upsample(layer: Any, read: Sequence[Map]) -> Map:
    (x,) = read
    if layer.mode == "nearest":
        return x.repeat(layer.factor, axis=1).repeat(layer.factor, axis=2)
    rows, columns = (_between(side, layer.factor, layer.mode).astype(x.dtype) for side in x.shape[1:])
    answer: Map = rows @ x @ columns.T
    return answer


def _between(side: int, factor: int, mode: str) -> npt.NDArray[np.float64]:
    """Matrix of linear interpolation, (factor * side, side): what each new pixel takes of each old one."""
    new = np.arange(side * factor, dtype=np.float64)
    if mode == "bilinear-corners":
        places = new * ((side - 1) / max(side * factor - 1, 1))
    else:
        places = np.clip((new + 0.5) / factor - 0.5, 0, side - 1)
    return np.maximum(0.0, 1.0 - np.abs(places[:, None] - np.arange(side)))


def _max_pool(layer: Any, read: Sequence[Map]) -> Map:
    parts = [part for _, _, part in _taps(read[0], layer.kernel, layer.stride, -np.inf)]
    answer: Map = np.max(parts, axis=0)
    return answer


def _add(_layer: Any, read: Sequence[Map]) -> Map:
    return reduce(operator.add, read)


def _concatenate(_layer: Any, read: Sequence[Map]) -> Map:
    return np.concatenate(read)


_WEIGHTED: dict[type[Layer], Callable[[Any, Map, Map], Map]] = {
    Full: _full,
    Depthwise: _depthwise,
    Transposed: _transposed,
}
_OTHERS: dict[type[Layer], Callable[[Any, Sequence[Map]], Map]] = {
    Unpool: _unpool,
    Upsample: _upsample,
    MaxPool: _max_pool,
    Add: _add,
    Concatenate: _concatenate,
}
