"""Methods: how the papers trained their networks, a file of data each in ``methods/``, for any network.

A recipe names its pictures; a method tells its phases in epochs, and becomes a recipe for the pictures that there are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path

import yaml

from fastdepth_ros.errors import SettingError, quoted
from fastdepth_ros.evaluation.dataset import Sample
from fastdepth_ros.training.augment import Ranges
from fastdepth_ros.training.modules import Trainable
from fastdepth_ros.training.recipe import check, settings
from fastdepth_ros.training.recipe_data import Data, DataFile, Loss, Optimiser, Phase, Recipe, Teacher

FOLDER = Path(__file__).parent / "methods"
USUAL = "fastdepth"
"""Method of an entry that names none."""


@dataclass(frozen=True)
class Stretch:
    """A part of training.

    Attributes:
        epochs: how often each picture is shown, on the average.
        rate, end_rate: learning rate at its beginning and end.
        decay: one of ``recipe_data.DECAYS``.
        warmup: share of it over which the rate rises from 0 first.
        frozen: as of ``recipe_data.Phase``.
    """

    epochs: float
    rate: float
    end_rate: float
    decay: str = "cosine"
    warmup: float = 0.0
    frozen: bool = False


@dataclass(frozen=True)
class Method:
    """A way to train, for any network.

    Attributes:
        about: one sentence.
        source: where it is described.
        reading: parts that no source shows and this project chose; empty where there are none.
        stretches: one after another.
        batch: views of a step.
        loss, optimiser, augment, average: as of ``recipe_data.Recipe``.
        holdout: share of the pictures that is validated on.
    """

    about: str
    source: str
    stretches: tuple[Stretch, ...]
    batch: int
    reading: str = ""
    loss: Loss = field(default_factory=Loss)
    optimiser: Optimiser = field(default_factory=Optimiser)
    augment: Ranges = field(default_factory=Ranges)
    average: float = 0.999
    holdout: float = 0.1


def names() -> tuple[str, ...]:
    """Names of all methods."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


def method(name: str) -> Method:
    """The method of that name.

    Raises:
        SettingError: there is none.
    """
    if name not in names():
        near = get_close_matches(name, names(), 1) or names()
        raise SettingError(f"there is no method {quoted(name)}", f"Choose of {', '.join(near)}.")
    path = FOLDER / f"{name}.yaml"
    found = settings(Method, yaml.safe_load(path.read_text(encoding="utf-8")), path.name)
    about, source, reading = (" ".join(text.split()) for text in (found.about, found.source, found.reading))
    return replace(found, about=about, source=source, reading=reading)


@dataclass(frozen=True)
class Choice:
    """Things that a recipe needs beside the method.

    Attributes:
        name: of the recipe.
        network: to train.
        sides: height and width of its pictures [px].
        images: how many pictures are shown in all; None for the method's epochs.
        seed: of weights and views.
        teacher: where the method's loss asks one.
        start: weights that the encoder begins with, instead of random ones.
    """

    name: str
    network: Trainable
    sides: tuple[int, int]
    images: int | None = None
    seed: int = 1
    teacher: Teacher | None = None
    start: DataFile | None = None


def recipe_of(chosen: Method, choice: Choice, samples: Sequence[Sample], path: str = ".") -> Recipe:
    """The recipe of a method for a network and a folder of pictures.

    Args:
        chosen: the method.
        choice: network, size and length.
        samples: what the folder holds. Of its largest set, a share is validated on.
        path: of the folder, as the recipe names it.

    Raises:
        SettingError: the recipe cannot be run, as a batch has no picture or the teacher is missing.
    """
    sets = [sample.set for sample in samples]
    epochs = sum(stretch.epochs for stretch in chosen.stretches)
    images = round(epochs * len(samples)) if choice.images is None else choice.images
    recipe = Recipe(
        name=choice.name,
        network=choice.network,
        data=Data((DataFile(path),), max(sets, key=sets.count), chosen.holdout),
        phases=tuple(_phase(each, round(images * each.epochs / epochs), chosen, choice) for each in chosen.stretches),
        seed=choice.seed,
        teacher=choice.teacher,
        loss=chosen.loss,
        optimiser=chosen.optimiser,
        augment=chosen.augment,
        average=chosen.average,
        start=choice.start,
    )
    check(recipe, choice.name)
    return recipe


def _phase(stretch: Stretch, images: int, chosen: Method, choice: Choice) -> Phase:
    height, width = choice.sides
    return Phase(
        images=images,
        size=height,
        batch=chosen.batch,
        rate=stretch.rate,
        end_rate=stretch.end_rate,
        warmup=round(stretch.warmup * images),
        frozen=stretch.frozen,
        width=None if width == height else width,
        decay=stretch.decay,
    )
