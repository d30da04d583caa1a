"""Runs a program on an x86 processor without AVX-VNNI as if it had it: `emulated_vnni.py PROGRAM ARGUMENTS...`.

Such a processor stops the program at every vpdpbusd. This process, which traces it (ptrace), then computes the
instruction on the program's registers and lets it go on behind it, some ten thousand times a second: enough for bits,
nothing for speed. Exit status: the program's. At the end standard error says how many instructions were computed.
"""

from __future__ import annotations

import ctypes
import os
import signal
import struct
import sys
from typing import NamedTuple

import numpy as np

TRACEME, CONT, GETREGS, SETREGS, SETOPTIONS, GETREGSET, SETREGSET = 0, 7, 12, 13, 0x4200, 0x4204, 0x4205
FOLLOW = 0x2 | 0x4 | 0x8 | 0x10 | 0x100000
"""Options: forks, vforks, clones and programs that are started; and nothing outlives this process."""
XSTATE, LARGEST_STATE = 0x202, 16384
WALL = 0x40000000

REGISTERS = 27
"""Words of user_regs_struct."""
RIP = 16
ORDER = (10, 11, 12, 5, 19, 4, 13, 14, 9, 8, 7, 6, 3, 2, 1, 0)
"""Places of rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8 to r15 in it: registers as instructions number them."""

LOWER, FEATURES, UPPER, HALF = 160, 512, 576, 16
"""Offsets in the XSAVE area: lower halves of ymm0 to ymm15, which parts are in use, and the upper halves."""
AVX_STATE = 0b111

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
libc.ptrace.restype = ctypes.c_long


class Vector(ctypes.Structure):
    """struct iovec."""

    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


class Dot(NamedTuple):
    """A vpdpbusd.

    Attributes:
        size: bytes of its vectors.
        sums, unsigned: numbers of registers.
        signed: number of a register; None where the operand is in memory.
        address: of that operand.
        length: of the instruction.
    """

    size: int
    sums: int
    unsigned: int
    signed: int | None
    address: int
    length: int


def ptrace(request: int, process: int, address: object = None, data: object = None) -> None:
    """The system call.

    Raises:
        OSError: it was refused.
    """
    if libc.ptrace(request, process, address, data) == -1:
        raise OSError(ctypes.get_errno(), f"ptrace request {request:#x} was refused")


def decode(code: bytes, rip: int, registers: list[int]) -> Dot | None:
    """The vpdpbusd (VEX.66.0F38.W0 50 /r) that the code begins with; None where it is another instruction."""
    if len(code) < 6 or code[0] != 0xC4 or code[1] & 0x1F != 2 or code[2] & 0x83 != 1 or code[3] != 0x50:
        return None
    reg, x, b = (8 * (not code[1] >> bit & 1) for bit in (7, 6, 5))
    size, unsigned = 16 << (code[2] >> 2 & 1), ~code[2] >> 3 & 15
    mode, sums, rm, at = code[4] >> 6, reg | code[4] >> 3 & 7, code[4] & 7, 5
    if mode == 3:
        return Dot(size, sums, unsigned, b | rm, 0, at)
    address = 0
    relative = mode == 0 and rm == 5
    if rm == 4:
        scale, index, base = code[at] >> 6, x | code[at] >> 3 & 7, code[at] & 7
        at += 1
        if index != 4:
            address += registers[ORDER[index]] << scale
        without_base = mode == 0 and base == 5
        address += 0 if without_base else registers[ORDER[b | base]]
    else:
        without_base = relative
        address += 0 if relative else registers[ORDER[b | rm]]
    if mode == 1:
        address += struct.unpack_from("<b", code, at)[0]
        at += 1
    elif mode == 2 or without_base:
        address += struct.unpack_from("<i", code, at)[0]
        at += 4
    address += rip + at if relative else 0
    return Dot(size, sums, unsigned, None, address % 2**64, at)


def dot(sums: bytes, unsigned: bytes, signed: bytes) -> bytes:
    """To each int32 of the sums four products of bytes, modulo 2**32."""
    products = np.frombuffer(unsigned, np.uint8).astype(np.int64) * np.frombuffer(signed, np.int8)
    return (np.frombuffer(sums, np.int32) + products.reshape(-1, 4).sum(axis=1)).astype(np.int32).tobytes()


class State:
    """Vector registers of a thread that is stopped."""

    def __init__(self, thread: int) -> None:
        self.thread, self.area = thread, ctypes.create_string_buffer(LARGEST_STATE)
        self.vector = Vector(ctypes.addressof(self.area), LARGEST_STATE)
        ptrace(GETREGSET, thread, XSTATE, ctypes.byref(self.vector))

    def read(self, number: int, size: int) -> bytes:
        """The lower 16 bytes of a register, or all 32."""
        lower, upper = (self.area[start + HALF * number : start + HALF * (number + 1)] for start in (LOWER, UPPER))
        return (lower + (upper if self._used() & 4 else bytes(HALF)))[:size]

    def write(self, number: int, value: bytes) -> None:
        """Write a register; what it has beyond the value is cleared."""
        whole = value.ljust(2 * HALF, b"\0")
        for start, half in ((LOWER, whole[:HALF]), (UPPER, whole[HALF:])):
            ctypes.memmove(ctypes.addressof(self.area) + start + HALF * number, half, HALF)
        struct.pack_into("<Q", self.area, FEATURES, self._used() | AVX_STATE)
        ptrace(SETREGSET, self.thread, XSTATE, ctypes.byref(self.vector))

    def _used(self) -> int:
        return int(struct.unpack_from("<Q", self.area, FEATURES)[0])


def compute(thread: int) -> bool:
    """Compute the instruction at which a thread was stopped; whether it was one that this program knows."""
    registers = (ctypes.c_ulonglong * REGISTERS)()
    ptrace(GETREGS, thread, None, registers)
    with open(f"/proc/{thread}/mem", "rb", buffering=0) as memory:
        memory.seek(registers[RIP])
        found = decode(memory.read(15), registers[RIP], list(registers))
        if found is None:
            return False
        state = State(thread)
        if found.signed is None:
            memory.seek(found.address)
            signed = memory.read(found.size)
        else:
            signed = state.read(found.signed, found.size)
    state.write(found.sums, dot(state.read(found.sums, found.size), state.read(found.unsigned, found.size), signed))
    registers[RIP] += found.length
    ptrace(SETREGS, thread, None, registers)
    return True


def trace(command: list[str]) -> tuple[int, int]:
    """Run a command to its end; its exit status, and how many instructions were computed for it."""
    child = os.fork()
    if child == 0:
        ptrace(TRACEME, 0)
        os.execvp(command[0], command)
    os.waitpid(child, WALL)
    ptrace(SETOPTIONS, child, None, FOLLOW)
    ptrace(CONT, child, None, 0)
    computed = 0
    while True:
        thread, status = os.waitpid(-1, WALL)
        if os.WIFSTOPPED(status):
            caught = os.WSTOPSIG(status)
            if caught == signal.SIGILL and compute(thread):
                computed, caught = computed + 1, 0
            # Stops of threads that begin, and of what FOLLOW asks for, are no signals of the program's.
            ptrace(CONT, thread, None, 0 if caught in (signal.SIGTRAP, signal.SIGSTOP) else int(caught))
        elif thread == child:
            return os.waitstatus_to_exitcode(status), computed


def main() -> int:
    """Run the command that is given."""
    status, computed = trace(sys.argv[1:])
    sys.stderr.write(f"{computed} instructions computed\n")
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main())
