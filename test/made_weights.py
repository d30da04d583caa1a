"""Weights that the tests make, for a network that knows nothing but behaves like one that does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from fastdepth_ros.network import Network
from fastdepth_ros.network.graph import Graph
from fastdepth_ros.network.kinds import Full, Transposed

CHECKOUT = Path(__file__).resolve().parent.parent


def random_weights(network: Network, seed: int = 0) -> dict[str, np.ndarray]:
    """Weights that keep the size of what flows through the network, so that its answers are a few metres."""
    rng = np.random.default_rng(seed)
    weights = {}
    for conv in network.convolutions:
        fan_in = int(np.prod(conv.weight_shape[1:]))
        weights[f"{conv.name}.weight"] = rng.normal(0, (2 / fan_in) ** 0.5, conv.weight_shape).astype(np.float32)
        weights[f"{conv.name}.bias"] = rng.normal(0.1, 0.1, conv.outputs).astype(np.float32)
    return weights


def random_graph_weights(graph: Graph, seed: int = 0) -> dict[str, np.ndarray]:
    """The same for any graph; one block of noise is used again and again, for the largest have 64 million weights."""
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal(1_000_003, np.float32)
    weights = {}
    for name, shape in graph.weight_shapes().items():
        if name.endswith(".bias"):
            weights[name] = rng.normal(0.1, 0.1, shape).astype(np.float32)
        else:
            fan_in = graph.input_channels(graph.by_name[name.removesuffix(".weight")]) * shape[2] * shape[3]
            depthwise = shape[1] == 1 and shape[2] > 1
            weights[name] = np.resize(noise, shape) * np.float32(
                (2 / (shape[2] * shape[3] if depthwise else fan_in)) ** 0.5
            )
    return weights


def narrowed(graph: Graph, times: int = 8) -> Graph:
    """The same layers with so many times fewer channels: what joins them stays, and it is computed in no time."""
    nodes = []
    for node in graph.nodes:
        layer = node.layer
        if isinstance(layer, Full | Transposed):
            layer = replace(layer, outputs=-(-layer.outputs // times))
        nodes.append(replace(node, layer=layer))
    return replace(graph, nodes=tuple(nodes))
