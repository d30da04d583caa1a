"""A compiled module: a folder with ``module.so``, and ``module.json`` that says what it is and where it may run.

A module for a GPU has ``module.cuda`` instead, which no TVM runs.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from fastdepth_ros.errors import ModuleError
from fastdepth_ros.runtime import processor
from fastdepth_ros.runtime.bundle import sha256

FORMAT = 1
LIBRARY = "module.so"
GPU_PROGRAM = "module.cuda"
DESCRIPTION = "module.json"
GPU_TRIPLE = "nvptx64-nvidia-cuda"


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
    """Of a picture or map [px]."""

    width: int
    height: int


@dataclass(frozen=True)
class Description:
    """What ``module.json`` holds.

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
        text = json.dumps({"format": FORMAT, **asdict(self)}, indent=2) + "\n"
        (folder / DESCRIPTION).write_text(text, encoding="utf-8")

    @classmethod
    def read(cls, file: Path) -> Description:
        """The inverse of :meth:`write`.

        Raises:
            ModuleError: the file cannot be read or is of another format.
        """
        remedy = "Compile the module again: `fastdepth compile`."
        try:
            fields = json.loads(file.read_text(encoding="utf-8"))
            if (found := fields.pop("format")) != FORMAT:
                raise ModuleError(f"{file} has format {found}, this version reads {FORMAT}", remedy)
            sizes = {key: Size(**fields[key]) for key in ("input", "output")}
            return cls(**{**fields, **sizes, "needs": tuple(fields["needs"])})
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise ModuleError(f"{file} cannot be read ({error!r})", remedy) from error


@dataclass(frozen=True)
class CompiledModule:
    """A module that was held against its description and this machine."""

    folder: Path
    description: Description

    @property
    def library(self) -> Path:
        return self.folder / (GPU_PROGRAM if self.description.on_gpu else LIBRARY)

    @classmethod
    def open(cls, folder: Path | str) -> CompiledModule:
        """Read the description, and check that the library is the described one and may run here.

        Raises:
            ModuleError: a file is missing or altered, or the module is for another processor or another TVM.
        """
        module = cls(Path(folder), Description.read(Path(folder) / DESCRIPTION))
        module.check()
        return module

    def is_of(self, weights_sha256: str) -> bool:
        """Whether it was compiled of these weights."""
        return self.description.weights_sha256 == weights_sha256

    def check(self) -> None:
        """Raise ModuleError unless the library is unaltered and this machine can run it."""
        about, again = self.description, "Compile it again: `fastdepth compile BUNDLE`."
        if not self.library.is_file():
            raise ModuleError(f"{self.library} is missing", again)
        if sha256(self.library) != about.library_sha256:
            cause = f"{self.library} was altered: its sha256 is not the one in {DESCRIPTION}"
            raise ModuleError(cause, again)
        if lacking := sorted(set(about.needs) - processor.features()):
            cause = (
                f"{self.folder} was compiled for {about.target} ({about.cpu}),"
                f" and this processor, {processor.name()}, lacks {', '.join(lacking)}"
            )
            raise ModuleError(cause, "Compile it for this one: `fastdepth compile BUNDLE --target host`.")
        if not about.on_gpu and (installed := tvm_version()) != about.tvm:
            cause = f"{self.folder} was made by TVM {about.tvm}, installed is {installed}"
            raise ModuleError(cause, again)
