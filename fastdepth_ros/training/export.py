"""From a training run to a model bundle: the averaged weights, folded, in float16."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fastdepth_ros.errors import WeightsError
from fastdepth_ros.runtime.bundle import CARD, Bundle, Manifest, write_bundle
from fastdepth_ros.training.augment import VIEW_FOCAL
from fastdepth_ros.training.network import folded
from fastdepth_ros.training.trainer import Trainer

LICENCE = "Apache-2.0 for the weights; some of the training pictures are for research only, see MODEL_CARD.md"


def export(trainer: Trainer, folder: Path, name: str | None = None) -> Bundle:
    """Write the averaged weights of a run as a bundle; a model card that is there already stays.

    Args:
        trainer: made in the folder of the run.
        folder: the bundle's; made where it does not exist.
        name: the bundle's name; None takes that of the folder.

    Raises:
        WeightsError: nothing was trained yet, or a weight is beyond float16.
    """
    if not trainer.step:
        raise WeightsError(f"{trainer.out} holds no trained weights", "Train first: the same command without --export.")
    arrays = {key: array.astype(np.float16) for key, array in folded(trainer.average).items()}
    sets: dict[str, int] = {}
    for sample in trainer.samples:
        sets[sample.set] = sets.get(sample.set, 0) + 1
    data = ", ".join(f"{count} {key}" for key, count in sorted(sets.items(), key=lambda item: -item[1]))
    manifest = Manifest(
        name=name or folder.name,
        network=trainer.recipe.network,
        training_focal=VIEW_FOCAL,
        licence=LICENCE,
        trained_on=f"recipe {trainer.recipe.name}, {trainer.images} views of {len(trainer.samples)} pictures: {data}",
    )
    card = None if (folder / CARD).is_file() else f"# {manifest.name}\n\n{manifest.trained_on}\n"
    return write_bundle(folder, manifest, arrays, card)
