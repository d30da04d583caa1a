"""NVIDIA's compiler as a library: from CUDA C to a GPU's machine code (cubin) and to PTX. Needs no GPU, no driver."""

from __future__ import annotations

import ctypes
import importlib.util
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from fastdepth_ros.errors import ModuleError

NAMES = ("libnvrtc.so.12", "libnvrtc.so.13")
"""File names of the library: from the wheel, or from a CUDA toolkit on the loader's path."""

REMEDY = (
    "Install NVIDIA's compiler, which needs no GPU: pip install nvidia-cuda-nvrtc-cu12==12.9.86 (the extra [cuda])."
)

TYPES = "typedef unsigned char uchar;\n"
"""Definitions that TVM's CUDA C takes for granted."""


class Compiled(NamedTuple):
    """Product of NVRTC from a source."""

    cubin: bytes
    ptx: str


class Nvrtc:
    """The library, which says what is wrong with a source.

    Args:
        library: as ctypes loads it.
    """

    def __init__(self, library: Any) -> None:
        self._library = library
        library.nvrtcGetErrorString.restype = ctypes.c_char_p

    @property
    def version(self) -> str:
        """Major and minor, that of the CUDA toolkit that it belongs to."""
        major, minor = ctypes.c_int(), ctypes.c_int()
        self._check(self._library.nvrtcVersion(ctypes.byref(major), ctypes.byref(minor)))
        return f"{major.value}.{minor.value}"

    def architectures(self) -> list[str]:
        """Architecture that it compiles for, as ``sm_62``."""
        count = ctypes.c_int()
        self._check(self._library.nvrtcGetNumSupportedArchs(ctypes.byref(count)))
        numbers = (ctypes.c_int * count.value)()
        self._check(self._library.nvrtcGetSupportedArchs(numbers))
        return [f"sm_{number}" for number in numbers]

    def compile(self, source: str, arch: str, *options: str) -> Compiled:
        """Compile CUDA C without includes.

        Raises:
            ModuleError: this version does not know the GPU, or the source is wrong.
        """
        if arch not in self.architectures():
            raise ModuleError(f"NVRTC {self.version} does not compile for {arch}", REMEDY)
        program, words = ctypes.c_void_p(), [f"--gpu-architecture={arch}", "--std=c++17", *options]
        create = self._library.nvrtcCreateProgram
        self._check(create(ctypes.byref(program), (TYPES + source).encode(), b"kernels.cu", 0, None, None))
        try:
            array = (ctypes.c_char_p * len(words))(*(word.encode() for word in words))
            if self._library.nvrtcCompileProgram(program, len(words), array):
                log = self._read(program, "ProgramLog").decode(errors="replace")
                error = next((line for line in log.splitlines() if "error" in line), log[:200])
                raise ModuleError(f"NVRTC {self.version} does not compile the kernels: {error}", "Report this.")
            return Compiled(self._read(program, "CUBIN"), self._read(program, "PTX").rstrip(b"\0").decode())
        finally:
            self._library.nvrtcDestroyProgram(ctypes.byref(program))

    def _read(self, program: ctypes.c_void_p, what: str) -> bytes:
        size = ctypes.c_size_t()
        self._check(getattr(self._library, f"nvrtcGet{what}Size")(program, ctypes.byref(size)))
        content = ctypes.create_string_buffer(size.value)
        self._check(getattr(self._library, f"nvrtcGet{what}")(program, content))
        return content.raw

    def _check(self, status: int) -> None:
        if status:
            said = self._library.nvrtcGetErrorString(status).decode()
            raise ModuleError(f"NVRTC failed: {said}", "Report this.")


@cache
def nvrtc() -> Nvrtc:
    """The library, of the wheel or of a CUDA toolkit.

    Raises:
        ModuleError: there is none.
    """
    for name in _places():
        try:
            return Nvrtc(ctypes.CDLL(name))
        except OSError:
            continue
    raise ModuleError("CUDA modules cannot be compiled here: NVRTC is not installed", REMEDY)


def _places() -> Iterator[str]:
    find: Callable[[str], Any] = importlib.util.find_spec
    spec = find("nvidia.cuda_nvrtc") if find("nvidia") else None
    for folder in (spec.submodule_search_locations or []) if spec else []:
        yield str(Path(folder, "lib", NAMES[0]))
    yield from NAMES
