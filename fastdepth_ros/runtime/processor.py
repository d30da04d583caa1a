"""The processor underneath, as the Linux kernel describes it."""

from __future__ import annotations

import os
import platform
from functools import cache
from pathlib import Path
from typing import NamedTuple

CPUINFO = Path("/proc/cpuinfo")


def flags(words: str) -> frozenset[str]:
    """Flags of /proc/cpuinfo, written as there."""
    return frozenset(words.split())


INSTRUCTION_SETS = flags(
    """
    pni ssse3 sse4_1 sse4_2 popcnt movbe abm bmi1 bmi2 adx f16c fma fma4 xop avx avx2 avx_vnni gfni vaes vpclmulqdq
    avx512f avx512bw avx512cd avx512dq avx512vl avx512ifma avx512vbmi avx512_vbmi2 avx512_vnni avx512_bitalg
    avx512_vpopcntdq avx512_bf16 avx512_fp16
    neon fp asimd asimddp asimdhp fphp atomics crc32 sve sve2 i8mm bf16
    """
)
"""Flags for instructions that a compiler may use unasked; the others (rdrand, clflush...) are left to system code."""


X86_64_V3 = flags("avx avx2 bmi1 bmi2 f16c fma abm movbe sse4_1 sse4_2 ssse3 popcnt")
X86_64_V4 = X86_64_V3 | flags("avx512f avx512bw avx512cd avx512dq avx512vl")


class Instructions(NamedTuple):
    """Instructions that kernels are written for.

    Attributes:
        name: of the set.
        lanes: float32 numbers in one of its vectors.
        needs: flags of /proc/cpuinfo without which they do not run.
    """

    name: str
    lanes: int
    needs: frozenset[str]


VECTORS = (
    Instructions("avx512", 16, X86_64_V4),
    Instructions("avx2", 8, X86_64_V3),
    Instructions("neon", 4, flags("neon")),
)
"""Vectors of float32, the widest first; their names are those of the tile tables."""

BYTE_PRODUCTS = (
    Instructions("AVX-512 VNNI", 16, flags("avx512_vnni")),
    Instructions("AVX-VNNI", 8, flags("avx_vnni")),
    Instructions("AVX2", 8, flags("avx2")),
)
"""Products of bytes that int8 is computed with, the fastest of a width first.

AVX-512 without VNNI is not among them: its products of 16 bits take as many instructions as float32's.
"""


def vectors(found: frozenset[str]) -> Instructions | None:
    """The widest vectors of a processor with these flags; None where it has none of those known here."""
    return next((each for each in VECTORS if each.needs <= found), None)


def byte_products(found: frozenset[str], lanes: int) -> Instructions | None:
    """The fastest products of bytes in vectors of so many lanes; None where float32 is as fast as any."""
    return next((each for each in BYTE_PRODUCTS if each.lanes == lanes and each.needs <= found), None)


def int8_here() -> Instructions | None:
    """The instructions that int8 is computed with on this processor; None where it has no kernels for it."""
    widest = vectors(features())
    return byte_products(instruction_sets(), widest.lanes) if widest else None


def fields(key: str) -> list[str]:
    """The values of a key of /proc/cpuinfo, one per core; empty where the file or the key is missing."""
    try:
        lines = CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    pairs = (line.split(":", 1) for line in lines if ":" in line)
    return [value.strip() for name, value in pairs if name.strip() == key]


@cache
def features() -> frozenset[str]:
    """Flags that every core has, in the words of /proc/cpuinfo; ARM's ``asimd`` is called ``neon`` too."""
    sets = [frozenset(line.split()) for line in fields("flags") or fields("Features")]
    common = frozenset.intersection(*sets) if sets else frozenset()
    return common | {"neon"} if "asimd" in common else common


def instruction_sets() -> frozenset[str]:
    """Flags of :func:`features` that compiled code may depend on."""
    return features() & INSTRUCTION_SETS


@cache
def name() -> str:
    """Name that the maker gives it, or the architecture where the kernel does not say."""
    names = fields("model name") or fields("Model") or fields("CPU part")
    return names[0] if names else platform.machine()


def cores() -> int:
    """Physical cores that this process may use, at least one: two threads of one core share its arithmetic units."""
    allowed = os.sched_getaffinity(0)
    groups = set()
    for cpu in allowed:
        siblings = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
        try:
            groups.add(siblings.read_text(encoding="ascii").strip())
        except OSError:
            groups.add(str(cpu))
    return max(1, len(groups))
