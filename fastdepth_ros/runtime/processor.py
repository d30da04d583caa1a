"""The processor underneath, as the Linux kernel describes it."""

from __future__ import annotations

import os
import platform
from functools import cache
from pathlib import Path

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
