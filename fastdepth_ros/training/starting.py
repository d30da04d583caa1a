"""Weights that a run begins with: an encoder's of ImageNet, or those of the whole network, trained before."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from torch import Tensor

from fastdepth_ros.errors import WeightsError
from fastdepth_ros.importing import npz
from fastdepth_ros.network import Network
from fastdepth_ros.network.arrays import mean
from fastdepth_ros.network.fastdepth import graph_of
from fastdepth_ros.runtime.bundle import Bundle
from fastdepth_ros.training.graph_network import GraphNetwork
from fastdepth_ros.training.modules import Module
from fastdepth_ros.training.pretrained import begin_with
from fastdepth_ros.training.recipe_data import Recipe
from fastdepth_ros.training.unfold import unfolded

CALIBRATING = 64
"""Pictures that means and variances of folded weights are measured on."""


def begin(model: Module, recipe: Recipe, paths: Sequence[Path], pictures: Tensor) -> None:
    """Give a network the weights that its recipe begins with.

    Whole networks come folded; batch normalisation is put back so that they answer as before.

    Args:
        model: the recipe's network, with batch normalisation.
        recipe: of the run.
        paths: bundles' folders or .npz by the names of the network's layers, whose mean it becomes, or a torch file of
            an encoder.
        pictures: (N, 3, H, W) RGB / 255 that means and variances are measured on.

    Raises:
        BundleError: there is no such bundle.
        WeightsError: the file cannot be read, or an array does not fit its layer.
    """
    if not recipe.starts_whole:
        assert isinstance(model, GraphNetwork), "the recipe was checked"
        begin_with(model, paths[0])
        return
    network = recipe.network
    graph = graph_of(network) if isinstance(network, Network) else network
    model.load_state_dict(unfolded(graph, begun_with(paths), pictures).state_dict())


def begun_with(paths: Sequence[Path]) -> dict[str, npt.NDArray[np.float32]]:
    """The folded arrays of a whole network: the mean of those in the files.

    Args:
        paths: bundles' folders, or .npz by the names of the network's layers; at least one.

    Raises:
        BundleError: there is no such bundle.
        WeightsError: a file cannot be read, or they are of different networks.
    """
    found = [npz.read(path) if path.suffix == ".npz" else Bundle.open(path).weights() for path in paths]
    first = {name: array.shape for name, array in found[0].items()}
    for path, arrays in zip(paths, found, strict=True):
        if {name: array.shape for name, array in arrays.items()} != first:
            raise WeightsError(f"{path} is of another network than {paths[0]}", "A mean is of weights of one network.")
    return mean(found)
