"""Weights of strangers, in every format that is read."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastdepth_ros import importing
from fastdepth_ros.importing import read_weights
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
    return list(pkgutil.iter_modules(importing.__path__))


def _reads(name: str) -> Callable[[Path], Callable[[bytes], object]]:
    def prepare(folder: Path) -> Callable[[bytes], object]:
        file, canary, untouched = folder / name, Path(pickles.CANARY), _Untouched()

        def take(data: bytes) -> None:
            if name.endswith(".params"):
                data, graph = (*mutate.unpack(data), b"", b"")[:2]
                (folder / name.replace(".params", ".json").replace("param", "graph")).write_bytes(graph)
            file.write_bytes(data)
            try:
                read_weights(file, TINY)
            finally:
                if canary.exists():
                    canary.rmdir()
                    raise FooledError("code of the file was run")
                untouched.check()

        return take

    return prepare


TARGETS = (
    Target("npz", "file", archives.make, _reads("x.npz"), 6),
    Target("pth", "file", pickles.make, _reads("x.pth"), 6),
    Target("onnx", "file", protobuf.make, _reads("x.onnx"), 6),
    Target("tflite", "file", flatbuffers.make, _reads("x.tflite"), 6),
    Target("params", "file", params.make, _reads("x_param.params"), 4),
)
