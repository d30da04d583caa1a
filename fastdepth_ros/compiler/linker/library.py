"""Lays out a shared library: constants, code and data in three segments, and the tables that the loader reads.

Addresses are offsets in the file, so that one number says where a thing is in both.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from fastdepth_ros.compiler.linker.machines import MACHINES, Machine, Place
from fastdepth_ros.compiler.linker.objects import (
    HEADER,
    RELOCATION,
    STB_LOCAL,
    STB_WEAK,
    SYMBOL,
    LinkError,
    ObjectFile,
    Relocation,
    Section,
    Symbol,
    read_object,
)

PROGRAM = struct.Struct("<IIQQQQQQ")
DYNAMIC = struct.Struct("<QQ")
PT_LOAD, PT_DYNAMIC, PT_GNU_STACK = 1, 2, 0x6474E551
PF_X, PF_W, PF_R = 1, 2, 4
DT_NULL, DT_HASH, DT_STRTAB, DT_SYMTAB = 0, 4, 5, 6
DT_RELA, DT_RELASZ, DT_RELAENT, DT_STRSZ, DT_SYMENT = 7, 8, 9, 10, 11
SEGMENTS = 5
JUMP_SIZE = 16


def link(objects: Sequence[bytes]) -> bytes:
    """The shared library that these object files make; it exports every global symbol.

    Raises:
        LinkError: they are for different processors, define a symbol twice, or hold something unknown.
    """
    files = [read_object(content) for content in objects]
    if len({file.machine for file in files}) != 1 or files[0].machine not in MACHINES:
        raise LinkError(f"machines {sorted({file.machine for file in files})} cannot be linked together")
    return Library(files, MACHINES[files[0].machine]).write()


@dataclass
class Library:
    """The library while it is put together."""

    files: list[ObjectFile]
    machine: Machine
    loader: list[tuple[int, int, int]] = field(default_factory=list)
    """Relocations for the loader: place, info, addend."""

    def __post_init__(self) -> None:
        self.defined = exported(self.files)
        used = {r.symbol.name for s in self.sections() for r in s.relocations if r.symbol.binding != STB_LOCAL}
        self.imported = sorted(used - self.defined.keys())
        self.names = [*self.imported, *self.defined]
        through_table = [r.symbol for s in self.sections() for r in s.relocations if self.needs_entry(r)]
        self.entries = {key: i for i, key in enumerate(dict.fromkeys(map(self.key, through_table)))}
        # Code calls imported functions directly; it is sent to a piece of code that jumps through the table.
        self.jumps = Section(".plt", 4, JUMP_SIZE, bytearray(JUMP_SIZE * len(self.imported)))
        self.table = Section(".got", 1, 8, bytearray(8 * len(self.entries)))

    def sections(self) -> Iterable[Section]:
        return (section for file in self.files for section in file.sections)

    def key(self, symbol: Symbol) -> tuple[str, int]:
        """What tells symbols apart: the name, and for a nameless or local one its place."""
        return (symbol.name, 0) if symbol.binding != STB_LOCAL else (symbol.name, id(symbol))

    def needs_entry(self, relocation: Relocation) -> bool:
        missing = relocation.symbol.binding != STB_LOCAL and relocation.symbol.name not in self.defined
        return missing or relocation.kind in self.machine.through_table

    def write(self) -> bytes:
        """Place everything, fill in the addresses, and give the file's bytes."""
        strings, string_at = string_table(self.names)
        symbols = Section(".dynsym", 0, 8, bytearray(SYMBOL.size * (1 + len(self.names))))
        hashes = Section(".hash", 0, 8, bytearray(hash_table(self.names)))
        text = Section(".dynstr", 0, 1, bytearray(strings))
        relocations = Section(".rela.dyn", 0, 8, bytearray(RELOCATION.size * self.loader_relocations()))
        dynamic = Section(".dynamic", 1, 8, bytearray(DYNAMIC.size * 9))

        constants = [s for s in self.sections() if not s.executable and not s.writable]
        code = [self.jumps, *(s for s in self.sections() if s.executable)]
        data = [dynamic, self.table, *(s for s in self.sections() if s.writable)]
        start = HEADER.size + SEGMENTS * PROGRAM.size
        segments: list[tuple[int, int, int, list[Section]]] = []
        for flags, parts in (
            (PF_R, [symbols, hashes, text, relocations, *constants]),
            (PF_R | PF_X, code),
            (PF_R | PF_W, data),
        ):
            begin = 0 if not segments else -(-start // self.machine.page) * self.machine.page
            start = place(parts, max(start, begin))
            segments.append((flags, begin, start - begin, parts))

        self.relocate()
        for i, name in enumerate(self.names, start=1):
            self.write_symbol(symbols.data, i, name, string_at[name])
        for i, entry in enumerate(sorted(self.loader, key=lambda r: r[0])):
            RELOCATION.pack_into(relocations.data, i * RELOCATION.size, *entry)
        facts = (
            (DT_HASH, hashes.address),
            (DT_STRTAB, text.address),
            (DT_SYMTAB, symbols.address),
            (DT_STRSZ, len(strings)),
            (DT_SYMENT, SYMBOL.size),
            (DT_RELA, relocations.address),
            (DT_RELASZ, len(relocations.data)),
            (DT_RELAENT, RELOCATION.size),
            (DT_NULL, 0),
        )
        for i, fact in enumerate(facts):
            DYNAMIC.pack_into(dynamic.data, i * DYNAMIC.size, *fact)

        programs = [(PT_LOAD, flags, at, size, self.machine.page) for flags, at, size, _ in segments]
        programs.append((PT_DYNAMIC, PF_R | PF_W, dynamic.address, len(dynamic.data), 8))
        programs.append((PT_GNU_STACK, PF_R | PF_W, 0, 0, 16))
        content = bytearray(start)
        machine_number = self.files[0].machine
        shared = 3
        HEADER.pack_into(
            content, 0, b"\x7fELF\x02\x01\x01" + bytes(9), shared, machine_number, 1, 0, HEADER.size, 0,
            self.files[0].flags, HEADER.size, PROGRAM.size, SEGMENTS, 64, 0, 0,
        )  # fmt: skip
        for i, (kind, flags, at, size, alignment) in enumerate(programs):
            PROGRAM.pack_into(content, HEADER.size + i * PROGRAM.size, kind, flags, at, at, at, size, size, alignment)
        for _, _, _, parts in segments:
            for part in parts:
                content[part.address : part.address + len(part.data)] = part.data
        return bytes(content)

    def loader_relocations(self) -> int:
        """How many the loader gets: one per entry of the table, one per full address."""
        absolute = sum(r.kind == self.machine.absolute for s in self.sections() for r in s.relocations)
        return len(self.entries) + absolute

    def relocate(self) -> None:
        """Write every address that is known, and note for the loader those that are not before it loads."""
        pending = dict(self.entries)
        for i, name in enumerate(self.imported):
            if (name, 0) in self.entries:
                own = self.jumps.address + i * JUMP_SIZE
                code = self.machine.jump(own, self.entry(self.entries[(name, 0)]))
                self.jumps.data[i * JUMP_SIZE : (i + 1) * JUMP_SIZE] = code.ljust(JUMP_SIZE, b"\0")
        for section in self.sections():
            for relocation in section.relocations:
                symbol, at = relocation.symbol, section.address + relocation.offset
                number = self.entries.get(self.key(symbol))
                address = self.address(symbol)
                if number is not None and pending.pop(self.key(symbol), None) is not None:
                    self.note_entry(symbol, self.entry(number), address)
                if relocation.kind == self.machine.absolute:
                    self.note_absolute(symbol, at, address, relocation.addend)
                    continue
                entry = self.entry(number) + relocation.addend if number is not None else 0
                self.machine.apply(section.data, relocation, Place(address + relocation.addend, at, entry))

    def entry(self, number: int) -> int:
        return self.table.address + 8 * number

    def address(self, symbol: Symbol) -> int:
        """Where code finds the symbol; for an imported function, the piece of code that jumps to it."""
        if symbol.binding == STB_LOCAL:
            return symbol.address
        if symbol.name in self.defined:
            return self.defined[symbol.name].address
        return self.jumps.address + JUMP_SIZE * self.imported.index(symbol.name)

    def note_entry(self, symbol: Symbol, at: int, address: int) -> None:
        if symbol.name in self.imported:
            self.loader.append((at, self.number(symbol) << 32 | self.machine.global_data, 0))
        else:
            self.loader.append((at, self.machine.relative, address))

    def note_absolute(self, symbol: Symbol, at: int, address: int, addend: int) -> None:
        if symbol.name in self.imported:
            self.loader.append((at, self.number(symbol) << 32 | self.machine.absolute, addend))
        else:
            self.loader.append((at, self.machine.relative, address + addend))

    def number(self, symbol: Symbol) -> int:
        return 1 + self.names.index(symbol.name)

    def write_symbol(self, table: bytearray, index: int, name: str, name_at: int) -> None:
        symbol = self.defined.get(name)
        if symbol is None:
            SYMBOL.pack_into(table, index * SYMBOL.size, name_at, 1 << 4, 0, 0, 0, 0)
        else:
            # The loader only asks whether the section's number is zero.
            info = symbol.binding << 4 | symbol.kind
            SYMBOL.pack_into(table, index * SYMBOL.size, name_at, info, 0, 1, symbol.address, symbol.size)


def exported(files: Iterable[ObjectFile]) -> dict[str, Symbol]:
    """Every global symbol that a file defines, by name; of several weak ones the first."""
    defined: dict[str, Symbol] = {}
    for symbol in (symbol for file in files for symbol in file.symbols):
        if symbol.binding == STB_LOCAL or symbol.section is None:
            continue
        before = defined.get(symbol.name)
        if before is None or before.binding == STB_WEAK:
            if before is None or symbol.binding != STB_WEAK:
                defined[symbol.name] = symbol
        elif symbol.binding != STB_WEAK:
            raise LinkError(f"symbol {symbol.name} is defined twice")
    return defined


def place(parts: Iterable[Section], start: int) -> int:
    """Give every part its address from ``start`` on, and return the end."""
    for part in parts:
        part.address = -(-start // part.alignment) * part.alignment
        start = part.address + len(part.data)
    return start


def string_table(names: Iterable[str]) -> tuple[bytes, dict[str, int]]:
    """The names one after the other, each ended by a zero, and where each begins."""
    table, at = bytearray(b"\0"), {}
    for name in names:
        at[name] = len(table)
        table += name.encode() + b"\0"
    return bytes(table), at


def hash_table(names: Sequence[str]) -> bytes:
    """The loader's way from a name to its symbol: one chain through all of them, which is short enough to be one."""
    count = 1 + len(names)
    chain = [0, *((i + 1) % count for i in range(1, count))]
    return struct.pack(f"<{3 + count}I", 1, count, 1 if names else 0, *chain)
