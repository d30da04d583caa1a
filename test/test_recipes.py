"""The recipes' settings are ones that the node takes, and are what their pages say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from fastdepth_ros.parameters import TABLE, validate

ROOT = Path(__file__).resolve().parent.parent
RECIPES = {"drone": "recipe_drone", "floor-robot": "recipe_floor_robot", "arm": "recipe_arm"}


def settings(name: str) -> dict[str, object]:
    text = (ROOT / "config" / f"{RECIPES[name]}.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(text)["/**"]["ros__parameters"]


def test_every_recipe_is_here():
    assert {path.stem for path in (ROOT / "config").glob("recipe_*.yaml")} == set(RECIPES.values())
    assert {path.stem for path in (ROOT / "docs" / "recipes").glob("*.md")} == set(RECIPES)


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_s_settings_are_allowed_together(name):
    parameters = validate(settings(name))
    assert parameters.pipeline


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_s_page_shows_its_picture_and_speaks_of_no_parameter_that_there_is_not(name):
    page = (ROOT / "docs" / "recipes" / f"{name}.md").read_text(encoding="utf-8")
    assert f"../pictures/recipe-{name}.jpg" in page
    assert (ROOT / "docs" / "pictures" / f"recipe-{name}.jpg").stat().st_size < 300_000
    assert f"config/{RECIPES[name]}.yaml" in page
    named = set(re.findall(r"^\| `([a-z_]+)(?::[^`]*)?`", page, re.MULTILINE))
    assert named
    assert named <= set(TABLE)
