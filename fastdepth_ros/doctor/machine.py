"""The machine itself: operating system, Python, processor, memory."""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from fastdepth_ros.doctor.check import fail, ok, warn
from fastdepth_ros.errors import Finding
from fastdepth_ros.runtime import processor

ARCHITECTURES = ("x86_64", "aarch64")
OLDEST_GLIBC = (2, 27)
"""Oldest C library that TVM's wheels are built for."""

PYTHONS = ((3, 10), (3, 14))
"""First and last version of Python that this package was run with."""

NODE_MEGABYTES = 400
"""Memory that the node may need [MB]; see the README's figures."""


def operating_system(root: Path) -> Iterator[Finding]:
    """Check name, architecture and C library; on a Jetson its L4T is named as well."""
    name = _line(root / "etc/os-release", r'^PRETTY_NAME="?([^"\n]*)') or platform.system()
    tegra = _line(root / "etc/nv_tegra_release", r"^# R(\d+) \(release\), REVISION: ([\d.]+)")
    libc, version = platform.libc_ver()
    parts = [name, platform.machine(), f"Linux {platform.release()}", f"{libc} {version}".strip()]
    fact = ", ".join([part for part in parts if part] + ([f"L4T {tegra}"] if tegra else []))
    container = "Run it in a container of Ubuntu 22.04 or newer: see docs/boards/tx2.md."
    if platform.machine() not in ARCHITECTURES:
        yield fail("operating system", fact, f"The TVM runtime is made for {' and '.join(ARCHITECTURES)}.")
    elif libc != "glibc":
        yield fail("operating system", fact, f"The wheels need glibc. {container}")
    elif tuple(int(n) for n in version.split(".")[:2]) < OLDEST_GLIBC:
        yield fail("operating system", fact, f"The wheels need glibc 2.27. {container}")
    else:
        yield ok("operating system", fact)


def python() -> Iterator[Finding]:
    """Check the version of Python."""
    fact = f"{platform.python_version()}, {sys.executable}"
    first, last = PYTHONS
    span = f"{first[0]}.{first[1]} to {last[0]}.{last[1]}"
    if sys.version_info[:2] < first:
        yield fail("Python", fact, f"Use Python {span}.")
    elif sys.version_info[:2] > last:
        yield warn("Python", fact, f"This package was run with Python {span} only.")
    else:
        yield ok("Python", fact)


def cpu() -> Iterator[Finding]:
    """Check that the processor has what the kernels need."""
    features, known = processor.features(), ("avx512f", "avx2", "fma", "neon")
    has = ", ".join(flag for flag in known if flag in features) or "no vector unit that is known"
    fact = f"{processor.name()}, {processor.cores()} physical cores for this process, {has}"
    if "neon" in features or {"avx2", "fma"} <= features:
        yield ok("processor", fact)
    else:
        yield fail("processor", fact, "The kernels need AVX2 with FMA (x86, 2013 and later) or NEON (64-bit ARM).")


def memory(root: Path) -> Iterator[Finding]:
    """Check that there is room for the node."""
    kilobytes = _line(root / "proc/meminfo", r"^MemAvailable:\s+(\d+)")
    if not kilobytes:
        yield warn("memory", "what is free is unknown", f"{root / 'proc/meminfo'} cannot be read; mount /proc.")
        return
    megabytes = int(kilobytes) // 1024
    if megabytes < NODE_MEGABYTES:
        yield warn("memory", f"{megabytes} MB free", f"The node may need {NODE_MEGABYTES} MB: end other programs.")
    else:
        yield ok("memory", f"{megabytes} MB free")


def _line(file: Path, pattern: str) -> str:
    """The groups of a pattern's first match in a file, joined by dots; empty where there is none."""
    try:
        match = re.search(pattern, file.read_text(encoding="utf-8", errors="replace"), re.MULTILINE)
    except OSError:
        return ""
    return ".".join(match.groups()) if match else ""
