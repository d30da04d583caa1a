"""Compiles any bundle to a module folder, one of a graph as well: a main function calls the graph's kernels in turn.

Maps lie in one block of memory, where the plan has placed them (:mod:`~fastdepth_ros.lowering.storage`). Each call of
the main function takes the block from a pool that keeps it.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from tvm import relax

from fastdepth_ros.compiler import ir
from fastdepth_ros.compiler.anchors import anchor_kernels
from fastdepth_ros.compiler.build import Program
from fastdepth_ros.compiler.codegen import Progress
from fastdepth_ros.compiler.export import compile_bundle, silent
from fastdepth_ros.compiler.filters import filter_kernels
from fastdepth_ros.compiler.pointwise import FLOAT16, FLOAT32, Precision
from fastdepth_ros.compiler.targets import Target
from fastdepth_ros.errors import SettingError
from fastdepth_ros.lowering.drafts import ANSWER, PICTURE, Plan, Slice
from fastdepth_ros.lowering.plan import plan
from fastdepth_ros.network import INPUT_CHANNELS
from fastdepth_ros.network.graph import Graph
from fastdepth_ros.network.halved import halved
from fastdepth_ros.runtime.bundle import Bundle
from fastdepth_ros.runtime.precision import INT8

__all__ = ["compile_model"]


def compile_model(
    bundle: Bundle,
    target: str,
    out: Path,
    *,
    precision: str = FLOAT32.name,
    progress: Progress = silent,
    anchors: bool = True,
) -> Path:
    """Write a module's two files to the folder ``out``, as :func:`~fastdepth_ros.compiler.export.compile_bundle` does.

    Args:
        bundle: of FastDepth's table or of a graph.
        target, out, precision, progress, anchors: as there.

    Raises:
        NetworkError: the graph has a layer without a kernel, or no answer of a bundle's size.
        SettingError: a graph is asked for in float16 or for a GPU; else as there.
        WeightsError, ModuleError, StorageError: as there.
    """
    graph = bundle.manifest.network
    if not isinstance(graph, Graph):
        return compile_bundle(bundle, target, out, precision=precision, progress=progress, anchors=anchors)
    if precision == FLOAT16.name:
        raise SettingError("graphs have no kernels in float16", "Use float32 or int8.")
    height, width = bundle.manifest.input_height, bundle.manifest.input_width

    def program(goal: Target, chosen: Precision) -> Program:
        made = plan(halved(graph), height, width, goal, chosen.name == INT8)
        shape, weights = (height // 2, width // 2), bundle.weights()
        arrays = [[np.ascontiguousarray(each).ravel() for each in stage.arrays(weights)] for stage in made.stages]
        kernels = {CALLS: _calls(made, arrays, shape)}
        kernels |= {stage.name: stage.kernel.make(stage.name) for stage in made.stages}
        beside = anchor_kernels(shape, goal.lanes) if anchors else {}
        return Program(
            partial(_main, made, arrays, shape), kernels | beside | filter_kernels(height, width, goal.lanes)
        )

    return compile_bundle(bundle, target, out, precision=precision, progress=progress, program=program)


CALLS = "call_kernels"
"""Name of the function that calls a graph's kernels. No kernel's name is like it."""


def _calls(made: Plan, arrays: list[list[Any]], shape: tuple[int, int]) -> Any:
    """The function of (picture, arrays of all stages, memory of the maps, depth) that calls the kernels in turn.

    To the kernels every map begins where its array does: TVM's own views of a block keep the distance in a field that
    kernels, whose arguments are not checked, never look at.
    """
    rows, columns = shape
    given = [each for stage in arrays for each in stage]
    arguments: list[ir.Argument] = [
        ("picture", (2 * rows, 2 * columns * INPUT_CHANNELS), "uint8"),
        *((f"array{number}", each.shape, str(each.dtype)) for number, each in enumerate(given)),
        ("maps", (made.numbers,), "float32"),
        ("depth", shape, "float32"),
    ]

    def body(picture: ir.Buffer, *others: ir.Buffer) -> None:
        *packed, maps, depth = others
        ends = {PICTURE: picture, ANSWER: depth}
        packed.reverse()

        def place(part: Slice | str) -> ir.Expr:
            if isinstance(part, str):
                return ends[part]
            return ir.part(maps, part.start, part.size, "int32" if part.words else "float32")

        for stage, own in zip(made.stages, arrays, strict=True):
            weights = [packed.pop() for _ in own]
            reads, added = [place(each) for each in stage.reads], [place(each) for each in stage.added]
            ir.call(stage.name, *reads, *weights, *added, place(stage.writes))

    return ir.kernel(CALLS, arguments, body)


def _main(made: Plan, arrays: list[list[Any]], shape: tuple[int, int]) -> Any:
    """The Relax module ``main(picture (height, width * 3) uint8) -> depth (height / 2, width / 2) float32``."""
    rows, columns = shape
    builder = relax.BlockBuilder()
    picture = relax.Var(PICTURE, relax.TensorType((2 * rows, 2 * columns * INPUT_CHANNELS), "uint8"))
    with builder.function("main", [picture], pure=False):
        maps = builder.emit(relax.op.builtin.alloc_tensor(relax.ShapeExpr([made.numbers]), "float32", 0))
        depth = builder.emit(relax.op.builtin.alloc_tensor(relax.ShapeExpr([rows, columns]), "float32", 0))
        given = [relax.const(each) for stage in arrays for each in stage]
        builder.emit(relax.Call(relax.ExternFunc(CALLS), [picture, *given, maps, depth]))
        builder.emit_func_output(depth)
    return builder.get()
