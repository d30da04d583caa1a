"""From TensorIR to a shared library, with every core at work: a kernel is an object file of its own."""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tvm
from tvm import relax

from fastdepth_ros.children import end_with
from fastdepth_ros.compiler.build import Program
from fastdepth_ros.compiler.linker.library import link
from fastdepth_ros.compiler.targets import Target
from fastdepth_ros.compiler.together import write_together
from fastdepth_ros.errors import ModuleError
from fastdepth_ros.runtime import processor
from fastdepth_ros.runtime.engine import TOGETHER

Progress = Callable[[str], None]
"""Told what is being done, again and again."""

SETTINGS = {"tirx.disable_cse_tir": True, "tirx.disable_assert": True}
"""Settings of TVM's passes: LLVM finds common subexpressions itself, and faster; and no kernel checks the shapes of its
arguments, which its only caller, the main function of its module, fixed when both were compiled. The checks were three
fifths of a small kernel's code, and a third of the time that it takes to compile it."""


def compile_library(program: Program, target: Target, library: Path, progress: Progress) -> None:
    """Compile a program's kernels and its main function, and link them to the shared library ``library``."""
    # TVM's loader wants the main function's instructions beside some code: the first kernel, compiled in this process.
    root, *others = program.kernels
    # Those behind the network's take longest: begun last, they would be what everybody waits for.
    kernels = {name: program.kernels[name] for name in reversed(others)}
    with tempfile.TemporaryDirectory(dir=library.parent) as scratch:
        with compiling(kernels, target, Path(scratch)) as objects:
            executable = relax.build(program.main(), target.llvm())
            executable.mod.clear_imports()  # An empty C file, where Relax finds no kernels of its own.
            executable.mod.import_module(compile_kernel(program.kernels[root], target))
            for count, _ in enumerate(objects, start=2):
                progress(f"Compiling for {target.cpu}: {count} of {len(program.kernels)} kernels")
        progress("Linking")
        write_together(target, Path(scratch, f"{TOGETHER}.o"))
        paths = [str(Path(scratch, f"{name}.o")) for name in (*others, TOGETHER)]
        executable.export_library(str(library), fcompile=_Linker(target), addons=paths, workspace_dir=scratch)


def compile_functions(kernels: Mapping[str, Any], target: Target, library: Path, progress: Progress) -> None:
    """Compile kernels that Python calls, and link them to the shared library ``library``, without a network."""
    with tempfile.TemporaryDirectory(dir=library.parent) as scratch:
        with compiling(kernels, target, Path(scratch)) as objects:
            for count, _ in enumerate(objects, start=1):
                progress(f"Compiling for {target.cpu}: {count} of {len(kernels)} kernels")
        library.write_bytes(link([Path(scratch, f"{name}.o").read_bytes() for name in kernels]))


@contextmanager
def compiling(kernels: Mapping[str, Any], target: Target, folder: Path) -> Iterator[Iterator[str]]:
    """Compile kernels to ``folder/<key>.o`` in other processes; gives the keys, each as it is done."""
    # Forked, so that the processes have TVM and the kernels without loading or sending them.
    context = multiprocessing.get_context("fork")
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(processor.cores(), context, _inherit, (os.getpid(), kernels, target, folder))
    try:
        work = [pool.submit(_write_object, key) for key in kernels]
        yield (done.result() for done in as_completed(work))
        pool.shutdown()
    except BrokenProcessPool as error:
        cause = "a process that compiles kernels was ended from outside"
        raise ModuleError(cause, "Free some memory, see `dmesg`, and try again.") from error
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        # Where something went wrong, or a signal came, nobody waits for kernels that nobody wants any more.
        for process in set(multiprocessing.active_children()) - others:
            process.kill()


def compile_kernel(kernel: Any, target: Target) -> Any:
    """The TVM module of one kernel."""
    name = str(kernel.attrs["global_symbol"])
    with tvm.transform.PassContext(config=SETTINGS):
        return tvm.tirx.build(tvm.IRModule({name: kernel}), target.llvm())


def write_object(kernel: Any, target: Target, file: Path) -> None:
    """Compile one kernel to an object file."""
    compile_kernel(kernel, target).write_to_file(str(file))


_inherited: tuple[Mapping[str, Any], Target, Path]
"""State that a forked process got from its parent."""


def _inherit(parent: int, *inherited: Any) -> None:
    """Runs first in a process that was forked: it ends with its parent, whatever ends that."""
    global _inherited
    end_with(parent)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _inherited = inherited


def _write_object(key: str) -> str:
    kernels, target, folder = _inherited
    write_object(kernels[key], target, folder / f"{key}.o")
    return key


class _Linker:
    """The linker of this package as ``export_library`` calls it."""

    object_format = "o"

    def __init__(self, target: Target) -> None:
        self.target = target

    def get_target_triple(self) -> str:
        return self.target.triple

    def __call__(self, library: str, objects: list[str], **_options: Any) -> None:
        Path(library).write_bytes(link([Path(path).read_bytes() for path in objects]))
