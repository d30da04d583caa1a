"""The file itself: three segments, constants, code and data, each on pages of its own, and the headers before them."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import NamedTuple

from fastdepth_ros.compiler.linker.objects import HEADER, ObjectFile, Section

PROGRAM = struct.Struct("<IIQQQQQQ")
ET_DYN, EV_CURRENT = 3, 1
PT_LOAD, PT_DYNAMIC, PT_GNU_STACK = 1, 2, 0x6474E551
PF_X, PF_W, PF_R = 1, 2, 4
IDENT = b"\x7fELF\x02\x01\x01" + bytes(9)
PROGRAMS = 5
"""Headers: three segments, the loader's tables, and the wish for a stack that is not executed."""


class Segment(NamedTuple):
    """Sections that the loader maps together, with the same rights."""

    flags: int
    start: int
    size: int
    sections: list[Section]


def lay_out(sections: Sequence[Section], page: int) -> list[Segment]:
    """Give every section its address, by what may be done with it."""
    rights = {
        PF_R: [s for s in sections if not s.executable and not s.writable],
        PF_R | PF_X: [s for s in sections if s.executable],
        PF_R | PF_W: [s for s in sections if s.writable and not s.executable],
    }
    segments: list[Segment] = []
    end = HEADER.size + PROGRAMS * PROGRAM.size
    for flags, parts in rights.items():
        # The first segment begins with the headers; the others on a page that no other right reaches.
        start = _up(end, page) if segments else 0
        end = max(end, start)
        for part in parts:
            part.address = _up(end, part.alignment)
            end = part.address + len(part.data)
        segments.append(Segment(flags, start, end - start, parts))
    return segments


def write_image(segments: Sequence[Segment], dynamic: Section, like: ObjectFile, page: int) -> bytes:
    """The file's bytes, for the processor of the object file ``like``."""
    content = bytearray(segments[-1].start + segments[-1].size)
    numbers = (ET_DYN, like.machine, EV_CURRENT, 0, HEADER.size, 0, like.flags)
    HEADER.pack_into(content, 0, IDENT, *numbers, HEADER.size, PROGRAM.size, PROGRAMS, 0, 0, 0)
    programs = [(PT_LOAD, s.flags, s.start, s.size, page) for s in segments]
    programs.append((PT_DYNAMIC, PF_R | PF_W, dynamic.address, len(dynamic.data), 8))
    programs.append((PT_GNU_STACK, PF_R | PF_W, 0, 0, 16))
    for i, (kind, flags, start, size, alignment) in enumerate(programs):
        header = (kind, flags, start, start, start, size, size, alignment)
        PROGRAM.pack_into(content, HEADER.size + i * PROGRAM.size, *header)
    for section in (section for segment in segments for section in segment.sections):
        content[section.address : section.address + len(section.data)] = section.data
    return bytes(content)


def _up(number: int, multiple: int) -> int:
    return -(-number // multiple) * multiple
