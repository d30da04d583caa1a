"""A pruned FastDepth as a bundle, which the node runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastdepth_ros.network.table import Network
from fastdepth_ros.runtime.bundle import CARD, Bundle, Manifest, write_bundle
from fastdepth_ros.training.augment import view_focal
from fastdepth_ros.training.export import LICENCE


def export(
    folder: Path, network: Network, arrays: Mapping[str, npt.NDArray[Any]], trained_on: str, size: tuple[int, int]
) -> Bundle:
    """Write a bundle in float16; a model card that is there already stays.

    Args:
        folder: the bundle's; made where it does not exist.
        network: the table.
        arrays: folded.
        trained_on: what made the weights, in a sentence.
        size: height and width of the picture [px].

    Raises:
        WeightsError: a weight is beyond float16.
        SettingError: the folder holds something else.
        StorageError: it cannot be written.
    """
    halves = {name: array.astype(np.float16) for name, array in arrays.items()}
    manifest = Manifest(
        name=folder.name,
        network=network,
        training_focal=view_focal(*size),
        licence=LICENCE,
        trained_on=trained_on,
        input_height=size[0],
        input_width=size[1],
    )
    card = None if (folder / CARD).is_file() else f"# {manifest.name}\n\n{trained_on}\n"
    return write_bundle(folder, manifest, halves, card)
