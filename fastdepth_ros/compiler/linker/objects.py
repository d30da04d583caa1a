"""Reads relocatable ELF object files (64 bit, little-endian): the parts that end up in memory."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

SHT_SYMTAB, SHT_RELA, SHT_NOBITS, SHT_GROUP = 2, 4, 8, 17
SHT_STARTERS = (14, 15, 16)
SHF_WRITE, SHF_ALLOC, SHF_EXECINSTR, SHF_TLS = 1, 2, 4, 0x400
SHN_UNDEF, SHN_ABS = 0, 0xFFF1
STB_LOCAL, STB_GLOBAL, STB_WEAK = 0, 1, 2

HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
SECTION = struct.Struct("<IIQQQQIIQQ")
SYMBOL = struct.Struct("<IBBHQQ")
RELOCATION = struct.Struct("<QQq")


class LinkError(Exception):
    """An object file holds something that this linker does not know: a defect of this package, not of the user."""


@dataclass(eq=False)
class Section:
    """A part of an object file that is loaded: code, constants or data."""

    name: str
    flags: int
    alignment: int
    data: bytearray
    relocations: list[Relocation] = field(default_factory=list)
    address: int = 0

    @property
    def writable(self) -> bool:
        return bool(self.flags & SHF_WRITE)

    @property
    def executable(self) -> bool:
        return bool(self.flags & SHF_EXECINSTR)


@dataclass(frozen=True, eq=False)
class Symbol:
    """A name for a place in a section; without a section it is looked for elsewhere."""

    name: str
    binding: int
    kind: int
    section: Section | None
    value: int
    size: int

    @property
    def address(self) -> int:
        return self.value + (self.section.address if self.section else 0)


@dataclass(frozen=True)
class Relocation:
    """A place in a section that has to be told an address."""

    offset: int
    kind: int
    symbol: Symbol
    addend: int


@dataclass(frozen=True)
class ObjectFile:
    """Contribution of an object file to a library."""

    machine: int
    flags: int
    sections: list[Section]
    symbols: list[Symbol]


UNWIND = ".eh_frame"
"""Tables for exceptions, which kernels do not throw; left out."""


def read_object(content: bytes) -> ObjectFile:
    """Parse an object file.

    Raises:
        LinkError: it is none, or holds thread-local or grouped sections.
    """
    ident, kind, machine, _, _, _, table, flags, _, _, _, _, count, names_index = HEADER.unpack_from(content)
    if ident[:6] != b"\x7fELF\x02\x01" or kind != 1:
        raise LinkError("this is no 64-bit little-endian relocatable ELF file")
    headers = [SECTION.unpack_from(content, table + i * SECTION.size) for i in range(count)]
    names = _bytes(content, headers[names_index])
    sections: dict[int, Section] = {}
    for i, header in enumerate(headers):
        name, section_kind, section_flags, size = _text(names, header[0]), header[1], header[2], header[5]
        if section_kind in (SHT_GROUP, *SHT_STARTERS) or section_flags & SHF_TLS:
            raise LinkError(f"section {name} is grouped, thread-local, or holds code to run at the start or end")
        if section_flags & SHF_ALLOC and name != UNWIND:
            data = bytearray(size) if section_kind == SHT_NOBITS else bytearray(_bytes(content, header))
            sections[i] = Section(name, section_flags, max(1, header[8]), data)

    symbols: list[Symbol] = []
    for header in headers:
        if header[1] == SHT_SYMTAB:
            strings, entries = _bytes(content, headers[header[6]]), _bytes(content, header)
            for name_at, info, _, index, value, size in SYMBOL.iter_unpack(entries):
                if index == SHN_ABS and info & 15 != 4:  # 4: the source file's name
                    raise LinkError(f"symbol {_text(strings, name_at)} is absolute")
                symbols.append(Symbol(_text(strings, name_at), info >> 4, info & 15, sections.get(index), value, size))
    for header in headers:
        if header[1] == SHT_RELA and header[7] in sections:
            for offset, info, addend in RELOCATION.iter_unpack(_bytes(content, header)):
                relocation = Relocation(offset, info & 0xFFFFFFFF, symbols[info >> 32], addend)
                sections[header[7]].relocations.append(relocation)
    return ObjectFile(machine, flags, list(sections.values()), symbols)


def _bytes(content: bytes, header: tuple[int, ...]) -> bytes:
    return content[header[4] : header[4] + header[5]]


def _text(strings: bytes, start: int) -> str:
    return strings[start : strings.index(b"\0", start)].decode()
