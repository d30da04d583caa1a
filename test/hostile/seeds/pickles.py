"""Pickles that torch's files are made of: programs that call, nest and announce what they must not."""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from functools import cache
from random import Random

import numpy as np
import torch_files

from hostile import mutate
from hostile.seeds.tiny import weights

CANARY = "hostile_canary"
"""A folder that a pickle tries to make; it exists where one could."""

CALLS = (
    "cos\nsystem\n", "cposix\nsystem\n", "cbuiltins\neval\n", "cbuiltins\nexec\n", "cos\nmkdir\n", "cbuiltins\nopen\n",
    "ccollections\nOrderedDict\n", "ctorch._utils\n_rebuild_tensor_v2\n", "ctorch._utils\n_rebuild_parameter\n",
    "ctorch\nFloatStorage\n", "ctorch.storage\nLongStorage\n", "c\n\n", "c__main__\nx.y.z\n", "cbuiltins\ngetattr\n",
    "ctorch._utils\n_rebuild_tensor\n", "cnumpy.core.multiarray\n_reconstruct\n",
    "cfastdepth_ros.importing.pickled\n_tensor\n",
)  # fmt: skip
ATOMS = (
    b"N", b"\x88", b"\x89", b"K\x05", b"J\xff\xff\xff\xff", b"G\x7f\xf0\0\0\0\0\0\0", b"]", b"}", b")", b"\x8f", b"(",
    b"(", torch_files.text("state_dict"), torch_files.text("conv0.weight"), torch_files.text("a"),
    b"I01\n", b"L5L\n", b"\x8a\x01\x05",
)  # fmt: skip
STEPS = (
    b"t", b"l", b"d", b"s", b"u", b"a", b"e", b"b", b"R", b"\x81", b"\x92", b"0", b"1", b"2", b"\x85", b"\x86", b"\x87",
    b"\x90", b"\x91", b"Q", b"q\0", b"h\0", b"r\xff\xff\xff\x00", b"j\0\0\0\0", b"\x94", b"\x93", b"\x97", b"\x98",
    b"o",
    b"i\n\n",
)  # fmt: skip
HUGE = (100_000_000, 0x7FFFFFFF, 0x3FFFFFFF, 0xFFFFFFFF, 500_000_000, 1 << 40, (1 << 63) - 1)


def _announced(rng: Random) -> bytes:
    """An opcode that names a length or a place of its own memory."""
    size = rng.choice(HUGE)
    code, form = rng.choice(
        (
            (b"r", "<I"),
            (b"B", "<I"),
            (b"X", "<I"),
            (b"T", "<I"),
            (b"\x8e", "<Q"),
            (b"\x8d", "<Q"),
            (b"\x96", "<Q"),
            (b"\x95", "<Q"),
            (b"\x8b", "<I"),
            (b"j", "<I"),
            (b"V", ""),
        )
    )
    return (
        b"}"
        + code
        + (struct.pack(form, size & (0xFFFFFFFF if form == "<I" else (1 << 64) - 1)) if form else b"")
        + rng.randbytes(rng.randrange(4))
    )


def _deep(rng: Random) -> bytes:
    """Containers in containers, as a key that is hashed, as a value that is walked, or to be torn down."""
    depth = rng.choice((200, 200, 2_000, 2_000, 20_000)) if rng.random() < 0.95 else rng.choice((200_000, 1_000_000))
    start, step = rng.choice(((b")", b"\x85"), (b"N", b"\x85"), (b"N", b"\x86"), (b"]", b"\x85"), (b")", b"\x91")))
    inner = (
        start
        + (b"N" if step == b"\x86" else b"")
        + (step * depth if step not in (b"\x86", b"\x91") else (b"N" + step) * depth if step == b"\x86" else b"")
    )
    if step == b"\x91":
        inner = b"(" * depth + b")" + step * depth  # frozenset of frozensets
    where = rng.randrange(4)
    if where == 0:
        return b"}" + inner + b"Ns"
    if where == 1:
        return b"}" + torch_files.text("state_dict") + inner + b"s"
    if where == 2:
        return b"]" * depth + b"a" * (depth - 1)
    return b"}" + inner + b"0" if rng.random() < 0.5 else inner


def _tensor(rng: Random, key: str = "0") -> bytes:
    """A tensor whose place, shape and steps are its own invention."""

    def numbers(count: int) -> bytes:
        pool = (0, 1, 1, 2, 3, 9, -1, 65536, 0x7FFFFFFF, -0x80000000)
        return b"(" + b"".join(torch_files.number(rng.choice(pool)) for _ in range(count)) + b"t"

    count = rng.choice((0, 1, 2, 4, 4, 33))
    storage = (
        b"("
        + torch_files.text("storage")
        + rng.choice(
            (b"ctorch\nFloatStorage\n", b"ctorch\nHalfStorage\n", b"ctorch\nBoolStorage\n", b"ctorch\nQUInt8Storage\n")
        )
        + torch_files.text(key)
        + torch_files.text("cpu")
        + torch_files.number(27)
        + b"tQ"
    )
    return (
        b"ctorch._utils\n_rebuild_tensor_v2\n("
        + storage
        + numbers(1)[1:-1]
        + numbers(count)
        + numbers(count if rng.random() < 0.8 else 1)
        + b"\x89)tR"
    )


def _call(rng: Random) -> bytes:
    """A call of something, with a word that would do harm, or a new state for something."""
    name = rng.choice(CALLS).encode()
    word = torch_files.text(rng.choice((f"mkdir {CANARY}", f"__import__('os').mkdir({CANARY!r})", CANARY)))
    kind = rng.randrange(4)
    if kind == 0:
        return name + b"(" + word + b"tR"
    if kind == 1:
        return (
            name
            + b")\x81"
            + b"}("
            + torch_files.text("_modules")
            + b"}"
            + torch_files.text("_parameters")
            + word
            + b"ub"
        )
    key = rng.choice(("__defaults__", "__kwdefaults__", "__dict__", "__code__", "__doc__", "__class__", "x"))
    state = b"}(" + torch_files.text(key) + rng.choice((b")", b"N", b"}", b"(K\x01t")) + b"u"
    return name + (b"N" + state + b"\x86" if kind == 2 else state) + b"b"


def _random(rng: Random) -> bytes:
    """Opcodes as they come."""
    return b"".join(rng.choice(ATOMS) if rng.random() < 0.55 else rng.choice(STEPS) for _ in range(rng.randint(1, 40)))


def _program(rng: Random) -> bytes:
    kind = rng.random()
    if kind < 0.08:
        return _announced(rng)
    if kind < 0.12:
        return _deep(rng)
    if kind < 0.3:
        return _call(rng) + (b"" if rng.random() < 0.5 else b"0}")
    if kind < 0.5:
        return (
            b"}("
            + torch_files.text("conv0.weight")
            + _tensor(rng)
            + torch_files.text("conv0.bias")
            + _tensor(rng, "1")
            + b"u"
        )
    if kind < 0.7:
        return _random(rng)
    return mutate.spoil(rng, _state()[0], 3)


@cache
def _state() -> tuple[bytes, dict[str, bytes]]:
    """Opcodes of a whole state dict, and its storages."""
    file = torch_files.state_dict_file(dict(weights()))
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        opcodes = archive.read("archive/data.pkl")[2:-1]
        storages = {name: archive.read(name) for name in archive.namelist() if "/data/" in name}
    return opcodes, storages


def make(rng: Random) -> bytes:
    """A torch file: an archive around a program, the older sequence of programs, or spoilt bytes."""
    program = b"\x80\x02" + _program(rng) + b"."
    if rng.random() < 0.3:
        return legacy(program, mutate.number(rng, bits=64) if rng.random() < 0.2 else 27)
    storages = {"archive/data/0": bytes(108), "archive/data/1": bytes(4)}
    if rng.random() < 0.05:
        storages = _state()[1]
    data = archive({"archive/data.pkl": program, **storages}, deflate=len(program) > 5000)
    return mutate.spoil(rng, data, 2) if rng.random() < 0.15 else data


def archive(files: dict[str, bytes], deflate: bool = False) -> bytes:
    """A zip archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED if deflate else zipfile.ZIP_STORED) as made:
        for name, data in files.items():
            made.writestr(name, data)
    return out.getvalue()


def legacy(program: bytes, count: int) -> bytes:
    """The sequence of pickles and storages that torch wrote before its archives."""
    magic = pickle.dumps(0x1950A86A20F9469CFC6C, 2)
    before = magic + pickle.dumps(1001, 2) + pickle.dumps({"little_endian": True}, 2)
    return (
        before
        + program
        + pickle.dumps(["0"], 2)
        + struct.pack("<Q", count & ((1 << 64) - 1))
        + np.ones(27, np.float32).tobytes()
    )
