"""Compiles a bundle to a module folder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from fastdepth_ros.compiler import tiling
from fastdepth_ros.compiler.anchors import anchor_kernels
from fastdepth_ros.compiler.build import Program, build
from fastdepth_ros.compiler.codegen import Progress, compile_functions, compile_library
from fastdepth_ros.compiler.cuda.export import compile_program
from fastdepth_ros.compiler.cuda.export import toolchain as gpu_toolchain
from fastdepth_ros.compiler.cuda.gpus import GPUS, Gpu
from fastdepth_ros.compiler.cuda.grid import VECTOR
from fastdepth_ros.compiler.plan import Planner
from fastdepth_ros.compiler.pointwise import FLOAT32, Precision, find_precision
from fastdepth_ros.compiler.targets import Target, find_target, toolchain
from fastdepth_ros.compiler.tile import Tiling
from fastdepth_ros.errors import SettingError
from fastdepth_ros.files.writing import new_folder
from fastdepth_ros.runtime.bundle import Bundle, sha256
from fastdepth_ros.runtime.cache import kernels_version
from fastdepth_ros.runtime.module import DESCRIPTION, GPU_PROGRAM, GPU_TRIPLE, LIBRARY, Description, Size, tvm_version

NO_WEIGHTS = hashlib.sha256().hexdigest()
"""Digest of the weights of a module without a network."""


Programmer = Callable[[Target, Precision], Program]
"""(Target, precision) -> the program of a module."""


def silent(_step: str) -> None:
    """Show no progress."""


def compile_bundle(
    bundle: Bundle,
    target: str,
    out: Path,
    *,
    precision: str = FLOAT32.name,
    table: Mapping[str, Tiling] | None = None,
    progress: Progress = silent,
    anchors: bool = True,
    program: Programmer | None = None,
) -> Path:
    """Write a module's two files to the folder ``out``, all at once; a module that was there is replaced.

    Args:
        bundle: network, weights and input size.
        target: a name for ``find_target``, or a GPU of ``cuda.gpus``.
        out: the module's folder.
        precision: a name in ``pointwise.PRECISIONS``.
        table: tile choices by stage; None takes those of the target's family for the bundle's size.
        progress: see ``codegen.Progress``.
        anchors: whether a processor's module has the functions that anchors need, which take a third of the time.
        program: makes it of another network than FastDepth's (:mod:`fastdepth_ros.lowering.bundles`), with whatever
            functions it is to have beside.

    Raises:
        SettingError: no such target, it cannot compute in that precision, or ``out`` holds something else.
        WeightsError: the weights do not fit the network.
        ModuleError: NVIDIA's compiler, which a GPU's module needs, is not installed.
        StorageError: ``out`` cannot be written.
    """
    if target in GPUS and precision != FLOAT32.name:
        raise SettingError(f"{target} computes in float32 only", "Leave the precision out.")
    goal = GPUS[target] if target in GPUS else find_target(target, precision)
    with new_folder(out, is_module) as draft:
        made = _make(bundle, goal, precision, draft, table, progress, anchors, program)
        made.library.chmod(0o644)
        _description(bundle, target, precision, made).write(draft)
    return out


def compile_anchors(bundle: Bundle, target: str, out: Path, *, progress: Progress = silent) -> Path:
    """Write a module of the functions that anchors need, for pictures of the bundle's size, and of nothing else.

    Args:
        bundle: says the size.
        target: a name for ``find_target``.
        out: the module's folder.
        progress: see ``codegen.Progress``.

    Raises:
        SettingError: no such target, or ``out`` holds something else.
        StorageError: ``out`` cannot be written.
    """
    goal, manifest = find_target(target), bundle.manifest
    rows, columns = manifest.input_height // 2, manifest.input_width // 2
    with new_folder(out, is_module) as draft:
        progress("Writing the kernels")
        library = draft / LIBRARY
        compile_functions(anchor_kernels((rows, columns), goal.lanes), goal, library, progress)
        library.chmod(0o644)
        needs = tuple(sorted(goal.needs))
        made = _Made(library, goal.triple, goal.cpu, needs, goal.lanes, toolchain())
        about = _description(bundle, target, FLOAT32.name, made)
        replace(about, network={}, weights_sha256=NO_WEIGHTS).write(draft)
    return out


def is_module(folder: Path) -> bool:
    """Whether a folder holds a module's files and nothing else, so that a new one may take its place."""
    return {path.name for path in folder.iterdir()} <= {LIBRARY, GPU_PROGRAM, DESCRIPTION}


class _Made(NamedTuple):
    """A library, and what its description says of it (see ``Description``)."""

    library: Path
    triple: str
    cpu: str
    needs: tuple[str, ...]
    vector_width: int
    toolchain: str


def _make(
    bundle: Bundle,
    goal: Target | Gpu,
    precision: str,
    folder: Path,
    table: Mapping[str, Tiling] | None,
    progress: Progress,
    anchors: bool,
    program: Programmer | None,
) -> _Made:
    if isinstance(goal, Gpu):
        return _for_gpu(bundle, goal, folder, progress)
    if program is not None:
        progress("Writing the kernels")
        chosen = find_precision(precision, goal)
        return _compiled(program(goal, chosen), goal, chosen, folder, progress)
    if table is None:
        table = tiling.measured(goal, precision, Size(bundle.manifest.input_width, bundle.manifest.input_height))
    return _for_processor(bundle, goal, find_precision(precision, goal), folder, table, progress, anchors)


def _description(bundle: Bundle, target: str, precision: str, made: _Made) -> Description:
    manifest = bundle.manifest
    return Description(
        target=target,
        triple=made.triple,
        cpu=made.cpu,
        needs=made.needs,
        vector_width=made.vector_width,
        precision=precision,
        network=manifest.to_json()["network"],
        weights_sha256=bundle.weights_sha256,
        input=Size(manifest.input_width, manifest.input_height),
        output=Size(manifest.input_width // 2, manifest.input_height // 2),
        tvm=tvm_version(),
        kernels=kernels_version(manifest.is_graph),
        toolchain=made.toolchain,
        library_sha256=sha256(made.library),
    )


def _for_processor(
    bundle: Bundle,
    goal: Target,
    precision: Precision,
    folder: Path,
    choices: Mapping[str, Tiling],
    progress: Progress,
    anchors: bool,
) -> _Made:
    manifest = bundle.manifest
    progress("Writing the kernels")
    height, width = manifest.input_height, manifest.input_width
    stages = Planner(manifest.table, bundle.weights(), goal.lanes, precision).plan(height, width)
    tilings = tiling.choose(stages, goal, choices, precision)
    program = build(stages, tilings, height, width, goal.lanes, anchors=anchors)
    return _compiled(program, goal, precision, folder, progress)


def _compiled(program: Program, goal: Target, precision: Precision, folder: Path, progress: Progress) -> _Made:
    compile_library(program, goal, folder / LIBRARY, progress)
    return _Made(
        folder / LIBRARY, goal.triple, goal.cpu, tuple(sorted(goal.needs | precision.needs)), goal.lanes, toolchain()
    )


def _for_gpu(bundle: Bundle, gpu: Gpu, folder: Path, progress: Progress) -> _Made:
    progress("Writing the kernels")
    compile_program(bundle, gpu, folder / GPU_PROGRAM, progress)
    return _Made(folder / GPU_PROGRAM, GPU_TRIPLE, gpu.arch, (), VECTOR, gpu_toolchain(gpu))
