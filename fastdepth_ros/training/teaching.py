"""Makes the networks that a recipe learns from out of their files: its teacher, and what it began with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy.typing as npt
import torch

from fastdepth_ros.errors import SettingError
from fastdepth_ros.importing import npz, read_weights
from fastdepth_ros.runtime.bundle import WEIGHTS, Bundle
from fastdepth_ros.training import distill
from fastdepth_ros.training.feed import check_sha256, checked, find
from fastdepth_ros.training.modules import Module, Trainable, frozen, maps_of, network_named
from fastdepth_ros.training.objective import Teaching
from fastdepth_ros.training.recipe_data import Recipe, Teacher
from fastdepth_ros.training.starting import begun_with


def teaching_of(recipe: Recipe, folders: list[Path], device: str) -> Teaching | None:
    """The recipe's teacher with fresh adapters, on a device; None where the recipe has none.

    Raises:
        SettingError: its file is missing or another one, or it has no map of a name.
        BundleError: its bundle was altered.
        WeightsError: its arrays do not fit.
    """
    if recipe.teacher is None:
        return None
    path = find(recipe.teacher.path, folders)
    check_sha256(path, recipe.teacher.sha256)
    network, arrays = _read(recipe.teacher, path)
    known = maps_of(network)
    for _, name in recipe.teacher.pairs:
        if name not in known:
            cause = f"teacher.hints names {name}, which the teacher has not"
            raise SettingError(cause, f"Known are {', '.join(known)}.")
    teacher, hints = frozen(network, arrays), distill.Hints(recipe.network, network, recipe.teacher.pairs)
    for module in (teacher, hints):
        module.to(device, memory_format=torch.channels_last)
    return Teaching(teacher, hints, recipe.teacher.half, recipe.teacher.factor)


def begun_of(recipe: Recipe, folders: list[Path], device: str) -> Module | None:
    """The network with the weights that the recipe starts with; None where no phase compares answers with its.

    Raises:
        SettingError: they are missing or others.
        BundleError, WeightsError: as :func:`fastdepth_ros.training.starting.begun_with`.
    """
    if recipe.start is None or not recipe.keeps_form:
        return None
    model = frozen(recipe.network, begun_with([checked(each, folders) for each in recipe.starts]))
    model.to(device, memory_format=torch.channels_last)
    return model


def _read(teacher: Teacher, path: Path) -> tuple[Trainable, dict[str, npt.NDArray[Any]]]:
    if path.name == WEIGHTS:
        bundle = Bundle.open(path.parent)
        return bundle.manifest.network, dict(bundle.weights())
    if not teacher.network:
        return read_weights(path)
    return network_named(teacher.network), npz.read(path)
