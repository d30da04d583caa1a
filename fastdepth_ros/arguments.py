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

__all__ = ["ALIGNMENT", "ANSWER", "WORK", "Argument", "Arrays", "Bind", "Call", "allocate", "bound", "digest", "work"]

ALIGNMENT = 64
"""Bytes at which an array of a compiled function has to begin: a vector load from another place ends the process."""

WORK = "work_"
"""Begins the names of arrays that only the function itself uses."""

Call = Callable[[], object]
Arrays = dict[str, npt.NDArray[Any]]

Bind = Callable[[str, "Sequence[npt.NDArray[Any] | None]"], "Call | None"]
"""Gives a compiled function by name, bound to its arrays; None where there is none of that name. It reads and writes
the arrays at each call; None among them is the network's latest answer. They begin where :class:`Argument` says, which
:func:`bound` sees to."""

ANSWER = "latest_answer"
"""Name of an argument that is the network's latest answer, of which a module makes another with each run."""


class Argument(NamedTuple):
    """One argument of a compiled function; it begins at a multiple of ``alignment`` bytes."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    alignment: int = ALIGNMENT


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
        if each.name not in arrays and each.name != ANSWER:
            arrays[each.name] = allocate(each.shape, each.dtype)
    call = bind(name, [None if each.name == ANSWER else _flat(arrays[each.name], each) for each in arguments])
    return None if call is None else (call, arrays)


def _flat(array: npt.NDArray[Any], argument: Argument) -> npt.NDArray[Any]:
    """An array in a row, as functions take it.

    Raises:
        ValueError: it begins at another place than the function may load vectors from.
    """
    if array.ctypes.data % argument.alignment:
        raise ValueError(f"{argument.name} begins at no multiple of {argument.alignment} bytes")
    return array.reshape(-1)
