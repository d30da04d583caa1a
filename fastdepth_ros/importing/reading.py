"""Weights of any known format, read in this process and held against the network table."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastdepth_ros.errors import WeightsError, quoted
from fastdepth_ros.importing import layers, mit_tvm, npz, onnx, pickled, tflite
from fastdepth_ros.importing.bounds import foreign
from fastdepth_ros.importing.layers import Arrays, FileLayer
from fastdepth_ros.importing.tables import Shape, ShapeOf, likeliest
from fastdepth_ros.network import NETWORKS, Network, check_weights
from fastdepth_ros.network.graph import Graph

READERS: dict[str, Callable[[Path], Arrays | list[FileLayer]]] = {
    ".npz": npz.read,
    ".pth.tar": pickled.read,
    ".pth": pickled.read,
    ".pt": pickled.read,
    ".onnx": onnx.read,
    ".tflite": tflite.read,
    ".params": mit_tvm.read,
}
"""File suffix -> what reads it, into named arrays or into convolutions in the order of computation."""


def read_here(path: Path | str, network: Network | Graph | None = None) -> tuple[Network | Graph, Arrays]:
    """Read weights as ``importing.read_weights`` does, but in this process: for files that are known to be good.

    Raises:
        WeightsError: the file cannot be read, or an array does not fit its layer.
    """
    file = Path(path)
    suffix = suffix_of(file)
    found = READERS[suffix](file)
    with foreign(file, f"weights ({suffix})", "Save it again."):
        return _fitted(found, network)


def suffix_of(file: Path) -> str:
    """The suffix in READERS that a file has.

    Raises:
        WeightsError: it is no file, or has none of them.
    """
    if not os.path.isfile(file):
        raise WeightsError(f"{file} is no file", "Name the file that holds the weights.")
    suffix = next((suffix for suffix in READERS if file.name.lower().endswith(suffix)), None)
    if suffix is None:
        raise WeightsError(f"{file} is of no known format", f"Known are {', '.join(READERS)}.")
    return suffix


def _fitted(found: Arrays | list[FileLayer], network: Network | Graph | None) -> tuple[Network | Graph, Arrays]:
    if isinstance(network, Graph):
        return network, _of_graph(network, found)
    if isinstance(found, dict) and layers.is_named(found):
        table = network or _fitting_network(lambda _, conv: _shape(found.get(f"{conv.name}.weight")))
        check_weights(table, found)
        arrays = _plain(found)
    else:
        chain = layers.from_state_dict(found) if isinstance(found, dict) else found
        table = network or _fitting_network(lambda i, _: chain[i].weight.shape if i < len(chain) else None)
        arrays = layers.name_after(table, chain)
    check_weights(table, arrays)
    return table, arrays


def _of_graph(graph: Graph, found: Arrays | list[FileLayer]) -> Arrays:
    """Arrays by the names of a graph's layers; nobody knows in which order other files have them."""
    if not isinstance(found, dict):
        remedy = "Export it by `fastdepth train ... --export weights.npz`."
        raise WeightsError(f"the file does not name its arrays by the layers of {graph.name}", remedy)
    graph.check_weights(found)
    arrays = _plain(found)
    graph.check_weights(arrays)
    return arrays


def _plain(found: Arrays) -> Arrays:
    with np.errstate(all="ignore"):
        return {name: a if a.dtype == np.float16 else a.astype(np.float32) for name, a in found.items()}


def _shape(array: npt.NDArray[Any] | None) -> Shape | None:
    return None if array is None else array.shape


def _fitting_network(shape_of: ShapeOf) -> Network:
    """The known table that fits best; what does not fit is told when the layers are checked against it."""
    if network := likeliest(shape_of):
        return network
    first = shape_of(0, next(iter(NETWORKS.values())).first)
    if first is None:
        raise WeightsError(
            "the first convolution, conv0, is missing", "Arrays are named as in fastdepth_ros/network/table.py."
        )
    known = ", ".join(f"{network.name}: {network.first.outputs}" for network in NETWORKS.values())
    cause = f"conv0 has weights of shape {quoted(first)}, which fits no known network (channels of {known})"
    raise WeightsError(cause, "Only FastDepth can be imported.")
