"""A network that is compiled in a moment; its module is compiled once for all tests but those of the compiling."""

from __future__ import annotations

import shutil
from pathlib import Path

from made_weights import random_weights

from fastdepth_ros.network import Network
from fastdepth_ros.runtime import cache
from fastdepth_ros.runtime.bundle import Bundle, Manifest, write_bundle
from fastdepth_ros.runtime.module import CompiledModule

SMALL = Network("small", encoder=(4,) * 14, decoder=(4,) * 5)


def small_bundle(folder: Path) -> Bundle:
    """The network with random weights, always the same, for pictures of 32x32, as a bundle in ``folder/small``."""
    return write_bundle(folder / "small", Manifest("small", SMALL, 32, 32), random_weights(SMALL), "# Random\n")


def put_into_cache(bundle: Bundle, module: CompiledModule) -> Path:
    """Lay the module of a bundle into the cache that is in force, as if it had been compiled there."""
    folder = cache.place_to_compile(bundle, "host")
    shutil.copytree(module.folder, folder)
    return folder
