"""Tasks that threads share: each is done once, and nobody waits for the part of a thread that is held up."""

import numpy as np
import pytest
from test_kernels import compile_together
from tvm import tirx
from tvm.tirx.script import builder as T  # noqa: N812 - TVM's own documentation calls it T

from fastdepth_ros.arguments import allocate
from fastdepth_ros.compiler import ir, sharing
from fastdepth_ros.runtime.engine import configure_pool, max_threads, tvm_ffi

STEP = ir.LINE
COUNTS = (1, 2, sharing.PARTS - 1, sharing.PARTS, sharing.PARTS + 1, 112)
TASKS = 30
HELD_UP = (0, TASKS // 2 - 1, TASKS // 2, TASKS - 1)

PATIENCE = 10**11
"""Looks after which a task that waits for all others gives up: a minute of its thread's time."""

WAITING = f"""
define void @count_one(ptr %done) {{
  %before = atomicrmw add ptr %done, i32 1 seq_cst
  ret void
}}
define i32 @wait_for_all(ptr %done) {{
begin:
  br label %look
look:
  %looks = phi i64 [ 0, %begin ], [ %more, %look ]
  %more = add i64 %looks, 1
  %now = load atomic i32, ptr %done seq_cst, align 4
  %enough = icmp sge i32 %now, {TASKS - 1}
  %late = icmp sge i64 %more, {PATIENCE}
  %stop = or i1 %enough, %late
  br i1 %stop, label %end, label %look
end:
  %all = zext i1 %enough to i32
  ret i32 %all
}}
"""


def counted(count):
    """A kernel that counts how often each of its tasks is done."""

    def body(times):
        with ir.parallel(count) as task:
            ir.put(times, times[task * STEP] + tirx.const(1, "int32"), task * STEP)

    return ir.kernel(f"counted_{count}", [("times", (count * STEP,), "int32")], body)


def held_up(late):
    """Same, but task ``late`` waits until all the others are done, and counts if they were."""

    def body(times, done):
        with T.attr(0, "pragma_import_llvm", WAITING), ir.parallel(TASKS) as task:
            with ir.when(task == late):
                waited = T.call_extern("int32", "wait_for_all", T.address_of(done[0]))
                ir.put(times, times[task * STEP] + waited, task * STEP)
            with ir.when(task != late):
                ir.put(times, times[task * STEP] + tirx.const(1, "int32"), task * STEP)
            T.evaluate(T.call_extern("void", "count_one", T.address_of(done[0])))

    return ir.kernel(f"held_up_{late}", [("times", (TASKS * STEP,), "int32"), ("done", (1,), "int32")], body)


@pytest.fixture(scope="module")
def kernels():
    named = {f"counted_{count}": counted(count) for count in COUNTS}
    return compile_together(named | {f"held_up_{late}": held_up(late) for late in HELD_UP})


def zeros(count):
    numbers = allocate((count,), np.int32)
    numbers[:] = 0
    return numbers


@pytest.mark.parametrize("count", COUNTS)
def test_every_task_is_done_once(kernels, count):
    times, turns = zeros(count * STEP), 0
    for threads in range(1, max_threads() + 1):
        configure_pool(threads)
        for _ in range(30):
            kernels[f"counted_{count}"](tvm_ffi().from_dlpack(times))
            turns += 1
            assert (times[::STEP] == turns).all()


def test_a_thread_gets_the_memory_of_its_tasks_once_a_kernel():
    def body(out):
        with ir.parallel(TASKS) as task:
            kept = ir.scratch(4096)
            ir.put(kept, tirx.const(1.0, "float32"), task)
            ir.put(out, kept[task], task)

    text = ir.kernel("kept", [("out", (TASKS,), "float32")], body).script()
    assert text.count("T.alloc_buffer((4096,)") == 1
    assert text.index("T.parallel") < text.index("T.alloc_buffer((4096,)") < text.index("while")


@pytest.mark.skipif(max_threads() < 2, reason="there is one processor only")
@pytest.mark.parametrize("late", HELD_UP)
def test_others_take_what_a_thread_that_is_held_up_has_not_begun(kernels, late):
    times, done = zeros(TASKS * STEP), zeros(1)
    configure_pool(2)
    kernels[f"held_up_{late}"](*[tvm_ffi().from_dlpack(each) for each in (times, done)])
    assert done[0] == TASKS
    assert (times[::STEP] == 1).all()
