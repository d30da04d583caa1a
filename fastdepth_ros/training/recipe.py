"""A training recipe: a YAML file that says all that decides the weights, checked before anything starts.

Its words are those of the dataclasses in ``recipe_data.py``.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import types
import typing
from pathlib import Path
from typing import Any

from fastdepth_ros.errors import NetworkError, SettingError, quoted, shortened
from fastdepth_ros.files.yaml_text import read_yaml
from fastdepth_ros.network.graph import Graph
from fastdepth_ros.training.continuing import continues, fingerprint
from fastdepth_ros.training.modules import Trainable, check_size, has_layer, maps_of, network_named
from fastdepth_ros.training.recipe_data import (
    DECAYS,
    OPTIMISERS,
    Data,
    DataFile,
    Loss,
    Optimiser,
    Phase,
    Recipe,
    Teacher,
)

__all__ = [
    "Data",
    "DataFile",
    "Loss",
    "Optimiser",
    "Phase",
    "Recipe",
    "Teacher",
    "check",
    "continues",
    "fingerprint",
    "parse_recipe",
    "read_recipe",
    "settings",
]

Kind = typing.TypeVar("Kind")

LARGEST = 1e12
"""Numbers that a method, a rate or a weight may have; beyond are nan, inf and slips."""


def read_recipe(path: Path) -> Recipe:
    """Read and check a recipe.

    Raises:
        SettingError: a key is unknown, missing or out of range; the cause names it.
    """
    try:
        text = read_yaml(path, aliases=True)
    except (OSError, ValueError) as error:
        raise SettingError(f"{path} cannot be read ({error})", "Name a recipe in YAML.") from error
    return parse_recipe(text, str(path))


def parse_recipe(text: Any, where: str) -> Recipe:
    """A recipe from the mapping that its YAML holds; ``where`` is named in errors.

    Raises:
        SettingError: as :func:`read_recipe`.
    """
    recipe = settings(Recipe, text, where)
    check(recipe, where)
    return recipe


def check(recipe: Recipe, where: str) -> None:
    """Hold a recipe's numbers and words against what can be run.

    Raises:
        SettingError: as :func:`read_recipe`.
    """
    if not recipe.data.files:
        raise _error(where, "data.files is empty", "Name what to learn from.")
    if not 0 < recipe.data.holdout_share <= 1:
        raise _error(where, f"data.holdout_share is {recipe.data.holdout_share}", "It is above 0, and 1 at most.")
    if recipe.seed < 0:
        raise _error(where, f"seed is {recipe.seed}", "It is 0 or above.")
    if not recipe.phases:
        raise _error(where, "phases is empty", "Say how many images to show, and at what size.")
    for phase in recipe.phases:
        _check_phase(recipe, phase, where)
        _check_settings(recipe, phase, where)
    if recipe.optimiser.name not in OPTIMISERS:
        raise _error(where, f"optimiser.name is {recipe.optimiser.name!r}", f"Known are {', '.join(OPTIMISERS)}.")
    if recipe.optimiser.epsilon <= 0:
        raise _error(where, f"optimiser.epsilon is {recipe.optimiser.epsilon}", "It is above 0.")
    for average in (recipe.average, *(phase.average for phase in recipe.phases)):
        if average is not None and not 0 <= average < 1:
            raise _error(where, f"average is {average}", "The decay is in [0, 1).")
    if recipe.start is not None and not (recipe.starts_whole or isinstance(recipe.network, Graph)):
        remedy = "A torch file is for encoders of entries; name a bundle or an .npz."
        raise _error(where, f"start cannot be put into {recipe.network.name}", remedy)
    if recipe.beside and not recipe.starts_whole:
        remedy = "Name bundles or .npz of the whole network, one of them as start."
        raise _error(where, "beside names weights that have no mean with start", remedy)
    if recipe.keeps_form and not recipe.starts_whole:
        raise _error(
            where, "the loss keeps a form, but start names no weights", "Name a bundle or an .npz, or form: 0."
        )
    if min(recipe.data.factor, recipe.teacher.factor if recipe.teacher else 1.0) <= 0:
        raise _error(where, "a factor of depths is not above 0", "1 leaves them as they are.")
    if recipe.teacher is not None:
        for name, _ in recipe.teacher.pairs:
            if name not in maps_of(recipe.network):
                known = ", ".join(maps_of(recipe.network))
                raise _error(where, f"teacher.hints names {name}", f"Known are {known}.")


def _check_phase(recipe: Recipe, phase: Phase, where: str) -> None:
    if phase.batch < 2 or phase.images < phase.batch:
        raise _error(where, f"{phase} cannot be run", "batch is at least 2, images >= batch.")
    try:
        check_size(recipe.network, *phase.sides)
    except NetworkError as error:
        raise _error(where, f"{phase}: {error.cause}", error.remedy) from error
    except ValueError as error:
        raise _error(where, f"{phase} cannot be run", f"{error}."[0].upper() + f"{error}."[1:]) from error
    if phase.stop is not None and phase.stop < phase.batch:
        raise _error(where, f"{phase} stops before its first step", "stop is a number of pictures.")
    if phase.rate <= 0 or phase.end_rate < 0 or phase.warmup < 0:
        raise _error(where, f"{phase} has a negative rate", "Rates are positive.")
    for layer in phase.layers:
        if not has_layer(recipe.network, layer):
            raise _error(where, f"layers names {quoted(layer)}", f"No layer of {recipe.network.name} is called so.")
    if phase.decay not in DECAYS:
        raise _error(where, f"{phase}: decay is {phase.decay!r}", f"Known are {', '.join(DECAYS)}.")


def _check_settings(recipe: Recipe, phase: Phase, where: str) -> None:
    """Settings that a phase has for itself, or takes from the recipe."""
    shares, loss, augment = recipe.shares_in(phase), recipe.loss_in(phase), recipe.augment_in(phase)
    if not all(0 <= share <= 1 for share in shares.values()) or sum(shares.values()) > 1:
        raise _error(where, f"shares are {dict(shares)}", "Shares are 0-1 and add up to 1 at most.")
    if min(vars(loss).values()) < 0:
        raise _error(where, f"{loss} has a negative weight", "Weights are 0 or more.")
    if not 0 <= augment.mix <= 1:
        raise _error(where, f"mix is {augment.mix}", "It is a share of the views, from 0 to 1.")
    if augment.mix and not (recipe.teacher and loss.asks):
        raise _error(where, "mix blends views, about which only a teacher says anything", "Name a teacher, or none.")
    if not all(crop.fits for crop in augment.crops):
        raise _error(where, f"{augment} has crops beyond the picture", "They are parts of 640 x 480 px.")
    if augment.scale < 1 or not 0 <= augment.jitter < 1 or min(augment.rotation, augment.exposure, augment.light) < 0:
        raise _error(where, f"{augment} is out of range", "scale >= 1, 0 <= jitter < 1, all others >= 0.")
    if recipe.teacher is None and loss.asks:
        raise _error(where, "the loss asks a teacher, but none is named", "Name a teacher, or set its weights to 0.")
    if recipe.teacher is not None and loss.compares_maps and not recipe.teacher.hints:
        raise _error(where, "the loss compares maps, but teacher.hints names none", "Name maps of both networks.")


def settings(kind: type[Kind], value: Any, where: str) -> Kind:
    """A file's words as one of the dataclasses, whose fields say what may stand there.

    Args:
        kind: the dataclass.
        value: as YAML has it.
        where: named in errors.

    Raises:
        SettingError: a word is unknown or missing, or a value is of another kind.
    """
    found = _read(kind, value, where)
    assert isinstance(found, kind)
    return found


def _read(kind: Any, value: Any, where: str) -> Any:
    """``value`` of the YAML as a ``kind`` of the dataclasses above, whose annotations say what may stand where."""
    if kind == Trainable:
        return _network(value, where)
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return None if value is None else _read(typing.get_args(kind)[0], value, where)
    if typing.get_origin(kind) is tuple:
        if not isinstance(value, list):
            raise _error(where, f"{quoted(value)} is no list", "Write one, as in [a, b].")
        return tuple(_read(typing.get_args(kind)[0], each, where) for each in value)
    if typing.get_origin(kind) is collections.abc.Mapping:
        if not isinstance(value, dict):
            raise _error(where, f"{quoted(value)} is no mapping", "Write one, as in {key: value}.")
        return {str(key): _read(typing.get_args(kind)[1], each, where) for key, each in value.items()}
    if dataclasses.is_dataclass(kind):
        return _read_dataclass(kind, value, where)
    if kind is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        if not -LARGEST <= value <= LARGEST:
            raise _error(where, f"{quoted(value)} is out of range", f"Write one from -{LARGEST:g} to {LARGEST:g}.")
        return float(value)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise _error(where, f"{quoted(value)} is no {kind.__name__}", "Numbers need a point: 1.0e-3, not 1e-3.")
    return value


def _network(value: Any, where: str) -> Trainable:
    if not isinstance(value, str):
        raise _error(where, f"{quoted(value)} is no network", "`fastdepth networks list` names all.")
    try:
        return network_named(value)
    except NetworkError as error:
        raise _error(where, error.cause, error.remedy) from error


def _read_dataclass(kind: Any, value: Any, where: str) -> Any:
    if not isinstance(value, dict):
        raise _error(where, f"{quoted(value)} is no mapping", f"Write the keys of {kind.__name__}.")
    fields = {field.name: field for field in dataclasses.fields(kind)}
    for key in value:
        if key not in fields:
            raise _error(where, f"{shortened(key)} is unknown", f"Known are {', '.join(fields)}.")
    for name, each in fields.items():
        needed = each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING
        if needed and name not in value:
            raise _error(where, f"{name} is missing", f"A {kind.__name__} needs it.")
    hints = typing.get_type_hints(kind)
    return kind(**{key: _read(hints[key], each, f"{where}: {key}") for key, each in value.items()})


def _error(where: str, cause: str, remedy: str) -> SettingError:
    return SettingError(f"{where}: {cause}", remedy)
