"""What the tests share: reference data where there is any, and one compiled module for the whole run."""

from __future__ import annotations

import os
from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import settings
from made_weights import CHECKOUT, random_weights
from small_network import small_bundle

from fastdepth_ros.demo.graph import loopback_profile
from fastdepth_ros.importing import import_weights
from fastdepth_ros.network import PRUNED
from fastdepth_ros.runtime.bundle import Bundle, Manifest, write_bundle
from fastdepth_ros.runtime.storage import locked

if TYPE_CHECKING:
    from fastdepth_ros.runtime.module import CompiledModule
    from fastdepth_ros.scene.render import Atlas


# No test is timed: a busy machine may take its time over an example.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="session", autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compiled modules and logs of the tests, away from those of the user."""
    folder = tmp_path_factory.mktemp("own")
    os.environ.setdefault("FASTDEPTH_CACHE", str(folder / "cache"))
    os.environ["ROS_LOG_DIR"] = str(folder / "log")
    return folder


@pytest.fixture(scope="session")
def dds_profile(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Environment that keeps ROS on this machine, with shared memory that large images fit into.

    A process reads it once, with its first participant. So each test that makes one in this process needs it, or images
    of other tests are lost later.
    """
    return loopback_profile(tmp_path_factory.mktemp("dds"))


@pytest.fixture(scope="session")
def reference() -> Path:
    """The folder of reference data: $FASTDEPTH_REFERENCE, or shared/reference beside the checkout."""
    folder = Path(os.environ.get("FASTDEPTH_REFERENCE") or CHECKOUT.parent / "shared" / "reference")
    if not folder.is_dir():
        pytest.skip(f"no reference data: {folder} is no folder (set FASTDEPTH_REFERENCE)")
    return folder


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle of the pruned network with random weights."""
    folder = tmp_path_factory.mktemp("bundle") / "random"
    return write_bundle(folder, Manifest("random", PRUNED), random_weights(PRUNED), "# Random weights, for tests\n")


@pytest.fixture(scope="session")
def reference_bundle(reference: Path, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The authors' weights as a bundle."""
    weights = reference / "weights" / "fastdepth_pruned_fp16.npz"
    return import_weights(weights, tmp_path_factory.mktemp("reference") / "fastdepth-reference")


@pytest.fixture(scope="session")
def module(bundle: Bundle) -> CompiledModule:
    """The random bundle, compiled for this machine."""
    from fastdepth_ros.runtime.cache import module_for

    return module_for(bundle)


@pytest.fixture(scope="session")
def atlas() -> Atlas:
    """Paints and light of the computed room, which take seconds to work out: once for all workers."""
    from fastdepth_ros.scene.render import Atlas, Tile, bake
    from fastdepth_ros.scene.room import build_room

    file = Path(os.environ["FASTDEPTH_CACHE"]) / "tests" / "atlas.npz"
    with locked(file.with_suffix(".lock")):
        if not file.exists():
            made = bake(build_room())
            part = file.with_name("part.npz")
            np.savez(part, pixels=made.pixels, tiles=[astuple(tile) for tile in made.tiles])
            part.rename(file)
        with np.load(file) as kept:
            return Atlas(kept["pixels"], [Tile(*tile) for tile in kept["tiles"]])


@pytest.fixture(scope="session")
def small_module(tmp_path_factory: pytest.TempPathFactory) -> CompiledModule:
    """The network that is compiled in a moment, compiled for this machine."""
    from fastdepth_ros.runtime.cache import module_for

    return module_for(small_bundle(tmp_path_factory.mktemp("compiled")))


@pytest.fixture(scope="session")
def reference_module(reference_bundle: Bundle) -> CompiledModule:
    """The authors' weights, compiled for this machine."""
    from fastdepth_ros.runtime.cache import module_for

    return module_for(reference_bundle)
