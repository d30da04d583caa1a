"""Looks into the hot loops of modules: `spills.py MODULE.so...`, for ARM and x86 (64 bit).

A hot loop is an innermost one with at least 8 vector multiply-adds. Where it writes a vector register to the stack, its
sums did not fit the registers, and each turn pays for it; where it only reads, a constant did not fit. Instructions a
multiply-add, of one number by one number, are the bound that is left, whatever the processor's clock. Exit status 1 if
a loop writes. Needs objdump of Debian's binutils, and for ARM of binutils-aarch64-linux-gnu.
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
LEAST = 8


class Machine(NamedTuple):
    """A kind of machine code, and how objdump writes it.

    Attributes:
        objdump: the program, and its name of the architecture.
        branch: names of jumps.
        products: a multiply-add of vectors -> the multiply-adds of numbers that it is.
        write, read: of a vector register, to or from the stack.
    """

    objdump: tuple[str, str]
    branch: re.Pattern[str]
    products: dict[re.Pattern[str], int]
    write: re.Pattern[str]
    read: re.Pattern[str]


MACHINES = {
    183: Machine(
        (OBJDUMP, "aarch64"),
        re.compile(r"^(b|b\..*|cbn?z|tbn?z)$"),
        {
            re.compile(r"fmla v\d+\.4[sh]"): 4,
            re.compile(r"fmla v\d+\.8h"): 8,
            re.compile(r"sdot"): 16,
            re.compile(r"sm(ull|lal)2? v\d+\.8h"): 8,
            re.compile(r"bfdot v\d+\.4s"): 8,
            re.compile(r"bfmmla"): 16,
            re.compile(r"smmla"): 32,
        },
        re.compile(r"^(str|stp|stur)\s+[qdv]\d+.*\[(sp|x29)\b"),
        re.compile(r"^(ldr|ldp|ldur)\s+[qdv]\d+.*\[(sp|x29)\b"),
    ),
    62: Machine(
        ("objdump", "i386:x86-64"),
        re.compile(r"^j[a-z]+$"),
        {
            re.compile(r"vfmadd\w+ps .*%ymm"): 8,
            re.compile(r"vfmadd\w+ps .*%zmm"): 16,
            re.compile(r"vpmaddubsw .*%ymm"): 32,
            re.compile(r"(\{vex\} )?vpdpbusd .*%ymm"): 32,
            re.compile(r"vpdpbusd .*%zmm"): 64,
            re.compile(r"vdpbf16ps .*%zmm"): 32,
        },
        re.compile(r"^vmov\w+\s+%[xyz]mm\d+,.*\(%r[sb]p"),
        re.compile(r"^v\w+\s+[^,]*\(%r[sb]p.*%[xyz]mm"),
    ),
}
"""By the number of the processor in an ELF header."""

LINE = re.compile(r"^\s*([0-9a-f]+):\s+(\S.*?)\s*$")


class Loop(NamedTuple):
    """An innermost loop.

    Attributes:
        function: the exported function before it: the kernel that it belongs to.
        start, end: offsets of its first and last instruction.
        products: vector multiply-adds of a turn.
        macs: multiply-adds of numbers that they are.
        instructions: of a turn.
        writes, reads: of vector registers to and from the stack.
        names: of its vector multiply-adds.
    """

    function: str
    start: int
    end: int
    products: int
    macs: int
    instructions: int
    writes: int
    reads: int
    names: frozenset[str]


def hot_loops(library: Path) -> list[Loop]:
    """The hot loops of a library for aarch64 or x86-64 that fastdepth_ros linked."""
    content = library.read_bytes()
    machine = MACHINES[struct.unpack_from("<H", content, 18)[0]]
    symbols = sorted(_symbols(content))
    addresses = [address for address, _ in symbols]
    loops = []
    for start, end in _code(content):
        instructions = _disassemble(machine, content[start:end], start)
        for first, last in _innermost(machine, instructions):
            body = [text for at, text in instructions if first <= at <= last]
            found = [(text, macs) for text in body for kind, macs in machine.products.items() if kind.match(text)]
            if len(found) >= LEAST:
                before = bisect_right(addresses, first)
                name = symbols[before - 1][1] if before else "?"
                stack = (sum(bool(kind.match(text)) for text in body) for kind in (machine.write, machine.read))
                names = frozenset(text.removeprefix("{vex} ").split()[0] for text, _ in found)
                macs = sum(macs for _, macs in found)
                loops.append(Loop(name, first, last, len(found), macs, len(body), *stack, names))
    return loops


def turn_around(library: Path, inner: Loop) -> int:
    """Instructions of a turn of the loop around an innermost one, without that; 0 where there is none."""
    content = library.read_bytes()
    machine = MACHINES[struct.unpack_from("<H", content, 18)[0]]
    for start, end in _code(content):
        instructions = _disassemble(machine, content[start:end], start)
        around = [
            (first, last)
            for first, last in _loops(machine, instructions)
            if first <= inner.start and inner.end <= last and (first, last) != (inner.start, inner.end)
        ]
        if around:
            first, last = min(around, key=lambda loop: loop[1] - loop[0])
            return sum(first <= at <= last for at, _ in instructions) - inner.instructions
    return 0


def _disassemble(machine: Machine, code: bytes, start: int) -> list[tuple[int, str]]:
    """(offset, instruction) of each; the library has no section table, so objdump gets the bare code."""
    program, name = machine.objdump
    with tempfile.NamedTemporaryFile() as file:
        file.write(code)
        file.flush()
        how = ["-D", "-b", "binary", "-m", name, "--no-show-raw-insn", f"--adjust-vma={start:#x}"]
        text = subprocess.run([program, *how, file.name], stdout=subprocess.PIPE, text=True, check=True).stdout
    matches = (LINE.match(line) for line in text.splitlines())
    return [(int(m[1], 16), re.sub(r"\s+", " ", m[2])) for m in matches if m]


def _innermost(machine: Machine, instructions: list[tuple[int, str]]) -> list[tuple[int, int]]:
    """(first, last) of every loop that holds no other."""
    loops = _loops(machine, instructions)
    return [a for a in loops if not any(a != b and a[0] <= b[0] and b[1] <= a[1] for b in loops)]


def _loops(machine: Machine, instructions: list[tuple[int, str]]) -> list[tuple[int, int]]:
    """(first, last) of every loop: from a branch's target back up to the branch."""
    loops = []
    for at, text in instructions:
        name, _, operands = text.partition(" ")
        if machine.branch.match(name) and (target := re.search(r"0x([0-9a-f]+)", operands.split(",")[-1])):
            first = int(target[1], 16)
            if first < at:
                loops.append((first, at))
    return loops


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
    written = 0
    for name in sys.argv[1:]:
        program, _ = MACHINES[struct.unpack_from("<H", Path(name).read_bytes(), 18)[0]].objdump
        if shutil.which(program) is None:
            sys.stderr.write(f"{program} is missing: apt install binutils, or binutils-aarch64-linux-gnu for ARM\n")
            return 2
        loops = sorted(hot_loops(Path(name)), key=lambda loop: (-loop.writes, -loop.reads, loop.start))
        total = sum(loop.instructions for loop in loops) / max(1, sum(loop.macs for loop in loops))
        sys.stdout.write(
            f"{name}: {len(loops)} hot loops, {sum(loop.writes > 0 for loop in loops)} write to the stack,"
            f" {total:.3f} instructions a multiply-add over all\n"
        )
        for loop in loops:
            where = f"{loop.function} {loop.start:#x}-{loop.end:#x}"
            sys.stdout.write(
                f"  {loop.writes:3} written, {loop.reads:3} read, {loop.products:3} {'/'.join(sorted(loop.names))},"
                f" {loop.instructions / loop.macs:.3f} a multiply-add  {where}\n"
            )
        written += sum(loop.writes for loop in loops)
    return 1 if written else 0


if __name__ == "__main__":
    sys.exit(main())
