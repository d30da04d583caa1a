"""Runs a compiled graph: a picture in, the network's answer out. Needs the TVM runtime library, not TVM's Python."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from fastdepth_ros.arguments import allocate
from fastdepth_ros.errors import ModuleError
from fastdepth_ros.network.table import INPUT_CHANNELS
from fastdepth_ros.runtime.engine import configure_pool, cores_of, tvm_ffi
from fastdepth_ros.runtime.graph_module import ANSWER, ARENA, KERNELS, PICTURE, WEIGHTS, WHOLE, WORDS, Call, GraphModule
from fastdepth_ros.runtime.module import in_memory

__all__ = ["GraphEngine"]


class GraphEngine:
    """A loaded graph with its input and its answer. Any thread may call :meth:`run`, one at a time.

    Args:
        module: what to run.
        threads: how many cores to use; 0 is all physical cores that this process may use.

    Attributes:
        input: write the picture here: (height, width, 3) bytes of RGB, or for a graph that reads another number of
            channels (channels, height, width) of float32.

    Raises:
        ModuleError: kernels or weights cannot be loaded.
        SettingError: ``threads`` is out of range.
    """

    def __init__(self, module: GraphModule, threads: int = 0) -> None:
        program, inputs = module.program, module.graph.inputs
        self.threads = cores_of(threads)
        shape = program.height, program.width
        if inputs == INPUT_CHANNELS:
            picture = allocate((shape[0], shape[1] * inputs), np.uint8)
            self.input: npt.NDArray[Any] = picture.reshape(*shape, inputs)
        else:
            self.input = picture = allocate((inputs, *shape), np.float32)
        self._answer = allocate(program.answer, np.float32)
        self._arena = allocate((program.numbers,), np.float32)
        self._weights = _weights(module)
        self._ends = {PICTURE: picture, ANSWER: self._answer}
        try:
            with in_memory(module.content(KERNELS)) as path:
                self._library = library = tvm_ffi().get_global_func("ffi.Module.load_from_file.so")(path, "so")
            self._calls = [(library[call.kernel], self._arguments(call)) for call in program.calls]
        except (RuntimeError, AttributeError, OSError) as error:
            cause = f"{module.folder / KERNELS} cannot be loaded ({error})"
            raise ModuleError(cause, "Compile it again, with --target host.") from error

    def _arguments(self, call: Call) -> list[Any]:
        found = []
        for kind, start, count in call.arguments:
            if kind in self._ends:
                array = self._ends[kind]
            elif kind in (ARENA, WORDS):
                array = self._arena[start : start + count]
                array = array.view(np.int32) if kind == WORDS else array
            else:
                array = self._weights[start : start + count]
                if len(array) < count:  # a kernel would read behind its end
                    cause = f"{call.kernel} reads {count} numbers from {start} on, of {len(self._weights)}"
                    raise ModuleError(cause, "Compile it again, with --target host.")
                array = array.view(np.int32) if kind == WHOLE else array
            found.append(tvm_ffi().from_dlpack(array))
        return found

    def run(self) -> npt.NDArray[np.float32]:
        """The network's answer to what is in :attr:`input`.

        Returns:
            (channels, height, width), valid until the next run.
        """
        configure_pool(self.threads)
        for kernel, arguments in self._calls:
            kernel(*arguments)
        return self._answer

    def timed(self, clock: Callable[[], float] = time.perf_counter) -> list[float]:
        """Run once, and give the duration of each call [s]."""
        configure_pool(self.threads)
        found = []
        for kernel, arguments in self._calls:
            start = clock()
            kernel(*arguments)
            found.append(clock() - start)
        return found


def _weights(module: GraphModule) -> npt.NDArray[np.float32]:
    content = module.content(WEIGHTS)
    found = allocate((len(content) // 4,), np.float32)
    found[:] = np.frombuffer(content, "<f4", len(found))
    return found
