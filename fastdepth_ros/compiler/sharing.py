"""Tasks of a kernel, shared among threads: each begins with its own, and then takes what others have not begun.

TVM gives every thread of its pool an equal part of a loop, and waits for the last of them: for a smaller core, or for
one that another program has just now. Here nobody waits for more than the task that a thread is at. No lock is taken
(a counter is raised by an atomic addition), and a task computes the same whoever does it, so answers have the same bits
with any number of threads.

Memory of a task is its thread's, for all the tasks that it does of a kernel: to get and to return some took a hundredth
of the network's time when each task had its own.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any

from tvm import tirx
from tvm.script.ir_builder import IRBuilder
from tvm.tirx.script import builder as T  # noqa: N812 - TVM's own documentation calls it T

PARTS = 24
"""Parts of the tasks, with a counter each, at most: 1, 2, 3, 4, 6, 8, 12 or 24 threads have as many of them each."""

LINE = 16
"""int32 numbers in a cache line: threads that count in different parts do not wait for one another."""

CLAIM, CLAIMING = (
    "claim_task",
    """
define i32 @claim_task(ptr %counter) {
  %before = atomicrmw add ptr %counter, i32 1 monotonic
  ret i32 %before
}
""",
)
"""LLVM's function that raises a counter and gives what it was: TensorIR has no atomic addition.

What tasks write is seen by all who run behind the pool's end of the loop, so the counters themselves order nothing.
"""


_kept: ContextVar[list[Any] | None] = ContextVar("kept", default=None)
"""Arrays of the tasks that are being written."""


def scratch(count: int, dtype: str = "float32") -> Any:
    """An array of the calling thread, in memory, without defined contents: those that the task before left."""
    if (kept := _kept.get()) is None:
        return T.alloc_buffer((count,), dtype, scope="global")
    kept.append(tirx.decl_buffer((count,), dtype, scope="global"))
    return kept[-1]


@contextlib.contextmanager
def parallel(count: int) -> Iterator[Any]:
    """Share ``count`` tasks among the threads: what is inside is done once for each of 0 to ``count`` - 1.

    A thread begins with tasks that lie together, those whose neighbours it had in the kernel before: what they read is
    in its core's cache.
    """
    if count == 1:
        with T.serial(1) as only:
            yield only
        return
    parts = min(count, PARTS)
    counters = T.alloc_buffer(((parts + 1) * LINE,), "int32", scope="global")
    done = parts * LINE
    with T.serial(parts + 1) as part:
        T.buffer_store(counters, tirx.const(0, "int32"), [part * LINE])

    def claim(part: Any) -> Any:
        return T.call_extern("int32", CLAIM, T.address_of(counters[part * LINE]))

    with T.attr(0, "pragma_import_llvm", CLAIMING), T.parallel(parts) as first, _when(counters[done] == 0):
        with _with_scratch(), T.serial(parts) as turn:
            part = T.bind(tirx.Select(first + turn < parts, first + turn, first + turn - parts))
            start = T.bind(tirx.floordiv(part * count, parts))
            size = T.bind(tirx.floordiv((part + 1) * count, parts) - start)
            own = T.alloc_buffer((1,), "int32", scope="local")
            # Who only looks does not take the counter's cache line from those who work there.
            with _when(counters[part * LINE] < size):
                T.buffer_store(own, claim(part), [0])
                with T.While(own[0] < size):
                    yield T.bind(start + own[0])
                    T.buffer_store(own, claim(part), [0])
        # Behind one turn through all parts no task is left, so the other parts of this thread need none.
        T.buffer_store(counters, tirx.const(1, "int32"), [done])


@contextlib.contextmanager
def _with_scratch() -> Iterator[None]:
    """Put the arrays that are asked for inside, at whatever depth, before the one statement that is written inside."""
    arrays: list[Any] = []
    token = _kept.set(arrays)
    try:
        with IRBuilder() as builder:
            yield
    finally:
        _kept.reset(token)
    for array in arrays:
        T.add_to_parent(tirx.AllocBuffer(array))
    T.add_to_parent(builder.get())


@contextlib.contextmanager
def _when(condition: Any) -> Iterator[None]:
    with T.If(condition), T.Then():
        yield
