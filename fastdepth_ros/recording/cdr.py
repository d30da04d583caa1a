"""The header of a serialized message, read and replaced in its bytes.

A message whose first field is a std_msgs/Header starts with (OMG CDR, 4-byte encapsulation):

    offset  0  encapsulation: 0, kind, 0, 0; an odd kind is little endian
            4  stamp.sec      int32
            8  stamp.nanosec  uint32
           12  length of frame_id with its closing zero, uint32
           16  frame_id
"""

from __future__ import annotations

import struct

SECOND = 1_000_000_000


def _order(data: bytes) -> str:
    return "<" if data[1] & 1 else ">"


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
    """The same serialized message with another stamp [ns]; one copy."""
    seconds, nanoseconds = divmod(stamp, SECOND)
    return b"".join((data[:4], struct.pack(_order(data) + "iI", seconds, nanoseconds), memoryview(data)[12:]))
