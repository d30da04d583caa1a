"""Any graph of layers as a torch module that can be trained, and its way back into folded arrays.

Names of parameters are the graph's with ``_`` for ``.``: ``layers.conv1_dw.weight``, ``layers.conv1_dw.norm.bias``, ...
For a graph of FastDepth's table they are those of :class:`~fastdepth_ros.training.network.FastDepth`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from fastdepth_ros.errors import NetworkError
from fastdepth_ros.network.graph import PICTURE, Graph, Node, follow
from fastdepth_ros.network.kinds import (
    Add,
    Concatenate,
    Depthwise,
    MaxPool,
    Transposed,
    Unpool,
    Upsample,
    Weighted,
)
from fastdepth_ros.network.layer import Layer
from fastdepth_ros.training.network import BN_EPSILON, FIRST_ANSWER
from fastdepth_ros.training.normalisation import BatchNorm

FIRST_SPREAD = 0.1
"""Share of an answer's spread that it begins with, where nothing normalises it."""


class WeightedLayer(nn.Module):  # type: ignore[misc]  # torch is not there when types are checked
    """A convolution of the graph, what is added to it, and its activation.

    Args:
        layer: the convolution.
        inputs: channels that it reads.
        shape: of its weights.
        normalise: whether batch normalisation stays apart (to train), or is folded into a bias.
    """

    def __init__(self, layer: Weighted, inputs: int, shape: Sequence[int], normalise: bool) -> None:
        super().__init__()
        outputs = layer.channels(inputs)
        normalise = normalise and layer.offset == "norm"
        self.kind, self.groups = layer, inputs if isinstance(layer, Depthwise) else 1
        self.weight = nn.Parameter(torch.empty(tuple(shape)))
        self.norm = BatchNorm(outputs, eps=BN_EPSILON) if normalise else None
        self.bias = None if normalise or layer.offset == "none" else nn.Parameter(torch.zeros(outputs))
        # He et al. 2015 by the outputs' fan, transposed ones by their inputs', as the papers' code does; where nothing
        # normalises, by the inputs' fan, which keeps the size of what flows through.
        by_inputs = isinstance(layer, Transposed) or layer.offset != "norm"
        fan = layer.kernel**2 * ((inputs if by_inputs else outputs) // self.groups)
        nn.init.normal_(self.weight, 0.0, (2.0 / fan) ** 0.5)

    def forward(self, x: Tensor) -> Tensor:
        layer = self.kind
        if isinstance(layer, Transposed):
            x = functional.conv_transpose2d(x, self.weight, self.bias, layer.stride, layer.padding, layer.more)
        else:
            x = functional.conv2d(x, self.weight, self.bias, layer.stride, layer.kernel // 2, groups=self.groups)
        if self.norm is not None:
            x = self.norm(x)
        return activate(x, layer.activation)

    def folded(self) -> tuple[Tensor, Tensor | None]:
        """Weights and bias with batch normalisation merged into them; the bias is None where nothing is added.

        weight' = weight * gamma / sqrt(var + eps), bias' = beta - mean * gamma / sqrt(var + eps)
        (Jacob et al., arXiv 1712.05877, section 3.2).
        """
        weight = self.weight.detach().double()
        if self.norm is None:
            return weight, None if self.bias is None else self.bias.detach().double()
        norm = self.norm
        factor = norm.weight.detach().double() / torch.sqrt(norm.running_var.double() + norm.eps)
        axes = (1, -1, 1, 1) if isinstance(self.kind, Transposed) else (-1, 1, 1, 1)
        return weight * factor.reshape(axes), norm.bias.detach().double() - norm.running_mean.double() * factor


def activate(x: Tensor, activation: str) -> Tensor:
    """An activation of ``network.kinds.Activation``."""
    names = {"relu": functional.relu, "relu6": functional.relu6, "hard-swish": functional.hardswish}
    return names[activation](x) if activation in names else x


class GraphNetwork(nn.Module):  # type: ignore[misc]
    """A network of any graph.

    Args:
        graph: the layers.
        normalise: with batch normalisation (to train), or with folded biases (a teacher, an import).

    Raises:
        NetworkError: two layers' names differ by no more than ``.`` and ``_``.
    """

    def __init__(self, graph: Graph, normalise: bool = True) -> None:
        super().__init__()
        self.graph = graph
        self.layers = nn.ModuleDict()
        shapes = graph.weight_shapes()
        for node in graph.nodes:
            if isinstance(node.layer, Weighted):
                if _key(node.name) in self.layers:
                    cause = f"{graph.name}: layer {node.name}: torch cannot tell its name from another's"
                    raise NetworkError(cause, "Give one of them another name.")
                inputs = graph.input_channels(node)
                shape = shapes[f"{node.name}.weight"]
                self.layers[_key(node.name)] = WeightedLayer(node.layer, inputs, shape, normalise)
        self._begin_with_an_answer()

    def layer(self, name: str) -> WeightedLayer:
        """The convolution of that name in the graph."""
        layer = self.layers[_key(name)]
        assert isinstance(layer, WeightedLayer)
        return layer

    def forward(self, x: Tensor, keep: Iterable[str] = ()) -> tuple[Tensor, dict[str, Tensor]]:
        """The answer, and the maps that somebody wants to look at.

        Args:
            x: (N, channels, H, W), RGB / 255.
            keep: names of layers.

        Returns:
            (N, channels, H', W') of the last layer, and name -> answer of those in ``keep``.
        """
        maps = follow(self.graph, self._compute, x, keep)
        return maps[self.graph.answer.name], {name: maps[name] for name in keep}

    def _compute(self, node: Node, read: Sequence[Tensor]) -> Tensor:
        if isinstance(node.layer, Weighted):
            return self.layer(node.name)(read[0])
        return _OTHERS[type(node.layer)](node.layer, read)

    def _begin_with_an_answer(self) -> None:
        """Let the last convolution answer metres from the start: a ReLU at 0 would hardly learn."""
        node = self.graph.answer
        while not isinstance(node.layer, Weighted) and node.reads[0] != PICTURE:
            node = self.graph.by_name[node.reads[0]]
        if isinstance(node.layer, Weighted):
            layer = self.layer(node.name)
            offset = layer.bias if layer.norm is None else layer.norm.bias
            if offset is not None:
                nn.init.constant_(offset, FIRST_ANSWER)
            if layer.norm is None:
                with torch.no_grad():
                    layer.weight *= FIRST_SPREAD


def _upsample(layer: Any, read: Sequence[Tensor]) -> Tensor:
    if layer.mode == "nearest":
        return functional.interpolate(read[0], scale_factor=float(layer.factor), mode="nearest")
    corners = layer.mode == "bilinear-corners"
    return functional.interpolate(read[0], scale_factor=float(layer.factor), mode="bilinear", align_corners=corners)


def _unpool(layer: Any, read: Sequence[Tensor]) -> Tensor:
    (x,) = read
    count, channels, height, width = x.shape
    more = layer.factor - 1
    # Without writing into a map of zeros: torch's optimiser for inference takes that one for a constant.
    spread = functional.pad(x.reshape(count, channels, height, 1, width, 1), (0, more, 0, 0, 0, more))
    return spread.reshape(count, channels, height * layer.factor, width * layer.factor)


def _max_pool(layer: Any, read: Sequence[Tensor]) -> Tensor:
    return functional.max_pool2d(read[0], layer.kernel, layer.stride, layer.kernel // 2)


def _add(layer: Any, read: Sequence[Tensor]) -> Tensor:
    return activate(sum(read[1:], read[0]), layer.activation)


def _concatenate(_layer: Any, read: Sequence[Tensor]) -> Tensor:
    return torch.cat(list(read), 1)


_OTHERS: dict[type[Layer], Callable[[Any, Sequence[Tensor]], Tensor]] = {
    Unpool: _unpool,
    Upsample: _upsample,
    MaxPool: _max_pool,
    Add: _add,
    Concatenate: _concatenate,
}


def folded_graph(model: GraphNetwork) -> dict[str, npt.NDArray[np.float32]]:
    """Arrays of a network, as :meth:`Graph.weight_shapes` names them, with batch normalisation merged into them."""
    arrays: dict[str, npt.NDArray[np.float32]] = {}
    for node in model.graph.nodes:
        if isinstance(node.layer, Weighted):
            weight, bias = model.layer(node.name).folded()
            arrays[f"{node.name}.weight"] = weight.float().cpu().contiguous().numpy()
            if bias is not None:
                arrays[f"{node.name}.bias"] = bias.float().cpu().contiguous().numpy()
    return arrays


def graph_from_arrays(graph: Graph, arrays: Mapping[str, npt.NDArray[Any]]) -> GraphNetwork:
    """A frozen network with folded biases.

    Raises:
        WeightsError: an array does not fit its layer.
    """
    graph.check_weights(arrays)
    model = GraphNetwork(graph, normalise=False)
    with torch.no_grad():
        for name, array in arrays.items():
            layer, _, part = name.rpartition(".")
            getattr(model.layer(layer), part).copy_(torch.from_numpy(np.asarray(array, np.float32)))
    model.eval().requires_grad_(False)
    return model


def _key(name: str) -> str:
    return name.replace(".", "_")  # a ModuleDict refuses dots
