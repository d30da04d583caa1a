"""From TensorIR to a shared library, with every core at work: a kernel is an object file of its own."""

from __future__ import annotations

import multiprocessing
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import tvm
from tvm import relax
from tvm_ffi import get_global_func

from fastdepth_ros.compiler.build import Program
from fastdepth_ros.compiler.linker.library import link
from fastdepth_ros.compiler.targets import Target
from fastdepth_ros.runtime import processor

Progress = Callable[[str], None]
"""Told what is being done, again and again."""

SETTINGS = {"tirx.disable_cse_tir": True}
"""LLVM finds common subexpressions itself, and faster."""


def compile_library(program: Program, target: Target, library: Path, progress: Progress) -> None:
    """Compile a program's kernels and its main function, and link them to the shared library ``library``."""
    # TVM's loader wants the main function's instructions beside some code: the first kernel, compiled in this process.
    root, *others = program.kernels
    with tempfile.TemporaryDirectory(dir=library.parent) as scratch:
        folder = Path(scratch)
        # Forked, so that the processes have TVM and the kernels without loading or sending them.
        context = multiprocessing.get_context("fork")
        with ProcessPoolExecutor(processor.cores(), context, _inherit, (program.kernels, target, folder)) as pool:
            work = [pool.submit(_write_object, name) for name in others]
            executable = relax.build(program.main, target.llvm())
            executable.mod.clear_imports()  # An empty C file, where Relax finds no kernels of its own.
            executable.mod.import_module(_compile(root, program.kernels[root], target))
            objects = []
            for done in as_completed(work):
                objects.append(done.result())
                progress(f"Compiling for {target.cpu}: {len(objects) + 1} of {len(program.kernels)} kernels")
        progress("Linking")
        executable.export_library(str(library), fcompile=_Linker(target), addons=sorted(objects))


def toolchain() -> str:
    """What makes the machine code, in words: with the same weights and the same of these, a module is the same."""
    return f"LLVM {get_global_func('target.llvm_version_major')()}, linked by fastdepth_ros"


class _Linker:
    """The linker of this package as ``export_library`` calls it."""

    object_format = "o"

    def __init__(self, target: Target) -> None:
        self.target = target

    def get_target_triple(self) -> str:
        return self.target.triple

    def __call__(self, library: str, objects: list[str], **_options: Any) -> None:
        Path(library).write_bytes(link([Path(path).read_bytes() for path in objects]))


def _compile(name: str, kernel: Any, target: Target) -> Any:
    with tvm.transform.PassContext(config=SETTINGS):
        return tvm.tirx.build(tvm.IRModule({name: kernel}), target.llvm())


_inherited: tuple[dict[str, Any], Target, Path]
"""What a forked process got from its parent."""


def _inherit(*inherited: Any) -> None:
    global _inherited
    _inherited = inherited


def _write_object(name: str) -> str:
    kernels, target, folder = _inherited
    path = str(folder / f"{name}.o")
    _compile(name, kernels[name], target).write_to_file(path)
    return path
