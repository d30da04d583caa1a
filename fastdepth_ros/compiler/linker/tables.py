"""The tables in a library that the system's loader reads: names, symbols, and what is left for it to fill in."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence

from fastdepth_ros.compiler.linker.objects import RELOCATION, SHF_ALLOC, SHF_WRITE, STB_GLOBAL, SYMBOL, Section, Symbol

ENTRY = struct.Struct("<QQ")
DT_NULL, DT_HASH, DT_STRTAB, DT_SYMTAB = 0, 4, 5, 6
DT_RELA, DT_RELASZ, DT_RELAENT, DT_STRSZ, DT_SYMENT = 7, 8, 9, 10, 11
FACTS = 9


class LoaderTables:
    """Made with the right size, to be placed; filled when every address is known.

    Args:
        names: of all symbols, in the order of their numbers, which begin at 1.
        relocations: how many are left to the loader.
    """

    def __init__(self, names: Sequence[str], relocations: int) -> None:
        self.names = names
        strings, self.string_at = string_table(names)
        self.symbols = Section(".dynsym", SHF_ALLOC, 8, bytearray(SYMBOL.size * (1 + len(names))))
        self.hashes = Section(".hash", SHF_ALLOC, 8, bytearray(hash_table(len(names))))
        self.strings = Section(".dynstr", SHF_ALLOC, 1, bytearray(strings))
        self.relocations = Section(".rela.dyn", SHF_ALLOC, 8, bytearray(RELOCATION.size * relocations))
        self.dynamic = Section(".dynamic", SHF_ALLOC | SHF_WRITE, 8, bytearray(ENTRY.size * FACTS))

    @property
    def constant(self) -> list[Section]:
        """Sections that the loader only reads."""
        return [self.symbols, self.hashes, self.strings, self.relocations]

    def fill(self, defined: Mapping[str, Symbol], loader: Iterable[tuple[int, int, int]]) -> None:
        """Write the symbols, of which those not ``defined`` are to be found elsewhere, and the relocations."""
        for number, name in enumerate(self.names, start=1):
            symbol, name_at = defined.get(name), self.string_at[name]
            entry = (name_at, STB_GLOBAL << 4, 0, 0, 0, 0)
            if symbol is not None:
                # Of the section's number the loader only asks whether it is zero.
                entry = (name_at, symbol.binding << 4 | symbol.kind, 0, 1, symbol.address, symbol.size)
            SYMBOL.pack_into(self.symbols.data, number * SYMBOL.size, *entry)
        for number, relocation in enumerate(sorted(loader)):
            RELOCATION.pack_into(self.relocations.data, number * RELOCATION.size, *relocation)
        facts = (
            (DT_HASH, self.hashes.address),
            (DT_STRTAB, self.strings.address),
            (DT_SYMTAB, self.symbols.address),
            (DT_STRSZ, len(self.strings.data)),
            (DT_SYMENT, SYMBOL.size),
            (DT_RELA, self.relocations.address),
            (DT_RELASZ, len(self.relocations.data)),
            (DT_RELAENT, RELOCATION.size),
            (DT_NULL, 0),
        )
        for number, fact in enumerate(facts):
            ENTRY.pack_into(self.dynamic.data, number * ENTRY.size, *fact)


def string_table(names: Iterable[str]) -> tuple[bytes, dict[str, int]]:
    """The names one after the other, each ended by a zero, and where each begins."""
    table, at = bytearray(b"\0"), {}
    for name in names:
        at[name] = len(table)
        table += name.encode() + b"\0"
    return bytes(table), at


def hash_table(symbols: int) -> bytes:
    """The loader's way from a name to its symbol: one chain through all of them, for they are few."""
    count = 1 + symbols
    chain = [0, *((number + 1) % count for number in range(1, count))]
    return struct.pack(f"<{3 + count}I", 1, count, min(1, symbols), *chain)
