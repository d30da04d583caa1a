"""Serialized messages, read and changed in their bytes: what rclpy would make of them is not needed everywhere.

A message whose first field is a std_msgs/Header starts with (OMG CDR, 4-byte encapsulation):

    offset  0  encapsulation: 0, kind, 0, 0; an odd kind is little endian
            4  stamp.sec      int32
            8  stamp.nanosec  uint32
           12  length of frame_id with its closing zero, uint32
           16  frame_id

Numbers lie at multiples of their size, counted from offset 4 on; strings and sequences begin with their length. (In
version 2 of the encoding only numbers of eight bytes lie elsewhere.)
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import partial

SECOND = 1_000_000_000

STAMP, STAMP_ENDS = 4, 12
"""Offsets of the stamp, and of what follows it, in a message that starts with a header."""

KINDS = (0, 1, 6, 7)
"""Kinds of encapsulation that are read: plain CDR of version 1 and 2, in both byte orders."""


_TIMES = struct.Struct(">iI"), struct.Struct("<iI")
"""Seconds and nanoseconds, by the lowest bit of the encapsulation's kind."""


def _order(data: bytes | bytearray) -> str:
    return "<" if data[1] & 1 else ">"


def time_of(data: bytes) -> tuple[int, int]:
    """Seconds and nanoseconds with which a serialized message starts.

    Raises:
        ValueError: the message is too short to hold them, or is encapsulated in another way.
    """
    fields = Fields(data)
    if len(data) < STAMP_ENDS:
        raise ValueError(f"a message of {len(data)} bytes holds no time")
    seconds, nanoseconds = struct.unpack_from(fields.order + "iI", data, STAMP)
    return int(seconds), int(nanoseconds)


def stamp_of(data: bytes) -> int:
    """The stamp of a serialized message that starts with a header [ns].

    Raises:
        ValueError: the message is too short to hold a header.
    """
    if len(data) < 16:
        raise ValueError(f"a message of {len(data)} bytes holds no header")
    seconds, nanoseconds = struct.unpack_from(_order(data) + "iI", data, 4)
    return int(seconds) * SECOND + int(nanoseconds)


def frame_of(data: bytes) -> str:
    """The frame_id of a serialized message that starts with a header.

    Raises:
        ValueError: the message is too short to hold one.
    """
    if len(data) < 16:
        raise ValueError(f"a message of {len(data)} bytes holds no header")
    (length,) = struct.unpack_from(_order(data) + "I", data, 12)
    if len(data) < 16 + length:
        raise ValueError(f"a message of {len(data)} bytes cannot hold a frame_id of {length}")
    return data[16 : 16 + max(0, length - 1)].decode("utf-8", "replace")


def with_stamp(data: bytes, stamp: int) -> bytes:
    """A copy of a serialized message with another stamp [ns]."""
    seconds, nanoseconds = divmod(stamp, SECOND)
    return b"".join(
        (data[:STAMP], struct.pack(_order(data) + "iI", seconds, nanoseconds), memoryview(data)[STAMP_ENDS:])
    )


def put_stamp(data: bytearray, sec: int, nanosec: int, at: int = STAMP) -> None:
    """Write another stamp into a serialized message: of the header with which it starts, or at an offset."""
    _TIMES[data[1] & 1].pack_into(data, at, sec, nanosec)


def stamp_writer(data: bytearray) -> Callable[[int, int], None]:
    """Gives what :func:`put_stamp` does with a message over and over: a function of seconds and nanoseconds."""
    return partial(_TIMES[data[1] & 1].pack_into, data, STAMP)


def put_length(data: bytearray, at: int, length: int) -> None:
    """Write the length of a string or sequence that begins at an offset."""
    struct.pack_into(_order(data) + "I", data, at, length)


class Fields:
    """Reads a serialized message field by field, in their order.

    Args:
        data: the message.

    Attributes:
        order: of its bytes, as :mod:`struct` calls it.

    Raises:
        ValueError: it is encapsulated in another way; so do all methods where a field lies beyond its end.
    """

    def __init__(self, data: bytes) -> None:
        if len(data) < 4 or data[0] or data[1] not in KINDS:
            raise ValueError(f"{data[:4].hex(' ') or 'no byte'} is no CDR encapsulation that is known")
        self.order = _order(data)
        self._version = 1 if data[1] < KINDS[2] else 2
        self._data = data
        self._at = 4

    def skip(self, to: int) -> None:
        """Go on at an offset."""
        self._at = to

    def aligned(self, size: int) -> int:
        """Offset of the next number of so many bytes."""
        return 4 - (4 - self._at) // size * size

    def byte(self) -> int:
        """A uint8."""
        return self._number("B")

    def word(self) -> int:
        """A uint32."""
        return self._number("I")

    def doubles(self, count: int) -> tuple[float, ...]:
        """An array of float64."""
        if not count:
            return ()
        start = self.aligned(8 if self._version == 1 else 4)
        self._go(start, 8 * count)
        return struct.unpack_from(f"{self.order}{count}d", self._data, start)

    def count(self, item_bytes: int) -> int:
        """Number of items of a sequence, each of so many bytes at least."""
        count = self.word()
        if count * item_bytes > len(self._data) - self._at:
            raise ValueError(f"a message of {len(self._data)} bytes cannot hold a sequence of {count}")
        return count

    def string(self, most: int | None = None) -> str:
        """A string, of no more than so many bytes."""
        length = self.word()
        if most is not None and length > most + 1:
            raise ValueError(f"a name of {length - 1} bytes is longer than {most}")
        start = self._at
        self._go(start, length)
        return self._data[start : start + max(0, length - 1)].decode("utf-8", "replace")

    def _number(self, code: str) -> int:
        start = self.aligned(struct.calcsize(code))
        self._go(start, struct.calcsize(code))
        return int(struct.unpack_from(self.order + code, self._data, start)[0])

    def _go(self, start: int, size: int) -> None:
        """Leave a field behind, if it is there."""
        if start + size > len(self._data):
            raise ValueError(f"a message of {len(self._data)} bytes cannot hold {size} from {start} on")
        self._at = start + size
