"""Runs a compiled module: a picture in, a depth map out. Needs the TVM runtime library, not TVM's Python."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import threading
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from fastdepth_ros.arguments import ALIGNMENT, allocate
from fastdepth_ros.errors import ModuleError, SettingError
from fastdepth_ros.runtime import processor
from fastdepth_ros.runtime.module import CompiledModule

SPIN_COUNT = "1000"
"""Times that an idle thread looks for work before it sleeps. At 30 pictures a second and two threads on an AMD EPYC the
process took 16-25 ms of processor time per picture with TVM's 300000, 5-7 ms with this, at the same latency."""


class Late(Protocol):
    """Functions beside the network that its module lacks, and that come later; :class:`~.late.LateFunctions` is one."""

    @property
    def library(self) -> Any:
        """The library with them; None until it is there."""

    def ask(self) -> None:
        """Have them made, where nobody has asked before. Nobody waits for them."""


TOGETHER = "run_together"
"""Function of a module that calls another with threads that stay until it ends (``compiler.together``)."""

CPU, POOLED_ALLOCATOR = 1, 2
"""TVM's numbers of the device type and of the allocator that keeps memory for the next run."""


class Engine:
    """A loaded module with its input and output, on the processor; :func:`~.engines.open_engine` chooses the kind.

    Any thread may call :meth:`run`, one at a time.

    Args:
        module: what to run.
        threads: how many cores to use; 0 is all physical cores that this process may use.

    Attributes:
        late: has functions made that the module lacks; None where nobody does.

    Raises:
        ModuleError: the library or the TVM runtime cannot be loaded.
        SettingError: ``threads`` is out of range.
    """

    def __init__(self, module: CompiledModule, threads: int = 0) -> None:
        self.module = module
        self.threads = threads
        about = module.description
        self.late: Late | None = None
        self._library, self._machine = _load(module)
        self._main = main = self._machine["main"]
        own = self._library.implements_function(TOGETHER, True)
        self._together = partial(self._library.get_function(TOGETHER, True), main) if own else main
        # The kernels take a row's colours as one dimension.
        pixels = allocate((about.input.height, about.input.width * 3), np.uint8)
        self._input = pixels.reshape(about.input.height, about.input.width, 3)
        self._argument = tvm_ffi().from_dlpack(pixels, require_alignment=ALIGNMENT)
        self._answer: Any = None

    @property
    def input(self) -> npt.NDArray[np.uint8]:
        """(height, width, 3) RGB: write the picture here. Its memory, 64-byte aligned, is the engine's for life."""
        return self._input

    @property
    def threads(self) -> int:
        """Cores in use; may be set between two runs, 0 for all physical cores."""
        return self._threads

    @threads.setter
    def threads(self, count: int) -> None:
        self._threads = cores_of(count)

    def run(self) -> npt.NDArray[np.float32]:
        """The depth of what is in :attr:`input`, in metres; 0 is "no answer".

        Returns:
            (height / 2, width / 2): everything that the network knows. Its last convolution gives the same for each 2x2
            pixels, so the full map is every value twice in both directions. A view, valid until the next run.
        """
        configure_pool(self._threads)
        self._answer = None  # Gives the memory back, so that the next answer is written to the same place.
        self._answer = (self._main if self._threads == 1 else self._together)(self._argument)
        return np.from_dlpack(self._answer)  # type: ignore[return-value] # numpy's stub promises any number

    def bind(self, name: str, arrays: Sequence[npt.NDArray[Any] | None]) -> Callable[[], object] | None:
        """A function beside the network, bound to the arrays that it reads and writes at each call.

        It is the module's, or that of the library that came late.

        Args:
            name: of the function.
            arrays: its arguments, contiguous, beginning where it may load vectors from, as
                :func:`fastdepth_ros.arguments.bound` sees to. None is the latest answer, and the first if any is.

        Returns:
            what calls it; None where there is no such function.
        """
        late = self.late.library if self.late is not None else None
        # The kernels are in the library that the program imports.
        known = (each for each in (self._library, late) if each is not None and each.implements_function(name, True))
        library = next(known, None)
        if library is None:
            return None
        function = library.get_function(name, True)
        tensors = [tvm_ffi().from_dlpack(array) for array in arrays if array is not None]
        if len(tensors) == len(arrays):
            return partial(function, *tensors)
        return lambda: function(self._answer, *tensors)


def cores_of(threads: int) -> int:
    """Number of cores that a setting means: 0 is all physical ones.

    Raises:
        SettingError: there are not so many.
    """
    most = max_threads()
    if not 0 <= threads <= most:
        raise SettingError(f"threads is {threads}", f"Choose 0 (all physical cores) or 1 to {most}, the cores here.")
    return threads or min(processor.cores(), most)


@cache
def max_threads() -> int:
    """The most threads that the pool may have: all cores that this process may use."""
    return len(os.sched_getaffinity(0))


@cache
def tvm_ffi() -> Any:
    """The interface to TVM's runtime library, which is loaded with it, once per process.

    The pool's size at birth is the most that it can have later. Two defaults of TVM's are for a machine that does
    nothing else, and are changed unless the user has set them: threads are not bound to cores, because a bound thread
    waits for its core when another program is on it; and they look for work only long enough to get from one kernel to
    the next, because looking until the next picture comes costs more processor time than the network.

    Raises:
        ModuleError: TVM is not installed.
    """
    os.environ.setdefault("TVM_BIND_THREADS", "0")
    os.environ.setdefault("TVM_THREAD_POOL_SPIN_COUNT", SPIN_COUNT)
    os.environ["TVM_NUM_THREADS"] = str(max_threads())
    spec = importlib.util.find_spec("tvm")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleError("the TVM runtime is not installed", "Install apache-tvm as requirements/run.txt names it.")
    library = Path(spec.submodule_search_locations[0]) / "lib" / "libtvm_runtime.so"
    import tvm_ffi

    try:
        ctypes.CDLL(str(library), ctypes.RTLD_GLOBAL)
    except OSError as error:
        raise ModuleError(f"{library} cannot be loaded ({error})", "Install apache-tvm again.") from error
    return tvm_ffi


def load_machine(module: CompiledModule) -> Any:
    """The virtual machine of a compiled module, ready to run: its ``["main"]`` is called with a tensor.

    The library goes when nobody has the machine any more; tvm_ffi's ``load_module`` would keep it for good.

    Raises:
        ModuleError: the library was altered, or is no module of this TVM.
    """
    return _load(module).machine


def load_library(module: CompiledModule) -> Any:
    """The library of a compiled module, for its functions.

    Raises:
        ModuleError: the library was altered.
        RuntimeError, OSError: it is no library of this machine.
    """
    load = tvm_ffi().get_global_func("ffi.Module.load_from_file.so")
    with module.held() as path:
        return load(path, "so")


class _Loaded(NamedTuple):
    """A library, and the virtual machine of the program in it."""

    library: Any
    machine: Any


def _load(module: CompiledModule) -> _Loaded:
    try:
        library = load_library(module)
        machine = library["vm_load_executable"]()
        machine["vm_initialization"](CPU, 0, POOLED_ALLOCATOR, CPU, 0, POOLED_ALLOCATOR)
    except (RuntimeError, AttributeError, OSError) as error:
        cause = f"{module.library} cannot be loaded ({error})"
        raise ModuleError(cause, "Compile it again: `fastdepth compile BUNDLE`.") from error
    return _Loaded(library, machine)


class Pool(threading.local):
    """Threads that the calling thread's pool was told to use: TVM keeps a pool for every thread that calls it."""

    threads = 0


POOL = Pool()


def configure_pool(threads: int) -> None:
    """Have the calling thread's pool use so many threads."""
    if POOL.threads != threads:
        every_core_alike = 1
        tvm_ffi().get_global_func("runtime.config_threadpool")(every_core_alike, threads)
        POOL.threads = threads
