"""A search's settings: a file that says how weights are trained, and how the architecture is."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from fastdepth_ros.errors import SettingError, quoted
from fastdepth_ros.files.yaml_text import read_yaml
from fastdepth_ros.training.method import Method
from fastdepth_ros.training.recipe import settings

FOLDER = Path(__file__).parent / "recipes"
SUFFIX = ".yaml"


@dataclass(frozen=True)
class Architecture:
    """Steps of the architecture.

    Attributes:
        latency_lambda: factor of ln(expected milliseconds / budget), which is added to the loss where it is above 0.
        tau, end_tau: temperature of the softmax at the first step of the architecture and at the last; between them it
            falls by the same factor each step.
        begin: share of the weights' steps before the first step of the architecture.
        every: steps of the weights for one of the architecture.
        share: of the pictures to learn from that these steps see, and those of the weights do not.
        rate: of Adam.
        betas: of Adam.
        decay: of the logits, as Adam's weight decay.
        finalists: likely networks that are judged by the shared weights at the end; 1 takes the likeliest.
    """

    latency_lambda: float
    tau: float = 1.0
    end_tau: float = 1.0
    begin: float = 0.33
    every: int = 2
    share: float = 0.2
    rate: float = 3e-4
    betas: tuple[float, ...] = (0.5, 0.999)
    decay: float = 1e-3
    finalists: int = 1


@dataclass(frozen=True)
class SearchRecipe(Method):
    """A way to search, for any space and any pictures: a method of training for the weights, and the architecture's.

    Attributes:
        images: pictures that the weights' steps are shown.
        architecture: the other steps.
    """

    images: int = field(default=0, kw_only=True)
    architecture: Architecture = field(kw_only=True)


def names() -> tuple[str, ...]:
    """Names of the recipes that ship."""
    return tuple(sorted(path.stem for path in FOLDER.glob(f"*{SUFFIX}")))


def search_recipe(name: str) -> SearchRecipe:
    """The recipe of that name, or of a file if ``name`` ends in ``.yaml``.

    Raises:
        SettingError: there is none, or a word of it is unknown, missing or out of range.
    """
    if not name.endswith(SUFFIX) and name not in names():
        raise SettingError(f"there is no recipe {quoted(name)} to search by", f"Choose of {', '.join(names())}.")
    path = Path(name) if name.endswith(SUFFIX) else FOLDER / f"{name}{SUFFIX}"
    try:
        text = read_yaml(path, aliases=True)
    except (OSError, ValueError) as error:
        raise SettingError(f"{path} cannot be read ({error})", "Name a recipe in YAML.") from error
    found = settings(SearchRecipe, text, path.name)
    _check(found, path.name)
    return found


def _check(recipe: SearchRecipe, where: str) -> None:
    own = recipe.architecture
    if recipe.images < recipe.batch:
        raise SettingError(f"{where}: images is {recipe.images}", "Show one batch or more.")
    if not (0 < own.share < 1 and 0 <= own.begin < 1 and own.every >= 1):
        raise SettingError(f"{where}: {own} cannot be run", "share and begin are below 1, every is 1 or more.")
    if min(own.tau, own.end_tau, own.rate) <= 0 or min(own.latency_lambda, own.decay) < 0:
        raise SettingError(f"{where}: {own} is out of range", "tau and rate are above 0, lambda and decay 0 or more.")
    if own.finalists < 1:
        raise SettingError(f"{where}: finalists is {own.finalists}", "Name 1 or more.")
    if len(own.betas) != 2 or not all(0 <= beta < 1 for beta in own.betas):
        raise SettingError(f"{where}: betas are {own.betas}", "Name two numbers in [0, 1).")
