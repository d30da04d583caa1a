"""The few words of TensorIR that the kernels are written in.

Every kernel works on flat buffers and vectors of ``lanes`` neighbouring numbers: ``load`` reads one, ``store`` writes
one, ``splat`` repeats a number in every lane. Offsets count numbers, not bytes, and may be Python or TensorIR integers.
The Python loops of a kernel are unrolled while it is built; ``serial`` and ``parallel`` make loops that run.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from tvm import tirx
from tvm.script.ir_builder import IRBuilder
from tvm.tirx.script import builder as T  # noqa: N812 - TVM's own documentation calls it T

from fastdepth_ros.compiler.sharing import parallel as parallel
from fastdepth_ros.compiler.sharing import scratch as scratch
from fastdepth_ros.network import Activation

Expr = Any
"""A TensorIR expression, or a Python number that becomes one."""

Buffer = Any
Argument = tuple[str, tuple[int, ...], str] | tuple[str, tuple[int, ...], str, int]
"""An argument of a kernel: name, shape, dtype, and where it begins at no multiple of 64 bytes, at one of what."""

READ, SECOND_LEVEL, DATA = 0, 2, 1
"""Arguments of LLVM's prefetch intrinsic: what for, how near, and what."""

LINE = 16
"""Numbers in a cache line of 64 bytes."""

MANY = (32, 64)
"""Bytes in a vector of AVX2, and of AVX-512: so many numbers are narrowed at once in these sets' own instructions."""

serial = T.serial


def kernel(name: str, arguments: Sequence[Argument], body: Callable[..., None]) -> Any:
    """A TensorIR function with these arguments, whose body is what ``body`` writes when it gets their buffers."""
    with IRBuilder() as builder, T.prim_func(s_tir=True):
        T.func_name(name)
        T.func_attr({"tirx.noalias": True, "global_symbol": name})
        body(*[T.arg(each[0], T.buffer(*each[1:3], align=each[3] if len(each) > 3 else 0)) for each in arguments])
    return builder.get()


def integer(value: Expr) -> Expr:
    """A Python integer as a TensorIR constant; TensorIR's own pass through."""
    return tirx.const(value, "int32") if isinstance(value, int) else value


def splat(value: Expr, lanes: int) -> Expr:
    """``value`` in every lane."""
    return tirx.Broadcast(tirx.const(value, "float32") if isinstance(value, (int, float)) else value, lanes)


def load(buffer: Buffer, offset: Expr, lanes: int) -> Expr:
    """The vector that begins at ``offset``."""
    return buffer[tirx.Ramp(integer(offset), 1, lanes)]


def store(buffer: Buffer, value: Expr, offset: Expr, lanes: int) -> None:
    """Write a vector at ``offset``."""
    T.buffer_store(buffer, value, [tirx.Ramp(integer(offset), 1, lanes)])


def put(buffer: Buffer, value: Expr, *index: Expr) -> None:
    """Write one number."""
    T.buffer_store(buffer, value, list(index))


def prefetch(buffer: Buffer, offset: Expr) -> None:
    """Ask for the cache line that holds ``offset`` in the second-level cache. Nobody waits for it."""
    address = T.address_of(buffer[integer(offset)])
    T.evaluate(T.call_llvm_intrin("void", "llvm.prefetch", address, *map(T.int32, (READ, SECOND_LEVEL, DATA))))


def part(buffer: Buffer, start: int, count: int, dtype: str) -> Expr:
    """An argument of :func:`call`: ``count`` numbers of four bytes of a flat buffer from ``start`` on, as ``dtype``."""
    data, shape = T.address_of(buffer[integer(start)]), T.tvm_stack_make_shape(integer(count))
    return T.tvm_stack_make_array(data, shape, integer(0), 1, tirx.const(0, dtype), integer(0))


def call(name: str, *arguments: Expr) -> None:
    """Call another kernel of the library with buffers, whole or in :func:`part`; if it fails, so does this one."""
    # By its own name: TVM would look for any other among the functions of other libraries.
    T.evaluate(T.call_cpacked(f"__tvm_ffi_{name}", *arguments))


def zero(buffer: Buffer, offset: Expr, count: int, lanes: int) -> None:
    """Write ``count`` zeros, a multiple of ``lanes``."""
    with serial(count // lanes) as i:
        store(buffer, tirx.Broadcast(tirx.const(0, buffer.dtype), lanes), offset + i * lanes, lanes)


def get(buffer: Buffer, offset: Expr, lanes: int) -> Expr:
    """The vector of a map that begins at ``offset``, as float32, whatever the map's numbers are."""
    value = load(buffer, offset, lanes)
    return value if str(buffer.dtype) == "float32" else value.astype(f"float32x{lanes}")


def give(buffer: Buffer, value: Expr, offset: Expr, lanes: int) -> None:
    """Write a vector of float32 to a map at ``offset``, rounded to the map's numbers."""
    kind = str(buffer.dtype)
    store(buffer, value if kind == "float32" else value.astype(f"{kind}x{lanes}"), offset, lanes)


def filled(value: Expr, own: int, lanes: int) -> Expr:
    """A vector of ``own`` float32 numbers, half of ``lanes`` or all, filled up with zeros."""
    if own == lanes:
        return value
    return tirx.Shuffle([value, splat(0.0, lanes - own)], list(range(lanes)))


def registers(count: int, dtype: str = "float32") -> Buffer:
    """A small array whose every index is a Python number, so that LLVM keeps it in registers."""
    return T.alloc_buffer((count,), dtype, scope="local")


def as_words(value: Expr, lanes: int) -> Expr:
    """A vector of float32 numbers from 0 to below 256, cut off behind the point, as int32 words of four bytes."""
    narrow = value.astype(f"int32x{lanes}").astype(f"uint8x{lanes}")
    return T.reinterpret(f"int32x{lanes // 4}", narrow)


def as_many_words(value: Expr, count: int) -> Expr:
    """Same as :func:`as_words` of so many numbers, one of :data:`MANY`, by instructions that narrow two vectors."""
    lanes, steps = count // 4, value.astype(f"int32x{count}")
    fourths = [tirx.Shuffle([steps], list(range(at, at + lanes))) for at in range(0, count, lanes)]
    packs = [f"llvm.x86.avx{'2' if lanes == 8 else '512'}.{name}" for name in ("packssdw", "packuswb")]
    if lanes > 8:
        packs = [f"{name}.512" for name in packs]
    halves = [T.call_llvm_pure_intrin(f"int16x{2 * lanes}", packs[0], *fourths[at : at + 2]) for at in (0, 2)]
    mixed = T.reinterpret(f"int32x{lanes}", T.call_llvm_pure_intrin(f"int8x{count}", packs[1], *halves))
    # Each narrowing takes four numbers of one vector and four of the other, and then the next four of both.
    return tirx.Shuffle([mixed], [part * 4 + fourth for fourth in range(4) for part in range(lanes // 4)])


def dot_bytes(sums: Expr, unsigned: Expr, signed: Expr, lanes: int) -> Expr:
    """To each int32 of ``sums`` the four products of a lane's bytes: unsigned ones by signed ones (vpdpbusd)."""
    bits = 32 * lanes
    one, other = T.reinterpret(f"uint8x{4 * lanes}", unsigned), T.reinterpret(f"int8x{4 * lanes}", signed)
    return T.call_llvm_pure_intrin(f"int32x{lanes}", f"llvm.x86.avx512.vpdpbusd.{bits}", sums, one, other)


def pairs_of_bytes(unsigned: Expr, signed: Expr) -> Expr:
    """Sums of two products of neighbouring bytes, unsigned by signed ones, as 16 int16 (AVX2's vpmaddubsw).

    A sum that 16 bits do not hold would be cut off.
    """
    one, other = T.reinterpret("uint8x32", unsigned), T.reinterpret("int8x32", signed)
    return T.call_llvm_pure_intrin("int16x16", "llvm.x86.avx2.pmadd.ub.sw", one, other)


def sums_of_pairs(pairs: Expr) -> Expr:
    """Sums of two neighbours of 16 int16, as 8 int32 (AVX2's vpmaddwd by ones)."""
    ones = tirx.Broadcast(tirx.const(1, "int16"), 16)
    return T.call_llvm_pure_intrin("int32x8", "llvm.x86.avx2.pmadd.wd", pairs, ones)


def activate(value: Expr, activation: Activation, lanes: int) -> Expr:
    """ReLU, or ReLU6, which also cuts off above 6."""
    if activation == "relu6":
        value = tirx.min(value, splat(6.0, lanes))
    return tirx.max(value, splat(0.0, lanes))


@contextlib.contextmanager
def when(condition: Expr) -> Iterator[None]:
    """Run what is inside only where the condition holds."""
    with T.If(condition), T.Then():
        yield


def choose(condition: Expr, then: Callable[[], None], otherwise: Callable[[], None]) -> None:
    """Run one of two pieces of code, depending on a condition known only when the kernel runs."""
    with T.If(condition):
        with T.Then():
            then()
        with T.Else():
            otherwise()


def turns(count: int, body: Callable[[Expr], None]) -> None:
    """Call ``body`` for 0 to ``count`` - 1 in a loop; once without one."""
    if count == 1:
        body(0)
        return
    with serial(count) as turn:
        body(turn)


def along(count: int, step: int, body: Callable[[Expr, int], None]) -> None:
    """Cut ``count`` into steps and call ``body(start, length)`` for the full ones in a loop and for a shorter rest."""
    full, rest = divmod(count, step)
    if full:
        with serial(full) as i:
            body(i * step, step)
    if rest:
        body(integer(full * step), rest)


def vectors(count: int, last: int, lanes: int, body: Callable[[Expr, int], None]) -> None:
    """Call ``body(vector, its lanes)`` for so many vectors in a loop; apart for a last one of fewer lanes."""
    full = count if last == lanes else count - 1
    if full:
        with serial(full) as vector:
            body(vector, lanes)
    if full < count:
        body(integer(full), last)


class Panel(NamedTuple):
    """Neighbouring vectors: the ``first`` one's number, how many they are, and the ``last`` one's lanes."""

    first: Expr
    vectors: int
    last: int


def panels(count: int, step: int, last: int, lanes: int, body: Callable[[Panel], None]) -> None:
    """Cut ``count`` vectors into panels of ``step`` and call ``body`` as :func:`along` does."""
    whole = count if last == lanes else (count - 1) // step * step
    along(whole, step, lambda first, several: body(Panel(first, several, lanes)))
    if whole < count:
        body(Panel(integer(whole), count - whole, last))


def even_step(count: int, step: int) -> int:
    """The step of at most ``step`` that cuts ``count`` into equal parts, or nearly so: 20 by 7 or less is 7, 7, 6."""
    return -(-count // -(-count // step))
