"""Looks for spilled registers in the hot loops of ARM modules: `spills.py MODULE.so...`.

A hot loop is an innermost one with at least 8 vector multiply-adds (fmla). Where it writes a vector register to the
stack, its sums did not fit the 32 registers, and each turn pays for it; where it only reads, a constant did not fit.
Exit status 1 if a loop writes. Needs objdump of Debian's binutils-aarch64-linux-gnu.
"""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
import sys
import tempfile
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

OBJDUMP = "aarch64-linux-gnu-objdump"
LEAST_FMLA = 8

LINE = re.compile(r"^\s*([0-9a-f]+):\t[0-9a-f]{8}\s+(\S+)\s*(.*)$")
BRANCH = re.compile(r"^(b|b\..*|cbn?z|tbn?z)$")
ON_STACK = re.compile(r"^(ldr|str|ldp|stp|ldur|stur)\s+[qdv]\d+.*\[(sp|x29)\b")


class Loop(NamedTuple):
    """An innermost loop.

    Attributes:
        function: the exported function before it: the kernel that it belongs to.
        start, end: offsets of its first and last instruction.
        fmla: vector multiply-adds of a turn.
        writes, reads: of vector registers to and from the stack.
    """

    function: str
    start: int
    end: int
    fmla: int
    writes: int
    reads: int


def hot_loops(library: Path) -> list[Loop]:
    """The hot loops of a library for aarch64 that fastdepth_ros linked."""
    content = library.read_bytes()
    symbols = sorted(_symbols(content))
    addresses = [address for address, _ in symbols]
    loops = []
    for start, end in _code(content):
        instructions = _disassemble(content[start:end], start)
        for first, last in _innermost(instructions):
            body = [text for at, text in instructions if first <= at <= last]
            fmla = sum(text.startswith("fmla") for text in body)
            if fmla >= LEAST_FMLA:
                before = bisect_right(addresses, first)
                name = symbols[before - 1][1] if before else "?"
                stack = [text[:2] for text in body if ON_STACK.match(text)]
                loops.append(Loop(name, first, last, fmla, stack.count("st"), stack.count("ld")))
    return loops


def _disassemble(code: bytes, start: int) -> list[tuple[int, str]]:
    """(offset, instruction) of each; the library has no section table, so objdump gets the bare code."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(code)
        file.flush()
        command = [OBJDUMP, "-D", "-b", "binary", "-m", "aarch64", f"--adjust-vma={start:#x}", file.name]
        text = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    matches = (LINE.match(line) for line in text.splitlines())
    return [(int(m[1], 16), f"{m[2]} {m[3]}") for m in matches if m]


def _innermost(instructions: list[tuple[int, str]]) -> list[tuple[int, int]]:
    """(first, last) of every loop that holds no other: from a branch's target back up to the branch."""
    loops = []
    for at, text in instructions:
        name, _, operands = text.partition(" ")
        if BRANCH.match(name) and (target := re.search(r"0x([0-9a-f]+)", operands.split(",")[-1])):
            first = int(target[1], 16)
            if first < at:
                loops.append((first, at))
    return [a for a in loops if not any(a != b and a[0] <= b[0] and b[1] <= a[1] for b in loops)]


def _code(content: bytes) -> Iterator[tuple[int, int]]:
    """(start, end) of the segments with instructions; offset and address are the same in these libraries."""
    for kind, flags, offset, size in _segments(content):
        if kind == 1 and flags & 1:
            yield offset, offset + size


def _symbols(content: bytes) -> Iterator[tuple[int, str]]:
    """(address, name) of what is exported."""
    at, size = next((offset, size) for kind, _, offset, size in _segments(content) if kind == 2)
    facts = dict(struct.unpack_from("<QQ", content, at + i) for i in range(0, size, 16))
    hashes, strings, table = facts[4], facts[5], facts[6]
    for i in range(struct.unpack_from("<II", content, hashes)[1]):
        name, _, _, section, address, _ = struct.unpack_from("<IBBHQQ", content, table + 24 * i)
        if section:
            start = strings + name
            yield address, content[start : content.index(b"\0", start)].decode()


def _segments(content: bytes) -> Iterator[tuple[int, int, int, int]]:
    """(kind, flags, offset, size) of the program headers (System V ABI)."""
    (table,), (count,) = struct.unpack_from("<Q", content, 32), struct.unpack_from("<H", content, 56)
    for i in range(count):
        kind, flags, offset, _, _, size, _, _ = struct.unpack_from("<IIQQQQQQ", content, table + 56 * i)
        yield kind, flags, offset, size


def main() -> int:
    """Print the hot loops of every library that is named, worst first."""
    if shutil.which(OBJDUMP) is None:
        sys.stderr.write(f"{OBJDUMP} is missing: apt install binutils-aarch64-linux-gnu\n")
        return 2
    written = 0
    for name in sys.argv[1:]:
        loops = sorted(hot_loops(Path(name)), key=lambda loop: (-loop.writes, -loop.reads, loop.start))
        sys.stdout.write(
            f"{name}: {len(loops)} hot loops, {sum(loop.writes > 0 for loop in loops)} write to the stack\n"
        )
        for loop in loops:
            where = f"{loop.function} {loop.start:#x}-{loop.end:#x}"
            sys.stdout.write(f"  {loop.writes:3} written, {loop.reads:3} read, {loop.fmla:3} fmla  {where}\n")
        written += sum(loop.writes for loop in loops)
    return 1 if written else 0


if __name__ == "__main__":
    sys.exit(main())
