"""Compiles a bundle to the program of a GPU."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from fastdepth_ros.compiler.cuda.gpus import Gpu
from fastdepth_ros.compiler.cuda.nvrtc import Compiled, nvrtc
from fastdepth_ros.compiler.cuda.plan import CudaPlanner, Launch
from fastdepth_ros.compiler.cuda.ptx import for_drivers_since
from fastdepth_ros.compiler.cuda.source import cuda_source, parameters
from fastdepth_ros.runtime.bundle import Bundle
from fastdepth_ros.runtime.gpu import program
from fastdepth_ros.runtime.gpu.program import DEPTH, Program


def toolchain(gpu: Gpu) -> str:
    """Tools that make the machine code, in words.

    Raises:
        ModuleError: NVIDIA's compiler is not installed.
    """
    return f"NVRTC {nvrtc().version}, PTX {gpu.ptx}"


def compile_program(bundle: Bundle, gpu: Gpu, file: Path, progress: Callable[[str], None]) -> None:
    """Write a bundle's program for a GPU.

    Raises:
        ModuleError: NVIDIA's compiler is not installed, or does not know the GPU.
        WeightsError: the weights do not fit the network.
    """
    compiler, manifest = nvrtc(), bundle.manifest
    launches = CudaPlanner(manifest.table, bundle.weights(), gpu).plan(manifest.input_height, manifest.input_width)
    source = cuda_source({launch.name: launch.kernel for launch in launches}, gpu.arch)
    progress(f"Compiling for {gpu.arch}: {len(launches)} kernels")
    cubin, ptx = _settled(lambda: compiler.compile(source, gpu.arch))
    _program(launches, source, cubin, for_drivers_since(gpu.ptx, ptx)).write(file)


def _settled(compile_once: Callable[[], Compiled]) -> Compiled:
    """Result on which two compilations agree.

    NVRTC was seen to cut the same loads into other vectors once in dozens of times (see ``grid.fetch``). The code was
    right each time, but a module of the same bundle is to be the same, byte by byte.
    """
    seen = [compile_once()]
    while (again := compile_once()) not in seen:
        seen.append(again)
    return again


def _program(launches: Sequence[Launch], source: str, cubin: bytes, ptx: str) -> Program:
    order, last = parameters(source), launches[-1]
    turns, weights = [], {}
    for launch in launches:
        arrays = {f"{launch.name}.{number}": array for number, array in enumerate(launch.arrays)}
        weights.update(arrays)
        values = [*launch.reads, *arrays, DEPTH if launch is last else launch.name]
        # TVM orders a CUDA function's arguments anew.
        named = dict(zip((argument[0] for argument in launch.kernel.arguments), values, strict=True))
        arguments = tuple(named[argument] for argument in order[launch.name])
        turns.append(program.Launch(f"{launch.name}_kernel", launch.kernel.grid, launch.kernel.threads, arguments))
    maps = {launch.name: launch.size for launch in launches if launch is not last}
    return Program(cubin, ptx, tuple(turns), maps, weights)
