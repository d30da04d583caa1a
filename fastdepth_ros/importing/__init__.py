"""Weights that others made, read and held against the network table, as a bundle."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastdepth_ros.errors import WeightsError
from fastdepth_ros.importing import layers, mit_tvm, npz, onnx, pickled, tflite
from fastdepth_ros.importing.layers import Arrays, Layer
from fastdepth_ros.network import NETWORKS, Network, check_weights
from fastdepth_ros.runtime.bundle import Bundle, Manifest, write_bundle

READERS: dict[str, Callable[[Path], Arrays | list[Layer]]] = {
    ".npz": npz.read,
    ".pth.tar": pickled.read,
    ".pth": pickled.read,
    ".pt": pickled.read,
    ".onnx": onnx.read,
    ".tflite": tflite.read,
    ".params": mit_tvm.read,
}
"""File suffix -> what reads it, into named arrays or into convolutions in the order of computation."""

PAPER_FOCAL = (199.1, 265.8)
"""Focal length (x, y) [px] of NYU's Kinect (518.86, 519.47 at 640x480) in the paper's view of 224x224:
518.86 * 250 / 480 * 224 / 304 and 519.47 * 250 / 480 * 224 / 228."""


def read_weights(path: Path | str, network: Network | None = None) -> tuple[Network, Arrays]:
    """Read weights of any known format and hold them against the network table.

    Args:
        path: a file whose suffix is in :data:`READERS`.
        network: what the weights are of; None looks for the known table that fits the first convolution.

    Returns:
        The table and the arrays, float16 where the file held float16, float32 otherwise.

    Raises:
        WeightsError: the file cannot be read, or an array does not fit its layer.
    """
    file = Path(path)
    if not file.is_file():
        raise WeightsError(f"{file} is no file", "Name the file that holds the weights.")
    suffix = next((suffix for suffix in READERS if file.name.lower().endswith(suffix)), None)
    if suffix is None:
        raise WeightsError(f"{file} is of no known format", f"Known are {', '.join(READERS)}.")
    found = READERS[suffix](file)
    if isinstance(found, dict) and layers.is_named(found):
        table = network or _fitting_network(found.get("conv0.weight"))
        check_weights(table, found)
        return table, {name: a if a.dtype == np.float16 else a.astype(np.float32) for name, a in found.items()}
    chain = layers.from_state_dict(found) if isinstance(found, dict) else found
    table = network or _fitting_network(chain[0].weight if chain else None)
    arrays = layers.name_after(table, chain)
    check_weights(table, arrays)
    return table, arrays


def import_weights(
    path: Path | str, folder: Path | str, name: str | None = None, network: Network | None = None
) -> Bundle:
    """Read weights as :func:`read_weights` does and write them as a bundle.

    Args:
        path: the file with the weights.
        folder: the bundle's folder; made where it does not exist.
        name: the bundle's name; None takes that of the folder.
        network: what the weights are of; None looks for the known table that fits.

    Raises:
        WeightsError: the file cannot be read, or an array does not fit its layer.
    """
    table, arrays = read_weights(path, network)
    manifest = Manifest(
        name=name or Path(folder).name,
        network=table,
        training_focal=PAPER_FOCAL,
        licence="that of the imported weights",
        trained_on=f"unknown; imported from {Path(path).name}",
    )
    return write_bundle(Path(folder), manifest, arrays)


def _fitting_network(first: npt.NDArray[Any] | None) -> Network:
    """The known table with as many channels in the first convolution; what follows is checked against it."""
    if first is None:
        raise WeightsError(
            "the first convolution, conv0, is missing", "Arrays are named as in fastdepth_ros/network/table.py."
        )
    for network in NETWORKS.values():
        if first.shape[:1] == (network.first.outputs,):
            return network
    known = ", ".join(f"{network.name}: {network.first.outputs}" for network in NETWORKS.values())
    cause = f"conv0 has weights of shape {first.shape}, which fits no known network (channels of {known})"
    raise WeightsError(cause, "Only FastDepth can be imported.")
