"""The wheel that setuptools builds holds all that is needed, and works where no checkout is."""

import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LEFT_OUT = shutil.ignore_patterns(".git", ".venv*", ".*_cache", ".hypothesis", "__pycache__", "build", "dist", "out")
PIP = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
LARGEST = 25_000_000
"""Bytes of a wheel."""


def has_what_makes_wheels():
    """Whether pip is here, and a setuptools that makes wheels: an older one needs the package wheel beside it."""
    commands = importlib.metadata.entry_points(group="distutils.commands")
    return importlib.util.find_spec("pip") is not None and "bdist_wheel" in {command.name for command in commands}


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not has_what_makes_wheels(), reason="pip or wheel is missing (apt install python3-pip python3-wheel)"
    ),
]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built of a copy of the checkout with the modules that ship, as `make wheel` does it."""
    folder = tmp_path_factory.mktemp("wheel")
    shutil.copytree(ROOT, folder / "source", ignore=LEFT_OUT)
    prebuild = [sys.executable, str(ROOT / "tools" / "prebuild.py"), "--out", str(folder / "models")]
    subprocess.run(prebuild, env={**os.environ, "FASTDEPTH_CACHE": str(folder / "cache")}, check=True)
    build = [*PIP, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(folder / "source")]
    subprocess.run(build, env={**os.environ, "FASTDEPTH_MODELS": str(folder / "models")}, check=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def prefix(wheel, tmp_path_factory):
    """Where it was installed to, as with ``--user``."""
    root = tmp_path_factory.mktemp("installed")
    install = [*PIP, "install", "--no-index", "--no-deps", "--ignore-installed", "--prefix", str(root), str(wheel)]
    subprocess.run(install, check=True)
    return root


def test_it_is_small(wheel):
    assert wheel.stat().st_size < LARGEST


def test_models_launch_and_configuration_are_in_it(prefix):
    share = prefix / "share" / "fastdepth_ros"
    for folder in ("models", "launch", "config"):
        wanted = {path.relative_to(ROOT) for path in (ROOT / folder).rglob("*") if path.suffix != ".pyc"}
        assert not {path for path in wanted if not (share / path).exists() and path.name != "__pycache__"}
    for program in ("bin/fastdepth", "bin/depth_node", "lib/fastdepth_ros/depth_node"):
        assert os.access(prefix / program, os.X_OK), program


def test_the_first_start_compiles_nothing_with_or_without_a_compiler(prefix, tmp_path):
    """The wheel's sources are those that its modules were made by."""
    site = sysconfig.get_path("purelib", vars={"base": str(prefix)})
    code = """
from fastdepth_ros import models
from fastdepth_ros.runtime import cache, precision, processor
bundles = [models.find_bundle()] + [models.find_bundle("fastdepth-nano")] * bool(processor.int8_here())
for bundle, compiler in ((bundle, compiler) for bundle in bundles for compiler in (True, False)):
    cache.has_compiler = precision.has_compiler = lambda: compiler
    choice = precision.choose(bundle)
    about = cache.find_module(bundle, precision=choice.precision).description
    expected = "int8" if processor.int8_here() else "float32"
    assert (about.precision, about.vector_width) == (expected, processor.vectors(processor.features()).lanes), choice
"""
    environment = {**os.environ, "PYTHONPATH": site, "FASTDEPTH_CACHE": str(tmp_path / "cache")}
    subprocess.run([sys.executable, "-c", code], env=environment, cwd=tmp_path, check=True)


def test_its_models_and_its_profile_are_found_where_no_checkout_is(prefix, tmp_path):
    site = sysconfig.get_path("purelib", vars={"base": str(prefix)})
    code = """
import fastdepth_ros, sys
from fastdepth_ros import dds, models
print(fastdepth_ros.__file__, models.find_bundle().path, dds.shipped("fastdds.xml"))
"""
    environment = {**os.environ, "PYTHONPATH": site}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=tmp_path, stdout=subprocess.PIPE, check=True
    )
    assert all(path.startswith(str(prefix)) for path in done.stdout.decode().split())
