"""Finds the compiled module of a bundle, and has it compiled where there is none."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from pathlib import Path

from fastdepth_ros.errors import ModuleError
from fastdepth_ros.runtime import processor
from fastdepth_ros.runtime.bundle import Bundle
from fastdepth_ros.runtime.module import DESCRIPTION, CompiledModule, tvm_version

COMPILER = Path(__file__).parent.parent / "compiler"
FLOAT32 = "float32"
"""The precision unless another is asked for."""


def cache_dir() -> Path:
    """Where compiled modules are kept: $FASTDEPTH_CACHE, $XDG_CACHE_HOME/fastdepth_ros or ~/.cache/fastdepth_ros."""
    if own := os.environ.get("FASTDEPTH_CACHE"):
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fastdepth_ros"


def kernels_version() -> str:
    """A digest of the compiler's sources and tile tables, shipped and own: any change of them makes new modules."""
    digest = hashlib.sha256()
    own = (cache_dir() / "tuning").glob("*.json")
    for file in sorted([*COMPILER.rglob("*.py"), *COMPILER.rglob("*.json"), *own]):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:12]


def module_folder(bundle: Bundle, target: str, precision: str = FLOAT32) -> Path:
    """Where the cache keeps the bundle's module: whatever the module depends on is in the folder's name."""
    machine = f"{processor.name()} {sorted(processor.instruction_sets())}" if target == "host" else ""
    size = f"{bundle.manifest.input_width}x{bundle.manifest.input_height}"
    parts = (bundle.weights_sha256, kernels_version(), target, precision, machine, tvm_version(), size)
    key = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
    return cache_dir() / "modules" / f"{bundle.manifest.name}-{shipped_name(target, precision)}-{key}"


def shipped_name(target: str, precision: str) -> str:
    """What the folder of such a module is called in a bundle's ``modules``."""
    return target if precision == FLOAT32 else f"{target}-{precision}"


def module_for(bundle: Bundle, target: str = "host", precision: str = FLOAT32) -> CompiledModule:
    """The bundle's module for a target: shipped with the bundle, from the cache, or compiled now (a few seconds).

    Where only TVM's runtime is installed, ``host`` is the best of the modules that ship with the bundle.
    Two processes that ask at once get one compilation; the second waits for the first.

    Raises:
        ModuleError: the bundle ships a module that may not run here or has other weights, or the compilation failed.
    """
    shipped = bundle.path / "modules" / shipped_name(target, precision)
    if (shipped / DESCRIPTION).is_file():
        module = CompiledModule.open(shipped)
        if not module.is_of(bundle.weights_sha256):
            remedy = f"Compile it again: `fastdepth compile {bundle.path} --target {target} --out {shipped}`."
            raise ModuleError(f"{shipped} was compiled of other weights than the bundle's", remedy)
        return module
    folder = module_folder(bundle, target, precision)
    if usable(folder):
        return CompiledModule.open(folder)
    if target == "host" and not has_compiler() and (prebuilt := prebuilt_for_here(bundle, precision)):
        return prebuilt
    with locked(folder.with_name(f"{folder.name}.lock")):
        if not usable(folder):
            compile_apart(bundle, target, folder, precision)
    return CompiledModule.open(folder)


def has_compiler() -> bool:
    """Whether TVM's compiler is installed here, or only its runtime, as on a robot."""
    spec = importlib.util.find_spec("tvm")
    return any(Path(folder, "lib", "libtvm_compiler.so").is_file() for folder in _locations(spec))


def _locations(spec: ModuleSpec | None) -> list[str]:
    return list(spec.submodule_search_locations or []) if spec else []


def prebuilt_for_here(bundle: Bundle, precision: str = FLOAT32) -> CompiledModule | None:
    """Of the modules that ship with the bundle, the one that uses most of this processor; None where none may run."""
    found = []
    for folder in sorted((bundle.path / "modules").glob(f"*/{DESCRIPTION}")):
        with contextlib.suppress(ModuleError):
            found.append(CompiledModule.open(folder.parent))
    found = [module for module in found if module.is_of(bundle.weights_sha256)]
    here = (m for m in found if not m.description.on_gpu and m.description.precision == precision)
    return max(here, key=lambda module: len(module.description.needs), default=None)


def usable(folder: Path) -> bool:
    """Whether the cache's folder holds an unaltered module; an altered one is compiled again."""
    try:
        CompiledModule.open(folder)
    except ModuleError:
        return False
    return True


def compile_apart(bundle: Bundle, target: str, folder: Path, precision: str = FLOAT32) -> None:
    """Compile in a process of its own, so that the compiler never gets into the caller's memory.

    Raises:
        ModuleError: with what the compiler said.
    """
    goal = ["--target", target, *(["--precision", precision] if precision != FLOAT32 else [])]
    command = [sys.executable, "-m", "fastdepth_ros.compiler", str(bundle.path), *goal, "--out", str(folder)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        cause = f"compiling {bundle.manifest.name} for {target} failed with status {done.returncode}"
        remedy = f"The compiler's message is above. Try it alone: `fastdepth compile {bundle.path} {' '.join(goal)}`."
        raise ModuleError(cause, remedy)


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold a lock file; its holder's death releases it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
