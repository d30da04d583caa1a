"""FlatBuffers, written table by table (flatbuffers.dev/internals), and TFLite models made of them."""

from __future__ import annotations

import struct
from functools import cache
from random import Random
from typing import Any

from hostile import mutate
from hostile.seeds.tiny import TINY

Tables = list["Table"]
CONV_2D, DEPTHWISE = 3, 4


class Table(dict[int, Any]):
    """Field number -> (code, number), bytes (a vector of these), Vector, Table, or a list of tables."""


class Vector(tuple):
    """A code of :mod:`struct` and numbers."""

    __slots__ = ()


def write(root: Table, identifier: bytes = b"TFL3") -> bytes:
    """The file. Offsets are filled in once it is known where things lie; they only point forward."""
    out = bytearray(struct.pack("<I", 0) + identifier)
    struct.pack_into("<I", out, 0, _table(out, root))
    return bytes(out)


def _table(out: bytearray, table: Table) -> int:
    """Append a table, its list of fields before it and what they point to behind it; return where it begins."""
    count = max(table, default=-1) + 1
    places, size = {}, 4
    for field, value in table.items():
        width = struct.calcsize(value[0]) if type(value) is tuple else 4
        size += -size % width
        places[field], size = size, size + width
    out.extend(bytes(-(len(out) + 4 + 2 * count) % 8))
    fields = len(out)
    out.extend(struct.pack("<HH", 4 + 2 * count, size))
    out.extend(b"".join(struct.pack("<H", places.get(field, 0)) for field in range(count)))
    start = len(out)
    out.extend(struct.pack("<i", start - fields) + bytes(size - 4))
    for field, value in table.items():
        at = start + places[field]
        if type(value) is tuple:
            struct.pack_into("<" + value[0], out, at, value[1])
        else:
            struct.pack_into("<I", out, at, _value(out, value) - at)
    return start


def _value(out: bytearray, value: Any) -> int:
    if isinstance(value, Table):
        return _table(out, value)
    out.extend(bytes(-(len(out) + 4) % 16 if isinstance(value, bytes | Vector) else -len(out) % 4))
    start = len(out)
    if isinstance(value, bytes):
        out.extend(struct.pack("<I", len(value)) + value)
    elif isinstance(value, Vector):
        code, numbers = value
        out.extend(struct.pack("<I", len(numbers)) + struct.pack(f"<{len(numbers)}{code}", *numbers))
    else:
        out.extend(struct.pack("<I", len(value)) + bytes(4 * len(value)))
        for number, table in enumerate(value):
            at = start + 4 + 4 * number
            struct.pack_into("<I", out, at, _table(out, table) - at)
    return start


def _tensor(shape: tuple[int, ...], kind: int, buffer: int, name: bytes, quantised: bool) -> Table:
    found = Table({0: Vector(("i", shape)), 1: ("b", kind), 2: ("I", buffer), 3: name})
    if quantised:
        found[4] = Table({2: Vector(("f", (1 / 255,))), 3: Vector(("q", (-128,))), 6: ("i", 0)})
    return found


def model(quantised: bool, convolutions: int) -> Table:
    """The first convolutions of the tiny network."""
    kind = 9 if quantised else 0
    tensors, buffers, operators = [_tensor((1, 32, 32, 3), kind, 0, b"x", quantised)], [Table()], []
    for conv in TINY.convolutions[:convolutions]:
        depthwise = int(conv.kind == "depthwise")
        outputs, inputs, rows, columns = conv.weight_shape
        shape = (1, rows, columns, outputs) if depthwise else (outputs, rows, columns, inputs)
        size = outputs * inputs * rows * columns
        weight = len(tensors)
        tensors += [
            _tensor(shape, kind, weight, b"w", quantised),
            _tensor((1,), 2 if quantised else 0, weight + 1, b"b", False),
        ]
        buffers += [Table({0: bytes(size if quantised else 4 * size)}), Table({0: bytes(4)})]
        operators.append(Table({0: ("I", depthwise), 1: Vector(("i", (0, weight, weight + 1)))}))
    codes = [Table({0: ("b", CONV_2D)}), Table({0: ("b", DEPTHWISE), 3: ("i", DEPTHWISE)})]
    graph = Table({0: tensors, 1: Vector(("i", (0,))), 3: operators})
    return Table({1: codes, 2: [graph], 4: buffers})


@cache
def _models() -> tuple[bytes, ...]:
    return tuple(write(model(quantised, count)) for quantised in (False, True) for count in (1, 4, 38))


def make(rng: Random) -> bytes:
    """A TFLite model, spoilt in its numbers and offsets."""
    data = bytearray(rng.choice(_models()))
    for _ in range(rng.choice((1, 1, 2, 4))):
        if rng.random() < 0.8:  # most of it are offsets, lengths and numbers of 4 bytes
            at = 4 * rng.randrange(len(data) // 4)
            near = struct.unpack_from("<I", data, at)[0]
            struct.pack_into(
                "<I", data, at, mutate.number(rng, near) if rng.random() < 0.7 else 4 * rng.randrange(len(data) // 4)
            )
        else:
            at = 2 * rng.randrange(len(data) // 2)
            struct.pack_into("<H", data, at, rng.choice((0, 1, 2, 4, 8, 0xFFFF, rng.randrange(64))))
    return mutate.spoil(rng, bytes(data), 2) if rng.random() < 0.15 else bytes(data)
