"""Weights that others made, read and held against the network table, as a bundle."""

from __future__ import annotations

import os
from pathlib import Path

from fastdepth_ros.errors import SettingError, shortened
from fastdepth_ros.files.names import check_name
from fastdepth_ros.importing.apart import read_apart
from fastdepth_ros.importing.layers import Arrays
from fastdepth_ros.importing.reading import READERS, suffix_of
from fastdepth_ros.network import Network
from fastdepth_ros.network.graph import Graph
from fastdepth_ros.runtime.bundle import Bundle, Manifest, is_bundle, write_bundle

__all__ = ["PAPER_FOCAL", "READERS", "import_weights", "read_weights"]

PAPER_FOCAL = (199.1, 265.8)
"""Focal length (x, y) [px] of NYU's Kinect (518.86, 519.47 at 640x480) in the paper's view of 224x224:
518.86 * 250 / 480 * 224 / 304 and 519.47 * 250 / 480 * 224 / 228."""

PAPER_SIZE = (224, 224)
"""Width and height of that view [px]."""


def read_weights(path: Path | str, network: Network | Graph | None = None) -> tuple[Network | Graph, Arrays]:
    """Read weights of any known format and hold them against the network table.

    They are read in another process, within limits of memory and time: a hostile file harms nobody else.

    Args:
        path: a file whose suffix is in :data:`READERS`.
        network: what the weights are of; None looks for the known table of FastDepth that fits best.

    Returns:
        The network and the arrays, float16 where the file held float16, float32 otherwise.

    Raises:
        WeightsError: the file cannot be read, or an array does not fit its layer.
    """
    return read_apart(path, network)


def import_weights(
    path: Path | str,
    folder: Path | str,
    name: str | None = None,
    network: Network | Graph | None = None,
    *,
    force: bool = False,
    size: tuple[int, int] = PAPER_SIZE,
) -> Bundle:
    """Read weights as :func:`read_weights` does and write them as a bundle.

    Args:
        path: the file with the weights.
        folder: the bundle's folder; made where it does not exist.
        name: the bundle's name; None takes that of the folder.
        network: what the weights are of; None looks for the known table of FastDepth that fits.
        force: replace a bundle that is there, once the new one is whole.
        size: width and height of the network's input [px]: that of the pictures that it learned from.

    Raises:
        BundleError: a bundle cannot hold that network with that size.
        WeightsError: the file cannot be read, or an array does not fit its layer.
        SettingError: the folder holds something already, or the name is none.
        StorageError: the folder cannot be written; what was there is there still.
    """
    suffix_of(Path(path))
    folder = Path(folder)
    name = check_name("the bundle's name", name if name is not None else folder.name)
    _check_free(folder, force)
    table, arrays = read_weights(path, network)
    manifest = Manifest(
        name=name,
        network=table,
        input_width=size[0],
        input_height=size[1],
        training_focal=(PAPER_FOCAL[0] * size[0] / PAPER_SIZE[0], PAPER_FOCAL[1] * size[1] / PAPER_SIZE[1]),
        licence="that of the imported weights",
        trained_on=f"unknown; imported from {shortened(Path(path).name)}",
    )
    return write_bundle(folder, manifest, arrays)


def _check_free(folder: Path, force: bool) -> None:
    """Refuse to replace what nobody said may be replaced."""
    if not os.path.isdir(folder):
        if os.path.lexists(folder):
            raise SettingError(f"{folder} is no folder", "Name a new folder.")
        return
    if any(folder.iterdir()) and not (force and is_bundle(folder)):
        remedy = "Name a new folder, or add --force." if is_bundle(folder) else "Name a new folder."
        raise SettingError(f"{folder} holds something already", remedy)
