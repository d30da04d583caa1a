"""NumPy archives: zip files of arrays, each with a header in Python's words."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from functools import cache
from random import Random

import numpy as np

from hostile import mutate
from hostile.seeds.tiny import weights

SHAPES = (
    "()",
    "(1,)",
    "(1, 3, 3, 3)",
    "(99999999999,)",
    "(-1,)",
    "(1, -1)",
    "(0, 9223372036854775807)",
    "(2147483647, 2)",
    "(1.5,)",
    "('x',)",
    "(True,)",
    "(((1,),),)",
    "(500000000,)",
    "(1,)*9",
    "[1]",
)
TYPES = (
    "'<f4'",
    "'<f2'",
    "'>f8'",
    "'|O'",
    "'|V2000000000'",
    "'<U536870911'",
    "[('a', '<f4')]",
    "'|b1'",
    "'<c16'",
    "'<M8[ns]'",
    "'x'",
    "('<f4', (1000000, 1000))",
    "{}",
    "None",
    "[('a', 'O')]",
    "'|S0'",
)
ZEROS = 600_000_000


@cache
def _arrays() -> dict[str, bytes]:
    found = {}
    for name, array in weights().items():
        out = io.BytesIO()
        np.lib.format.write_array(out, array)
        found[f"{name}.npy"] = out.getvalue()
    return found


def npy(rng: Random) -> bytes:
    """An array whose header says what it likes."""
    shape, kind = rng.choice(SHAPES), rng.choice(TYPES) if rng.random() < 0.6 else "'<f4'"
    words = f"{{'descr': {kind}, 'fortran_order': {rng.choice(('False', 'True', '1', 'None'))}, 'shape': {shape}, }}"
    if rng.random() < 0.1:
        words = rng.choice(
            (
                "{",
                "(" * 5000,
                "[" * 200 + "]" * 200,
                "{'descr': '<f4'}",
                "1",
                "'" + "x" * 60000 + "'",
                "{**{}}",
                "f'{1}'",
                "{1: 2, 'a': 3, None: 4}",
            )
        )
    version = rng.choice((1, 1, 1, 2, 3, 4, 0))
    data = words.encode() + b"\n"
    form = "<H" if version == 1 else "<I"
    size = mutate.number(rng, len(data), 16 if version == 1 else 32) if rng.random() < 0.1 else len(data)
    return (
        b"\x93NUMPY"
        + bytes((version, 0))
        + struct.pack(form, size & (0xFFFF if version == 1 else 0xFFFFFFFF))
        + data
        + bytes(rng.choice((0, 4, 108)))
    )


@cache
def _bomb() -> bytes:
    """Very many zeros as one member, packed a thousand times smaller."""
    out = io.BytesIO()
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': ({ZEROS // 4},), }}".encode() + b"\n"
    with (
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("conv0.weight.npy", "w", force_zip64=True) as member,
    ):
        member.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header)
        for _ in range(ZEROS // 1_000_000):
            member.write(bytes(1_000_000))
    return out.getvalue()


def _member(rng: Random, name: str, data: bytes, lies: float) -> tuple[bytes, bytes]:
    """Local record and directory entry of a member, that may say different things."""
    method = rng.choice((0, 8, 8, 12, 14, 99, 1)) if rng.random() < lies else 0
    body = zlib.compress(data, 1)[2:-4] if method == 8 else data
    flags = rng.choice((0, 1, 8, 0x800, 0x2041)) if rng.random() < lies / 3 else 0
    crc = zlib.crc32(data) ^ (rng.random() < lies / 6)
    sizes = [len(body), len(data)]
    if rng.random() < lies / 2:
        sizes[rng.randrange(2)] = mutate.number(rng, len(body))
    encoded = name.encode()
    local = (
        struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, flags, method, 0, 0, crc, *sizes, len(encoded), 0) + encoded + body
    )
    said = (0x02014B50, 20, 20, flags, method, 0, 0, crc, *sizes, len(encoded), 0, 0, 0, 0, 0)
    entry = struct.pack("<IHHHHHHIIIHHHHHI", *said)  # where the local record lies follows
    return local, entry


def _archive(rng: Random, members: list[tuple[str, bytes]]) -> bytes:
    out, directory = bytearray(), bytearray()
    lies = rng.choice((0.0, 0.0, 0.02, 0.3))
    for name, data in members:
        local, entry = _member(rng, name, data, lies)
        at = mutate.number(rng, len(out)) if rng.random() < lies / 10 else len(out)
        directory += entry + struct.pack("<I", at) + name.encode()
        out += local
    count = mutate.number(rng, len(members), 16) if rng.random() < lies / 6 else len(members)
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, count, count, len(directory), len(out), 0)
    return bytes(out + directory) + end


def make(rng: Random) -> bytes:
    """An ``.npz`` file, spoilt in its arrays, in its records, or in its bytes."""
    if rng.random() < 0.0005:
        return _bomb()
    arrays = list(_arrays().items())
    if rng.random() < 0.6:
        arrays = arrays[: rng.randint(1, 4)]
    for _ in range(rng.choice((0, 1, 1, 2))):
        kind, place = rng.random(), rng.randrange(len(arrays))
        name, data = arrays[place]
        if kind < 0.5:
            arrays[place] = name, npy(rng)
        elif kind < 0.7:
            arrays[place] = name, mutate.spoil(rng, data, 2)
        elif kind < 0.85:
            arrays[place] = (
                rng.choice((*mutate.TEXTS, name, "conv0.weight.npy", "x.npy", "../x.npy", ".npy")).replace(
                    "\ud800", ""
                ),
                data,
            )
        else:
            mutate.spoil_items(rng, arrays)
            arrays = arrays or [("x.npy", b"")]
    data = _archive(rng, arrays)
    return mutate.spoil(rng, data, 2) if rng.random() < 0.2 else data
