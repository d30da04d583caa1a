"""Weights of strangers, in every format that is read.

They are read in a process of their own (``import`` here, a few a second); its function is fuzzed in the worker, within
the limits of that process.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import resource
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

from fastdepth_ros import importing
from fastdepth_ros.importing import read_weights
from fastdepth_ros.importing.apart import MEMORY
from fastdepth_ros.importing.bounds import budget
from fastdepth_ros.importing.reading import read_here
from hostile import mutate
from hostile.seeds import archives, flatbuffers, params, pickles, protobuf
from hostile.seeds.tiny import TINY
from hostile.target import FooledError, Target


class _Untouched:
    """Functions and classes that a file could reach by its name, as they were."""

    def __init__(self) -> None:
        modules = [importlib.import_module(f"{importing.__name__}.{found.name}") for found in _modules()]
        found = [each for module in modules for each in vars(module).values()]
        self._functions = [each for each in found if inspect.isfunction(each)]
        self._classes = [OrderedDict, *(each for each in found if inspect.isclass(each))]
        self._state = self._now()

    def check(self) -> None:
        """Raise FooledError where one of them was changed; what can be put back is."""
        if self._now() == self._state:
            return
        for function, (defaults, keywords, code, _) in zip(self._functions, self._state[0], strict=True):
            function.__defaults__, function.__kwdefaults__, function.__code__ = defaults, keywords, code
        self._state = self._now()
        raise FooledError("the file changed a function of this process")

    def _now(self) -> tuple[list[Any], list[Any]]:
        functions = [(f.__defaults__, f.__kwdefaults__, f.__code__, dict(vars(f))) for f in self._functions]
        return functions, [dict(vars(each)) for each in self._classes]


def _modules() -> list[pkgutil.ModuleInfo]:
    return [found for found in pkgutil.iter_modules(importing.__path__) if found.name != "__main__"]


@contextmanager
def _limited(size: int) -> Iterator[None]:
    """The limit that files of strangers are read within, for a moment in this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + MEMORY + size + 2 * budget(size)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _apart(folder: Path) -> Callable[[bytes], object]:
    def take(data: bytes) -> None:
        suffix, data = (*mutate.unpack(data), b"", b"")[:2]
        file = folder / f"x{suffix.decode()}"
        file.write_bytes(data)
        read_weights(file, TINY)

    return take


def _make_apart(rng: Random) -> bytes:
    target = rng.choice([target for target in TARGETS if target.name not in ("import", "params")])
    return mutate.pack(f".{target.name}".encode(), target.make(rng))


def _reads(name: str) -> Callable[[Path], Callable[[bytes], object]]:
    def prepare(folder: Path) -> Callable[[bytes], object]:
        file, canary, untouched = folder / name, Path(pickles.CANARY), _Untouched()

        def take(data: bytes) -> None:
            if name.endswith(".params"):
                data, graph = (*mutate.unpack(data), b"", b"")[:2]
                (folder / name.replace(".params", ".json").replace("param", "graph")).write_bytes(graph)
            file.write_bytes(data)
            try:
                with _limited(len(data)):
                    read_here(file, TINY)
            finally:
                if canary.exists():
                    canary.rmdir()
                    raise FooledError("code of the file was run")
                untouched.check()

        return take

    return prepare


TARGETS = (
    Target("npz", "file", archives.make, _reads("x.npz"), 8),
    Target("pth", "file", pickles.make, _reads("x.pth"), 5),
    Target("onnx", "file", protobuf.make, _reads("x.onnx"), 8),
    Target("tflite", "file", flatbuffers.make, _reads("x.tflite"), 8),
    Target("params", "file", params.make, _reads("x_param.params"), 6),
    Target("import", "file", _make_apart, _apart, 1, apart=True),
)
