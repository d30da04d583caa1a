"""A compiled graph: a folder with kernels, packed weights, and the calls between them as data.

    program.json   what it is, where it may run, and which kernel reads and writes what
    kernels.so
    weights.bin    numbers of four bytes, one array after the other

It is of a network that the package knows as a graph (``fastdepth networks``); FastDepth's own modules are
``module.CompiledModule``.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fastdepth_ros.errors import ModuleError, brief, quoted
from fastdepth_ros.files.reading import LARGEST_TEXT, parse_json, read, sha256
from fastdepth_ros.files.writing import write_file
from fastdepth_ros.network.graph import Graph
from fastdepth_ros.network.stored import from_json
from fastdepth_ros.runtime import processor
from fastdepth_ros.runtime.module import tvm_version

__all__ = [
    "ANSWER",
    "ARENA",
    "FORMAT",
    "KERNELS",
    "PICTURE",
    "PROGRAM",
    "WEIGHTS",
    "WORDS",
    "Call",
    "GraphModule",
    "Program",
]

FORMAT = 1
PROGRAM, KERNELS, WEIGHTS = "program.json", "kernels.so", "weights.bin"
AGAIN = "Compile it again: `fastdepth compile --network NAME`."

MOST_NUMBERS = 1 << 28
"""Most numbers of the memory that maps share, of a picture and of its answer: a gigabyte of float32."""

ARENA, WORDS, ARRAY, WHOLE, PICTURE, ANSWER = "arena", "words", "array", "whole", "picture", "answer"
"""Kinds of arguments: a slice of the memory that maps share, as float32 or as words of bytes, float32 or int32 numbers
of the weights, the network's picture and its answer."""


@dataclass(frozen=True)
class Call:
    """A kernel call.

    Attributes:
        kernel: name of its function.
        layers: of the graph, whose work it does.
        arguments: kind, first number and how many, in the kernel's order.
    """

    kernel: str
    layers: tuple[str, ...]
    arguments: tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class Program:
    """Contents of ``program.json``.

    Attributes:
        target, triple, cpu: what it was compiled for, in the user's and in LLVM's words.
        needs: flags of /proc/cpuinfo that the processor must have.
        graph: the network (``network.stored``).
        height, width: of the picture [px].
        answer: channels, height and width of what it gives.
        numbers: float32 numbers of the memory that maps share.
        tvm: version of TVM that made it and that has to run it.
        sha256: digest of each other file.
        calls: in the order in which they run.
        precision: of the products: ``float32``, or ``int8`` where that is worth it.
    """

    target: str
    triple: str
    cpu: str
    needs: tuple[str, ...]
    graph: dict[str, Any]
    height: int
    width: int
    answer: tuple[int, int, int]
    numbers: int
    tvm: str
    sha256: dict[str, str]
    calls: tuple[Call, ...]
    precision: str = "float32"

    def write(self, folder: Path) -> None:
        """Write it into the module's folder.

        Raises:
            StorageError: it cannot be written.
        """
        write_file(folder / PROGRAM, json.dumps({"format": FORMAT, **asdict(self)}) + "\n")

    @classmethod
    def read(cls, file: Path) -> Program:
        """The inverse of :meth:`write`.

        Raises:
            ModuleError: the file cannot be read or is of another format.
        """
        try:
            text = parse_json(read(file, LARGEST_TEXT))
            if (found := text.pop("format")) != FORMAT:
                raise ModuleError(f"{file} has format {quoted(found)}, this version reads {FORMAT}", AGAIN)
            calls = tuple(_call(each) for each in text.pop("calls"))
            known = {**text, "needs": tuple(text["needs"]), "answer": tuple(text["answer"])}
            program = cls(**known, calls=calls)
            program.check()
        except OSError as error:
            raise ModuleError(f"{file} cannot be read ({error.strerror or error})", AGAIN) from error
        except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:
            raise ModuleError(f"{file} cannot be read ({brief(repr(error), 300)})", AGAIN) from error
        return program

    def check(self) -> None:
        """Hold numbers and words against what they may be.

        Raises:
            ValueError: they are not.
        """
        for number in (self.height, self.width, self.numbers, *self.answer):
            if type(number) is not int or not 1 <= number <= MOST_NUMBERS:
                raise ValueError(f"a size is {quoted(number)}")
        if max(self.height * self.width, math.prod(self.answer)) > MOST_NUMBERS:
            raise ValueError(f"a picture of {self.width}x{self.height} pixels, or its answer, is too large")
        words = (self.target, self.triple, self.cpu, self.tvm, self.precision, *self.needs, *self.sha256.values())
        if not all(isinstance(word, str) for word in words):
            raise ValueError(f"among its words is {quoted(next(word for word in words if not isinstance(word, str)))}")
        if len(self.answer) != 3 or set(self.sha256) != {KERNELS, WEIGHTS}:
            raise ValueError(f"answer is {quoted(self.answer)}, files are {quoted(list(self.sha256))}")
        for call in self.calls:
            for kind, start, count in call.arguments:
                if kind not in (ARENA, WORDS, ARRAY, WHOLE, PICTURE, ANSWER):
                    raise ValueError(f"{call.kernel} has an argument of the kind {quoted(kind)}")
                if start < 0 or count < 0 or (kind in (ARENA, WORDS) and start + count > self.numbers):
                    raise ValueError(f"{call.kernel} reads beyond the end")


def _call(table: Mapping[str, Any]) -> Call:
    arguments = tuple((str(kind), int(start), int(count)) for kind, start, count in table["arguments"])
    return Call(str(table["kernel"]), tuple(map(str, table["layers"])), arguments)


@dataclass(frozen=True)
class GraphModule:
    """A compiled graph that was held against its description and this machine."""

    folder: Path
    program: Program

    @property
    def graph(self) -> Graph:
        """The network.

        Raises:
            NetworkError: the description holds none.
        """
        return from_json(self.program.graph)

    def content(self, name: str) -> bytes:
        """Bytes of one of its files, held against the description once more: it may have changed meanwhile.

        Raises:
            ModuleError: it cannot be read, or was altered.
        """
        file = self.folder / name
        try:
            content = read(file)
        except OSError as error:
            raise _unreadable(file, error) from error
        if hashlib.sha256(content).hexdigest() != self.program.sha256[name]:
            raise _altered(file)
        return content

    @classmethod
    def open(cls, folder: Path | str) -> GraphModule:
        """Read the description, and check that the files are the described ones and may run here.

        Raises:
            ModuleError: a file is missing or altered, or the module is for another processor or another TVM.
        """
        module = cls(Path(folder), Program.read(Path(folder) / PROGRAM))
        program = module.program
        for name, digest in program.sha256.items():
            file = module.folder / name
            if not os.path.isfile(file):
                raise ModuleError(f"{file} is missing", AGAIN)
            try:
                found = sha256(file)
            except OSError as error:
                raise _unreadable(file, error) from error
            if found != digest:
                raise _altered(file)
        if lacking := sorted(set(program.needs) - processor.features()):
            cause = (
                f"{folder} was compiled for {program.target} ({program.cpu}),"
                f" and this processor, {processor.name()}, lacks {brief(', '.join(lacking), 200)}"
            )
            raise ModuleError(cause, "Compile it for this one, with --target host.")
        if (installed := tvm_version()) != program.tvm:
            raise ModuleError(f"{folder} was made by TVM {program.tvm}, installed is {installed}", AGAIN)
        return module


def _unreadable(file: Path, error: OSError) -> ModuleError:
    return ModuleError(f"{file} cannot be read ({error.strerror or error})", AGAIN)


def _altered(file: Path) -> ModuleError:
    return ModuleError(f"{file} was altered: its sha256 is not the one in {PROGRAM}", AGAIN)
