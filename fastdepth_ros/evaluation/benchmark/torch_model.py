"""The network as torch computes it, for torch's own measurement: plain functions, traced."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch.nn import functional

from fastdepth_ros.network import Convolution, Network, walk


class TorchGraph:
    """Computes at once what other graphs write down; a value is a tensor."""

    def __init__(self, weights: Mapping[str, Any]) -> None:
        self.weights = {name: torch.from_numpy(array) for name, array in weights.items()}

    def convolution(self, value: Any, conv: Convolution) -> Any:
        weight, bias = (self.weights[f"{conv.name}.{part}"] for part in ("weight", "bias"))
        groups = conv.inputs if conv.kind == "depthwise" else 1
        value = functional.conv2d(value, weight, bias, conv.stride, conv.kernel // 2, groups=groups)
        return functional.relu6(value) if conv.activation == "relu6" else functional.relu(value)

    def upsample(self, value: Any) -> Any:
        return functional.interpolate(value, scale_factor=2.0, mode="nearest")

    def add(self, one: Any, other: Any) -> Any:
        return one + other


class Net(torch.nn.Module):  # type: ignore[misc]  # torch ships no types here
    """(1, 3, height, width) of 0..1 -> (1, 1, height / 2, width / 2) metres."""

    def __init__(self, network: Network, weights: Mapping[str, Any]) -> None:
        super().__init__()
        self.network, self.graph = network, TorchGraph(weights)

    def forward(self, picture: Any) -> Any:
        return walk(self.network, self.graph, picture)[self.network.last.name]


def optimised(network: Network, weights: Mapping[str, Any], picture: Any) -> Any:
    """The network, traced, frozen and in the blocked layouts of torch's own library for processors (oneDNN)."""
    with torch.inference_mode():
        traced = torch.jit.trace(Net(network, weights).eval(), picture)
        return torch.jit.optimize_for_inference(torch.jit.freeze(traced))
