"""What the tests share: reference data where there is any, and one compiled module for the whole run."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import collecting
import kept_code
import pytest
import setuptools  # noqa: F401 - before anybody loads distutils: it puts its own in its place, and later refuses to
from collecting import pytest_pycollect_makemodule  # noqa: F401 - a hook
from computed_room import keep_atlas, keep_pictures, kept_atlas, made_by
from hypothesis import settings
from made_weights import CHECKOUT, random_weights
from nursery import COMPILER, IMPORTING, InCopies, Nursery
from small_network import small_bundle

from fastdepth_ros.demo.graph import loopback_profile
from fastdepth_ros.importing import apart, import_weights
from fastdepth_ros.network import PRUNED
from fastdepth_ros.runtime import cache
from fastdepth_ros.runtime.bundle import Bundle, Manifest, write_bundle
from fastdepth_ros.runtime.storage import locked, make_private

if TYPE_CHECKING:
    from fastdepth_ros.runtime.engine import Engine
    from fastdepth_ros.runtime.module import CompiledModule
    from fastdepth_ros.scene.render import Atlas


KEPT = CHECKOUT / "build" / "tests"
"""What is kept between runs."""


# No test is timed: a busy machine may take its time over an example.
settings.register_profile("whole", deadline=None)
settings.register_profile("quick", deadline=None, max_examples=25)


def pytest_configure(config: pytest.Config) -> None:
    """Try fewer examples of a property where second looks are left out."""
    collecting.pytest_configure(config)
    settings.load_profile("quick" if "not again" in config.option.markexpr else "whole")


@pytest.fixture(scope="session", autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compiled modules and logs of the tests, away from those of the user."""
    folder = tmp_path_factory.mktemp("own")
    os.environ.setdefault("FASTDEPTH_CACHE", str(folder / "cache"))
    os.environ["ROS_LOG_DIR"] = str(folder / "log")
    if kept_code.FOLDER not in os.environ:
        code = make_private(KEPT if os.access(CHECKOUT, os.W_OK) else folder / "code")
        kept_code.forget(code)
        os.environ[kept_code.FOLDER] = str(code)
    return folder


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """The compiler, if a test's file has loaded it, takes what was compiled before."""
    kept_code.attach()


@pytest.fixture(scope="session")
def dds_profile(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Environment that keeps ROS on this machine, with shared memory that large images fit into.

    A process reads it once, with its first participant. So each test that makes one in this process needs it, or images
    of other tests are lost later.
    """
    return loopback_profile(tmp_path_factory.mktemp("dds"))


@pytest.fixture(scope="session", autouse=True)
def copies() -> Iterator[None]:
    """What tests have compiled, and weights that they import, are the work of processes that need not import much."""
    compilers, readers = InCopies(*COMPILER, "kept_code"), InCopies(*IMPORTING)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cache, "subprocess", compilers)
        patch.setattr(apart, "subprocess", readers)
        yield
    compilers.end()
    readers.end()


@pytest.fixture
def afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have compilations and imports of weights start Python, as they do for users."""
    for room in (cache, apart):
        monkeypatch.setattr(room, "subprocess", subprocess)


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Starts processes that have imported already what a node imports."""
    nursery = Nursery()
    yield nursery
    nursery.end()


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
    """The random bundle, compiled for this machine, with all functions."""
    return whole_module(bundle)


def whole_module(bundle: Bundle, precision: str = cache.FLOAT32) -> CompiledModule:
    """The bundle's module where a node finds it, with what a first start leaves out: no test waits for that."""
    from fastdepth_ros.runtime.module import CompiledModule

    folder = cache.module_folder(bundle, "host", precision)
    with locked(folder.with_name(f"{folder.name}.lock")):
        if not cache.usable(folder) or b"anchor_place_" not in CompiledModule.open(folder).library.read_bytes():
            cache.compile_apart(bundle, "host", folder, precision)
    return CompiledModule.open(folder)


@pytest.fixture(scope="session")
def atlas_file() -> Path:
    """Paints and light of the computed room, which take seconds to work out: once for all runs."""
    return between_runs(f"atlas-{made_by()}.npz", keep_atlas)


@pytest.fixture(scope="session")
def atlas(atlas_file: Path) -> Atlas:
    """The same, read."""
    return kept_atlas(atlas_file)


@pytest.fixture(scope="session")
def few_rooms() -> Callable[..., Path]:
    """Lays pictures of a random room and their depth into a folder: so many, the first ones or those from a number on.

    They are those of ``write_rooms`` with the seed 91, six at most. Each takes a second to compute.
    """
    kept = between_runs(f"rooms-{made_by()}", keep_pictures)
    pictures = sorted(kept.glob("*.jpg"))

    def lay(folder: Path, count: int, first: int = 0) -> Path:
        folder.mkdir(parents=True)
        for picture in pictures[first : first + count]:
            for file in kept.glob(f"{picture.stem}.*"):
                shutil.copy(file, folder)
        return folder

    return lay


def between_runs(name: str, make: Callable[[Path], None]) -> Path:
    """A file or folder that one run has made and the others find."""
    path = Path(os.environ[kept_code.FOLDER]) / name
    with locked(path.with_name(f"{name}.lock")):
        if path.exists():
            os.utime(path)
        else:
            make(path)
    return path


@pytest.fixture(scope="session")
def small_modules(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Folders of modules of the small network by target and precision; each is compiled once for all workers."""
    from fastdepth_ros.compiler.export import compile_bundle

    kept_code.attach()
    root = Path(os.environ["FASTDEPTH_CACHE"]) / "tests" / "modules"
    bundle = small_bundle(tmp_path_factory.mktemp("compiled"))

    @functools.cache
    def compiled(target: str, precision: str = cache.FLOAT32) -> Path:
        folder = root / cache.module_name(bundle, target, precision)
        folder.parent.mkdir(parents=True, exist_ok=True)
        with locked(folder.with_name(f"{folder.name}.lock")):
            return folder if folder.exists() else compile_bundle(bundle, target, folder, precision=precision)

    return compiled


@pytest.fixture(scope="session")
def small_module(small_modules: Callable[..., Path]) -> CompiledModule:
    """The network that is compiled in a moment, compiled for this machine."""
    from fastdepth_ros.runtime.module import CompiledModule

    return CompiledModule.open(small_modules("host"))


@pytest.fixture(scope="module")
def engine(module: CompiledModule) -> Engine:
    """An engine of :func:`module` on one thread."""
    from fastdepth_ros.runtime.engine import Engine

    return Engine(module, 1)


@pytest.fixture(scope="module")
def small_engine(small_module: CompiledModule) -> Engine:
    """An engine of :func:`small_module` on one thread."""
    from fastdepth_ros.runtime.engine import Engine

    return Engine(small_module, 1)


@pytest.fixture(scope="session")
def indoor() -> str:
    """Name of the shipped model, compiled as a node wants it: random weights are off by more than anchors may be."""
    from fastdepth_ros.models import DEFAULT, find_bundle
    from fastdepth_ros.runtime.precision import choose

    bundle = find_bundle(DEFAULT)
    whole_module(bundle, choose(bundle).precision)
    return DEFAULT


@pytest.fixture(scope="session")
def reference_module(reference_bundle: Bundle) -> CompiledModule:
    """The authors' weights, compiled for this machine."""
    from fastdepth_ros.runtime.cache import module_for

    return module_for(reference_bundle)
