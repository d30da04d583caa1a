"""Documents that are made of the code's tables are as the code has them now."""

from __future__ import annotations

import ast
import importlib.util
from pathlib import Path

import pytest
import yaml

from fastdepth_ros.parameters import TABLE
from fastdepth_ros.settings import LIMITS

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def tables():
    spec = importlib.util.spec_from_file_location("parameter_tables", ROOT / "tools" / "parameter_tables.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["config/depth.yaml", "docs/parameters.md"])
def test_a_generated_file_is_what_the_code_says(tables, name):
    how = "run: .venv/bin/python -m tools.parameter_tables"
    assert (ROOT / name).read_text(encoding="utf-8") == tables.FILES[tables.ROOT / name](), how


def test_the_configuration_holds_every_default():
    values = yaml.safe_load((ROOT / "config" / "depth.yaml").read_text(encoding="utf-8"))["/**"]["ros__parameters"]
    assert values == {name: spec.default for name, spec in TABLE.items()}


def test_launch_and_parameters_allow_the_same_words(tables):
    shown = {name.strip("`"): choices for name, _, choices, _ in tables.launch_arguments()}
    assert set(LIMITS) & set(shown) == {
        "precision",
        "image_transport",
        "output_size",
        "cloud",
        "anchoring",
        "anchor_scale",
        "rectify",
        "rotation",
    }
    for name in set(LIMITS) & set(shown):
        assert shown[name] == ", ".join(LIMITS[name].choices)


def test_a_launch_argument_that_is_a_parameter_is_handed_on(tables):
    arguments = {name.strip("`") for name, *_ in tables.launch_arguments()}
    source = ast.parse(tables.LAUNCH.read_text(encoding="utf-8"))
    handed = next(
        ast.literal_eval(node.value)
        for node in ast.walk(source)
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "PARAMETERS"
    )
    # Whoever gives a bag gets the transport of its images.
    assert set(handed) == arguments & set(TABLE)
