"""Compiles a bundle to a module folder."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from fastdepth_ros.compiler import tiling
from fastdepth_ros.compiler.build import build
from fastdepth_ros.compiler.codegen import Progress, compile_library
from fastdepth_ros.compiler.plan import Planner
from fastdepth_ros.compiler.targets import find_target, toolchain
from fastdepth_ros.compiler.tile import Tiling
from fastdepth_ros.runtime.bundle import Bundle, sha256
from fastdepth_ros.runtime.cache import kernels_version
from fastdepth_ros.runtime.module import LIBRARY, Description, Size, tvm_version


def silent(_step: str) -> None:
    """Show no progress."""


def compile_bundle(
    bundle: Bundle,
    target: str,
    out: Path,
    *,
    table: Mapping[str, Tiling] | None = None,
    progress: Progress = silent,
) -> Path:
    """Write ``module.so`` and ``module.json`` to the folder ``out``, all at once; what was there is replaced.

    Args:
        bundle: network, weights and input size.
        target: a name for ``find_target``.
        out: the module's folder.
        table: tile choices by stage; None takes those of the target's family.
        progress: see ``codegen.Progress``.

    Raises:
        SettingError: no such target.
        WeightsError: the weights do not fit the network.
    """
    goal, manifest = find_target(target), bundle.manifest
    choices = tiling.measured(goal) if table is None else table
    progress("Writing the kernels")
    height, width = manifest.input_height, manifest.input_width
    stages = Planner(manifest.network, bundle.weights(), goal.lanes).plan(height, width)
    program = build(stages, tiling.choose(stages, goal, choices), height, width)
    out.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        compile_library(program, goal, unfinished / LIBRARY, progress)
        Description(
            target=target,
            triple=goal.triple,
            cpu=goal.cpu,
            needs=tuple(sorted(goal.needs)),
            vector_width=goal.lanes,
            precision="float32",
            network=manifest.network.to_json(),
            weights_sha256=bundle.weights_sha256,
            input=Size(width, height),
            output=Size(width // 2, height // 2),
            tvm=tvm_version(),
            kernels=kernels_version(),
            toolchain=toolchain(),
            library_sha256=sha256(unfinished / LIBRARY),
        ).write(unfinished)
        if out.exists():
            shutil.rmtree(out)
        os.rename(unfinished, out)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return out
