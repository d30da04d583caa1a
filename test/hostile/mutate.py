"""Bytes, spoilt in ways that parsers stumble over."""

from __future__ import annotations

import struct
from collections.abc import Callable
from random import Random

NUMBERS = (
    0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 33, 63, 64, 127, 128, 255, 256, 1023, 1024, 4095, 4096, 32767, 32768, 65500,
    65535, 65536, 0xFFFFFF, 0x1000000, 100_000_000, 0x10000000, 600_000_000,
    0x3FFFFFFF, 0x40000000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF,
)  # fmt: skip
LONG_NUMBERS = (*NUMBERS, 1 << 32, 1 << 40, (1 << 62) - 1, 1 << 62, (1 << 63) - 1, 1 << 63, (1 << 64) - 1)
FLOATS = (0.0, -0.0, 1.0, -1.0, 5e-324, 1e-308, 1e-38, 1e38, 1e300, 1e308, float("inf"), float("-inf"), float("nan"))
TEXTS = (
    "", " ", "\n", "\0", "a\0b", "../../x", "/", "/dev/null", "x" * 300, "%s%n{}{0}", "~", "-1", "true", "null", "nan",
    "\u202e", "\U0001f600" * 20, "é", "$(true)", "'", '"', "\\", "a\nb\rc\x1b[2J",
)  # fmt: skip
LONG_TEXT = 1 << 20


def number(rng: Random, near: int = 0, bits: int = 32) -> int:
    """A number at the edge of something, or near one that is right."""
    kind = rng.random()
    if near and kind < 0.3:
        found = near + rng.choice((-2, -1, 1, 2))
    elif near and kind < 0.45:
        found = near * rng.choice((2, 3, 256, 65536))
    elif kind < 0.9:
        found = rng.choice(LONG_NUMBERS if bits > 32 else NUMBERS)
    else:
        found = rng.getrandbits(bits)
    return found & ((1 << bits) - 1)


def real(rng: Random, near: float = 0.0) -> float:
    """A float64 at the edge of something, or a multiple of one that is right."""
    kind = rng.random()
    if near and kind < 0.4:
        return near * rng.choice((-1, 0.25, 0.5, 2, 4, 1e3, 1e6, 1e-6))
    if kind < 0.9:
        return rng.choice(FLOATS)
    return struct.unpack("<d", rng.randbytes(8))[0]


def text(rng: Random) -> bytes:
    """A string, seldom a very long one."""
    kind = rng.random()
    if kind < 0.7:
        return rng.choice(TEXTS).encode()
    if kind < 0.95:
        return rng.randbytes(rng.choice((1, 2, 5, 30)))
    return b"w" * (LONG_TEXT if kind > 0.998 else rng.randint(100, 5000))


def _flip(rng: Random, data: bytearray) -> None:
    for _ in range(rng.choice((1, 1, 2, 8))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _set(rng: Random, data: bytearray) -> None:
    data[rng.randrange(len(data))] = rng.choice((0, 1, 0x7F, 0x80, 0xFE, 0xFF, rng.getrandbits(8)))


def _word(rng: Random, data: bytearray) -> None:
    code, bits = rng.choice((("<H", 16), (">H", 16), ("<I", 32), (">I", 32), ("<I", 32), ("<Q", 64), (">Q", 64)))
    size = struct.calcsize(code)
    if len(data) >= size:
        at = rng.randrange(len(data) - size + 1)
        at -= at % size if rng.random() < 0.7 else 0
        struct.pack_into(code, data, at, number(rng, struct.unpack_from(code, data, at)[0], bits))


def _cut(rng: Random, data: bytearray) -> None:
    del data[rng.randrange(len(data)) :]


def _delete(rng: Random, data: bytearray) -> None:
    at = rng.randrange(len(data))
    del data[at : at + rng.choice((1, 1, 2, 4, 8, 64))]


def _insert(rng: Random, data: bytearray) -> None:
    at = rng.randrange(len(data) + 1)
    data[at:at] = rng.randbytes(rng.choice((1, 1, 2, 4, 8, 64)))


def _repeat(rng: Random, data: bytearray) -> None:
    at = rng.randrange(len(data))
    piece = bytes(data[at : at + rng.choice((1, 4, 16, 64, 256))])
    data[at:at] = piece * rng.choice((1, 1, 2, 10))


def _zero(rng: Random, data: bytearray) -> None:
    at, size = rng.randrange(len(data)), rng.choice((4, 16, 100))
    data[at : at + size] = bytes(len(data[at : at + size]))


def _move(rng: Random, data: bytearray) -> None:
    one, other = rng.randrange(len(data)), rng.randrange(len(data))
    size = rng.choice((4, 8, 32))
    piece = bytes(data[one : one + size])
    data[other : other + len(piece)] = piece


_WAYS: tuple[Callable[[Random, bytearray], None], ...] = (
    _flip, _flip, _set, _word, _word, _word, _cut, _delete, _insert, _repeat, _zero, _move,
)  # fmt: skip


def spoil(rng: Random, data: bytes, most: int = 4) -> bytes:
    """The bytes, changed in one to ``most`` places."""
    spoilt = bytearray(data)
    for _ in range(rng.randint(1, most)):
        if not spoilt:
            return b""
        rng.choice(_WAYS)(rng, spoilt)
    return bytes(spoilt)


def spoil_items(rng: Random, items: list) -> None:
    """Drop, repeat or exchange items of a list, in place."""
    if not items:
        return
    way, one = rng.randrange(4), rng.randrange(len(items))
    if way == 0:
        del items[one]
    elif way == 1:
        items[one:one] = [items[one]] * rng.choice((1, 1, 3))
    elif way == 2:
        other = rng.randrange(len(items))
        items[one], items[other] = items[other], items[one]
    else:
        items.insert(rng.randrange(len(items) + 1), items.pop(one))


def pack(*parts: bytes) -> bytes:
    """Several byte strings as one case; see :func:`unpack`."""
    return b"".join(struct.pack("<I", len(part)) + part for part in parts)


def unpack(data: bytes) -> list[bytes]:
    """The inverse of :func:`pack`; of other bytes, whatever can be made of them."""
    parts, at = [], 0
    while at + 4 <= len(data):
        (size,) = struct.unpack_from("<I", data, at)
        parts.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    return parts
