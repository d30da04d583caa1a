"""Reads a pickle in which nothing can happen.

A pickle is a program: it may call anything that can be imported. Here it can call nothing. The names in it are never
imported; those that make tensors are replaced by functions of this module, all others by inert objects that remember
what was put into them. Python's own unpickler in C is no help against a hostile one: keys of a million tuples inside
each other overflow its stack, a memo's number of four billion has it ask for as many places, and BUILD writes into
whatever lies on the stack. So the one in Python is used, and those of its instructions are replaced.
"""

from __future__ import annotations

import io
import pickle
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import IO, Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

LONGEST = 2**19
"""Bytes of a pickle: each takes a microsecond. A FastDepth with its modules and its optimiser has 0.2 MB, the
numbers are beside it."""

MOST_DIMENSIONS = 8
LARGEST_KEY = 2**60
"""Largest whole number that is a key; old optimisers have addresses as keys."""

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


class Storage(NamedTuple):
    """Numbers that stand beside the pickle, under a key."""

    key: str
    dtype: npt.DTypeLike


class Tensor(NamedTuple):
    """A tensor whose numbers may not have been read yet."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class Inert:
    """Stand-in for an object of any other class: it takes whatever it is given and does nothing."""

    __slots__ = ("state",)

    def __init__(self, *_: Any) -> None:
        self.state: dict[Any, Any] | None = None

    def part(self, name: str) -> dict[Any, Any]:
        """A dictionary in its state; empty where there is none of that name."""
        found = (self.state or {}).get(name)
        return found if isinstance(found, dict) else {}


def _tensor(storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> Any:
    if not isinstance(storage, Storage):
        return Inert()
    numbers = (offset, *shape, *strides)
    if len(shape) > MOST_DIMENSIONS or not all(type(number) is int and 0 <= number < 2**48 for number in numbers):
        raise ValueError("a tensor of an impossible shape")
    return Tensor(storage, offset, tuple(shape), tuple(strides))


def _parameter(data: Any = None, *_: Any) -> Any:
    return data


def _ordered(pairs: Any = (), *_: Any) -> Any:
    found: OrderedDict[Any, Any] = OrderedDict()
    _put(found, [item for pair in pairs for item in (pair[0], pair[1])])
    return found


REBUILT: dict[tuple[str, str], Callable[..., Any]] = {
    ("collections", "OrderedDict"): _ordered,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_tensor"): _tensor,
    ("torch._utils", "_rebuild_parameter"): _parameter,
}
"""The only names in a pickle that stand for more than an inert object."""


def load(file: IO[bytes], most: int = LONGEST) -> Any:
    """The object of the pickle that begins where a file stands; the file stands behind it then.

    Args:
        file: with the pickle.
        most: bytes that it may have.

    Raises:
        Exception: of any kind; the pickle is damaged or hostile.
    """
    start = file.tell()
    unpickler = _Unpickler(io.BytesIO(file.read(most)))
    found = unpickler.load()
    file.seek(start + unpickler.place())
    return found


def _put(target: Any, items: Any) -> None:
    """Put keys and values that follow each other into a dictionary or an inert object."""
    if isinstance(target, Inert):
        return
    if not isinstance(target, dict):
        raise ValueError(f"items for {type(target).__name__}")
    for key, value in zip(items[::2], items[1::2], strict=True):
        # A key is hashed by C code, which goes into tuples however deep they are. No two of these have one hash.
        if isinstance(key, str) or (type(key) is int and 0 <= key < LARGEST_KEY):
            target[key] = value


_Python: Any = pickle._Unpickler  # It is in every Python 3, though without a documented name.


class _Unpickler(_Python):  # type: ignore[misc]
    """Python's own, without what a hostile pickle uses."""

    dispatch: ClassVar[dict[int, Any]] = dict(_Python.dispatch)

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self._file = file

    def place(self) -> int:
        """Bytes that were read."""
        return self._file.tell()

    def find_class(self, module: str, name: str) -> Any:
        """Look up what a name stands for; nothing is imported."""
        if (module, name) in REBUILT:
            return REBUILT[module, name]
        if module in ("torch", "torch.storage") and name in STORAGES:
            return STORAGES[name]
        return Inert

    def persistent_load(self, identifier: Any) -> Any:
        """A storage, or what comes with a module; what else is asked for is inert."""
        if not isinstance(identifier, tuple) or len(identifier) < 3:
            return Inert()
        kind, what, key, *_ = identifier
        if kind == "storage" and isinstance(key, str | int) and any(what is dtype for dtype in STORAGES.values()):
            return Storage(str(key), what)
        return what if kind == "module" and isinstance(kind, str) else Inert()

    def call(self, function: Any, arguments: Any) -> Any:
        """Result of a call: only what is in REBUILT is called."""
        if any(function is known for known in REBUILT.values()) and isinstance(arguments, tuple):
            return function(*arguments)
        return Inert()

    def load_reduce(self) -> None:
        """REDUCE: a call."""
        arguments = self.stack.pop()
        self.stack[-1] = self.call(self.stack[-1], arguments)

    def load_newobj(self) -> None:
        """NEWOBJ: an object of a class."""
        arguments = self.stack.pop()
        self.stack[-1] = self.call(self.stack[-1], arguments)

    def load_newobj_ex(self) -> None:
        """NEWOBJ_EX: an object of a class, by keywords."""
        del self.stack[-2:]
        self.stack[-1] = Inert()

    def load_inst(self) -> None:
        """INST: an object of a class that is named here."""
        self.readline()
        self.readline()
        self.pop_mark()
        self.append(Inert())

    def load_obj(self) -> None:
        """OBJ: an object of a class on the stack."""
        self.pop_mark()
        self.append(Inert())

    def load_build(self) -> None:
        """BUILD: the state of an object; only an inert one takes it."""
        state = self.stack.pop()
        target = self.stack[-1]
        if isinstance(target, Inert):
            target.state = state if isinstance(state, dict) else None

    def load_setitem(self) -> None:
        """SETITEM: one key and value."""
        value, key = self.stack.pop(), self.stack.pop()
        _put(self.stack[-1], [key, value])

    def load_setitems(self) -> None:
        """SETITEMS: keys and values."""
        items = self.pop_mark()
        _put(self.stack[-1], items)

    def load_dict(self) -> None:
        """DICT: a dictionary of what is on the stack."""
        found: dict[Any, Any] = {}
        _put(found, self.pop_mark())
        self.append(found)

    def load_append(self) -> None:
        """APPEND: one item."""
        item = self.stack.pop()
        self.extend(self.stack[-1], [item])

    def load_appends(self) -> None:
        """APPENDS: items."""
        items = self.pop_mark()
        self.extend(self.stack[-1], items)

    def extend(self, target: Any, items: Iterable[Any]) -> None:
        """Put items into a list; others keep none."""
        if isinstance(target, list):
            target.extend(items)
        elif not isinstance(target, Inert):
            raise ValueError(f"items for {type(target).__name__}")

    def load_set(self) -> None:
        """EMPTY_SET: inert, for nothing here is in a set."""
        self.append(Inert())

    def load_additems(self) -> None:
        """ADDITEMS: dropped."""
        self.pop_mark()

    def load_frozenset_(self) -> None:
        """FROZENSET: inert, too."""
        self.pop_mark()
        self.append(Inert())

    def refuse(self) -> None:
        """Refuse what torch never writes."""
        raise ValueError("an instruction that torch does not write")


for _code, _function in {
    pickle.REDUCE: _Unpickler.load_reduce,
    pickle.NEWOBJ: _Unpickler.load_newobj,
    pickle.NEWOBJ_EX: _Unpickler.load_newobj_ex,
    pickle.INST: _Unpickler.load_inst,
    pickle.OBJ: _Unpickler.load_obj,
    pickle.BUILD: _Unpickler.load_build,
    pickle.SETITEM: _Unpickler.load_setitem,
    pickle.SETITEMS: _Unpickler.load_setitems,
    pickle.DICT: _Unpickler.load_dict,
    pickle.APPEND: _Unpickler.load_append,
    pickle.APPENDS: _Unpickler.load_appends,
    pickle.EMPTY_SET: _Unpickler.load_set,
    pickle.ADDITEMS: _Unpickler.load_additems,
    pickle.FROZENSET: _Unpickler.load_frozenset_,
    pickle.EXT1: _Unpickler.refuse,
    pickle.EXT2: _Unpickler.refuse,
    pickle.EXT4: _Unpickler.refuse,
    pickle.BYTEARRAY8: _Unpickler.refuse,
    pickle.NEXT_BUFFER: _Unpickler.refuse,
    pickle.READONLY_BUFFER: _Unpickler.refuse,
}.items():
    _Unpickler.dispatch[_code[0]] = _function
