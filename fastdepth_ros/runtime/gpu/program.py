"""Contents of the file of a GPU's module: machine code, PTX, weights, and what is launched in which order."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import safe_open
from safetensors.numpy import save

from fastdepth_ros.errors import ModuleError, brief, quoted
from fastdepth_ros.files.writing import write_file

PICTURE, DEPTH = "picture", "depth"
"""Names of input and output in the launches."""

CUBIN, PTX, PROGRAM = "code.cubin", "code.ptx", "program"

MOST_NUMBERS = 1 << 30
"""Numbers of a map: four gigabytes."""

MOST_BLOCKS = (2**31 - 1, 65535, 1024)
"""Blocks along x and y, and threads of a block, that CUDA knows."""


@dataclass(frozen=True)
class Launch:
    """One kernel's turn.

    Attributes:
        kernel: name of the CUDA function.
        grid: blocks along x and y.
        threads: of a block.
        arguments: of the function, in its order: PICTURE, DEPTH, or names of maps or weights.
    """

    kernel: str
    grid: tuple[int, int]
    threads: int
    arguments: tuple[str, ...]


@dataclass(frozen=True)
class Program:
    """All that runs a network on a GPU.

    Attributes:
        cubin: machine code for one kind of GPU.
        ptx: the same for any that is newer.
        launches: in order.
        maps: float32 numbers of each activation; all zeros before the first run.
        weights: by the names that the launches use.
    """

    cubin: bytes
    ptx: str
    launches: tuple[Launch, ...]
    maps: Mapping[str, int]
    weights: Mapping[str, npt.NDArray[np.float32]]

    def write(self, file: Path) -> None:
        """Write it as safetensors; the same program always gives the same bytes."""
        code = {CUBIN: np.frombuffer(self.cubin, np.uint8), PTX: np.frombuffer(self.ptx.encode(), np.uint8)}
        order = {"launches": [asdict(launch) for launch in self.launches], "maps": dict(self.maps)}
        write_file(file, save({**code, **self.weights}, {PROGRAM: json.dumps(order)}))

    @classmethod
    def read(cls, file: Path, called: Path | None = None) -> Program:
        """The inverse of :meth:`write`.

        Args:
            file: to be read.
            called: how errors call it, where that is not its name.

        Raises:
            ModuleError: it is no such file.
        """
        try:
            with safe_open(file, "numpy") as content:
                order = json.loads(content.metadata()[PROGRAM])
                arrays = {name: content.get_tensor(name) for name in content.keys()}  # noqa: SIM118 - no mapping
            cubin, ptx = arrays.pop(CUBIN).tobytes(), arrays.pop(PTX).tobytes().decode()
            program = cls(cubin, ptx, tuple(map(_launch, order["launches"])), dict(order["maps"]), arrays)
            program.check()
        except Exception as error:  # safetensors and JSON have many for a file of anybody
            raise ModuleError(
                f"{called or file} cannot be read ({brief(repr(error), 300)})", "Compile it again: `fastdepth compile`."
            ) from error
        return program

    def check(self) -> None:
        """Hold numbers and names against what they may be.

        Raises:
            ValueError: they are not.
        """
        for name, count in self.maps.items():
            if type(count) is not int or not 1 <= count <= MOST_NUMBERS:
                raise ValueError(f"map {quoted(name)} has {quoted(count)} numbers")
        known = {PICTURE, DEPTH, *self.maps, *self.weights}
        if len(known) != 2 + len(self.maps) + len(self.weights):
            raise ValueError("two of its arrays have one name")
        for launch in self.launches:
            for number, most in zip((*launch.grid, launch.threads), MOST_BLOCKS, strict=True):
                if type(number) is not int or not 1 <= number <= most:
                    raise ValueError(f"{quoted(launch.kernel)} is launched {quoted(number)} times")
            if not known.issuperset(launch.arguments):
                unknown = next(name for name in launch.arguments if name not in known)
                raise ValueError(f"{quoted(launch.kernel)} takes {quoted(unknown)}, which is nothing of it")


def _launch(table: Mapping[str, Any]) -> Launch:
    x, y = table["grid"]
    return Launch(str(table["kernel"]), (x, y), table["threads"], tuple(map(str, table["arguments"])))
