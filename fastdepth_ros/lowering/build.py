"""From a graph and its weights to the folder of a module: kernels compiled, linked, and called in turn."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from fastdepth_ros.compiler.codegen import compiling
from fastdepth_ros.compiler.linker.library import link
from fastdepth_ros.compiler.pointwise import FLOAT16, FLOAT32, find_precision
from fastdepth_ros.compiler.targets import Target, find_target
from fastdepth_ros.errors import SettingError
from fastdepth_ros.files.reading import sha256
from fastdepth_ros.files.scratch import scratch
from fastdepth_ros.files.writing import make_parents, new_folder, storing, write_file
from fastdepth_ros.lowering.arrays import Weights
from fastdepth_ros.lowering.drafts import ANSWER, PICTURE, Plan, Slice
from fastdepth_ros.lowering.kernels.base import Kernel
from fastdepth_ros.lowering.plan import plan
from fastdepth_ros.lowering.storage import ALIGNMENT
from fastdepth_ros.network.count import count
from fastdepth_ros.network.graph import Graph
from fastdepth_ros.network.stored import to_json
from fastdepth_ros.runtime import graph_module
from fastdepth_ros.runtime.cache import kernels_version
from fastdepth_ros.runtime.graph_module import ARENA, ARRAY, KERNELS, PROGRAM, WEIGHTS, WHOLE, WORDS, Call, Program
from fastdepth_ros.runtime.module import tvm_version
from fastdepth_ros.runtime.precision import INT8

__all__ = ["compile_graph"]

Progress = Callable[[str], object]


def compile_graph(
    graph: Graph,
    weights: Weights,
    target: str | Target,
    out: Path,
    height: int,
    width: int,
    *,
    precision: str = FLOAT32.name,
    objects: Path | None = None,
    progress: Progress = lambda _: None,
) -> Path:
    """Write a module's three files to the folder ``out``, all at once; a module that was there is replaced.

    Args:
        graph: the network.
        weights: its arrays (``Graph.weight_shapes``).
        target: the processor, or a name for ``find_target``.
        out: the module's folder.
        height, width: of the picture [px].
        precision: ``float32``, or ``int8`` for products of bytes where they are worth it.
        objects: a folder where compiled kernels are kept, and taken from by the next network that has the same; None
            keeps none.
        progress: told what is being done.

    Raises:
        NetworkError: the network cannot take a picture of that size, or has a layer without a kernel.
        SettingError: no such target or precision, the target has no instructions for it, or ``out`` holds something
            else.
        WeightsError: the weights do not fit the network.
        StorageError: ``out`` cannot be written.
    """
    goal = find_target(target) if isinstance(target, str) else target
    graph.check_weights(weights)
    if precision == FLOAT16.name:
        raise SettingError("graphs have no kernels in float16", "Use float32 or int8.")
    find_precision(precision, goal)
    made = plan(graph, height, width, goal, precision == INT8)
    with new_folder(out, is_graph_module) as draft:
        kept = objects / f"{goal.name}-{sources_version()}" if objects else None
        library = link(_compiled(made, goal, draft, kept, progress))
        (draft / KERNELS).write_bytes(library)
        (draft / KERNELS).chmod(0o644)
        calls = _write_weights(made, weights, draft / WEIGHTS)
        last = count(graph, height, width)[-1]
        Program(
            target=goal.name,
            triple=goal.triple,
            cpu=goal.cpu,
            needs=tuple(sorted(goal.needs)),
            graph=to_json(graph),
            height=height,
            width=width,
            answer=(last.channels, last.height, last.width),
            numbers=made.numbers,
            precision=precision,
            tvm=tvm_version(),
            sha256={name: sha256(draft / name) for name in (KERNELS, WEIGHTS)},
            calls=calls,
        ).write(draft)
    return out


def is_graph_module(folder: Path) -> bool:
    """Whether a folder holds such a module's files and nothing else, so that a new one may take its place."""
    return {path.name for path in folder.iterdir()} <= {PROGRAM, KERNELS, WEIGHTS}


class _Making(Mapping[str, Any]):
    """Kernels that are made when somebody asks: in the process that compiles them."""

    def __init__(self, records: Mapping[str, Kernel]) -> None:
        self.records = records

    def __getitem__(self, name: str) -> Any:
        return self.records[name].make(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.records)

    def __len__(self) -> int:
        return len(self.records)


def _compiled(made: Plan, goal: Target, draft: Path, kept: Path | None, progress: Progress) -> list[bytes]:
    """Object files of all kernels, each compiled once; those that were kept are not compiled again."""
    records = {stage.name: stage.kernel for stage in made.stages}
    found = {name: (kept / f"{name}.o").read_bytes() for name in records if kept and (kept / f"{name}.o").exists()}
    missing = {name: record for name, record in records.items() if name not in found}
    if not missing:
        return list(found.values())
    with scratch(draft) as folder, compiling(_Making(missing), goal, folder) as objects:
        for done, name in enumerate(objects, start=1):
            progress(f"Compiling for {goal.cpu}: {done} of {len(missing)} kernels")
            found[name] = (folder / f"{name}.o").read_bytes()
            if kept:
                make_parents(kept)
                write_file(kept / f"{name}.o", found[name])
    return [found[name] for name in records]


@cache
def sources_version() -> str:
    """A digest of what makes kernels: sources of this room and of the compiler's, and TVM's version."""
    digest = hashlib.sha256(f"{kernels_version()} {tvm_version()}".encode())
    for file in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()[:12]


def _write_weights(made: Plan, weights: Weights, file: Path) -> tuple[Call, ...]:
    """Write all arrays one after the other, and give the calls that read them."""
    calls, start = [], 0
    with storing(file), file.open("wb") as out:
        for stage in made.stages:
            arguments = [_slice(read) for read in stage.reads]
            for array in stage.arrays(weights):
                kind = {"f": ARRAY, "i": WHOLE}[array.dtype.kind]
                arguments.append((kind, start, array.size))
                filled = -(-array.size // ALIGNMENT) * ALIGNMENT
                out.write(np.pad(array.ravel(), (0, filled - array.size)).astype(array.dtype.newbyteorder("<")).data)
                start += filled
            arguments += [_slice(read) for read in (*stage.added, stage.writes)]
            calls.append(Call(stage.name, stage.layers, tuple(arguments)))
    file.chmod(0o644)
    return tuple(calls)


def _slice(place: Slice | str) -> tuple[str, int, int]:
    if isinstance(place, str):
        return ({PICTURE: graph_module.PICTURE, ANSWER: graph_module.ANSWER}[place], 0, 0)
    return (WORDS if place.words else ARENA, place.start, place.size)
