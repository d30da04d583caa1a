"""Weights that the tests make, for a network that knows nothing but behaves like one that does."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fastdepth_ros.network import Network

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
