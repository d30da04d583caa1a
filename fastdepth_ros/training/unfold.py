"""Arrays as a torch network that can be trained: with batch normalisation, even where it was folded before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from fastdepth_ros.network.graph import Graph, weighted
from fastdepth_ros.network.kinds import Transposed
from fastdepth_ros.training.graph_network import GraphNetwork, WeightedLayer, graph_from_arrays

Arrays = dict[str, npt.NDArray[Any]]

LEAST_DEVIATION = 1e-3
"""Channels that hardly change are normalised as if they changed so much: their factor would be noise."""


def unfolded(graph: Graph, arrays: Mapping[str, npt.NDArray[Any]], pictures: Tensor) -> GraphNetwork:
    """A network with batch normalisation that answers as one whose normalisation was folded into its biases.

    Means and variances of every convolution are measured on pictures; factor and offset undo them. So the network
    computes the same, and its numbers are near those that a batch has, as training needs them.

    Args:
        graph: the network.
        arrays: as ``Graph.weight_shapes`` names them.
        pictures: (N, channels, H, W) of RGB / 255.

    Raises:
        WeightsError: an array does not fit its layer.
    """
    plain, model = graph_from_arrays(graph, arrays), GraphNetwork(graph)
    moments = _moments(plain, pictures)
    with torch.no_grad():
        for node in weighted(graph):
            ours, theirs = model.layer(node.name), plain.layer(node.name)
            ours.weight.copy_(theirs.weight)
            if ours.norm is None:
                if ours.bias is not None:
                    ours.bias.copy_(theirs.bias)
                continue
            mean, variance = moments[node.name]
            variance = variance.clamp(min=LEAST_DEVIATION**2)
            ours.norm.running_mean.copy_(mean)
            ours.norm.running_var.copy_(variance)
            factor = torch.sqrt(variance + ours.norm.eps)
            ours.norm.weight.copy_(factor)
            ours.norm.bias.copy_(mean if theirs.bias is None else theirs.bias.double() + mean)
    return model


def _moments(plain: GraphNetwork, pictures: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
    """Mean and variance of each channel behind every convolution, without its bias."""
    found: dict[str, tuple[Tensor, Tensor]] = {}

    def watched(name: str) -> Any:
        def look(layer: WeightedLayer, read: tuple[Tensor, ...], _answer: Tensor) -> None:
            values = _without_bias(layer, read[0]).double()
            found[name] = values.mean((0, 2, 3)), values.var((0, 2, 3), correction=0)

        return look

    hooks = [plain.layer(node.name).register_forward_hook(watched(node.name)) for node in weighted(plain.graph)]
    try:
        with torch.no_grad():
            plain(pictures)
    finally:
        for hook in hooks:
            hook.remove()
    return found


def _without_bias(layer: WeightedLayer, read: Tensor) -> Tensor:
    kind = layer.kind
    if isinstance(kind, Transposed):
        return functional.conv_transpose2d(read, layer.weight, None, kind.stride, kind.padding, kind.more)
    return functional.conv2d(read, layer.weight, None, kind.stride, kind.kernel // 2, groups=layer.groups)


def measured_anew(model: GraphNetwork, pictures: Tensor) -> None:
    """Have a network's batch normalisation take its means and variances from pictures, all layers at once.

    A layer that lost inputs has others than before (Li et al., "EagleEye", ECCV 2020, section 3.4).
    """
    norms = [norm for node in weighted(model.graph) if (norm := model.layer(node.name).norm) is not None]
    for norm in norms:
        norm.momentum = 1.0
    with torch.no_grad():
        model.train()(pictures)
    for norm in norms:
        norm.momentum = MOMENTUM
    model.eval()


MOMENTUM = 0.1
"""Share of a batch in running means and variances: torch's own."""


def to_arrays(model: GraphNetwork) -> Arrays:
    """All that a network has learned, by the graph's names: ``LAYER.weight``, ``LAYER.norm.running_mean``, ..."""
    found: Arrays = {}
    for node in weighted(model.graph):
        for name, value in model.layer(node.name).state_dict().items():
            found[f"{node.name}.{name}"] = value.detach().cpu().contiguous().numpy().copy()
    return found


def from_state(graph: Graph, arrays: Mapping[str, npt.NDArray[Any]]) -> GraphNetwork:
    """The inverse of :func:`to_arrays`."""
    model = GraphNetwork(graph)
    for node in weighted(graph):
        layer = model.layer(node.name)
        own = {name: torch.from_numpy(np.array(arrays[f"{node.name}.{name}"])) for name in layer.state_dict()}
        layer.load_state_dict(own)
    return model
