"""Whether a run may go on by a recipe: a checkpoint says what it is of."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from fastdepth_ros.training.augment import Ranges
from fastdepth_ros.training.modules import described
from fastdepth_ros.training.recipe_data import Data, Loss, Optimiser, Phase, Recipe, Teacher


def fingerprint(recipe: Recipe) -> str:
    """The recipe as JSON, for a checkpoint to say what it is of."""
    return json.dumps({**dataclasses.asdict(recipe), "network": described(recipe.network)}, sort_keys=True)


def continues(begun: str, recipe: Recipe, step: int) -> bool:
    """Whether a run of the recipe with fingerprint ``begun`` may go on by ``recipe`` after ``step`` steps.

    It may where nothing differs but phases that have not begun, so that a run is prolonged, and where to stop the last
    one that has. Files may have come to the data's end, for phases that have not begun: a share of 0 keeps their sets
    out of the others.
    """
    before, now = json.loads(begun), json.loads(fingerprint(recipe))
    old, new = before.pop("phases"), now.pop("phases")
    # Keys that older checkpoints lack have the values that they stand for.
    before.setdefault("start", None)
    before.setdefault("beside", [])
    before["data"].setdefault("factor", Data.factor)
    for key, kind in _SETTINGS.items():
        for holder in (before, *old):
            if holder.get(key) is not None:
                holder[key] = {**_defaults(kind), **holder[key]}
    later: dict[str, Any] = {**dict.fromkeys(("average", "loss", "augment", "shares", "width")), "frozen": False}
    later |= {"decay": Phase.decay, "layers": []}
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


_SETTINGS: dict[str, type[Any]] = {"augment": Ranges, "loss": Loss, "optimiser": Optimiser, "teacher": Teacher}
"""Word of a recipe or of a phase -> what stands there."""


def _defaults(kind: type[Any]) -> dict[str, Any]:
    """Values that the settings of a kind have where nothing is said, as JSON has them."""
    fields = {each.name: each.default for each in dataclasses.fields(kind) if each.default is not dataclasses.MISSING}
    found: dict[str, Any] = json.loads(json.dumps(fields))
    return found
