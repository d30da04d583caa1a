"""PNG files, chunk by chunk (W3C PNG, third edition)."""

from __future__ import annotations

import struct
import zlib
from functools import cache
from random import Random

from hostile import mutate

SIGNATURE = b"\x89PNG\r\n\x1a\n"
SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Colour type -> samples of a pixel."""
SIDES = (0, 1, 2, 31, 33, 64, 1000, 5000, 10000, 30000, 65535, 1_000_000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
LENGTHS = (0x7FFFFFFF, 0x7FFFFFFE, 0x80000000, 0xFFFFFFFF, 0x10000000, 1_000_000)

Chunk = tuple[bytes, bytes, int | None]
"""Kind, data, and the length that it announces where that is not its own."""


def chunk(kind: bytes, data: bytes, announced: int | None = None) -> bytes:
    """A chunk with its check sum, which is right."""
    return (
        struct.pack(">I", len(data) if announced is None else announced)
        + kind
        + data
        + struct.pack(">I", zlib.crc32(kind + data))
    )


def _pixels(rng: Random, width: int, height: int, bits: int, samples: int) -> bytes:
    row = (width * bits * samples + 7) // 8
    return b"".join(bytes((rng.randrange(5),)) + NOISE[y * 7 : y * 7 + row] for y in range(height))


NOISE = Random(1).randbytes(4000)


def _chunks(rng: Random) -> list[Chunk]:
    """A picture without fault."""
    colour = rng.choice(tuple(SAMPLES))
    bits = rng.choice({0: (1, 2, 4, 8, 16), 3: (1, 2, 4, 8)}.get(colour, (8, 16)))
    width, height = rng.choice(((32, 32), (32, 24), (7, 5), (1, 1)))
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    found: list[Chunk] = [(b"IHDR", header, None)]
    if colour == 3:
        found.append((b"PLTE", NOISE[: 3 << bits], None))
    data = zlib.compress(_pixels(rng, width, height, bits, SAMPLES[colour]), 1)
    return [*found, (b"IDAT", data, None), (b"IEND", b"", None)]


def _header(rng: Random, chunks: list[Chunk]) -> None:
    """Another size, depth, colour or interlacing, with a check sum that is right."""
    fields = list(struct.unpack(">IIBBBBB", chunks[0][1])) if len(chunks[0][1]) == 13 else [32, 32, 8, 2, 0, 0, 0]
    if rng.random() < 0.6:
        fields[0], fields[1] = rng.choice(SIDES), rng.choice(SIDES)
    else:
        fields[rng.randrange(2, 7)] = rng.choice((0, 1, 2, 3, 4, 6, 8, 16, 32, 255))
    chunks[0] = chunks[0][0], struct.pack(">IIBBBBB", *fields), None


def _length(rng: Random, chunks: list[Chunk]) -> None:
    place = rng.randrange(len(chunks))
    chunks[place] = (*chunks[place][:2], rng.choice(LENGTHS) if rng.random() < 0.5 else mutate.number(rng))


def _data(rng: Random, chunks: list[Chunk]) -> None:
    place = rng.randrange(len(chunks))
    kind, data, _ = chunks[place]
    chunks[place] = kind, mutate.spoil(rng, data, 2) if data else rng.randbytes(4), None


def _kind(rng: Random, chunks: list[Chunk]) -> None:
    place = rng.randrange(len(chunks))
    kinds = (b"IHDR", b"IDAT", b"IEND", b"PLTE", b"tRNS", b"fdAT", b"abcd", b"\0\0\0\0", b"CgBI", b"iCCP")
    chunks[place] = rng.choice(kinds), *chunks[place][1:]


def _extra(rng: Random, chunks: list[Chunk]) -> None:
    made = rng.choice(
        (
            (b"tRNS", bytes(6)), (b"gAMA", b"\0\0\0\0"), (b"acTL", struct.pack(">II", mutate.number(rng),
            mutate.number(rng))),
            (b"fcTL", struct.pack(">IIIIIHHBB", 0, mutate.number(rng, 32), mutate.number(rng, 32), mutate.number(rng),
            mutate.number(rng), 1, 0, 3, 2)),
            (b"iCCP", b"x\0\0" + _zeros()), (b"zTXt", b"x\0\0" + _zeros()), (b"iTXt", b"x\0\1\0\0\0" + _zeros()),
            (b"eXIf", b"II*\0" + rng.randbytes(20)), (b"fdAT", bytes(4) + zlib.compress(bytes(3000), 1)), (b"PLTE",
            bytes(769)),
            (b"sBIT", b"\0\0\0"), (b"cHRM", bytes(32)), (b"tEXt", b"x\0" + bytes(3000)),
        )
    )  # fmt: skip
    chunks.insert(rng.randrange(len(chunks) + 1), (*made, None))


@cache
def _zeros() -> bytes:
    """Ten megabytes, packed into ten kilobytes."""
    return zlib.compress(bytes(10_000_000), 9)


@cache
def _bombs() -> tuple[bytes, ...]:
    """Whole pictures of very many pixels that are small files."""
    found = []
    for side, bits, colour in ((30000, 1, 0), (16000, 8, 0)):
        packer = zlib.compressobj(9)
        row = bytes(1 + (side * bits + 7) // 8)
        data = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
        header = struct.pack(">IIBBBBB", side, side, bits, colour, 0, 0, 0)
        found.append(SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b""))
    return tuple(found)


_WAYS = (_header, _header, _length, _data, _kind, _extra, _extra, mutate.spoil_items)


def make(rng: Random) -> bytes:
    """A file, spoilt in its chunks, in its bytes, or not at all; seldom one of very many pixels."""
    if rng.random() < 0.0003:
        return rng.choice(_bombs())
    chunks = _chunks(rng)
    for _ in range(rng.choice((0, 1, 1, 1, 2, 3))):
        if chunks:
            rng.choice(_WAYS)(rng, chunks)
    data = SIGNATURE + b"".join(chunk(*each) for each in chunks)
    if rng.random() < 0.2:  # so that whoever looks at the end alone sees a whole file
        data += b"IEND\xaeB`\x82"
    return mutate.spoil(rng, data, 2) if rng.random() < 0.1 else data
