"""Protocol buffers as trees of fields, and ONNX models made of them (onnx.proto3)."""

from __future__ import annotations

from functools import cache
from random import Random
from typing import Any

import numpy as np
import onnx_files

from hostile import mutate
from hostile.seeds.tiny import weights

Fields = list[list[Any]]
"""[number, wire type, int, bytes or fields]."""

LONGEST = 1 << 16


def parse(data: bytes, levels: int = 4) -> Fields:
    """The fields of a message; a value that can be read as a message is one, ``levels`` deep.

    Raises:
        ValueError: it is none.
        IndexError: it ends early.
    """
    fields: Fields = []
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == 0:
            value, at = _varint(data, at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
            value, at = data[at : at + size], at + size
        elif kind == 2:
            size, at = _varint(data, at)
            if at + size > len(data):
                raise ValueError("short")
            value, at = _inner(data[at : at + size], levels), at + size
        else:
            raise ValueError("wire type")
        fields.append([number, kind, value])
    return fields


def _inner(data: bytes, levels: int) -> Any:
    if not levels or not data or (data.isascii() and data.decode().isprintable()) or len(data) > 4000:
        return data
    try:
        return parse(data, levels - 1)
    except (ValueError, IndexError):
        return data


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not data[at - 1] & 0x80:
            return value, at


def write(fields: Fields, lie: Any = None) -> bytes:
    """The message; ``lie`` is the length of its first field that has one."""
    out = bytearray()
    for number, kind, value in fields:
        out += onnx_files.varint(number << 3 | kind)
        if kind == 0:
            out += onnx_files.varint(value) if isinstance(value, int) else b"\x80" * 12
            continue
        data = write(value) if isinstance(value, list) else value if isinstance(value, bytes) else bytes(4)
        if kind == 2:
            out += onnx_files.varint(len(data) if lie is None else lie)
            lie = None
        out += data
    return bytes(out)


def copy(fields: Fields) -> Fields:
    """A copy of the tree, to be changed."""
    return [[number, kind, copy(value) if isinstance(value, list) else value] for number, kind, value in fields]


def _spoil(rng: Random, fields: Fields) -> None:
    """Change one place of a tree."""
    while True:
        inner = [value for _, _, value in fields if isinstance(value, list) and value]
        if not inner or rng.random() < 0.25:
            break
        fields = rng.choice(inner)
    way = rng.randrange(6)
    if way == 0 or not fields:
        mutate.spoil_items(rng, fields)
        return
    field = rng.choice(fields)
    if way == 1:
        field[0] = rng.choice((0, 1, 2, 4, 5, 7, 8, 9, 14, 15, 536870911))
    elif way == 2:  # another wire type: a number where bytes were, or the other way round
        field[1], field[2] = rng.choice(
            ((0, mutate.number(rng, bits=64)), (2, rng.randbytes(4)), (5, bytes(4)), (1, bytes(8)), (3, b""), (7, b""))
        )
    elif field[1] == 0:
        field[2] = mutate.number(rng, field[2] if isinstance(field[2], int) else 0, 64)
    elif isinstance(field[2], bytes):
        field[2] = mutate.spoil(rng, field[2], 2) if field[2] and rng.random() < 0.7 else mutate.text(rng)
    else:
        field[2] = rng.choice((b"", [], [[1, 0, 1]] * rng.choice((1, 1000))))


@cache
def _models() -> tuple[Fields, ...]:
    norm = {f"n{i}": np.ones(1, np.float32) for i in range(4)}
    chain = {f"c{i}": array for i, array in enumerate(a for n, a in weights().items() if n.endswith("weight"))}
    nodes = [onnx_files.node("Conv", [f"y{i}", f"c{i}"], f"y{i + 1}") for i in range(len(chain))]
    nodes.insert(1, onnx_files.node("BatchNormalization", ["y1", *norm], "z", epsilon=1e-5))
    short = onnx_files.model(nodes[:3], {"c0": chain["c0"], "c1": chain["c1"], **norm})
    half = onnx_files.model(
        [onnx_files.node("Conv", ["x", "w", "b"], "y")],
        {"w": np.ones((1, 3, 3, 3), np.float16), "b": np.ones(1, np.float16)},
    )
    return parse(onnx_files.model(nodes, {**chain, **norm})), parse(short), parse(short), parse(half)


def make(rng: Random) -> bytes:
    """An ONNX model, spoilt in its fields, seldom in its bytes."""
    kind = rng.random()
    if kind < 0.02:
        return b"\x3a" + onnx_files.varint(mutate.number(rng, bits=64)) + rng.randbytes(rng.randrange(12))
    if kind < 0.03:  # a number without end
        return b"\x3a\x80\x80\x04" + b"\xff" * LONGEST
    fields = copy(rng.choice(_models()))
    for _ in range(rng.choice((1, 1, 2, 3))):
        _spoil(rng, fields)
    data = write(fields, mutate.number(rng, bits=64) if rng.random() < 0.05 else None)
    return mutate.spoil(rng, data, 2) if rng.random() < 0.15 else data
