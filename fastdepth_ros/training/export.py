"""From a training run to weights: a model bundle, in float16 as far as that goes, or arrays in float32."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastdepth_ros.errors import NetworkError, WeightsError
from fastdepth_ros.files.writing import write_output
from fastdepth_ros.network import Network
from fastdepth_ros.network.arrays import half
from fastdepth_ros.network.fastdepth import table_of
from fastdepth_ros.network.graph import Graph
from fastdepth_ros.network.halved import halved
from fastdepth_ros.runtime.bundle import CARD, Bundle, Manifest, write_bundle
from fastdepth_ros.training.augment import view_focal
from fastdepth_ros.training.modules import arrays_of
from fastdepth_ros.training.trainer import Trainer

LICENCE = "Apache-2.0 for the weights; some of the training pictures are for research only, see MODEL_CARD.md"


def export(trainer: Trainer, folder: Path, name: str | None = None) -> Bundle:
    """Write the averaged weights of a run as a bundle; a model card that is there stays.

    It is for pictures of the size that the recipe's last phase has.

    Args:
        trainer: made in the folder of the run.
        folder: the bundle's; made where it does not exist.
        name: the bundle's name; None takes that of the folder.

    Raises:
        NetworkError: the network's answer has another size than a bundle's may have.
        WeightsError: nothing was trained yet, or a weight is no number.
    """
    trained = trainer.recipe.network
    network = trained if isinstance(trained, Network) else table_of(trained, name or folder.name) or trained
    height, width = trainer.recipe.phases[-1].sides
    arrays = {key: half(array) for key, array in _trained(trainer).items()}
    manifest = Manifest(
        name=name or folder.name,
        network=network,
        training_focal=view_focal(height, width),
        licence=LICENCE,
        trained_on=_about(trainer),
        input_height=height,
        input_width=width,
    )
    card = None if (folder / CARD).is_file() else f"# {manifest.name}\n\n{manifest.trained_on}\n"
    return write_bundle(folder, manifest, arrays, card)


def can_be_bundle(network: Network | Graph) -> bool:
    """Whether a bundle can hold a network."""
    try:
        return isinstance(network, Network) or bool(halved(network))
    except NetworkError:
        return False


def export_arrays(trainer: Trainer, path: Path) -> None:
    """Write the averaged weights of a run, folded, as an .npz by the names of ``Graph.weight_shapes()``.

    ``fastdepth compile --network`` takes it.

    Raises:
        WeightsError: nothing was trained yet.
        StorageError: the file cannot be written.
    """
    file = io.BytesIO()
    np.savez(file, **_trained(trainer))  # type: ignore[arg-type]
    write_output(path, file.getvalue())


def _trained(trainer: Trainer) -> dict[str, npt.NDArray[Any]]:
    if not trainer.step:
        raise WeightsError(f"{trainer.out} holds no trained weights", "Train first: the same command without --export.")
    return arrays_of(trainer.average)


def _about(trainer: Trainer) -> str:
    sets: dict[str, int] = {}
    for sample in trainer.samples:
        sets[sample.set] = sets.get(sample.set, 0) + 1
    data = ", ".join(f"{count} {key}" for key, count in sorted(sets.items(), key=lambda item: -item[1]))
    return f"recipe {trainer.recipe.name}, {trainer.images} views of {len(trainer.samples)} pictures: {data}"
