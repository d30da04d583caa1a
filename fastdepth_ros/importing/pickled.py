"""PyTorch's files (``.pth.tar``, ``.pth``, ``.pt``), read without torch and without running any code from them.

Such a file is a pickle, and a pickle is a program: it may call anything that can be imported. Here it can call nothing.
The names in it are never imported; those that make tensors are replaced by functions of this module, all others by
inert objects that remember what was put into them. Both of torch's formats are read: the zip archive of torch 1.6 and
later, and the older sequence of pickles and raw storages, which MIT's checkpoints of 2019 are.
"""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fastdepth_ros.errors import WeightsError

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C

STORAGES = {
    "FloatStorage": np.float32,
    "DoubleStorage": np.float64,
    "HalfStorage": np.float16,
    "LongStorage": np.int64,
    "IntStorage": np.int32,
    "ShortStorage": np.int16,
    "CharStorage": np.int8,
    "ByteStorage": np.uint8,
    "BoolStorage": np.bool_,
}


class _Storage(NamedTuple):
    key: str
    dtype: npt.DTypeLike


class _Tensor(NamedTuple):
    """A tensor whose numbers may not have been read yet."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _Inert:
    """What stands for an object of any other class: it takes whatever it is given and does nothing."""

    def __new__(cls, *_: Any, **__: Any) -> _Inert:
        return super().__new__(cls)

    def __init__(self, *_: Any, **__: Any) -> None:
        self.state: dict[Any, Any] = {}

    def __setstate__(self, state: Any) -> None:
        self.state = state if isinstance(state, dict) else {}

    def __setitem__(self, key: Any, value: Any) -> None:
        self.state[key] = value

    def append(self, _: Any) -> None:
        """A list's: dropped."""

    def extend(self, _: Any) -> None:
        """A list's: dropped."""

    def add(self, _: Any) -> None:
        """A set's: dropped."""


def _tensor(storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> Any:
    return _Tensor(storage, int(offset), tuple(shape), tuple(strides)) if isinstance(storage, _Storage) else _Inert()


def _parameter(data: Any, *_: Any) -> Any:
    return data


REBUILT: dict[tuple[str, str], Callable[..., Any]] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_tensor"): _tensor,
    ("torch._utils", "_rebuild_parameter"): _parameter,
}
"""The only names in a pickle that stand for more than an inert object."""


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in REBUILT:
            return REBUILT[module, name]
        if module in ("torch", "torch.storage") and name in STORAGES:
            return STORAGES[name]
        return type(name.rpartition(".")[2] or "Nameless", (_Inert,), {})

    def persistent_load(self, identifier: Any) -> Any:
        if not isinstance(identifier, tuple) or len(identifier) < 3:
            return _Inert()
        if identifier[0] == "storage" and identifier[1] in STORAGES.values():
            return _Storage(str(identifier[2]), identifier[1])
        return identifier[1] if identifier[0] == "module" else _Inert()


def read(path: Path) -> dict[str, npt.NDArray[Any]]:
    """The state dict in a torch file: of the file itself, of its ``model``, ``state_dict`` or ``model_state_dict``.

    A pickled module, as MIT's checkpoints hold one under ``model``, is walked for its parameters and buffers.

    Raises:
        WeightsError: the file is damaged, or holds no tensors where they are expected.
    """
    try:
        data = path.read_bytes()
        root, storages = _read_zip(data) if zipfile.is_zipfile(io.BytesIO(data)) else _read_legacy(data)
        tensors = _state_dict(root)
        arrays = {name: _array(tensor, storages) for name, tensor in tensors.items()}
    except WeightsError:
        raise
    except Exception as error:  # a hostile or damaged pickle can fail in any way
        cause = f"{path} cannot be read as a torch file ({type(error).__name__}: {error})"
        raise WeightsError(cause, "Download it again, or save its state_dict.") from error
    if not arrays:
        raise WeightsError(f"{path} holds no state dict", "Save model.state_dict() itself, or under 'state_dict'.")
    return arrays


def _read_zip(data: bytes) -> tuple[Any, dict[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        pickles = [name for name in archive.namelist() if name.endswith("data.pkl")]
        if len(pickles) != 1:
            raise WeightsError("the archive holds no data.pkl", "It is no torch file.")
        root = _Unpickler(io.BytesIO(archive.read(pickles[0]))).load()
        prefix = pickles[0][: -len("data.pkl")] + "data/"
        storages = {n[len(prefix) :]: archive.read(n) for n in archive.namelist() if n.startswith(prefix)}
    return root, storages


def _read_legacy(data: bytes) -> tuple[Any, dict[str, bytes]]:
    file = io.BytesIO(data)
    if _Unpickler(file).load() != LEGACY_MAGIC:
        raise WeightsError("the file does not begin as torch's do", "It is no torch file.")
    _Unpickler(file).load()  # version of the protocol
    _Unpickler(file).load()  # byte order and sizes of C types of the machine that wrote it
    root = _Unpickler(file).load()
    keys = _Unpickler(file).load()
    sizes = {tensor.storage.key: np.dtype(tensor.storage.dtype).itemsize for tensor in _all_tensors(root)}
    storages: dict[str, bytes] = {}
    for key in keys:
        (count,) = struct.unpack("<q", file.read(8))
        if str(key) not in sizes:
            raise WeightsError(f"storage {key} belongs to no tensor", "Save the state_dict alone.")
        storages[str(key)] = file.read(count * sizes[str(key)])
    return root, storages


def _all_tensors(value: Any, seen: set[int] | None = None) -> list[_Tensor]:
    """Every tensor that can be reached from ``value``."""
    seen = set() if seen is None else seen
    if id(value) in seen:
        return []
    seen.add(id(value))
    if isinstance(value, _Tensor):
        return [value]
    if isinstance(value, _Inert):
        value = value.state
    inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list | tuple) else []
    return [tensor for each in inner for tensor in _all_tensors(each, seen)]


def _state_dict(root: Any) -> dict[str, _Tensor]:
    if isinstance(root, _Inert):
        return _module_tensors(root)
    if isinstance(root, Mapping):
        for key in ("state_dict", "model_state_dict", "model"):
            if isinstance(root.get(key), Mapping | _Inert):
                return _state_dict(root[key])
        return {str(name): value for name, value in root.items() if isinstance(value, _Tensor)}
    return {}


def _module_tensors(module: _Inert, prefix: str = "") -> dict[str, _Tensor]:
    """Parameters, buffers and those of the modules inside, named as torch's state_dict names them."""
    found: dict[str, _Tensor] = {}
    for group in ("_parameters", "_buffers"):
        for name, value in dict(module.state.get(group) or {}).items():
            if isinstance(value, _Tensor):
                found[f"{prefix}{name}"] = value
    for name, inner in dict(module.state.get("_modules") or {}).items():
        if isinstance(inner, _Inert):
            found |= _module_tensors(inner, f"{prefix}{name}.")
    return found


def _array(tensor: _Tensor, storages: Mapping[str, bytes]) -> npt.NDArray[Any]:
    numbers = np.frombuffer(storages[tensor.storage.key], tensor.storage.dtype)
    size = numbers.itemsize
    last = tensor.offset + sum((n - 1) * s for n, s in zip(tensor.shape, tensor.strides, strict=True))
    if 0 not in tensor.shape and not (tensor.offset >= 0 and min((0, *tensor.strides)) >= 0 and last < numbers.size):
        raise WeightsError("a tensor reaches beyond its storage", "The file is damaged.")
    strides = tuple(stride * size for stride in tensor.strides)
    view = np.lib.stride_tricks.as_strided(numbers[tensor.offset :], tensor.shape, strides, writeable=False)
    return view.copy()
