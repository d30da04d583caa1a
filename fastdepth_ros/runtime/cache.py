"""Finds the compiled module of a bundle, and has it compiled where there is none."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
from importlib.machinery import ModuleSpec
from pathlib import Path

from fastdepth_ros import children
from fastdepth_ros.errors import ModuleError, StorageError
from fastdepth_ros.files.names import check_name
from fastdepth_ros.files.trust import distrust
from fastdepth_ros.runtime import processor
from fastdepth_ros.runtime.bundle import Bundle
from fastdepth_ros.runtime.kernels import kernels_version
from fastdepth_ros.runtime.module import CompiledModule, tvm_version
from fastdepth_ros.runtime.shipped import (
    FLOAT32,
    MODULES,
    Say,
    prebuilt_for_here,
    say_on_stderr,
    shipped_module,
    shipped_name,
)
from fastdepth_ros.runtime.storage import (
    REMEDY,
    cache_dir,
    is_full,
    locked,
    make_private,
    obstacle,
    private_folder,
)

__all__ = [
    "ANCHORS",
    "FLOAT32",
    "NETWORK",
    "anchors_name",
    "cache_dir",
    "compile_apart",
    "compiled",
    "find_module",
    "has_compiler",
    "is_good",
    "kernels_version",
    "locked",
    "module_folder",
    "module_for",
    "obstacle",
    "place_to_compile",
    "prebuilt_for_here",
    "shipped_module",
    "usable",
]

NETWORK, ANCHORS = "network", "anchors"
"""Parts of a module that the compiler makes one by one: the network with all filters, and what anchors need."""

NICEST = 19
"""Niceness at which is compiled what nobody waits for."""


def module_name(bundle: Bundle, target: str, precision: str = FLOAT32) -> str:
    """Name of the folder of the bundle's module in a cache: whatever the module depends on is in it.

    Raises:
        SettingError: target or precision cannot be part of a name.
    """
    key = _key(bundle, target, precision, bundle.weights_sha256)
    name = check_name("the model's name", bundle.manifest.name)
    return f"{name}-{shipped_name(target, precision)}-{key}"


def anchors_name(bundle: Bundle, target: str) -> str:
    """Name of the folder of the anchors' functions in a cache: those of bundles of one size of picture are the same.

    Raises SettingError where the target cannot be part of a name.
    """
    return f"{ANCHORS}-{shipped_name(target, FLOAT32)}-{_key(bundle, target, FLOAT32, ANCHORS)}"


def _key(bundle: Bundle, target: str, precision: str, what: str) -> str:
    machine = f"{processor.name()} {sorted(processor.instruction_sets())}" if target == "host" else ""
    size = f"{bundle.manifest.input_width}x{bundle.manifest.input_height}"
    version = kernels_version(bundle.manifest.is_graph and what != ANCHORS)
    parts = (what, version, target, precision, machine, tvm_version(), size)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def module_folder(bundle: Bundle, target: str, precision: str = FLOAT32) -> Path:
    """Folder in which the bundle's module is kept: in the cache, or in a temporary folder where this user has none.

    Raises:
        SettingError: target or precision cannot be part of a name.
        StorageError: there is no temporary folder either.
    """
    name = module_name(bundle, target, precision)
    return (cache_dir() or private_folder()) / MODULES / name


def place_to_compile(bundle: Bundle, target: str, precision: str = FLOAT32, part: str = "") -> Path:
    """The folder in the cache that the bundle's module, or that part of it, is to be compiled to.

    Raises:
        SettingError: target or precision cannot be part of a name.
        StorageError: nothing can be kept in the cache.
    """
    name = anchors_name(bundle, target) if part == ANCHORS else module_name(bundle, target, precision)
    if refused := obstacle(MODULES):
        raise StorageError(refused, f"{REMEDY} Or name a folder with --out.")
    return make_private(module_folder(bundle, target, precision).parent) / name


def module_for(
    bundle: Bundle, target: str = "host", precision: str = FLOAT32, say: Say = say_on_stderr
) -> CompiledModule:
    """The bundle's module for a target: shipped with the bundle, from the cache, or compiled now (a few seconds).

    What is compiled now lacks what anchors need (:mod:`~fastdepth_ros.runtime.late`); what ships has it. If only TVM's
    runtime is installed, ``host`` is the best of the modules that ship with the bundle. So it is where that one has the
    kernels and the vectors that would be compiled here, and where the cache can neither be trusted nor written. Without
    such a module, one is compiled to a temporary folder.
    Two processes that ask at once get one compilation; the second waits for the first.

    Args:
        bundle: the model.
        target, precision: what it is compiled for.
        say: told what the user should know.

    Raises:
        ModuleError: the bundle ships a module that may not run here or has other weights, or the compilation failed.
        SettingError: target or precision is no name.
        StorageError: there is no place for a module.
    """
    if found := find_module(bundle, target, precision, say):
        return found
    refused = obstacle(MODULES)
    if not refused:
        try:
            return compiled(bundle, target, precision, module_folder(bundle, target, precision))
        except StorageError as error:
            refused = error.cause
    if target == "host" and (prebuilt := prebuilt_for_here(bundle, precision)):
        say(f"{refused}. So the module for {prebuilt.description.target} that ships with the bundle is used. {REMEDY}")
        return prebuilt
    say(f"{refused}. So the model is compiled to a temporary folder, at each start anew. {REMEDY}")
    folder = private_folder() / MODULES / module_name(bundle, target, precision)
    return compiled(bundle, target, precision, folder)


def find_module(
    bundle: Bundle, target: str = "host", precision: str = FLOAT32, say: Say = say_on_stderr
) -> CompiledModule | None:
    """The module that :func:`module_for` gives without compiling one; None where there is none yet.

    Raises:
        ModuleError: the bundle ships a module that may not run here or has other weights.
        SettingError: target or precision is no name.
    """
    if shipped := shipped_module(bundle, target, precision, say):
        return shipped
    root = cache_dir()
    for place in (root, private_folder() if private_folder.cache_info().currsize else None):
        if place and (kept := _kept(place / MODULES / module_name(bundle, target, precision), place, say)):
            return kept
    best = prebuilt_for_here(bundle, precision) if target == "host" else None
    return best if best and (not has_compiler() or _as_good(best)) else None


def _as_good(module: CompiledModule) -> bool:
    """Whether the compiler would use nothing more of this processor, and no other kernels or tiles."""
    about, widest = module.description, processor.vectors(processor.features())
    if (
        widest is None
        or about.vector_width < widest.lanes
        or about.kernels != kernels_version("layers" in about.network)
    ):
        return False
    products = processor.int8_here()
    return about.precision == FLOAT32 or (products is not None and products.needs <= set(about.needs))


def _kept(folder: Path, root: Path, say: Say) -> CompiledModule | None:
    """The module that was compiled before; None where there is none that may be used."""
    if not os.path.lexists(folder):
        return None
    if why := _distrusted(folder, root):
        say(f"{folder} is not used: {why}. Remove {root}, and what is needed of it is made anew.")
        return None
    return CompiledModule.open(folder) if usable(folder) else None


def _distrusted(folder: Path, root: Path) -> str:
    """Why a module that was compiled before is not to be believed; empty where it is, as in our own folder."""
    if root != cache_dir():
        return ""
    return next((why for path in (folder, *_inside(folder)) if (why := distrust(path, root))), "")


def _inside(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def compiled(bundle: Bundle, target: str, precision: str, folder: Path, part: str = NETWORK) -> CompiledModule:
    """The module in a folder, where there is a good one, or compiled to there now; whoever else asks waits for it.

    Raises:
        ModuleError: the compilation failed.
        StorageError: the folder cannot be written.
    """
    with locked(folder.with_name(f"{folder.name}.lock")):
        if not is_good(folder):
            compile_apart(bundle, target, folder, precision, part, NICEST if part == ANCHORS else 0)
    return CompiledModule.open(folder)


def is_good(folder: Path) -> bool:
    """Whether a module was compiled to a folder before, and may be used."""
    return not _distrusted(folder, folder.parent.parent) and usable(folder)


def has_compiler() -> bool:
    """Whether TVM's compiler is installed here, or only its runtime, as on a robot."""
    spec = importlib.util.find_spec("tvm")
    return any(Path(folder, "lib", "libtvm_compiler.so").is_file() for folder in _locations(spec))


def _locations(spec: ModuleSpec | None) -> list[str]:
    return list(spec.submodule_search_locations or []) if spec else []


def usable(folder: Path) -> bool:
    """Whether a folder holds an unaltered module; an altered one is compiled again."""
    try:
        CompiledModule.open(folder)
    except ModuleError:
        return False
    return True


def compile_apart(
    bundle: Bundle, target: str, folder: Path, precision: str = FLOAT32, part: str = "", niceness: int = 0
) -> None:
    """Compile in a process of its own, so that the compiler never gets into the caller's memory.

    It ends when this process ends, or the thread that called.

    Args:
        bundle, target, precision: the model, and what it is compiled for.
        folder: the module's.
        part: :data:`NETWORK` or :data:`ANCHORS`; by default all.
        niceness: how far the compiler lets other programs go first.

    Raises:
        ModuleError: with what the compiler said.
        StorageError: the folder cannot be written.
    """
    make_private(folder.parent)
    goal = ["--target", target, *(["--precision", precision] if precision != FLOAT32 else [])]
    goal += ["--part", part] if part else []
    how = [*(["--nice", str(niceness)] if niceness else []), "--out", str(folder)]
    command = children.python("fastdepth_ros.compiler", str(bundle.path.absolute()), *goal, *how)
    done = subprocess.run(
        command,
        env=children.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    # LLVM ends its process where the disk is full, without another word than that.
    if done.returncode == StorageError.status or (done.returncode and is_full(folder.parent)):
        raise StorageError(f"{folder.parent} cannot be written; the compiler's message is above", REMEDY)
    if done.returncode:
        cause = f"compiling {bundle.manifest.name} for {target} failed with status {done.returncode}"
        remedy = f"The compiler's message is above. Try it alone: `fastdepth compile {bundle.path} {' '.join(goal)}`."
        raise ModuleError(cause, remedy)
