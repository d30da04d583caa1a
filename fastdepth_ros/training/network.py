"""The network table as a torch module that can be trained, and its way back into folded arrays.

In training every convolution is followed by batch normalisation; :func:`folded` merges the two, so that the arrays are
those that the compiler and every bundle know. Parameters are named as in the table: ``conv1.dw.weight``,
``conv1.dw.norm.running_mean``, ...
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from fastdepth_ros.network import Convolution, Network, check_weights, walk
from fastdepth_ros.training.normalisation import BatchNorm

BN_EPSILON = 1e-5
FIRST_ANSWER = 2.5
"""Mean answer of a network that has learned nothing [m]: a ReLU that starts at 0 would hardly learn."""


class ConvNorm(nn.Module):  # type: ignore[misc]  # torch is not there when types are checked
    """A convolution of the table, its batch normalisation (or, once folded, its bias) and its activation."""

    def __init__(self, conv: Convolution, normalise: bool) -> None:
        super().__init__()
        groups = conv.inputs if conv.kind == "depthwise" else 1
        self.weight = nn.Parameter(torch.empty(conv.weight_shape))
        self.norm = BatchNorm(conv.outputs, eps=BN_EPSILON) if normalise else None
        self.bias = None if normalise else nn.Parameter(torch.zeros(conv.outputs))
        self.stride, self.padding, self.groups = conv.stride, conv.kernel // 2, groups
        self.ceiling = 6.0 if conv.activation == "relu6" else None
        fan_out = conv.kernel * conv.kernel * conv.outputs // groups
        nn.init.normal_(self.weight, 0.0, (2.0 / fan_out) ** 0.5)  # He et al. 2015, as in MobileNet's usual training

    def forward(self, x: Tensor) -> Tensor:
        x = functional.conv2d(x, self.weight, self.bias, self.stride, self.padding, groups=self.groups)
        if self.norm is not None:
            x = self.norm(x)
        return functional.relu6(x) if self.ceiling else functional.relu(x)


class FastDepth(nn.Module):  # type: ignore[misc]
    """FastDepth of any table.

    Args:
        table: the layers.
        normalise: with batch normalisation (to train), or with folded biases (a teacher, an import).
    """

    def __init__(self, table: Network, normalise: bool = True) -> None:
        super().__init__()
        self.table = table
        self.layers = nn.ModuleDict({_key(conv.name): ConvNorm(conv, normalise) for conv in table.convolutions})
        last = self.layer(table.last.name).norm
        if last is not None:
            nn.init.constant_(last.bias, FIRST_ANSWER)

    def layer(self, name: str) -> ConvNorm:
        """The layer of that name in the table."""
        layer = self.layers[_key(name)]
        assert isinstance(layer, ConvNorm)
        return layer

    def forward(self, x: Tensor, keep: Iterable[str] | None = None) -> tuple[Tensor, dict[str, Tensor]]:
        """Depth and the maps that distillation may look at.

        Args:
            x: (N, 3, H, W) RGB / 255; H and W multiples of 32.
            keep: names of the blocks whose answers are wanted; None for all.

        Returns:
            Depth (N, 1, H / 2, W / 2) in metres: the last convolution is pointwise, so it commutes with the last
            nearest-neighbour upsampling, and the full map is each value 2 x 2 times. And block name -> answer of that
            block (``conv0`` .. ``conv13``, ``decode_conv1`` .. ``decode_conv5``, before upsampling and skip).
        """
        maps = walk(self.table, self, x)
        depth = maps.pop(self.table.last.name)
        return depth, maps if keep is None else {name: maps[name] for name in keep}

    def convolution(self, value: Tensor, conv: Convolution) -> Tensor:
        """Answer of a layer, as :class:`~fastdepth_ros.network.Backend` has it."""
        return self.layer(conv.name)(value)

    def upsample(self, value: Tensor) -> Tensor:
        """Twice the height and width, by nearest neighbour."""
        return functional.interpolate(value, scale_factor=2.0, mode="nearest")

    def add(self, one: Tensor, other: Tensor) -> Tensor:
        """Sum of two maps."""
        return one + other


def channels(table: Network) -> dict[str, int]:
    """Block name -> channels of its answer, for every map that :meth:`FastDepth.forward` returns."""
    *steps, _ = table.steps()
    return {step.name: step.outputs for step in steps}


def folded(model: FastDepth) -> dict[str, npt.NDArray[np.float32]]:
    """The arrays of a bundle: batch normalisation (running statistics) merged into weights and biases.

    weight' = weight * gamma / sqrt(var + eps), bias' = beta - mean * gamma / sqrt(var + eps)
    (Jacob et al., arXiv 1712.05877, section 3.2).
    """
    arrays: dict[str, npt.NDArray[np.float32]] = {}
    for conv in model.table.convolutions:
        layer = model.layer(conv.name)
        weight = layer.weight.detach().double()
        if layer.norm is None:
            assert layer.bias is not None
            bias = layer.bias.detach().double()
        else:
            norm = layer.norm
            assert norm.running_var is not None
            assert norm.running_mean is not None
            factor = norm.weight.detach().double() / torch.sqrt(norm.running_var.double() + norm.eps)
            weight = weight * factor.reshape(-1, 1, 1, 1)
            bias = norm.bias.detach().double() - norm.running_mean.double() * factor
        arrays[f"{conv.name}.weight"] = weight.float().cpu().contiguous().numpy()
        arrays[f"{conv.name}.bias"] = bias.float().cpu().contiguous().numpy()
    return arrays


def copy_statistics(source: nn.Module, target: nn.Module) -> None:
    """Give ``target`` the means and variances by which the batch normalisation of ``source`` normalises."""
    theirs = dict(source.named_buffers())
    for name, buffer in target.named_buffers():
        buffer.copy_(theirs[name])


def from_arrays(table: Network, arrays: Mapping[str, npt.NDArray[Any]]) -> FastDepth:
    """A frozen network with folded biases, for a teacher or a validation.

    Raises:
        WeightsError: an array does not fit its layer.
    """
    check_weights(table, arrays)
    model = FastDepth(table, normalise=False)
    with torch.no_grad():
        for conv in table.convolutions:
            layer = model.layer(conv.name)
            assert layer.bias is not None
            layer.weight.copy_(torch.from_numpy(np.asarray(arrays[f"{conv.name}.weight"], np.float32)))
            layer.bias.copy_(torch.from_numpy(np.asarray(arrays[f"{conv.name}.bias"], np.float32)))
    model.eval().requires_grad_(False)
    return model


def _key(name: str) -> str:
    return name.replace(".", "_")  # a ModuleDict refuses dots
