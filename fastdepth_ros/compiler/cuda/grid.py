"""The words that a GPU kernel adds to ``compiler.ir``: blocks, threads, memory that a block shares, barriers."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tvm import tirx
from tvm.tirx.script import builder as T  # noqa: N812 - TVM's own documentation calls it T

from fastdepth_ros.compiler import ir
from fastdepth_ros.compiler.ir import Buffer, Expr

VECTOR = 4
"""float32 numbers that a thread loads or stores at once: 16 bytes, from addresses that are multiples of that."""


@dataclass(frozen=True)
class Kernel:
    """A GPU kernel and how it is launched.

    Attributes:
        function: TensorIR; its buffers are the kernel's arguments.
        arguments: their names, shapes and types.
        grid: blocks along x and y.
        threads: of a block.
    """

    function: Any
    arguments: tuple[ir.Argument, ...]
    grid: tuple[int, int]
    threads: int


def kernel(
    name: str, arguments: Sequence[ir.Argument], grid: tuple[int, int], threads: int, body: Callable[..., None]
) -> Kernel:
    """A kernel whose every thread does what ``body(x, y, thread, *buffers)`` writes, on block (x, y) of the grid."""

    def whole(*buffers: Buffer) -> None:
        x, y = T.launch_thread("blockIdx.x", grid[0]), T.launch_thread("blockIdx.y", grid[1])
        with x as column, y as row, T.launch_thread("threadIdx.x", threads) as thread:
            body(column, row, thread, *buffers)

    return Kernel(ir.kernel(name, arguments, whole), tuple(arguments), grid, threads)


def shared(count: int) -> Buffer:
    """float32 numbers that all threads of a block see, without defined contents."""
    return T.alloc_buffer((count,), "float32", scope="shared")


def barrier() -> None:
    """Wait until all threads of the block are here, and see what they wrote to shared memory."""
    T.evaluate(tirx.call_intrin("void", "tirx.tvm_storage_sync", "shared"))


@contextlib.contextmanager
def dealt(count: int, threads: int, thread: Expr) -> Iterator[Expr]:
    """Deal ``count`` pieces of work out to the threads of a block; gives the number of the one to do."""
    turns, rest = divmod(count, threads)
    with ir.serial(turns + bool(rest)) as turn:
        number = turn * threads + thread
        if rest:
            with ir.when(number < count):
                yield number
        else:
            yield number


def split(number: Expr, *sizes: int) -> list[Expr]:
    """The coordinates of a number in an array whose last dimensions are ``sizes``; the first is not bounded."""
    coordinates: list[Expr] = []
    for size in reversed(sizes):
        coordinates.insert(0, tirx.floormod(number, size))
        number = tirx.floordiv(number, size)
    return [number, *coordinates]


def copy(count: int, threads: int, thread: Expr, source: Buffer, start: Expr, target: Buffer) -> None:
    """``target[i] = source[start + i]`` for ``count`` numbers; ``count`` and ``start`` are multiples of VECTOR."""
    with dealt(count // VECTOR, threads, thread) as piece:
        ir.store(target, ir.load(source, start + piece * VECTOR, VECTOR), piece * VECTOR, VECTOR)


def fetch(source: Buffer, start: Expr, count: int, target: Buffer) -> None:
    """``target[i] = source[start + i]``, by one thread, into registers.

    Number by number: NVIDIA's compiler makes vectors of them itself, and always the same. Vectors that are written here
    it sometimes cuts up, and not always in the same way.
    """
    for i in range(count):
        ir.put(target, source[start + i], i)


def round_up(number: int, step: int) -> int:
    """The next multiple of ``step``."""
    return -(-number // step) * step
