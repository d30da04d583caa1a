"""A checked reader of the serialized messages that anchors come in: numbers, headers and sequences as views.

Nothing here is given to rclpy: its deserialization takes a process down for some four bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from fastdepth_ros.cdr import Fields
from fastdepth_ros.errors import AnchorError
from fastdepth_ros.messages.serialized import Origin

VERSION_2 = (6, 7)
"""Kinds of encapsulation in which numbers of eight bytes lie at multiples of four."""

Read = TypeVar("Read")


class Reader(Fields):
    """Reads the fields of a message in their order.

    Raises:
        ValueError: it is encapsulated in another way; so do all methods where a field lies beyond its end.
    """

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._widest = 4 if data[1] in VERSION_2 else 8

    def numbers(self, code: str) -> tuple[Any, ...]:
        """Numbers of one kind, one after the other.

        Args:
            code: how many and of which kind, as :mod:`struct` says it: ``7d``.
        """
        size = struct.calcsize(f"={code[-1]}")
        start = self.aligned(min(size, self._widest))
        values = struct.Struct(self.order + code)
        self._at = start + values.size
        self._check(start)
        return values.unpack_from(self._data, start)

    def number(self, code: str) -> Any:
        """One number of a kind of :mod:`struct`."""
        return self.numbers(code)[0]

    def header(self) -> Origin:
        """A std_msgs/Header."""
        sec, nanosec = self.number("i"), self.number("I")
        return Origin(sec, nanosec, self.string())

    def octets(self) -> memoryview:
        """A sequence of bytes, as a view."""
        length = self.word()
        start, self._at = self._at, self._at + length
        self._check(start)
        return memoryview(self._data)[start : start + length]

    def singles(self) -> npt.NDArray[np.floating]:
        """A sequence of float32, as a view in the message's byte order."""
        length = self.word()
        start, self._at = self._at, self._at + 4 * length
        self._check(start)
        return np.frombuffer(self._data, self.order + "f4", length, start)

    @property
    def at_end(self) -> bool:
        """Whether no field follows: those of later versions of a message lack in earlier ones."""
        return self._at + 4 > len(self._data)

    def _check(self, start: int) -> None:
        if self._at > len(self._data):
            raise ValueError(f"a message of {len(self._data)} bytes ends before its field at {start} does")


def read(kind: str, fields: Callable[[Reader], Read], serialized: bytes) -> Read:
    """What ``fields`` reads out of a message.

    Args:
        kind: name of the message's type, for the error.
        fields: reads them, in their order.
        serialized: the message.

    Raises:
        AnchorError: the message is cut short, or no message of that kind.
    """
    try:
        return fields(Reader(serialized))
    except (ValueError, struct.error, OverflowError) as error:
        remedy = "Check who publishes it, and by which DDS."
        raise AnchorError(f"a {kind} cannot be read: {error}", remedy) from error
