"""Threads that stay together from a network's first kernel to its last, instead of being called for each.

TVM calls all threads of its pool for every kernel, and waits until each has come and done its part. A thread that
another program keeps from its core so holds up every one of some twenty kernels. The function that is compiled here
calls them once, and calls the network's main function on one of them. What that gives out then goes to those that
are there: tasks are taken by whoever comes (see ``sharing``), and nobody waits for a thread that has taken none.

It is written in LLVM's own language, since TensorIR has neither atomic numbers nor functions as arguments. The
functions and what they share:

- ``run_together(function, arguments...)`` is what Python calls: it calls the function in a team. One thread's call at a
  time has the team of a library (``owner``); others call the function as if there were no team.
- ``member`` is run by every thread of TVM's pool. The first calls the function; the others look for jobs until it ends.
- ``give_out`` stands in the place of TVM's TVMBackendParallelLaunch for the kernels of the library. From the owner it
  makes a job of a kernel's tasks, begins with them itself, and then closes the job and waits for those who are in it.
  Whoever else calls it is passed on to TVM.
- ``state`` is the job's number above 32 bits of which the lowest 16 count those who are in it; then come whether more
  may come in, and whether the call ends.
- ``step_aside`` moves the calling thread away from the core of the first one, where the kernel of a virtual machine
  wakes it although others are idle. It may go everywhere again at once, so a program on the other core is its
  neighbour and not its lock.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from tvm_ffi import get_global_func

from fastdepth_ros.compiler.targets import Target
from fastdepth_ros.runtime.engine import TOGETHER

LOOKS = 200
"""Times that a thread looks again at once, about a microsecond; then it lets others onto its core between two looks."""

OPEN, STOP, JOB = 1 << 16, 1 << 17, 1 << 32

TEXT = f"""
@__TVMBackendParallelLaunch = weak global ptr null
declare i32 @TVMBackendParallelLaunch(ptr, ptr, i32)
declare i32 @TVMFFIFunctionCall(ptr, ptr, i32, ptr)
declare i64 @pthread_self()
declare i32 @sched_yield()
declare i32 @sched_getcpu()
declare i32 @sched_getaffinity(i32, i64, ptr)
declare i32 @sched_setaffinity(i32, i64, ptr)

; A cache line each for what threads look at again and again.
@owner = internal global i64 0, align 64
@state = internal global i64 0, align 64
@function = internal global ptr null, align 64
@data = internal global ptr null
@group = internal global [2 x i64] zeroinitializer
@failed = internal global i32 0
@core = internal global i32 0

define i32 @__tvm_ffi_{TOGETHER}(ptr %self, ptr %arguments, i32 %count, ptr %result) {{
begin:
  ; The function, its arguments, their number, its result, and what it returned.
  %call = alloca [5 x i64], align 8
  %called.at = getelementptr i8, ptr %arguments, i64 8
  %called = load ptr, ptr %called.at, align 8
  %given = getelementptr i8, ptr %arguments, i64 16
  %fewer = sub i32 %count, 1
  %me = call i64 @pthread_self()
  %before = cmpxchg ptr @owner, i64 0, i64 %me acq_rel monotonic, align 64
  %mine = extractvalue {{ i64, i1 }} %before, 1
  br i1 %mine, label %together, label %alone
alone:
  %plain = call i32 @TVMFFIFunctionCall(ptr %called, ptr %given, i32 %fewer, ptr %result)
  ret i32 %plain
together:
  %given.at = getelementptr i8, ptr %call, i64 8
  %count.at = getelementptr i8, ptr %call, i64 16
  %result.at = getelementptr i8, ptr %call, i64 24
  %status.at = getelementptr i8, ptr %call, i64 32
  store ptr %called, ptr %call, align 8
  store ptr %given, ptr %given.at, align 8
  store i32 %fewer, ptr %count.at, align 8
  store ptr %result, ptr %result.at, align 8
  store i32 -1, ptr %status.at, align 8
  store atomic ptr @give_out, ptr @__TVMBackendParallelLaunch monotonic, align 8
  %here = call i32 @sched_getcpu()
  store i32 %here, ptr @core, align 4
  %began = atomicrmw and ptr @state, i64 {~STOP} monotonic, align 64
  %launched = call i32 @TVMBackendParallelLaunch(ptr @member, ptr %call, i32 0)
  store atomic i64 0, ptr @owner release, align 64
  %status = load i32, ptr %status.at, align 8
  ret i32 %status
}}

define internal i32 @member(i32 %number, ptr %pool, ptr %call) {{
begin:
  %leads = icmp eq i32 %number, 0
  br i1 %leads, label %first, label %other
first:
  %size.at = getelementptr i8, ptr %pool, i64 8
  %size = load i32, ptr %size.at, align 8
  %own.at = getelementptr i8, ptr @group, i64 8
  store i32 %size, ptr %own.at, align 8
  ; One that was woken on this core steps aside now.
  %let = call i32 @sched_yield()
  %called = load ptr, ptr %call, align 8
  %given.at = getelementptr i8, ptr %call, i64 8
  %given = load ptr, ptr %given.at, align 8
  %count.at = getelementptr i8, ptr %call, i64 16
  %count = load i32, ptr %count.at, align 8
  %result.at = getelementptr i8, ptr %call, i64 24
  %result = load ptr, ptr %result.at, align 8
  %status = call i32 @TVMFFIFunctionCall(ptr %called, ptr %given, i32 %count, ptr %result)
  %status.at = getelementptr i8, ptr %call, i64 32
  store i32 %status, ptr %status.at, align 8
  %ended = atomicrmw or ptr @state, i64 {STOP} release, align 64
  ret i32 0
other:
  %there = load i32, ptr @core, align 4
  %here = call i32 @sched_getcpu()
  %same = icmp eq i32 %here, %there
  br i1 %same, label %aside, label %look
aside:
  call void @step_aside(i32 %here)
  br label %look
look:
  %last = phi i64 [ -1, %other ], [ -1, %aside ], [ %job, %work ], [ %last, %rest ], [ %last, %let.others ]
  %looks = phi i32 [ 0, %other ], [ 0, %aside ], [ 0, %work ], [ %more, %rest ], [ %more, %let.others ]
  %now = load atomic i64, ptr @state acquire, align 64
  %stop.bit = and i64 %now, {STOP}
  %stop = icmp ne i64 %stop.bit, 0
  br i1 %stop, label %end, label %see
see:
  %job = lshr i64 %now, 32
  %new = icmp ne i64 %job, %last
  %open.bit = and i64 %now, {OPEN}
  %open = icmp ne i64 %open.bit, 0
  %enter = and i1 %open, %new
  br i1 %enter, label %try, label %rest
try:
  %one.more = add i64 %now, 1
  %tried = cmpxchg ptr @state, i64 %now, i64 %one.more acq_rel monotonic, align 64
  %in = extractvalue {{ i64, i1 }} %tried, 1
  br i1 %in, label %work, label %rest
work:
  %kernel = load ptr, ptr @function, align 8
  %kernel.data = load ptr, ptr @data, align 8
  %code = call i32 %kernel(i32 %number, ptr @group, ptr %kernel.data)
  %codes = atomicrmw or ptr @failed, i32 %code monotonic, align 4
  %left = atomicrmw sub ptr @state, i64 1 release, align 64
  br label %look
rest:
  %more = add i32 %looks, 1
  %tired = icmp ugt i32 %more, {LOOKS}
  br i1 %tired, label %let.others, label %look
let.others:
  %letting = call i32 @sched_yield()
  br label %look
end:
  ret i32 0
}}

define internal i32 @give_out(ptr %kernel, ptr %kernel.data, i32 %count) {{
begin:
  %me = call i64 @pthread_self()
  %holder = load atomic i64, ptr @owner monotonic, align 64
  %mine = icmp eq i64 %me, %holder
  br i1 %mine, label %open, label %pass
pass:
  %passed = call i32 @TVMBackendParallelLaunch(ptr %kernel, ptr %kernel.data, i32 %count)
  ret i32 %passed
open:
  store ptr %kernel, ptr @function, align 8
  store ptr %kernel.data, ptr @data, align 8
  store i32 0, ptr @failed, align 4
  %before = load atomic i64, ptr @state monotonic, align 64
  %job = lshr i64 %before, 32
  %next = add i64 %job, 1
  %number = shl i64 %next, 32
  %opened = or i64 %number, {OPEN}
  store atomic i64 %opened, ptr @state release, align 64
  %code = call i32 %kernel(i32 0, ptr @group, ptr %kernel.data)
  %closed = atomicrmw and ptr @state, i64 {~OPEN} acq_rel, align 64
  br label %wait
wait:
  %looks = phi i32 [ 0, %open ], [ %more, %rest ], [ %more, %let.others ]
  %now = load atomic i64, ptr @state acquire, align 64
  %inside = and i64 %now, {OPEN - 1}
  %alone = icmp eq i64 %inside, 0
  br i1 %alone, label %end, label %rest
rest:
  %more = add i32 %looks, 1
  %tired = icmp ugt i32 %more, {LOOKS}
  br i1 %tired, label %let.others, label %wait
let.others:
  %letting = call i32 @sched_yield()
  br label %wait
end:
  %others = load i32, ptr @failed, align 4
  %any = or i32 %code, %others
  ret i32 %any
}}

define internal void @step_aside(i32 %here) {{
begin:
  ; Bits of 1024 cores: where the thread may run, and the same without this core.
  %allowed = alloca [128 x i8], align 8
  %elsewhere = alloca [128 x i8], align 8
  %known = call i32 @sched_getaffinity(i32 0, i64 128, ptr %allowed)
  %unknown = icmp ne i32 %known, 0
  %far = icmp ugt i32 %here, 1023
  %leave = or i1 %unknown, %far
  br i1 %leave, label %end, label %copy
copy:
  %at = phi i64 [ 0, %begin ], [ %further, %copy ]
  %any = phi i64 [ 0, %begin ], [ %any.now, %copy ]
  %from = getelementptr i64, ptr %allowed, i64 %at
  %to = getelementptr i64, ptr %elsewhere, i64 %at
  %bits = load i64, ptr %from, align 8
  %core = zext i32 %here to i64
  %word = lshr i64 %core, 6
  %hit = icmp eq i64 %word, %at
  %place = and i64 %core, 63
  %bit = shl i64 1, %place
  %mask = select i1 %hit, i64 %bit, i64 0
  %kept = xor i64 %mask, -1
  %others = and i64 %bits, %kept
  store i64 %others, ptr %to, align 8
  %any.now = or i64 %any, %others
  %further = add i64 %at, 1
  %done = icmp eq i64 %further, 16
  br i1 %done, label %check, label %copy
check:
  %none = icmp eq i64 %any.now, 0
  br i1 %none, label %end, label %move
move:
  %moved = call i32 @sched_setaffinity(i32 0, i64 128, ptr %elsewhere)
  %back = call i32 @sched_setaffinity(i32 0, i64 128, ptr %allowed)
  br label %end
end:
  ret void
}}
"""


def write_together(target: Target, file: Path) -> None:
    """Compile the function to an object file, for every network of a target the same."""
    with tempfile.TemporaryDirectory(dir=file.parent) as scratch:
        text = Path(scratch, "together.ll")
        text.write_text(f'target triple = "{target.triple}"\n{TEXT}')
        get_global_func("ffi.Module.load_from_file.ll")(str(text), "ll").write_to_file(str(file), "o")
