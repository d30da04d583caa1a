"""Differences between processors: how an address gets into an instruction, and how one jumps through a table.

Numbers and formulas are those of the psABI documents: S is the symbol's address, A the addend, P the place, G the
address of the symbol's entry in the global offset table.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

from fastdepth_ros.compiler.linker.objects import LinkError, Relocation


@dataclass(frozen=True)
class Place:
    """Addresses that a relocation may need: S (already with A added), P and G."""

    target: int
    place: int
    entry: int


Write = Callable[[bytearray, int, Place], None]
"""Writes a relocation's value at an offset."""


@dataclass(frozen=True)
class Machine:
    """A processor's part of the linker.

    Attributes:
        page: alignment of the library's segments; the largest page that its kernels use.
        relocations: number -> how to write it.
        through_table: numbers of those that need an entry of the symbol in the global offset table.
        absolute: number of the relocation for a full address, which the loader has to finish.
        relative, global_data: numbers of the loader's relocations: base plus addend, and a symbol's address.
        jump: code that jumps to where an entry of the table points: (own address, address of the entry) -> bytes.
    """

    page: int
    relocations: dict[int, Write]
    through_table: frozenset[int]
    absolute: int
    relative: int
    global_data: int
    jump: Callable[[int, int], bytes]

    def apply(self, data: bytearray, relocation: Relocation, place: Place) -> None:
        """Write one relocation.

        Raises:
            LinkError: the kind is unknown or the distance too large for it.
        """
        write = self.relocations.get(relocation.kind)
        if write is None:
            raise LinkError(f"relocation {relocation.kind} of {relocation.symbol.name} is not known")
        try:
            write(data, relocation.offset, place)
        except struct.error as error:
            raise LinkError(f"{relocation.symbol.name} is too far away ({error})") from error


def _distance(data: bytearray, offset: int, place: Place) -> None:
    struct.pack_into("<i", data, offset, place.target - place.place)


def _entry_distance(addend_in_target: bytearray, offset: int, place: Place) -> None:
    struct.pack_into("<i", addend_in_target, offset, place.entry - place.place)


def _x86_jump(own: int, entry: int) -> bytes:
    return b"\xff\x25" + struct.pack("<i", entry - (own + 6)) + b"\xcc\xcc"  # jmp *entry(%rip)


def _pages(address: int, place: int) -> int:
    return (address >> 12) - (place >> 12)


def _patch(data: bytearray, offset: int, mask: int, bits: int) -> None:
    (word,) = struct.unpack_from("<I", data, offset)
    struct.pack_into("<I", data, offset, (word & ~mask) | (bits & mask))


def _adrp(data: bytearray, offset: int, pages: int) -> None:
    if not -(1 << 20) <= pages < 1 << 20:
        raise struct.error("adrp reaches 4 GiB")
    _patch(data, offset, 0x60FFFFE0, (pages & 3) << 29 | (pages >> 2 & 0x7FFFF) << 5)


def _low_bits(scale: int) -> Write:
    def write(data: bytearray, offset: int, place: Place) -> None:
        _patch(data, offset, 0x003FFC00, (place.target & 0xFFF) >> scale << 10)

    return write


def _call(data: bytearray, offset: int, place: Place) -> None:
    distance = place.target - place.place
    if not -(1 << 27) <= distance < 1 << 27:
        raise struct.error("bl reaches 128 MiB")
    _patch(data, offset, 0x03FFFFFF, distance >> 2)


def _arm_jump(own: int, entry: int) -> bytes:
    code = bytearray(struct.pack("<3I", 0x90000010, 0xF9400211, 0xD61F0220))  # adrp x16; ldr x17, [x16]; br x17
    _adrp(code, 0, _pages(entry, own))
    _patch(code, 4, 0x003FFC00, (entry & 0xFFF) >> 3 << 10)
    return bytes(code) + b"\0" * 4


MACHINES = {
    62: Machine(  # EM_X86_64
        page=0x1000,
        # PC32 and PLT32: S + A - P. GOTPCREL, GOTPCRELX, REX_GOTPCRELX: G + A - P.
        relocations={2: _distance, 4: _distance, 9: _entry_distance, 41: _entry_distance, 42: _entry_distance},
        through_table=frozenset({9, 41, 42}),
        absolute=1,
        relative=8,
        global_data=6,
        jump=_x86_jump,
    ),
    183: Machine(  # EM_AARCH64
        page=0x10000,
        relocations={
            261: _distance,  # PREL32
            275: lambda data, at, p: _adrp(data, at, _pages(p.target, p.place)),  # ADR_PREL_PG_HI21
            277: _low_bits(0),  # ADD_ABS_LO12_NC
            278: _low_bits(0),  # LDST8_ABS_LO12_NC, and for 16, 32, 64 and 128 bits:
            284: _low_bits(1),
            285: _low_bits(2),
            286: _low_bits(3),
            299: _low_bits(4),
            282: _call,  # JUMP26
            283: _call,  # CALL26
            311: lambda data, at, p: _adrp(data, at, _pages(p.entry, p.place)),  # ADR_GOT_PAGE
            312: lambda data, at, p: _patch(data, at, 0x003FFC00, (p.entry & 0xFFF) >> 3 << 10),  # LD64_GOT_LO12_NC
        },
        through_table=frozenset({311, 312}),
        absolute=257,
        relative=1027,
        global_data=1025,
        jump=_arm_jump,
    ),
}
