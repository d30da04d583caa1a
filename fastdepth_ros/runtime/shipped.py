"""Modules that ship with a bundle, under its manifest's seal."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

from fastdepth_ros.errors import BundleError, ModuleError, SettingError
from fastdepth_ros.files.names import check_name
from fastdepth_ros.runtime.bundle import Bundle
from fastdepth_ros.runtime.module import DESCRIPTION, CompiledModule

FLOAT32 = "float32"
"""The precision unless another is asked for."""

MODULES = "modules"
"""The folder of a bundle with the modules that ship with it, and that of the cache with those that were compiled."""

Say = Callable[[str], object]
say_on_stderr: Say = logging.getLogger("fastdepth_ros").warning


def shipped_name(target: str, precision: str) -> str:
    """Name of the folder of such a module in a bundle's ``modules``.

    Raises:
        SettingError: one of them is no name.
    """
    check_name("target", target)
    check_name("precision", precision)
    return target if precision == FLOAT32 else f"{target}-{precision}"


def shipped_module(bundle: Bundle, target: str, precision: str, say: Say = say_on_stderr) -> CompiledModule | None:
    """The module that ships with the bundle under its manifest's seal; None where the manifest names none.

    Raises:
        ModuleError: it may not run here, was altered, or has other weights.
        SettingError: target or precision is no name.
    """
    name = shipped_name(target, precision)
    folder = bundle.path / MODULES / name
    module = _sealed(bundle, name)
    if module is None:
        if os.path.lexists(folder):
            say(f"{folder} is not used: the bundle's manifest does not name it.")
        return None
    if not module.is_of(bundle.weights_sha256):
        remedy = f"Compile it again: `fastdepth compile {bundle.path} --target {target} --out {folder}`."
        raise ModuleError(f"{folder} was compiled of other weights than the bundle's", remedy)
    about = module.description
    if (about.target, about.precision) != (target, precision):
        cause = f"{folder} was compiled for {about.target} in {about.precision}"
        raise ModuleError(f"{cause}, not for {target} in {precision}", "Compile it again, or copy the bundle again.")
    if not _fits(module, bundle):
        cause = f"{folder} takes pictures of {about.input.width}x{about.input.height} pixels, the bundle others"
        raise ModuleError(cause, "Compile it again, or copy the bundle again.")
    return module


def _fits(module: CompiledModule, bundle: Bundle) -> bool:
    size, manifest = module.description.input, bundle.manifest
    return (size.width, size.height) == (manifest.input_width, manifest.input_height)


def _sealed(bundle: Bundle, name: str) -> CompiledModule | None:
    """A module that the manifest names, opened; None where it names none.

    Raises:
        ModuleError: it may not run here or was altered, or its library is not what the manifest names.
        BundleError: its description was altered.
    """
    place = PurePosixPath(MODULES, name)
    description = str(place / DESCRIPTION)
    if not bundle.names(description):
        return None
    module = CompiledModule.open(bundle.path / place, bundle.read(description))
    sealed = (bundle.manifest.files or {}).get(str(place / module.library.name))
    if sealed != module.description.library_sha256:
        cause = f"{module.library} is not what the bundle's manifest names"
        raise ModuleError(cause, "Copy the bundle again, or compile it again.")
    return module


def prebuilt_for_here(bundle: Bundle, precision: str = FLOAT32) -> CompiledModule | None:
    """The module of those that ship with the bundle that uses most of this processor; None where none may run."""
    here = (m for m in _prebuilt(bundle) if not m.description.on_gpu and m.description.precision == precision)
    return max(here, key=lambda module: len(module.description.needs), default=None)


def _prebuilt(bundle: Bundle) -> Iterator[CompiledModule]:
    """Modules that the manifest names and that may run here."""
    for name in sorted(bundle.manifest.files or {}):
        parts = PurePosixPath(name).parts
        if len(parts) == 3 and (parts[0], parts[2]) == (MODULES, DESCRIPTION):
            try:
                module = _sealed(bundle, parts[1])
            except (ModuleError, BundleError, SettingError):
                continue
            if module and module.is_of(bundle.weights_sha256) and _fits(module, bundle):
                yield module
