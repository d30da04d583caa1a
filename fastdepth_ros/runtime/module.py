"""A compiled module: a folder with ``module.so``, and ``module.json`` that says what it is and where it may run.

A module for a GPU has ``module.cuda`` instead, which no TVM runs.
"""

from __future__ import annotations

import fcntl
import hashlib
import itertools
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from fastdepth_ros.errors import ModuleError, SettingError, brief, quoted
from fastdepth_ros.files.names import check_name
from fastdepth_ros.files.reading import LARGEST_TEXT, parse_json, read, sha256
from fastdepth_ros.files.writing import write_file
from fastdepth_ros.runtime import processor

FORMAT = 1
LIBRARY = "module.so"
GPU_PROGRAM = "module.cuda"
DESCRIPTION = "module.json"
GPU_TRIPLE = "nvptx64-nvidia-cuda"
AGAIN = "Compile it again: `fastdepth compile BUNDLE`."
LARGEST_SIDE = 4096
SEALS = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL
_DIGEST = re.compile(r"[0-9a-f]{64}")


def tvm_version() -> str:
    """The version of the installed TVM runtime, read without loading it.

    Raises:
        ModuleError: TVM is not installed.
    """
    try:
        return version("apache-tvm")
    except PackageNotFoundError as error:
        remedy = "Install apache-tvm as requirements/run.txt names it."
        raise ModuleError("the TVM runtime is not installed", remedy) from error


@dataclass(frozen=True)
class Size:
    """Size of a picture or map [px]."""

    width: int
    height: int


@dataclass(frozen=True)
class Description:
    """Contents of ``module.json``.

    Attributes:
        target, triple, cpu: what it was compiled for, in the user's and in LLVM's words; ``cpu`` may be a GPU.
        needs: flags of /proc/cpuinfo that the processor must have.
        vector_width: float32 numbers in a vector.
        precision: of the arithmetic.
        network: the table (see ``network.Network.to_json``).
        weights_sha256: of the bundle's weights inside it.
        input: size of the picture, uint8 RGB in rows.
        output: size of the depth map, float32 metres.
        tvm: version of TVM that made it and that has to run it; a GPU's module needs no TVM.
        kernels: version of the compiler room that made it.
        toolchain: what turned the kernels into machine code, in words.
        library_sha256: of ``module.so`` or ``module.cuda``.
    """

    target: str
    triple: str
    cpu: str
    needs: tuple[str, ...]
    vector_width: int
    precision: str
    network: dict[str, Any]
    weights_sha256: str
    input: Size
    output: Size
    tvm: str
    kernels: str
    toolchain: str
    library_sha256: str

    @property
    def on_gpu(self) -> bool:
        """Whether it is for a GPU."""
        return self.triple == GPU_TRIPLE

    def write(self, folder: Path) -> None:
        """Write it into the module's folder.

        Raises:
            StorageError: it cannot be written.
        """
        write_file(folder / DESCRIPTION, json.dumps({"format": FORMAT, **asdict(self)}, indent=2) + "\n")

    @classmethod
    def read(cls, file: Path) -> Description:
        """The inverse of :meth:`write`.

        Raises:
            ModuleError: the file cannot be read or is of another format.
        """
        try:
            data = read(file, LARGEST_TEXT)
        except OSError as error:
            raise ModuleError(f"{file} cannot be read ({error.strerror or error})", AGAIN) from error
        return cls.parse(data, file)

    @classmethod
    def parse(cls, data: bytes, file: Path) -> Description:
        """Read the bytes of a description; ``file`` is named in errors.

        Raises:
            ModuleError: it is of another format, or holds what it must not.
        """
        try:
            text = parse_json(data)
            if (found := text.pop("format")) != FORMAT:
                raise ModuleError(f"{file} has format {quoted(found)}, this version reads {FORMAT}", AGAIN)
            sizes = {key: Size(**text[key]) for key in ("input", "output")}
            about = cls(**{**text, **sizes, "needs": tuple(text["needs"])})
            about.check()
        except (ValueError, TypeError, LookupError, AttributeError, SettingError) as error:
            raise ModuleError(f"{file} cannot be read ({brief(repr(error), 300)})", AGAIN) from error
        return about

    def check(self) -> None:
        """Hold types and sizes against what they may be.

        Raises:
            ValueError, SettingError: they are not.
        """
        for field in fields(self):
            if field.type == "str" and not (isinstance(value := getattr(self, field.name), str) and len(value) < 1000):
                raise ValueError(f"{field.name} is {quoted(value)}")
        if not all(isinstance(flag, str) for flag in self.needs):
            raise ValueError(f"needs is {quoted(self.needs)}")
        if type(self.vector_width) is not int or not isinstance(self.network, dict):
            raise ValueError(f"vector_width is {quoted(self.vector_width)}, network {quoted(self.network)}")
        for side in (*vars(self.input).values(), *vars(self.output).values()):
            if type(side) is not int or not 1 <= side <= LARGEST_SIDE:
                raise ValueError(f"a side has {quoted(side)} pixels")
        for digest in (self.library_sha256, self.weights_sha256):
            if not _DIGEST.fullmatch(digest):
                raise ValueError(f"{quoted(digest)} is no sha256")
        check_name("target", self.target)
        check_name("precision", self.precision)


_copies = itertools.count()


def _path_of(handle: int) -> str:
    """A path of an open file that no other open file of this process had.

    The number of a file that was closed is given to the next one, and the dynamic linker takes a library of a path that
    is loaded already for the same library, whatever is in it. So the path's detours count.
    """
    detours = "".join("fd/../" if bit == "1" else "./" for bit in f"{next(_copies):b}")
    return f"/proc/self/{detours}fd/{handle}"


@contextmanager
def in_memory(content: bytes) -> Iterator[str]:
    """The path of a library in memory that nobody can change, and that no loaded one is taken for.

    A library that is loaded from it stays loaded.
    """
    handle = os.memfd_create("fastdepth-module", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        with os.fdopen(handle, "wb", closefd=False) as file:
            file.write(content)
        fcntl.fcntl(handle, fcntl.F_ADD_SEALS, SEALS)
        yield _path_of(handle)
    finally:
        os.close(handle)


@dataclass(frozen=True)
class CompiledModule:
    """A module that was held against its description and this machine."""

    folder: Path
    description: Description

    @property
    def library(self) -> Path:
        return self.folder / (GPU_PROGRAM if self.description.on_gpu else LIBRARY)

    @classmethod
    def open(cls, folder: Path | str, description: bytes | None = None) -> CompiledModule:
        """Read the description, and check that the library is the described one and may run here.

        Args:
            folder: of the module.
            description: the bytes of its description where they were read and held against a seal; None reads them.

        Raises:
            ModuleError: a file is missing or altered, or the module is for another processor or another TVM.
        """
        file = Path(folder) / DESCRIPTION
        about = Description.read(file) if description is None else Description.parse(description, file)
        module = cls(Path(folder), about)
        module.check()
        return module

    def is_of(self, weights_sha256: str) -> bool:
        """Whether it was compiled of these weights."""
        return self.description.weights_sha256 == weights_sha256

    def check(self) -> None:
        """Raise ModuleError unless the library is unaltered and this machine can run it."""
        about = self.description
        if not os.path.isfile(self.library):
            raise ModuleError(f"{self.library} is missing", AGAIN)
        try:
            found = sha256(self.library)
        except OSError as error:
            raise ModuleError(f"{self.library} cannot be read ({error.strerror or error})", AGAIN) from error
        if found != about.library_sha256:
            raise self._altered()
        if lacking := sorted(set(about.needs) - processor.features()):
            cause = (
                f"{self.folder} was compiled for {about.target} ({about.cpu}),"
                f" and this processor, {processor.name()}, lacks {brief(', '.join(lacking), 200)}"
            )
            raise ModuleError(cause, "Compile it for this one: `fastdepth compile BUNDLE --target host`.")
        if not about.on_gpu and (installed := tvm_version()) != about.tvm:
            cause = f"{self.folder} was made by TVM {about.tvm}, installed is {installed}"
            raise ModuleError(cause, AGAIN)

    @contextmanager
    def held(self) -> Iterator[str]:
        """The path of a copy of the library in memory, which nobody can change between its check and its loading.

        A module that is loaded from it stays loaded. It does not matter whether the folder may hold programs.

        Raises:
            ModuleError: the library cannot be read, or was altered since the module was opened.
        """
        try:
            content = read(self.library)
        except OSError as error:
            raise ModuleError(f"{self.library} cannot be read ({error.strerror or error})", AGAIN) from error
        if hashlib.sha256(content).hexdigest() != self.description.library_sha256:
            raise self._altered()
        with in_memory(content) as path:
            yield path

    def _altered(self) -> ModuleError:
        return ModuleError(f"{self.library} was altered: its sha256 is not the one in {DESCRIPTION}", AGAIN)
