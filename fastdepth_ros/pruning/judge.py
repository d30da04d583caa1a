"""Accuracy of a proposal: what the loop asks, and an answer that needs no training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from fastdepth_ros.network.graph import Graph, weighted
from fastdepth_ros.pruning.filters import cut_arrays, cuts, strength, strongest
from fastdepth_ros.pruning.widths import Channels, resized

Arrays = dict[str, npt.NDArray[Any]]


class Judge(Protocol):
    """Whoever makes the network of a proposal and says how accurate it is.

    Attributes:
        about: what the accuracy is of, in words.
    """

    about: str

    def accuracy(self, graph: Graph, arrays: Arrays) -> float:
        """Accuracy of a network as it is; higher is better."""

    def adapt(self, graph: Graph, arrays: Arrays, iteration: int) -> tuple[Arrays, float]:
        """A network that was just cut, after what a proposal gets of training, and its accuracy."""

    def folded(self, graph: Graph, arrays: Arrays) -> Arrays:
        """The arrays as ``Graph.weight_shapes`` names them."""


def weight_name(layer: str) -> str:
    """Name of a layer's weights in the arrays of a network."""
    return f"{layer}.weight"


def cut_network(
    graph: Graph, channels: Channels, arrays: Mapping[str, npt.NDArray[Any]], group: str, width: int
) -> tuple[Graph, Arrays]:
    """A network in which a group keeps its ``width`` strongest channels.

    Args:
        graph, channels: before.
        arrays: before; names are ``LAYER.KIND``.
        group: the one that is cut.
        width: channels that it keeps.
    """
    own = channels.groups[group]
    keep = strongest(strength(graph, own, lambda name: arrays[weight_name(name)]), width)
    return resized(graph, channels, {group: width}), cut_arrays(graph, cuts(graph, channels, own, keep), arrays)


class NormJudge:
    """Accuracy is the share of the weights' squares that is kept, the geometric mean over layers: no training.

    So a layer that loses nearly all costs much, however many others are whole: it is a bottleneck of them all.

    Args:
        graph, arrays: the network before anything is cut.
    """

    about = "share of the weights' squares that is kept, no training"

    def __init__(self, graph: Graph, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        self._squares = {node.name: _squares(arrays[weight_name(node.name)]) for node in weighted(graph)}

    def accuracy(self, graph: Graph, arrays: Arrays) -> float:
        """Share that is kept."""
        kept = [
            max(_squares(arrays[weight_name(node.name)]) / self._squares[node.name], 1e-9)
            for node in weighted(graph)
            if self._squares[node.name] > 0
        ]
        return float(np.exp(np.mean(np.log(kept))))

    def adapt(self, graph: Graph, arrays: Arrays, iteration: int) -> tuple[Arrays, float]:
        """The arrays as they are."""
        del iteration
        return arrays, self.accuracy(graph, arrays)

    def folded(self, graph: Graph, arrays: Arrays) -> Arrays:
        """The arrays as they are."""
        del graph
        return arrays


def _squares(array: npt.NDArray[Any]) -> float:
    return float(np.square(np.asarray(array, np.float64)).sum())


Told = Callable[[str, float], object]
"""Told what is being done, and the share of the way that is behind."""
