"""Work of a worker, in memory that outlives it: the case, since when, and what it had cost before."""

from __future__ import annotations

import mmap
import struct
from pathlib import Path
from typing import NamedTuple

ROOM = 8 << 20
"""Bytes of a case that are kept."""

_TARGET, _CASE = struct.Struct("<Q"), struct.Struct("<QdddQ")
_HEAD = _TARGET.size + _CASE.size


class Entry(NamedTuple):
    """A case that runs, or ran last.

    Attributes:
        number: of cases that were begun.
        target: its place in the list of targets; 0 while none runs.
        begun: when [s, monotonic].
        delay: how long the worker had waited for a processor by then [s].
        cpu: what it had used of one [s].
        data: the case.
    """

    number: int
    target: int
    begun: float
    delay: float
    cpu: float
    data: bytes


class Board:
    """A file that a worker writes and its parent reads.

    The target is written last and read first: whoever sees one sees the case that it belongs to, or a later one.
    """

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(b"")
            with path.open("r+b") as file:
                file.truncate(_HEAD + ROOM)
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 0)

    def begin(self, number: int, target: int, begun: float, delay: float, cpu: float, data: bytes) -> None:
        """A case is about to run."""
        size = min(len(data), ROOM)
        self._map[_HEAD : _HEAD + size] = data[:size]
        _CASE.pack_into(self._map, _TARGET.size, number, begun, delay, cpu, size)
        _TARGET.pack_into(self._map, 0, target)

    def end(self) -> None:
        """It ran to its end."""
        _TARGET.pack_into(self._map, 0, 0)

    def clear(self) -> None:
        """No case was begun yet."""
        self.end()
        _CASE.pack_into(self._map, _TARGET.size, 0, 0.0, 0.0, 0.0, 0)

    def read(self) -> Entry:
        """The entry that a worker wrote last."""
        (target,) = _TARGET.unpack_from(self._map, 0)
        number, begun, delay, cpu, size = _CASE.unpack_from(self._map, _TARGET.size)
        return Entry(number, target, begun, delay, cpu, self._map[_HEAD : _HEAD + size])
