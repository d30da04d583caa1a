"""Weights of noise, for networks that nobody has trained here: to time them and to compare their answers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fastdepth_ros.network.graph import Graph


def noise_weights(graph: Graph, seed: int = 0) -> dict[str, npt.NDArray[np.float32]]:
    """Arrays of a graph that keep the size of what flows through it, so that its answers are a few metres.

    One block of noise is used again and again, for the largest networks have 64 million weights.

    Args:
        graph: the network.
        seed: of the noise.
    """
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal(1_000_003, np.float32)
    weights = {}
    for name, shape in graph.weight_shapes().items():
        if name.endswith(".bias"):
            weights[name] = rng.normal(0.1, 0.1, shape).astype(np.float32)
            continue
        inputs = graph.input_channels(graph.by_name[name.removesuffix(".weight")])
        depthwise = shape[1] == 1 and shape[2] > 1
        fan_in = (1 if depthwise else inputs) * shape[2] * shape[3]
        weights[name] = np.resize(noise, shape) * np.float32((2 / fan_in) ** 0.5)
    return weights
