"""The examples in docstrings are true."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest
from recording import bags

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "fastdepth_ros"
NAMES = [
    ".".join(file.relative_to(ROOT).with_suffix("").parts)
    for file in sorted(PACKAGE.rglob("*.py"))
    if "    >>> " in file.read_text(encoding="utf-8")
]


@pytest.fixture
def kitchen(tmp_path, monkeypatch):
    """The recording that examples speak of, in the folder in which they run."""
    monkeypatch.chdir(tmp_path)
    images = [("/camera/image_raw", bags.image(stamp=bags.START + i)) for i in range(2)]
    return bags.write(tmp_path / "kitchen", *images, ("/camera/camera_info", bags.camera_info()))


@pytest.mark.usefixtures("kitchen")
@pytest.mark.parametrize("name", NAMES)
def test_an_example_gives_what_it_says(name):
    found = doctest.testmod(importlib.import_module(name))
    assert found.attempted
    assert not found.failed


@pytest.mark.parametrize("name", ["pipeline.pipeline", "camera", "recording.reader", "power.profiles"])
def test_the_main_functions_have_an_example(name):
    assert f"fastdepth_ros.{name}" in NAMES
