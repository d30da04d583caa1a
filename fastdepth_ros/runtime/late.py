"""Functions beside the network that no module waits for: had in a thread of their own, once somebody needs them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from fastdepth_ros.errors import FastDepthError, ModuleError
from fastdepth_ros.files.reading import read
from fastdepth_ros.runtime.bundle import Bundle
from fastdepth_ros.runtime.cache import ANCHORS, anchors_name, compiled, find_module, has_compiler, is_good
from fastdepth_ros.runtime.engine import load_library
from fastdepth_ros.runtime.module import CompiledModule
from fastdepth_ros.runtime.shipped import FLOAT32, MODULES, Say, say_on_stderr
from fastdepth_ros.runtime.storage import cache_dir, obstacle, private_folder

__all__ = ["LateFunctions", "anchors_for", "prepare_anchors"]

MARK = b"anchor_place_"
"""Part of the name of one of these functions, as a library has it."""


def anchors_for(bundle: Bundle, target: str = "host", say: Say = say_on_stderr) -> CompiledModule:
    """Functions that correct depth by anchors, for pictures of the bundle's size: from the cache, or compiled now.

    It takes seconds: depth goes on in numpy meanwhile, and other programs come first.

    Args:
        bundle: a model.
        target: what they are compiled for.
        say: is told before they are compiled.

    Raises:
        ModuleError: the compiler is not installed, or the compilation failed.
        SettingError: the target is no name.
        StorageError: there is no place for them.
    """
    folder = (private_folder() if obstacle(MODULES) else cache_dir() or private_folder()) / MODULES
    folder /= anchors_name(bundle, target)
    if not is_good(folder):
        if not has_compiler():
            raise ModuleError("TVM's compiler is not installed here", "Deploy the model: `fastdepth deploy`.")
        say("The functions that correct depth by measured ones are being compiled, once; until then it takes longer.")
    return compiled(bundle, target, FLOAT32, folder, ANCHORS)


def prepare_anchors(bundle: Bundle, target: str, precision: str, say: Say = say_on_stderr) -> None:
    """Compile now what a node would have compiled when it is needed: whoever measures wants no compiler beside.

    Args:
        bundle: the model.
        target, precision: of the node's module; what ships, and what `fastdepth compile` made, has them.
        say: is told before they are compiled, and why they cannot be.
    """
    try:
        found = find_module(bundle, target, precision, say)
        if found is None or not (found.description.on_gpu or MARK in read(found.library)):
            anchors_for(bundle, target, say)
    except (FastDepthError, OSError) as error:
        say(str(error))


class LateFunctions:
    """Functions that are made when they are first asked for, and are there some time later.

    Args:
        have: finds or makes the module with them; runs in a thread of its own.
        say: is told why they do not come; whoever asks goes on without them.
    """

    def __init__(self, have: Callable[[], CompiledModule], say: Say) -> None:
        self._have, self._say = have, say
        self._thread: threading.Thread | None = None
        self._library: Any = None

    @property
    def library(self) -> Any:
        """The library with them; None until it is there."""
        return self._library

    def ask(self) -> None:
        """Have them made, where nobody has asked before. Nobody waits for them."""
        if self._thread is None:
            # A daemon: the process may end meanwhile, and the compiler then ends with this thread.
            self._thread = threading.Thread(target=self._fetch, name="late functions", daemon=True)
            self._thread.start()

    def _fetch(self) -> None:
        try:
            self._library = load_library(self._have())
        except (FastDepthError, RuntimeError, OSError) as error:
            self._say(f"what corrects depth by measured ones is not compiled, numpy goes on with it: {error}")
