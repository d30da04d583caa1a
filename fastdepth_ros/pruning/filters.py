"""Choice of the filters that stay, by their norm, and arrays without the others.

NetAdapt (section 3.3) keeps the filters of the largest l2 norm. Layers that a sum ties get one set of filters: each
layer's squares are divided by their sum, so that a layer of large weights does not decide alone, and then added.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fastdepth_ros.network.graph import Graph, Node, weighted
from fastdepth_ros.network.kinds import Depthwise, Transposed
from fastdepth_ros.pruning.widths import Channels, Group

Indices = npt.NDArray[np.intp]
Array = npt.NDArray[Any]


class Cut(NamedTuple):
    """Channels of a layer that stay; None where all do."""

    outputs: Indices | None = None
    inputs: Indices | None = None


def strength(graph: Graph, group: Group, weight_of: Callable[[str], Array]) -> npt.NDArray[np.float64]:
    """Share of each channel of a group in the squares of the weights that make it, summed over layers.

    Args:
        graph: the network.
        group: whose channels.
        weight_of: name of a layer -> its weights, as ``Graph.weight_shapes`` has them.
    """
    total = np.zeros(group.channels)
    for name in group.makers:
        weight = np.asarray(weight_of(name), np.float64)
        axes = (0, 2, 3) if isinstance(graph.by_name[name].layer, Transposed) else (1, 2, 3)
        squares = np.square(weight).sum(axis=axes)
        total += squares / max(float(squares.sum()), 1e-30)
    return total


def strongest(values: npt.NDArray[np.float64], count: int) -> Indices:
    """Places of the ``count`` largest values, in their order; of equal ones the first."""
    return np.sort(np.argsort(-values, kind="stable")[:count])


def cuts(graph: Graph, channels: Channels, group: Group, keep: Indices) -> dict[str, Cut]:
    """Channels that every layer keeps where a group keeps some of its own; layers that lose none are left out.

    Args:
        graph: the network.
        channels: its groups.
        group: the one that is cut.
        keep: places of the channels that stay.
    """

    def stay(layer: str) -> Indices | None:
        parts = channels.parts[layer]
        if group.name not in parts:
            return None
        found, start = [], 0
        for part in parts:
            count = channels.counts[part]
            found.append(start + (keep if part == group.name else np.arange(count)))
            start += count
        kept: Indices = np.concatenate(found)
        return kept

    found = {}
    for node in weighted(graph):
        cut = Cut(stay(node.name), stay(node.reads[0]))
        if cut.outputs is not None or cut.inputs is not None:
            found[node.name] = cut
    return found


def without(node: Node, cut: Cut, kind: str, array: Any) -> Any:
    """A layer's array without the channels that go.

    Args:
        node: the layer.
        cut: what stays.
        kind: ``weight`` for the convolution's own; all else has a number for each output, or is a single number.
        array: NumPy's or torch's.
    """
    if array.ndim == 0:
        return array
    first, second = cut.outputs, cut.inputs
    if kind == "weight" and array.ndim > 1:
        if isinstance(node.layer, Depthwise):
            second = None
        elif isinstance(node.layer, Transposed):
            first, second = second, first
    else:
        second = None
    if first is not None:
        array = array[first]
    return array if second is None else array[:, second]


def cut_arrays(graph: Graph, found: Mapping[str, Cut], arrays: Mapping[str, Array]) -> dict[str, Array]:
    """Arrays by names of ``LAYER.KIND``, or ``LAYER.norm.KIND``, without the channels that go.

    Args:
        graph: the network before the cut.
        found: of :func:`cuts`.
        arrays: of all layers, before.
    """
    result = {}
    for name, array in arrays.items():
        layer, _, kind = name.rpartition(".")
        if layer.endswith(".norm") and layer not in graph.by_name:
            layer, kind = layer.removesuffix(".norm"), "norm"
        cut = found.get(layer)
        # Not ascontiguousarray, which makes a row of a single number.
        result[name] = array if cut is None else np.asarray(without(graph.by_name[layer], cut, kind, array), order="C")
    return result
