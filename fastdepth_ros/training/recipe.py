"""A training recipe: a YAML file that says all that decides the weights, checked before anything starts."""

from __future__ import annotations

import collections.abc
import dataclasses
import json
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from fastdepth_ros.errors import SettingError
from fastdepth_ros.network import NETWORKS, Network
from fastdepth_ros.training.augment import Ranges
from fastdepth_ros.training.network import channels


@dataclass(frozen=True)
class DataFile:
    """A file or folder of pictures. ``sha256`` names a file's content; null for folders, which are not checked."""

    path: str
    sha256: str | None = None


@dataclass(frozen=True)
class Data:
    """Data that is learned from, and data that is kept back.

    Attributes:
        files: relative to the data folder that the command names (the recipe's own folder otherwise).
        holdout_set: the set of which the last ``holdout_share``, ordered by the number in each origin, is validated on
            and never trained on. Neighbouring numbers share a scene, so this is not a random choice.
        without: sets that are not used at all.
        shares: set -> how often one of its pictures is drawn; sets that are not named share the rest by their size.
    """

    files: tuple[DataFile, ...]
    holdout_set: str
    holdout_share: float = 0.1
    without: tuple[str, ...] = ()
    shares: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Teacher:
    """A trained network to learn from: a file that ``fastdepth import`` reads, and the blocks that give hints.

    ``half`` asks it in bfloat16.
    """

    path: str
    sha256: str
    hints: tuple[str, ...] = ()
    half: bool = False


@dataclass(frozen=True)
class Loss:
    """Weights of the terms: of truth (where there is one), of the teacher's depth, of its hints, of shape and logs.

    ``teacher_where_known`` replaces ``teacher`` in pixels that have a true depth. With ``blind`` the teacher, who takes
    a third of a step's time, is asked only about pictures that have a true depth nowhere.
    """

    truth: float = 1.0
    teacher: float = 0.0
    teacher_where_known: float = 0.0
    hints: float = 0.0
    log: float = 0.0
    gradient: float = 0.0
    log_gradient: float = 0.0
    blind: bool = False


@dataclass(frozen=True)
class Optimiser:
    """``adamw`` or ``sgd``; ``clip`` limits the gradient's norm, 0 does not."""

    name: str = "adamw"
    weight_decay: float = 0.01
    momentum: float = 0.9
    clip: float = 0.0


@dataclass(frozen=True)
class Phase:
    """A stretch of training at one resolution.

    Attributes:
        images: how many pictures are shown.
        size: side of the network's input [px], a multiple of 32; the teacher always sees 224.
        batch: pictures per step.
        rate: learning rate at the phase's beginning.
        end_rate: at its end; a half cosine leads there.
        warmup: pictures over which the rate rises from 0 first.
        average: decay of the weights' average where it is not the recipe's: a short phase needs a short memory.
        frozen: batch normalisation keeps the statistics that the average has when the phase begins. Batches are small
            and mix sets that look nothing alike, so a network that is normalised by its batch is another one than the
            network that is shipped; only a frozen phase trains the latter.
        stop: leave the phase after so many pictures, with the rate that it has there; None runs it to its end.
        loss: in place of the recipe's.
        augment: in place of the recipe's.
        shares: in place of the data's.
    """

    images: int
    size: int
    batch: int
    rate: float
    end_rate: float
    warmup: int = 0
    average: float | None = None
    frozen: bool = False
    stop: int | None = None
    loss: Loss | None = None
    augment: Ranges | None = None
    shares: Mapping[str, float] | None = None

    @property
    def steps(self) -> int:
        return (self.images if self.stop is None else min(self.stop, self.images)) // self.batch


@dataclass(frozen=True)
class Recipe:
    """All that decides the weights. Two runs of one recipe on one machine give the same numbers."""

    name: str
    network: Network
    data: Data
    phases: tuple[Phase, ...]
    seed: int = 1
    teacher: Teacher | None = None
    loss: Loss = Loss()
    optimiser: Optimiser = Optimiser()
    augment: Ranges = field(default_factory=Ranges)
    average: float = 0.999
    """Decay of the weights' exponential moving average per step."""

    @property
    def steps(self) -> int:
        return sum(phase.steps for phase in self.phases)

    def loss_in(self, phase: Phase) -> Loss:
        return self.loss if phase.loss is None else phase.loss

    def augment_in(self, phase: Phase) -> Ranges:
        return self.augment if phase.augment is None else phase.augment

    def shares_in(self, phase: Phase) -> Mapping[str, float]:
        return self.data.shares if phase.shares is None else phase.shares


def read_recipe(path: Path) -> Recipe:
    """Read and check a recipe.

    Raises:
        SettingError: a key is unknown, missing or out of range; the cause names it.
    """
    try:
        text = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise SettingError(f"{path} cannot be read ({error})", "Name a recipe in YAML.") from error
    return parse_recipe(text, str(path))


def parse_recipe(text: Any, where: str) -> Recipe:
    """A recipe from the mapping that its YAML holds; ``where`` is named in errors.

    Raises:
        SettingError: as :func:`read_recipe`.
    """
    recipe = _read(Recipe, text, where)
    assert isinstance(recipe, Recipe)
    _check(recipe, where)
    return recipe


def fingerprint(recipe: Recipe) -> str:
    """The recipe as JSON, for a checkpoint to say what it is of."""
    return json.dumps({**dataclasses.asdict(recipe), "network": recipe.network.to_json()}, sort_keys=True)


def continues(begun: str, recipe: Recipe, step: int) -> bool:
    """Whether a run of the recipe with fingerprint ``begun`` may go on by ``recipe`` after ``step`` steps.

    It may where nothing differs but phases that have not begun, so that a run is prolonged, and where to stop the last
    one that has. Files may have come to the data's end, for phases that have not begun: a share of 0 keeps their sets
    out of the others.
    """
    before, now = json.loads(begun), json.loads(fingerprint(recipe))
    old, new = before.pop("phases"), now.pop("phases")
    # Keys that older checkpoints lack have the values that they stand for.
    before["augment"] = dataclasses.asdict(Ranges()) | before["augment"]
    before["loss"] = dataclasses.asdict(Loss()) | before["loss"]
    for phase in old:
        for key, kind in (("augment", Ranges), ("loss", Loss)):
            if phase.get(key) is not None:
                phase[key] = dataclasses.asdict(kind()) | phase[key]
    later: dict[str, Any] = {**dict.fromkeys(("average", "loss", "augment", "shares")), "frozen": False}
    for text, phases in ((before, old), (now, new)):
        del text["name"]  # it decides nothing
        for holder in (text["data"], *phases):
            if holder.get("shares"):
                holder["shares"] = {name: share for name, share in holder["shares"].items() if share}
    now["data"]["files"] = now["data"]["files"][: len(before["data"]["files"])]
    if before != now:
        return False
    for i, phase in enumerate(old):
        if step <= 0:
            break
        if i >= len(new) or {**later, **phase, "stop": None} != {**new[i], "stop": None}:
            return False
        steps = (phase.get("stop") or phase["images"]) // phase["batch"]
        wanted = recipe.phases[i].steps
        if min(step, steps) > wanted or (step > steps and steps != wanted):
            return False
        step -= steps
    return True


def _check(recipe: Recipe, where: str) -> None:
    if not recipe.data.files:
        raise _error(where, "data.files is empty", "Name what to learn from.")
    if not 0 < recipe.data.holdout_share <= 1:
        raise _error(where, f"data.holdout_share is {recipe.data.holdout_share}", "It is above 0, and 1 at most.")
    if not recipe.phases:
        raise _error(where, "phases is empty", "Say how many images to show, and at what size.")
    for phase in recipe.phases:
        if phase.size < 32 or phase.size % 32 or phase.batch < 2 or phase.images < phase.batch:
            raise _error(
                where, f"{phase} cannot be run", "size is a multiple of 32, batch at least 2, images >= batch."
            )
        if phase.stop is not None and phase.stop < phase.batch:
            raise _error(where, f"{phase} stops before its first step", "stop is a number of pictures.")
        if phase.rate <= 0 or phase.end_rate < 0 or phase.warmup < 0:
            raise _error(where, f"{phase} has a negative rate", "Rates are positive.")
        _check_settings(recipe, phase, where)
    if recipe.optimiser.name not in ("adamw", "sgd"):
        raise _error(where, f"optimiser.name is {recipe.optimiser.name!r}", "Known are adamw and sgd.")
    for average in (recipe.average, *(phase.average for phase in recipe.phases)):
        if average is not None and not 0 <= average < 1:
            raise _error(where, f"average is {average}", "The decay is in [0, 1).")
    if recipe.teacher is not None:
        for name in recipe.teacher.hints:
            if name not in channels(recipe.network):
                known = ", ".join(channels(recipe.network))
                raise _error(where, f"teacher.hints names {name}", f"Known are {known}.")


def _check_settings(recipe: Recipe, phase: Phase, where: str) -> None:
    """Settings that a phase has for itself, or takes from the recipe."""
    shares, loss, augment = recipe.shares_in(phase), recipe.loss_in(phase), recipe.augment_in(phase)
    if not all(0 <= share <= 1 for share in shares.values()) or sum(shares.values()) > 1:
        raise _error(where, f"shares are {dict(shares)}", "Shares are 0-1 and add up to 1 at most.")
    if min(vars(loss).values()) < 0:
        raise _error(where, f"{loss} has a negative weight", "Weights are 0 or more.")
    if augment.scale < 1 or not 0 <= augment.jitter < 1 or min(augment.rotation, augment.exposure, augment.light) < 0:
        raise _error(where, f"{augment} is out of range", "scale >= 1, 0 <= jitter < 1, all others >= 0.")
    if recipe.teacher is None and loss.teacher + loss.hints > 0:
        raise _error(where, "the loss asks a teacher, but none is named", "Name a teacher, or set its weights to 0.")


def _read(kind: Any, value: Any, where: str) -> Any:
    """``value`` of the YAML as a ``kind`` of the dataclasses above, whose annotations say what may stand where."""
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return None if value is None else _read(typing.get_args(kind)[0], value, where)
    if typing.get_origin(kind) is tuple:
        if not isinstance(value, list):
            raise _error(where, f"{value!r} is no list", "Write one, as in [a, b].")
        return tuple(_read(typing.get_args(kind)[0], each, where) for each in value)
    if typing.get_origin(kind) is collections.abc.Mapping:
        if not isinstance(value, dict):
            raise _error(where, f"{value!r} is no mapping", "Write one, as in {key: value}.")
        return {str(key): _read(typing.get_args(kind)[1], each, where) for key, each in value.items()}
    if kind is Network:
        if value not in NETWORKS:
            raise _error(where, f"there is no network {value!r}", f"Known are {', '.join(NETWORKS)}.")
        return NETWORKS[value]
    if dataclasses.is_dataclass(kind):
        return _read_dataclass(kind, value, where)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise _error(where, f"{value!r} is no {kind.__name__}", "Numbers need a point: 1.0e-3, not 1e-3.")
    return value


def _read_dataclass(kind: Any, value: Any, where: str) -> Any:
    if not isinstance(value, dict):
        raise _error(where, f"{value!r} is no mapping", f"Write the keys of {kind.__name__}.")
    fields = {field.name: field for field in dataclasses.fields(kind)}
    for key in value:
        if key not in fields:
            raise _error(where, f"{key} is unknown", f"Known are {', '.join(fields)}.")
    for name, each in fields.items():
        needed = each.default is dataclasses.MISSING and each.default_factory is dataclasses.MISSING
        if needed and name not in value:
            raise _error(where, f"{name} is missing", f"A {kind.__name__} needs it.")
    hints = typing.get_type_hints(kind)
    return kind(**{key: _read(hints[key], each, f"{where}: {key}") for key, each in value.items()})


def _error(where: str, cause: str, remedy: str) -> SettingError:
    return SettingError(f"{where}: {cause}", remedy)
