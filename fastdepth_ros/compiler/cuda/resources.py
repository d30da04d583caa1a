"""Resources that a kernel takes of a GPU, read from its machine code (a cubin is an ELF file).

The registers and the stack, where spilled registers go, are attributes in the section .nv.info (EIATTR_REGCOUNT and
EIATTR_FRAME_SIZE); shared memory is the size of a section.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

REGISTERS, FRAME_SIZE = b"\x04\x2f", b"\x04\x11"
"""Attributes of two numbers: a symbol, and its registers or the bytes of its stack frame."""


class Usage(NamedTuple):
    """Resources that one kernel takes.

    Attributes:
        registers: of a thread.
        shared: bytes of a block.
        local: bytes of a thread in memory, where what does not fit the registers is spilled to.
    """

    registers: int
    shared: int
    local: int


class Section(NamedTuple):
    """A section of an ELF file."""

    name: str
    size: int
    content: bytes


def usage(cubin: bytes) -> dict[str, Usage]:
    """Kernel -> what it takes."""
    sections = {section.name: section for section in _sections(cubin)}
    about = list(_attributes(sections))
    registers, frames = (
        {kernel: number for kind, kernel, number in about if kind == k} for k in (REGISTERS, FRAME_SIZE)
    )
    shared = {name.removeprefix(".nv.shared."): section.size for name, section in sections.items()}
    return {kernel: Usage(count, shared.get(kernel, 0), frames.get(kernel, 0)) for kernel, count in registers.items()}


def _attributes(sections: dict[str, Section]) -> Iterator[tuple[bytes, str, int]]:
    """(which, kernel, number) of every attribute of two numbers."""
    names = list(_symbols(sections))
    about, at = sections[".nv.info"].content, 0
    while at < len(about):
        kind, size = about[at : at + 2], struct.unpack_from("<H", about, at + 2)[0]
        has_payload = kind[0] == 4  # Others keep their value where this one keeps its size.
        if has_payload and size == 8:
            symbol, number = struct.unpack_from("<II", about, at + 4)
            yield kind, names[symbol], number
        at += 4 + (size if has_payload else 0)


def _symbols(sections: dict[str, Section]) -> Iterator[str]:
    """Their names."""
    strings = sections[".strtab"].content
    for name, *_ in struct.iter_unpack("<IBBHQQ", sections[".symtab"].content):
        yield strings[name : strings.index(b"\0", name)].decode()


def _sections(cubin: bytes) -> Iterator[Section]:
    table = struct.unpack_from("<Q", cubin, 40)[0]
    entry, count, names_at = struct.unpack_from("<HHH", cubin, 58)
    headers = [struct.unpack_from("<IIQQQQIIQQ", cubin, table + entry * i) for i in range(count)]
    names = headers[names_at][4]
    nothing_in_file = 8
    for name, kind, _, _, offset, size, *_ in headers:
        start = names + name
        content = b"" if kind == nothing_in_file else cubin[offset : offset + size]
        yield Section(cubin[start : cubin.index(b"\0", start)].decode(), size, content)
