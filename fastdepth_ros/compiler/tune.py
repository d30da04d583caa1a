"""Finds the fastest tile choices of every stage by measuring them on this machine.

First the tile of the matrix product, with the rule's other choices; then strips and rows, with the best tile. Never
trusts one sample: the candidates of a stage take turns, for several rounds, and the median of a candidate's rounds
counts, each the fastest of a few runs in a row. Arguments are read from several copies in turn, because between two
pictures the rest of the network pushes them out of the near caches.
"""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from fastdepth_ros.arguments import allocate
from fastdepth_ros.compiler import ir, tiling
from fastdepth_ros.compiler.codegen import compiling
from fastdepth_ros.compiler.export import compile_bundle
from fastdepth_ros.compiler.layout import Map
from fastdepth_ros.compiler.linker.library import link
from fastdepth_ros.compiler.plan import PICTURE, Stage
from fastdepth_ros.compiler.pointwise import FLOAT32, Precision
from fastdepth_ros.compiler.separable import divisor
from fastdepth_ros.compiler.targets import Target
from fastdepth_ros.compiler.tile import Tiling
from fastdepth_ros.files.scratch import scratch
from fastdepth_ros.network import INPUT_CHANNELS
from fastdepth_ros.runtime.bundle import Bundle
from fastdepth_ros.runtime.engine import configure_pool, tvm_ffi
from fastdepth_ros.runtime.engines import open_engine
from fastdepth_ros.runtime.module import CompiledModule

ROUNDS = 7
BURST_S = 0.002
"""Length of a candidate's turn, at least three runs."""

NEAR_CACHE_BYTES = 4 * 2**20
"""Bytes of all copies of a stage's arguments, so that each is out of the near caches when its turn comes."""

REGISTERS = {"avx512": 32, "avx2": 16, "neon": 32}

CLEARLY = 0.985
"""A candidate has to take less than this part of an earlier one's time to be preferred: less is noise."""

WHOLE_ROUNDS, WHOLE_BURST = 25, 10
"""Turns of a table when whole networks are compared, and pictures in a turn."""

Progress = Callable[[str, int, int], None]
"""Told (what is being done, how much of it is done, how much there is)."""


def tune(
    stages: Sequence[Stage], target: Target, progress: Progress, precision: Precision = FLOAT32
) -> dict[str, Tiling]:
    """The fastest choices for each stage, found in two passes; ``precision`` is that of the stages."""
    table = {stage.name: tiling.rule(stage, target, precision) for stage in stages}
    passes = (("tiles", partial(tiles, precision=precision)), ("strips and rows", strips))
    for title, candidates in passes:
        choices = {stage.name: candidates(stage, target, table[stage.name]) for stage in stages}
        table |= fastest(stages, target, choices, title, progress)
    return table


def whole(
    bundle: Bundle, target: str, tables: Mapping[str, Mapping[str, Tiling]], precision: str = FLOAT32.name
) -> dict[str, float]:
    """Times of the whole network with each of some tables [s]: on one thread, in turns, medians of the rounds."""
    with scratch(tempfile.gettempdir()) as folder:
        modules = {
            name: CompiledModule.open(compile_bundle(bundle, target, folder / name, precision=precision, table=table))
            for name, table in tables.items()
        }
        engines = {name: open_engine(module, 1) for name, module in modules.items()}
        rounds: dict[str, list[float]] = {name: [] for name in engines}
        for _ in range(WHOLE_ROUNDS):
            for name, engine in engines.items():
                burst = []
                for _ in range(WHOLE_BURST):
                    start = time.perf_counter()
                    engine.run()
                    burst.append(time.perf_counter() - start)
                rounds[name].append(min(burst))
    return {name: float(np.median(found)) for name, found in rounds.items()}


def tiles(stage: Stage, target: Target, start: Tiling, precision: Precision = FLOAT32) -> list[Tiling]:
    """Tiles of the matrix product that fit the registers."""
    _, columns = stage.rows_and_columns
    outputs = stage.answer.vectors if isinstance(stage.answer, Map) else 1
    found = {start: None}
    for panel in range(1, min(outputs, 4) + 1):
        # Registers for the weights of each vector, others for the input that is being multiplied.
        most = (REGISTERS[target.family] - precision.operands) // panel - precision.weights
        if most < 1:
            break
        pixels = {ir.even_step(columns, most), divisor(columns, most)}
        if precision is not FLOAT32:  # LLVM keeps more in registers than it has to; smaller tiles fit all the same.
            pixels |= {ir.even_step(columns, each) for each in (2, 4, most - 1) if 0 < each < most}
        for p, unroll in itertools.product(sorted(pixels), (1, 4) if precision is FLOAT32 else (start.unroll,)):
            if p * panel >= precision.fewest_sums:
                found[replace(start, panel=panel, pixels=p, unroll=unroll)] = None
    return list(found)


def strips(stage: Stage, _target: Target, start: Tiling) -> list[Tiling]:
    """Strips of the depthwise convolution; rows that make an even number of tasks, many before few."""
    if not stage.by_rows or stage.reads == (PICTURE,):
        return [start]
    height, columns = stage.rows_and_columns
    widths = sorted({ir.even_step(columns, s) for s in (6, 8, 10, 14)})
    rows = [r for r in (1, 2, 4, 5, 7, 8, 14) if height % (2 * r) == 0]
    return [replace(start, strip=s, rows=r) for r, s in itertools.product(rows or [start.rows], widths)]


def fastest(
    stages: Sequence[Stage],
    target: Target,
    choices: Mapping[str, Sequence[Tiling]],
    title: str,
    progress: Progress,
) -> dict[str, Tiling]:
    """The fastest of the choices of each stage that has any; ``stages`` are those of the whole network."""
    shapes = {stage.name: (stage.shape, stage.dtype) for stage in stages}
    stages = [stage for stage in stages if stage.name in choices]
    table = {}
    with scratch(tempfile.gettempdir()) as folder:
        kernels = {
            f"{stage.name}-{i}": stage.kernel(choice)
            for stage in stages
            for i, choice in enumerate(choices[stage.name])
        }
        with compiling(kernels, target, folder) as objects:
            for count, _ in enumerate(objects, start=1):
                progress(f"Compiling {title}", count, len(kernels))
        configure_pool(1)
        for count, stage in enumerate(stages, start=1):
            functions = [load(folder / f"{stage.name}-{i}.o", stage.name) for i in range(len(choices[stage.name]))]
            arguments = [copies(stage, choice, shapes) for choice in choices[stage.name]]
            seconds = measure(functions, arguments)
            best = 0
            for i, duration in enumerate(seconds):
                if duration < seconds[best] * CLEARLY:
                    best = i
            table[stage.name] = choices[stage.name][best]
            progress(f"Measuring {title}", count, len(stages))
    return table


def load(path: Path, name: str) -> Any:
    """A kernel's function from its object file."""
    library = path.with_suffix(".so")
    library.write_bytes(link([path.read_bytes()]))
    return tvm_ffi().load_module(str(library))[name]


def copies(stage: Stage, choice: Tiling, shapes: Mapping[str, tuple[tuple[int, ...], str]]) -> list[list[Any]]:
    """Several sets of a stage's arguments; ``shapes`` are shape and type of each stage's answer."""
    rng = np.random.default_rng(0)
    height, width = stage.rows_and_columns
    picture = (2 * height, 2 * width * INPUT_CHANNELS)
    kinds = [(picture, "uint8") if name == PICTURE else shapes[name] for name in stage.reads]
    inputs = [(shape, np.dtype(kind).type) for shape, kind in kinds]
    weights = stage.arrays(choice)
    size = sum(int(np.prod(shape)) * np.dtype(dtype).itemsize for shape, dtype in inputs)
    size += sum(array.nbytes for array in weights) + 4 * int(np.prod(stage.shape))

    def one() -> list[Any]:
        arrays = [allocate(shape, dtype) for shape, dtype in inputs]
        for array in arrays:
            array[:] = rng.integers(0, 2, array.shape)
        for weight in weights:
            arrays.append(allocate(weight.shape, weight.dtype.type))
            arrays[-1][:] = weight
        arrays.append(allocate(stage.shape, np.dtype(stage.dtype).type))
        return [tvm_ffi().from_dlpack(array) for array in arrays]

    return [one() for _ in range(min(16, 1 + NEAR_CACHE_BYTES // size))]


def measure(functions: Sequence[Any], arguments: Sequence[list[list[Any]]]) -> list[float]:
    """The duration of each function [s]: the median of its rounds' fastest runs."""
    rounds: list[list[float]] = [[] for _ in functions]
    for _ in range(ROUNDS):
        for function, sets, found in zip(functions, arguments, rounds, strict=True):
            turn = itertools.cycle(sets)
            burst: list[float] = []
            end = time.perf_counter() + BURST_S
            while len(burst) < 3 or time.perf_counter() < end:
                chosen = next(turn)
                start = time.perf_counter()
                function(*chosen)
                burst.append(time.perf_counter() - start)
            found.append(min(burst))
    return [float(np.median(found)) for found in rounds]
