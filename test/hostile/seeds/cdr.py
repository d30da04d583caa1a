"""Serialized messages, field by field (OMG CDR), with fields that say what they must not."""

from __future__ import annotations

import ctypes
import struct
from random import Random
from typing import Any

from hostile import mutate

ENCAPSULATIONS = (
    b"\0\0\0\0",
    b"\0\2\0\0",
    b"\0\3\0\0",
    b"\0\6\0\0",
    b"\0\7\0\0",
    b"\0\x0a\0\0",
    b"\1\1\0\0",
    b"\0\xff\xff\xff",
)
SIZES = {"B": 1, "i": 4, "I": 4, "f": 4, "d": 8, "Q": 8}

Field = tuple[str, Any]
"""Code of :mod:`struct` and number, or ``s``, ``bytes``, ``singles`` or ``doubles`` and what it holds."""

LISTS = {"singles": "f", "doubles": "d"}


def write(fields: list[Field], encapsulation: bytes = b"\0\1\0\0", liar: int = -1, lie: int = 0) -> bytes:
    """A message; the field of number ``liar`` announces another length than it has."""
    order = "<" if encapsulation[1] & 1 else ">"
    out = bytearray()

    def put(code: str, value: Any) -> None:
        out.extend(bytes(-len(out) % SIZES[code]))
        # What is too large for a float32 is infinite there.
        out.extend(struct.pack(order + code, ctypes.c_float(value).value if code == "f" else value))

    for place, (code, value) in enumerate(fields):
        if code in SIZES:
            put(code, value)
            continue
        count = len(value) + (code == "s")
        put("I", lie if place == liar else count)
        if code in LISTS:
            for each in value:
                put(LISTS[code], each)
        else:
            out.extend(value + (b"\0" if code == "s" else b""))
    return encapsulation + bytes(out)


def _worse(rng: Random, field: Field) -> Field:
    code, value = field
    if code == "s":
        return code, mutate.text(rng)
    if code == "bytes":
        return code, mutate.spoil(rng, value) if value else rng.randbytes(rng.choice((1, 4, 64)))
    if code in LISTS:
        return code, [mutate.real(rng) for _ in range(rng.choice((0, 1, 4, 5, 8, 14, 1000)))]
    if code in ("f", "d"):
        return code, mutate.real(rng, value)
    bits = 8 * SIZES[code]
    found = mutate.number(rng, value & ((1 << bits) - 1), bits)
    return code, found - (1 << bits) if code == "i" and found >= 1 << (bits - 1) else found


def make(rng: Random, fields: list[Field]) -> bytes:
    """The message of these fields, spoilt in some of them, or in its bytes, or hardly."""
    kind = rng.random()
    if kind < 0.03:  # nothing behind the encapsulation, or next to nothing, whatever its options say
        return bytes((0, rng.choice((0, 1, 6, 7)), rng.choice((0, 0, 0xFF)), rng.randrange(4))) + bytes(
            rng.randrange(9)
        )
    encapsulation, liar = b"\0\1\0\0", -1
    if kind < 0.08:
        encapsulation = rng.choice(ENCAPSULATIONS)
    elif kind < 0.12:
        encapsulation = bytes((0, 1, 0, rng.getrandbits(8)))
    fields = list(fields)
    for _ in range(rng.choice((0, 1, 1, 1, 2, 3))):
        place = rng.randrange(len(fields))
        fields[place] = _worse(rng, fields[place])
    if rng.random() < 0.1:
        liar = rng.randrange(len(fields))
    data = write(fields, encapsulation, liar, mutate.number(rng))
    return mutate.spoil(rng, data, 2) if rng.random() < 0.15 else data


def header(rng: Random) -> list[Field]:
    """A header: stamp and frame_id."""
    sec = rng.choice((0, 1_700_000_000, 1_700_000_000, 1_700_000_001, -5, 2**31 - 1))
    return [("i", sec), ("I", rng.choice((0, 5, 999_999_999))), ("s", rng.choice((b"camera", b"camera", b"eye", b"")))]
