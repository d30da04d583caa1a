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
from fastdepth_ros.messages.serialized import LONGEST_NAME, SerializedHeader

Read = TypeVar("Read")


class Reader(Fields):
    """Reads the fields of a message in their order.

    Raises:
        ValueError: it is encapsulated in another way; so do all methods where a field lies beyond its end.
    """

    def numbers(self, code: str) -> tuple[Any, ...]:
        """Numbers of one kind, one after the other.

        Args:
            code: how many and of which kind, as :mod:`struct` says it: ``7d``.
        """
        size = struct.calcsize(f"={code[-1]}")
        start = self.aligned(size if self._version == 1 else min(size, 4))
        values = struct.Struct(self.order + code)
        self._go(start, values.size)
        return values.unpack_from(self._data, start)

    def number(self, code: str) -> Any:
        """One number of a kind of :mod:`struct`."""
        return self.numbers(code)[0]

    def string(self, most: int | None = LONGEST_NAME) -> str:
        """A string, of no more than so many bytes."""
        return super().string(most)

    def header(self) -> SerializedHeader:
        """A std_msgs/Header."""
        sec, nanosec = self.number("i"), self.number("I")
        return SerializedHeader(sec, nanosec, self.string())

    def octets(self) -> memoryview:
        """A sequence of bytes, as a view."""
        length = self.word()
        start = self._at
        self._go(start, length)
        return memoryview(self._data)[start : start + length]

    def singles(self) -> npt.NDArray[np.floating]:
        """A sequence of float32, as a view in the message's byte order."""
        length = self.word()
        start = self._at
        self._go(start, 4 * length)
        return np.frombuffer(self._data, self.order + "f4", length, start)

    @property
    def at_end(self) -> bool:
        """Whether no field follows: those of later versions of a message lack in earlier ones."""
        return self._at + 4 > len(self._data)


def read(kind: str, fields: Callable[[Reader], Read], serialized: bytes) -> Read:
    """Values that ``fields`` reads out of a message.

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
