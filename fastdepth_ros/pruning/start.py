"""Weights that a run begins with: of a bundle, of a file, of a training run, or noise."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastdepth_ros.errors import SettingError, WeightsError
from fastdepth_ros.importing import npz
from fastdepth_ros.models import find_bundle
from fastdepth_ros.network.graph import Graph, weighted
from fastdepth_ros.network.noise import noise_weights
from fastdepth_ros.pruning.judge import Arrays

CHECKPOINT = ".pt"


def start_weights(graph: Graph, source: str, seed: int = 0) -> Arrays:
    """Folded arrays of a network, in float32.

    Args:
        graph: the network.
        source: name or folder of a bundle, or an .npz; empty for noise.
        seed: of the noise.

    Raises:
        BundleError: there is no such bundle.
        WeightsError: the file cannot be read, or an array does not fit its layer.
    """
    if not source:
        return dict(noise_weights(graph, seed))
    arrays = npz.read(Path(source)) if source.endswith(".npz") else find_bundle(source).weights()
    plain = {name: np.array(array, np.float32) for name, array in arrays.items()}
    graph.check_weights(plain)
    return plain


def trained_weights(graph: Graph, path: Path) -> Arrays:
    """The averaged weights of a training run, by the graph's names, batch normalisation apart.

    Args:
        graph: the network.
        path: ``checkpoint.pt`` of ``fastdepth train``.

    Raises:
        SettingError: the run was of another network.
        WeightsError: the file cannot be read.
    """
    # torch, which whoever prunes by norm does without.
    from fastdepth_ros.training import checkpoint
    from fastdepth_ros.training.graph_network import GraphNetwork

    state = checkpoint.load(path)
    expected = GraphNetwork(graph).state_dict()
    average = state.get("average")
    found: Arrays = {}
    with checkpoint.taken_up(path):
        if not isinstance(average, Mapping) or {k: v.shape for k, v in average.items()} != {
            k: v.shape for k, v in expected.items()
        }:
            raise SettingError(f"{path} is not of {graph.name}", "Name the network that was trained there.")
        for node in weighted(graph):
            prefix = f"layers.{node.name.replace('.', '_')}."
            for name, value in average.items():
                if name.startswith(prefix):
                    found[f"{node.name}.{name.removeprefix(prefix)}"] = value.contiguous().numpy().copy()
    if not all(np.isfinite(array).all() for array in found.values()):
        raise WeightsError(f"{path} holds NaN or infinity", "The training diverged.")
    return found


def digest(arrays: Mapping[str, npt.NDArray[Any]]) -> str:
    """A few digits of a hash over all arrays, for a run to know its beginning again."""
    found = hashlib.sha256()
    for name in sorted(arrays):
        found.update(name.encode() + np.ascontiguousarray(arrays[name]).tobytes())
    return found.hexdigest()[:16]
