"""Any network as a torch module. Whoever trains one, or asks one, need not know whether it is a table or a graph.

Variants of FastDepth (``network/table.py``) become a bundle; graphs (``network/entries/``) become a file of arrays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy.typing as npt

from fastdepth_ros.network import NETWORKS, Network
from fastdepth_ros.network.entries import entry
from fastdepth_ros.network.graph import Graph
from fastdepth_ros.network.kinds import Weighted
from fastdepth_ros.network.sizes import sizes
from fastdepth_ros.network.stored import to_json
from fastdepth_ros.training.graph_network import GraphNetwork, folded_graph, graph_from_arrays
from fastdepth_ros.training.network import FastDepth, channels, folded, from_arrays

Trainable: TypeAlias = Network | Graph
"""Description of a network."""

Module: TypeAlias = FastDepth | GraphNetwork
"""The torch module of either: ``module(pictures, names)`` gives depth and the maps of those names."""


def network_named(name: str) -> Trainable:
    """The variant of FastDepth, or else the entry, of that name; an entry's file where the name ends in ``.yaml``.

    Raises:
        NetworkError: there is none.
    """
    return NETWORKS[name] if name in NETWORKS else entry(name).graph


def module_of(network: Trainable) -> Module:
    """The network to train, with random weights and batch normalisation."""
    return FastDepth(network) if isinstance(network, Network) else GraphNetwork(network)


def frozen(network: Trainable, arrays: Mapping[str, npt.NDArray[Any]]) -> Module:
    """The network with folded weights, for a teacher or a validation.

    Raises:
        WeightsError: an array does not fit its layer.
    """
    if isinstance(network, Network):
        return from_arrays(network, arrays)
    return graph_from_arrays(network, arrays)


def arrays_of(model: Module) -> dict[str, npt.NDArray[Any]]:
    """Folded arrays of a network, by the names of its table or graph."""
    return folded(model) if isinstance(model, FastDepth) else folded_graph(model)


def maps_of(network: Trainable) -> dict[str, int]:
    """Name -> channels of every map that may give a hint: blocks of a table, layers of a graph."""
    if isinstance(network, Network):
        return channels(network)
    return {node.name: network.channels[node.name] for node in network.nodes}


def learn_only(model: Module, layers: Sequence[str]) -> None:
    """Let the parameters of some layers learn, or of all; those of the others stand still.

    Args:
        model: to train.
        layers: names of blocks or layers; empty for all.
    """
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(not layers or any(_is_of(name.split(".")[1], layer) for layer in layers))


def has_layer(network: Trainable, layer: str) -> bool:
    """Whether a block or a layer with weights has that name."""
    if isinstance(network, Network):
        return any(_is_of(conv.name, layer) for conv in network.convolutions)
    return any(_is_of(node.name, layer) for node in network.nodes if isinstance(node.layer, Weighted))


def _is_of(name: str, layer: str) -> bool:
    """Whether a layer's or parameter's name, with dots or with what a ModuleDict has in their place, is in a block."""
    name, layer = name.replace(".", "_"), layer.replace(".", "_")
    return name == layer or name.startswith(f"{layer}_")


def described(network: Trainable) -> dict[str, Any]:
    """The network as JSON has it, for a checkpoint to say what it is of."""
    return network.to_json() if isinstance(network, Network) else to_json(network)


def check_size(network: Trainable, height: int, width: int) -> None:
    """Refuse pictures that the network cannot take, or whose half no grid is, and a network that does not answer depth.

    Raises:
        NetworkError: a graph cannot take them, the remedy names the nearest that it can; or it answers several maps.
        ValueError: a table cannot, or a side is odd.
    """
    multiple = 32 if isinstance(network, Network) else 2
    if min(height, width) < 32 or height % multiple or width % multiple:
        raise ValueError(f"sides have to be multiples of {multiple}, and 32 px at least")
    if isinstance(network, Graph):
        sizes(network, height, width)
        if (maps := network.channels[network.answer.name]) != 1:
            network.refuse(network.answer.name, f"it answers {maps} maps", "Depth is one map of metres.")
