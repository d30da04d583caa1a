"""NVIDIA's driver as a library: the few functions of the CUDA driver API that the engine calls.

Names with ``_v2`` are the library's own for what cuda.h calls without it. All of them are there since CUDA 10.1, so
that a Jetson TX2 (CUDA 10.2) has them.
"""

from __future__ import annotations

import contextlib
import ctypes
import weakref
from ctypes import byref, c_char_p, c_int, c_size_t, c_uint, c_ulonglong, c_void_p
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from fastdepth_ros.errors import ModuleError

LIBRARY = "libcuda.so.1"
HERE = "For this machine's processor, use --target host."
MAJOR, MINOR = 75, 76
"""CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_*."""

NON_BLOCKING, RELAXED = 1, 2
"""CU_STREAM_NON_BLOCKING and CU_STREAM_CAPTURE_MODE_RELAXED."""


class RefusedError(Exception):
    """A driver call that failed, with the driver's own name of the error."""


class Driver:
    """The first GPU, and its driver.

    Args:
        library: as ctypes loads it.

    Raises:
        ModuleError: the driver finds no GPU.
    """

    def __init__(self, library: Any) -> None:
        self._library = library
        device, self._context = c_int(), c_void_p()
        try:
            self.call("cuInit", c_uint(0))
            self.call("cuDeviceGet", byref(device), c_int(0))
            self.call("cuDevicePrimaryCtxRetain", byref(self._context), device)
            name = ctypes.create_string_buffer(100)
            self.call("cuDeviceGetName", name, c_int(len(name)), device)
            self.name = name.value.decode(errors="replace")
            self.capability = self._attribute(MAJOR, device), self._attribute(MINOR, device)
        except RefusedError as error:
            raise ModuleError(f"NVIDIA's driver finds no GPU ({error})", HERE) from error

    def _attribute(self, number: int, device: c_int) -> int:
        value = c_int()
        self.call("cuDeviceGetAttribute", byref(value), c_int(number), device)
        return value.value

    def has(self, function: str) -> bool:
        """Whether this version of the driver has a function."""
        return hasattr(self._library, function)

    def call(self, function: str, *arguments: Any) -> None:
        """Call a function; every argument is of a ctypes type.

        Raises:
            RefusedError: it answers with an error.
        """
        if status := getattr(self._library, function)(*arguments):
            name = c_char_p()
            self._library.cuGetErrorName(c_int(status), byref(name))
            raise RefusedError(f"{function}: {(name.value or b'?').decode()}")

    def enter(self) -> None:
        """Have the calling thread use this GPU."""
        self.call("cuCtxSetCurrent", self._context)

    def memory(self, owner: Any, size: int) -> c_ulonglong:
        """Bytes of the GPU's memory, all zero, until ``owner`` is gone."""
        address = c_ulonglong()
        self.call("cuMemAlloc_v2", byref(address), c_size_t(size))
        self.later(owner, "cuMemFree_v2", address)
        self.call("cuMemsetD8_v2", address, ctypes.c_ubyte(0), c_size_t(size))
        return address

    def pinned(self, shape: tuple[int, ...], dtype: type[np.generic]) -> npt.NDArray[Any]:
        """An array that the GPU copies from and to without help of the processor."""
        size, address = int(np.prod(shape)) * np.dtype(dtype).itemsize, c_void_p()
        self.call("cuMemAllocHost_v2", byref(address), c_size_t(size))
        buffer = (ctypes.c_ubyte * size).from_address(address.value or 0)
        self.later(buffer, "cuMemFreeHost", address)
        array: npt.NDArray[Any] = np.frombuffer(memoryview(buffer), dtype).reshape(shape)
        return array

    def later(self, owner: Any, function: str, handle: Any) -> None:
        """Give something back with a driver's function once ``owner`` is gone."""
        weakref.finalize(owner, self._give_back, function, handle)

    def _give_back(self, function: str, handle: Any) -> None:
        # At the end of a process the driver may be gone before.
        with contextlib.suppress(RefusedError):
            self.enter()
            self.call(function, handle)


@cache
def driver(library: str = LIBRARY) -> Driver:
    """The driver of this machine's first GPU.

    Raises:
        ModuleError: there is no driver, or no GPU.
    """
    try:
        return Driver(ctypes.CDLL(library))
    except OSError as error:
        raise ModuleError(f"the module is for a GPU, and NVIDIA's driver is not here ({error})", HERE) from error
