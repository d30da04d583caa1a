"""Convolutions as other formats hold them: in the order of computation, batch normalisation still beside them.

FastDepth is one chain of convolutions, so their order says which is which, whatever a format calls them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fastdepth_ros.errors import WeightsError, quoted, shortened
from fastdepth_ros.network import Network

Array = npt.NDArray[Any]
Arrays = dict[str, Array]

TORCH_EPSILON = 1e-5
"""Number that torch's BatchNorm2d adds to the variance unless told otherwise; a state dict does not say."""


@dataclass(frozen=True)
class Norm:
    """Batch normalisation: gamma (x - mean) / sqrt(variance + epsilon) + beta, each array of one number per channel."""

    gamma: Array
    beta: Array
    mean: Array
    variance: Array
    epsilon: float = TORCH_EPSILON


@dataclass(frozen=True)
class FileLayer:
    """A convolution: name in the file, weight in the order (output, input / groups, row, column), what follows it."""

    name: str
    weight: Array
    bias: Array | None = None
    norm: Norm | None = None


def fold(layer: FileLayer) -> tuple[Array, Array]:
    """Weight and bias with the normalisation merged in (Jacob et al., arXiv 1712.05877, section 3.2).

    Float16 without normalisation stays float16; anything else becomes float32.

    Raises:
        WeightsError: weight, bias and normalisation have different numbers of channels.
    """
    outputs = layer.weight.shape[0]
    bias = np.zeros(outputs, layer.weight.dtype) if layer.bias is None else layer.bias
    norm = layer.norm
    per_channel = [bias, *((norm.gamma, norm.beta, norm.mean, norm.variance) if norm else ())]
    if any(array.shape != (outputs,) for array in per_channel):
        shapes = ", ".join(quoted(array.shape) for array in per_channel)
        raise WeightsError(
            f"{shortened(layer.name)} has {outputs} channels, but beside it are {shapes}", "The file is damaged."
        )
    if norm is None:
        return _plain(layer.weight), _plain(bias)
    with np.errstate(all="ignore"):  # What is not finite then is refused later, with the layer's name.
        factor = norm.gamma.astype(np.float64) / np.sqrt(norm.variance.astype(np.float64) + norm.epsilon)
        weight = layer.weight.astype(np.float64) * factor.reshape(-1, 1, 1, 1)
        shifted = norm.beta + (bias.astype(np.float64) - norm.mean) * factor
        return weight.astype(np.float32), shifted.astype(np.float32)


def _plain(array: Array) -> Array:
    return array if array.dtype == np.float16 else array.astype(np.float32)


def name_after(network: Network, layers: Sequence[FileLayer]) -> Arrays:
    """Folded arrays, named as in the table.

    Raises:
        WeightsError: names the first layer whose shape is not the table's, or says how many there are too few or many.
    """
    arrays: Arrays = {}
    remedy = f"These weights are not of {network.name}; name the network that they were trained for."
    for conv, layer in zip(network.convolutions, layers, strict=False):
        if layer.weight.shape != conv.weight_shape:
            cause = f"{conv.name} ({shortened(layer.name)} in the file) has shape {layer.weight.shape}"
            raise WeightsError(f"{cause} where the table says {conv.weight_shape}", remedy)
        arrays[f"{conv.name}.weight"], arrays[f"{conv.name}.bias"] = fold(layer)
    if len(layers) != len(network.convolutions):
        cause = f"the file holds {len(layers)} convolutions where the table has {len(network.convolutions)}"
        raise WeightsError(cause, remedy)
    return arrays


def from_state_dict(state: Mapping[str, Array]) -> list[FileLayer]:
    """The convolutions of a torch state dict, in its order, each with the normalisation that comes after it.

    Names do not matter, except that arrays of one module share what stands before the last dot. MIT's checkpoints
    (``conv1.3.weight``, ``decode_conv1.0.1.running_mean``) are read so, and so are those of ``fastdepth train``.

    Raises:
        WeightsError: a normalisation stands before the first convolution.
    """
    modules: dict[str, dict[str, Array]] = {}
    for name, array in state.items():
        module, _, part = name.rpartition(".")
        modules.setdefault(module, {})[part] = array
    layers: list[FileLayer] = []
    for name, parts in modules.items():
        weight = parts.get("weight")
        if "running_mean" in parts and "running_var" in parts:
            if not layers:
                raise WeightsError(
                    f"{shortened(name)} normalises nothing", "The state dict has to be in the order of computation."
                )
            before = layers[-1]
            ones = np.ones_like(parts["running_mean"])
            gamma, beta = parts.get("weight", ones), parts.get("bias", 0 * ones)
            norm = Norm(gamma, beta, parts["running_mean"], parts["running_var"])
            layers[-1] = FileLayer(before.name, before.weight, before.bias, norm)
        elif weight is not None and weight.ndim == 4:
            layers.append(FileLayer(name, weight, parts.get("bias")))
    return layers


def is_named(state: Mapping[str, Array]) -> bool:
    """Whether arrays carry the table's own names (``conv1.dw.weight``) and so are folded already."""
    return any(re.fullmatch(r"(decode_)?conv\d+\.(dw|pw)\.bias", name) for name in state)
