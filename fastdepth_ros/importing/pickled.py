"""PyTorch's files (``.pth.tar``, ``.pth``, ``.pt``), read without torch and without running any code from them.

Both of torch's formats are read: the zip archive of torch 1.6 and later, and the older sequence of pickles and raw
storages, which MIT's checkpoints of 2019 are. :mod:`fastdepth_ros.importing.inert` reads the pickles.
"""

from __future__ import annotations

import io
import math
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastdepth_ros.errors import WeightsError
from fastdepth_ros.importing.bounds import budget, foreign, read_file
from fastdepth_ros.importing.inert import Inert, Tensor, load

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
MOST_TENSORS = 4096
"""In a file: parameters, buffers and an optimiser's state; FastDepth has 600."""

DEEPEST = 64
"""Modules inside modules, or lists inside lists."""


def read(path: Path) -> dict[str, npt.NDArray[Any]]:
    """The state dict in a torch file: of the file itself, of its ``model``, ``state_dict`` or ``model_state_dict``.

    A pickled module, as MIT's checkpoints hold one under ``model``, is walked for its parameters and buffers.

    Raises:
        WeightsError: the file is damaged, or holds no tensors where they are expected.
    """
    with foreign(path, "a torch file", "Download it again, or save its state_dict."):
        data = read_file(path)
        root, storages = _read_zip(data) if zipfile.is_zipfile(io.BytesIO(data)) else _read_legacy(data)
        tensors = _state_dict(root)
        if sum(_bytes(tensor) for tensor in tensors.values()) > budget(len(data)):
            raise ValueError("its tensors have more numbers than it can hold")
        arrays = {name: _array(tensor, storages) for name, tensor in tensors.items()}
    if not arrays:
        raise WeightsError(f"{path} holds no state dict", "Save model.state_dict() itself, or under 'state_dict'.")
    return arrays


def _read_zip(data: bytes) -> tuple[Any, dict[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = archive.infolist()
        pickles = [member for member in members if member.filename.endswith("data.pkl")]
        if len(pickles) != 1:
            raise WeightsError("the archive holds no data.pkl", "It is no torch file.")
        if len(members) > MOST_TENSORS:
            raise ValueError(f"it holds {len(members)} files")
        if sum(member.file_size for member in members) > budget(len(data)):
            raise ValueError(f"it unpacks to more than {budget(len(data))} bytes")
        root = load(io.BytesIO(archive.read(pickles[0])))
        prefix = pickles[0].filename.removesuffix("data.pkl") + "data/"
        storages = {m.filename[len(prefix) :]: archive.read(m) for m in members if m.filename.startswith(prefix)}
    return root, storages


def _read_legacy(data: bytes) -> tuple[Any, dict[str, bytes]]:
    file = io.BytesIO(data)
    if load(file) != LEGACY_MAGIC:
        raise WeightsError("the file does not begin as torch's do", "It is no torch file.")
    load(file)  # version of the protocol
    load(file)  # byte order and sizes of C types of the machine that wrote it
    root, keys = load(file), load(file)
    sizes = {tensor.storage.key: np.dtype(tensor.storage.dtype).itemsize for tensor in _all_tensors(root)}
    storages: dict[str, bytes] = {}
    for key in keys:
        (count,) = struct.unpack("<q", file.read(8))
        if not isinstance(key, str | int) or str(key) not in sizes:
            raise WeightsError(f"storage {key!r:.40} belongs to no tensor", "Save the state_dict alone.")
        if not 0 <= count <= len(data):
            raise ValueError(f"a storage of {count} numbers")
        storages[str(key)] = file.read(count * sizes[str(key)])
    return root, storages


def _all_tensors(root: Any) -> list[Tensor]:
    """Every tensor that can be reached from ``root``."""
    found, seen, rest = [], set(), [root]
    while rest:
        value = rest.pop()
        if isinstance(value, Tensor):
            found.append(value)
        elif id(value) not in seen:
            seen.add(id(value))
            inner = value.state if isinstance(value, Inert) else value
            rest += inner.values() if isinstance(inner, dict) else inner if isinstance(inner, list | tuple) else ()
    return found


def _state_dict(root: Any) -> dict[str, Tensor]:
    for _ in range(DEEPEST):
        if isinstance(root, Inert):
            return dict(_module_tensors(root))
        if not isinstance(root, Mapping):
            break
        inner = (root.get(key) for key in ("state_dict", "model_state_dict", "model"))
        found = next((value for value in inner if isinstance(value, Mapping | Inert)), None)
        if found is None:
            return {str(name): value for name, value in root.items() if isinstance(value, Tensor)}
        root = found
    return {}


def _module_tensors(module: Inert, prefix: str = "", depth: int = 0) -> list[tuple[str, Tensor]]:
    """Parameters, buffers and those of the modules inside, named as torch's state_dict names them."""
    if depth > DEEPEST:
        raise ValueError("modules inside modules without end")
    found = [
        (f"{prefix}{name}", value)
        for group in ("_parameters", "_buffers")
        for name, value in module.part(group).items()
        if isinstance(value, Tensor)
    ]
    for name, inner in module.part("_modules").items():
        if isinstance(inner, Inert):
            found += _module_tensors(inner, f"{prefix}{name}.", depth + 1)
        if len(found) > MOST_TENSORS:  # One module may stand in many places, and each of them in many others.
            raise ValueError(f"more than {MOST_TENSORS} tensors")
    return found


def _bytes(tensor: Tensor) -> int:
    return math.prod(tensor.shape) * np.dtype(tensor.storage.dtype).itemsize


def _array(tensor: Tensor, storages: Mapping[str, bytes]) -> npt.NDArray[Any]:
    numbers = np.frombuffer(storages[tensor.storage.key], tensor.storage.dtype)
    size = numbers.itemsize
    last = tensor.offset + sum((n - 1) * s for n, s in zip(tensor.shape, tensor.strides, strict=True))
    if 0 not in tensor.shape and not (tensor.offset >= 0 and min((0, *tensor.strides)) >= 0 and last < numbers.size):
        raise WeightsError("a tensor reaches beyond its storage", "The file is damaged.")
    strides = tuple(stride * size for stride in tensor.strides)
    view = np.lib.stride_tricks.as_strided(numbers[tensor.offset :], tensor.shape, strides, writeable=False)
    return view.copy()
