"""The node starts with the settings of each recipe, and knows every one of them."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from diagnostic_msgs.msg import DiagnosticStatus

CONFIG = Path(__file__).resolve().parents[2] / "config"
RECIPES = sorted(CONFIG.glob("recipe_*.yaml"))
NICE = 150.0
"""Seconds for a node that lets all others go first, as most recipes want it: tests beside it leave little."""


@pytest.mark.parametrize("file", RECIPES, ids=lambda file: file.stem)
def test_the_node_starts_with_a_recipe_and_has_its_settings(start, file):
    graph = start("--ros-args", "--params-file", str(file), wait=False)
    graph.wait_for(lambda: graph.doing == "active", "the node to become active", NICE)
    graph.wait_until_it_says("node", DiagnosticStatus.OK, "active")
    assert "parameters that there are not" not in graph.values("node")
    settings = yaml.safe_load(file.read_text(encoding="utf-8"))["/**"]["ros__parameters"]
    ours = {"gate"}  # a test's node is given another
    assert {name: graph.get(name) for name in settings if name not in ours} == {
        name: value for name, value in settings.items() if name not in ours
    }
