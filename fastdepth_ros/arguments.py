"""Arguments of the functions that a compiled module has beside its network: arrays that Python and they share.

A function's name holds a digest of its arguments and of the numbers that are compiled into it: a module of other ones
has no function of that name, and Python computes instead.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["ALIGNMENT", "WORK", "Argument", "Arrays", "Bind", "Call", "allocate", "bound", "digest", "work"]

ALIGNMENT = 64
"""Bytes at which an array of a compiled function has to begin: a vector load from another place ends the process."""

WORK = "work_"
"""Begins the names of arrays that only the function itself uses."""

Call = Callable[[], object]
Arrays = dict[str, npt.NDArray[Any]]

Bind = Callable[[str, Sequence[npt.NDArray[Any]]], "Call | None"]
"""Gives a compiled function by name, bound to its arrays; None where there is none of that name. It reads and writes
the arrays at each call; they begin at multiples of :data:`ALIGNMENT`."""


class Argument(NamedTuple):
    """One argument of a compiled function."""

    name: str
    shape: tuple[int, ...]
    dtype: str


def work(names: str, count: int, dtype: str = "float32") -> list[Argument]:
    """Arrays that only the function itself uses.

    They are arguments because TVM makes arrays of a function as small as the places that its passes see; where a place
    is a number that was computed, they see one.
    """
    return [Argument(f"{WORK}{name}", (count,), dtype) for name in names.split()]


def allocate(shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
    """Zeros where a compiled function may read and write: they begin at a multiple of :data:`ALIGNMENT`."""
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    raw = np.zeros(size + ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    return raw[start : start + size].view(dtype).reshape(shape)


def digest(*parts: object) -> str:
    """Eight digits that change with what the parts look like."""
    return f"{zlib.crc32(repr(parts).encode()):08x}"


def bound(
    bind: Bind | None, name: str, arguments: Sequence[Argument], given: Arrays | None = None
) -> tuple[Call, Arrays] | None:
    """A function and its arrays by name; None where there is none.

    Args:
        bind: of the module; None without one.
        name: of the function.
        arguments: its arguments, in order.
        given: arrays that others own, by name; the rest is made.
    """
    if bind is None:
        return None
    arrays = dict(given or {})
    for each in arguments:
        if each.name not in arrays:
            arrays[each.name] = allocate(each.shape, each.dtype)
    call = bind(name, [arrays[each.name].reshape(-1) for each in arguments])
    return None if call is None else (call, arrays)
