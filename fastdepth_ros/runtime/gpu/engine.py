"""Runs a GPU's module through NVIDIA's driver, without TVM: one stream, pinned memory, one wait at the end.

If the driver has CUDA graphs, both copies and all kernels are one launch.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Sequence
from ctypes import byref, c_char_p, c_int, c_size_t, c_uint, c_void_p
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastdepth_ros.errors import ModuleError, quoted
from fastdepth_ros.runtime.engine import Engine
from fastdepth_ros.runtime.gpu import driver as driver_room
from fastdepth_ros.runtime.gpu.driver import HERE, NON_BLOCKING, RELAXED, Driver, RefusedError
from fastdepth_ros.runtime.gpu.program import DEPTH, PICTURE, Launch, Program
from fastdepth_ros.runtime.module import CompiledModule

GRAPH_FUNCTIONS = ("cuStreamBeginCapture_v2", "cuStreamEndCapture", "cuGraphInstantiate", "cuGraphLaunch")


class GpuEngine(Engine):
    """An engine whose module is for a GPU.

    Args:
        module: what to run.
        threads: of the processor; of no use here.

    Raises:
        ModuleError: there is no driver or no GPU, the GPU is another than the module is for, or it refuses the module.
    """

    def __init__(self, module: CompiledModule, threads: int = 0) -> None:
        self.module = module
        self.threads = threads
        self._driver = driver = driver_room.driver(driver_room.LIBRARY)
        with module.held() as library:
            program = Program.read(Path(library), module.library)
        about = module.description
        try:
            driver.enter()
            code = load(driver, program, about.cpu)
            driver.later(self, "cuModuleUnload", code)
            self._pixels = driver.pinned((about.input.height, about.input.width, 3), np.uint8)
            self._depth = driver.pinned((about.output.height, about.output.width), np.float32)
            sizes = {PICTURE: self._pixels.nbytes, DEPTH: self._depth.nbytes}
            sizes |= {name: count * 4 for name, count in program.maps.items()}
            self._memory = {name: driver.memory(self, size) for name, size in sizes.items()}
            for name, weights in program.weights.items():
                self._memory[name] = driver.memory(self, weights.nbytes)
                driver.call("cuMemcpyHtoD_v2", self._memory[name], pointer(weights), c_size_t(weights.nbytes))
            # The stream below does not wait for what zeroing and copying have begun on their own.
            driver.call("cuCtxSynchronize")
            self._launches = [(function(driver, code, launch.kernel), launch) for launch in program.launches]
            self._stream = c_void_p()
            driver.call("cuStreamCreate", byref(self._stream), c_uint(NON_BLOCKING))
            driver.later(self, "cuStreamDestroy_v2", self._stream)
            self._graph = self._captured() if all(map(driver.has, GRAPH_FUNCTIONS)) else None
        except RefusedError as error:
            raise ModuleError(f"{driver.name} does not run {module.folder} ({error})", HERE) from error

    @property
    def input(self) -> npt.NDArray[np.uint8]:
        """(height, width, 3) RGB: write the picture here. It keeps its memory for the engine's life."""
        return self._pixels

    @property
    def threads(self) -> int:
        """Threads of the processor: the one that waits. Setting it changes nothing."""
        return 1

    @threads.setter
    def threads(self, count: int) -> None:
        pass

    def bind(self, name: str, arrays: Sequence[npt.NDArray[Any] | None]) -> None:
        """Nothing: a GPU's module has no functions for the processor."""

    def run(self) -> npt.NDArray[np.float32]:
        """The depth of what is in :attr:`input`, as ``Engine.run`` gives it.

        Raises:
            ModuleError: the GPU failed.
        """
        driver = self._driver
        try:
            driver.enter()
            if self._graph:
                driver.call("cuGraphLaunch", self._graph, self._stream)
            else:
                self._enqueue()
            driver.call("cuStreamSynchronize", self._stream)
        except RefusedError as error:
            raise ModuleError(f"{driver.name} failed ({error})", "See `dmesg`, and restart the node.") from error
        return self._depth

    def _enqueue(self) -> None:
        """Put copies and kernels into the stream."""
        call, stream, pixels, depth = self._driver.call, self._stream, self._pixels, self._depth
        call("cuMemcpyHtoDAsync_v2", self._memory[PICTURE], pointer(pixels), c_size_t(pixels.nbytes), stream)
        for kernel, launch in self._launches:
            self._launch(kernel, launch)
        call("cuMemcpyDtoHAsync_v2", pointer(depth), self._memory[DEPTH], c_size_t(depth.nbytes), stream)

    def _launch(self, kernel: c_void_p, launch: Launch) -> None:
        values = [self._memory[name] for name in launch.arguments]
        arguments = (c_void_p * len(values))(*(ctypes.addressof(value) for value in values))
        x, y = launch.grid
        sizes = [
            c_uint(number) for number in (x, y, 1, launch.threads, 1, 1, 0)
        ]  # ...and shared bytes besides its own.
        self._driver.call("cuLaunchKernel", kernel, *sizes, self._stream, arguments, None)

    def _captured(self) -> c_void_p:
        """Everything as one graph."""
        call, graph, ready = self._driver.call, c_void_p(), c_void_p()
        call("cuStreamBeginCapture_v2", self._stream, c_int(RELAXED))
        self._enqueue()
        call("cuStreamEndCapture", self._stream, byref(graph))
        # In the library this name has the five arguments of CUDA 10; newer headers mean another function by it.
        call("cuGraphInstantiate", byref(ready), graph, None, None, c_size_t(0))
        call("cuGraphDestroy", graph)
        self._driver.later(self, "cuGraphExecDestroy", ready)
        return ready


def load(driver: Driver, program: Program, arch: str) -> c_void_p:
    """The module's code on the GPU: machine code where it is for this very kind, else PTX, which the driver compiles.

    Raises:
        ModuleError: the GPU is older than the one that the module is for, that one is none, or the driver refuses both.
    """
    if not re.fullmatch("sm_[0-9]{2,3}", arch):
        raise ModuleError(f"the module is for {quoted(arch)}, which is no GPU", HERE)
    wanted = divmod(int(arch.removeprefix("sm_")), 10)
    if driver.capability < wanted:
        here = "sm_{}{}".format(*driver.capability)
        raise ModuleError(f"the module is for {arch} or newer, and {driver.name} is {here}", HERE)
    said = []
    images = [program.cubin] if driver.capability[0] == wanted[0] else []
    for image in (*images, program.ptx.encode() + b"\0"):
        code = c_void_p()
        try:
            driver.call("cuModuleLoadData", byref(code), c_char_p(image))
        except RefusedError as error:
            said.append(str(error))
        else:
            return code
    remedy = "Update the driver, or compile again with NVRTC of the driver's CUDA version."
    raise ModuleError(f"{driver.name} takes neither machine code nor PTX ({', '.join(said)})", remedy)


def function(driver: Driver, code: c_void_p, name: str) -> c_void_p:
    """A kernel of a loaded module."""
    found = c_void_p()
    driver.call("cuModuleGetFunction", byref(found), code, c_char_p(name.encode()))
    return found


def pointer(array: npt.NDArray[Any]) -> c_void_p:
    """Address of an array."""
    return c_void_p(array.ctypes.data)
