"""Puts a shared library together: finds what each name means, and tells every place its address.

Addresses are offsets in the file, so that one number says where a thing is in both.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from fastdepth_ros.compiler.linker.image import Segment, lay_out, write_image
from fastdepth_ros.compiler.linker.machines import MACHINES, Machine, Place
from fastdepth_ros.compiler.linker.objects import (
    SHF_ALLOC,
    SHF_EXECINSTR,
    SHF_WRITE,
    STB_LOCAL,
    STB_WEAK,
    LinkError,
    ObjectFile,
    Relocation,
    Section,
    Symbol,
    read_object,
)
from fastdepth_ros.compiler.linker.tables import LoaderTables

JUMP_SIZE = 16
"""Bytes of a piece of code that jumps through the table."""

Key = tuple[str, int]
"""Key that tells symbols apart: the name, and for a local one which it is."""


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
    """The library while it is put together.

    Attributes:
        files: the object files.
        machine: their processor.
        loader: relocations left to the loader: place, kind and symbol, addend.
        defined: exported symbols by name.
        imported: names that the loader has to find elsewhere; all are functions.
        entries: symbols whose addresses stand in the global offset table -> their number there.
    """

    files: list[ObjectFile]
    machine: Machine
    loader: list[tuple[int, int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.defined = exported(self.files)
        for section in self.sections():
            section.relocations[:] = map(self.meant, section.relocations)
        relocations = [r for section in self.sections() for r in section.relocations]
        used = {r.symbol.name for r in relocations if r.symbol.binding != STB_LOCAL}
        self.imported = sorted(used - self.defined.keys())
        self.names = [*self.imported, *self.defined]
        wanted = dict.fromkeys(key(r.symbol) for r in relocations if self.needs_entry(r))
        self.entries = {wish: number for number, wish in enumerate(wanted)}
        self.absolute = sum(r.kind == self.machine.absolute for r in relocations)
        # Code calls imported functions directly; it is sent to a piece of code that jumps through the table.
        self.jumps = Section(".plt", SHF_ALLOC | SHF_EXECINSTR, 16, bytearray(JUMP_SIZE * len(self.imported)))
        self.table = Section(".got", SHF_ALLOC | SHF_WRITE, 8, bytearray(8 * len(self.entries)))

    def sections(self) -> Iterable[Section]:
        return (section for file in self.files for section in file.sections)

    def meant(self, relocation: Relocation) -> Relocation:
        """It, of the function that is meant: TVM declares one at each call of it, and LLVM numbers these: ``f.1``."""
        symbol = relocation.symbol
        plain, _, number = symbol.name.rpartition(".")
        numbered = number.isdecimal() and plain in self.defined and symbol.name not in self.defined
        if symbol.binding == STB_LOCAL or not numbered:  # a local one is its own file's, whatever it is called
            return relocation
        return replace(relocation, symbol=replace(symbol, name=plain))

    def needs_entry(self, relocation: Relocation) -> bool:
        missing = relocation.symbol.binding != STB_LOCAL and relocation.symbol.name not in self.defined
        return missing or relocation.kind in self.machine.through_table

    def write(self) -> bytes:
        """Place everything, fill in the addresses, and give the file's bytes."""
        tables = LoaderTables(self.names, len(self.entries) + self.absolute)
        sections = [*tables.constant, self.jumps, tables.dynamic, self.table, *self.sections()]
        segments: list[Segment] = lay_out(sections, self.machine.page)
        self.relocate()
        tables.fill(self.defined, self.loader)
        return write_image(segments, tables.dynamic, self.files[0], self.machine.page)

    def relocate(self) -> None:
        """Write every address that is known, and note for the loader those that are not before it loads."""
        symbols = {key(r.symbol): r.symbol for section in self.sections() for r in section.relocations}
        for wish, number in self.entries.items():
            self.note(symbols[wish], self.entry(number), self.machine.global_data, 0)
        for i, name in enumerate(self.imported):
            own, entry = self.jumps.address + i * JUMP_SIZE, self.entries.get((name, 0))
            if entry is not None:
                code = self.machine.jump(own, self.entry(entry)).ljust(JUMP_SIZE, b"\0")
                self.jumps.data[i * JUMP_SIZE : (i + 1) * JUMP_SIZE] = code
        for section in self.sections():
            for relocation in section.relocations:
                self.apply(section, relocation)

    def apply(self, section: Section, relocation: Relocation) -> None:
        """Write one address into a section."""
        symbol, at, addend = relocation.symbol, section.address + relocation.offset, relocation.addend
        if relocation.kind == self.machine.absolute:
            self.note(symbol, at, self.machine.absolute, addend)
            return
        number = self.entries.get(key(symbol))
        entry = self.entry(number) + addend if number is not None else 0
        self.machine.apply(section.data, relocation, Place(self.address(symbol) + addend, at, entry))

    def note(self, symbol: Symbol, at: int, kind: int, addend: int) -> None:
        """Leave a full address to the loader: it knows where this library lands, and where imported functions are."""
        if symbol.binding != STB_LOCAL and symbol.name in self.imported:
            self.loader.append((at, 1 + self.names.index(symbol.name) << 32 | kind, addend))
        else:
            self.loader.append((at, self.machine.relative, self.address(symbol) + addend))

    def entry(self, number: int) -> int:
        """Address of an entry of the global offset table."""
        return self.table.address + 8 * number

    def address(self, symbol: Symbol) -> int:
        """Address at which code finds the symbol; for an imported function, the piece of code that jumps to it."""
        if symbol.binding == STB_LOCAL:
            return symbol.address
        if symbol.name in self.defined:
            return self.defined[symbol.name].address
        return self.jumps.address + JUMP_SIZE * self.imported.index(symbol.name)


def key(symbol: Symbol) -> Key:
    """The symbol's key."""
    return (symbol.name, id(symbol) if symbol.binding == STB_LOCAL else 0)


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
