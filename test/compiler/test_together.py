"""A function that is called with threads that stay until it ends: what it calls is done whole, by whoever comes."""

import os
import threading

import numpy as np
import pytest
from test_sharing import HELD_UP, STEP, TASKS, counted, held_up, zeros

from fastdepth_ros.compiler.codegen import write_object
from fastdepth_ros.compiler.linker.library import link
from fastdepth_ros.compiler.targets import find_target
from fastdepth_ros.compiler.together import write_together
from fastdepth_ros.runtime import engine
from fastdepth_ros.runtime.engine import TOGETHER, configure_pool, max_threads, tvm_ffi

COUNT, CALLS = 25, 40
SEVERAL = pytest.mark.skipif(max_threads() < 2, reason="there is one processor only")


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """Kernels and the function beside them, as in a module of a network."""
    folder, target = tmp_path_factory.mktemp("together"), find_target("host")
    write_together(target, folder / "together.o")
    for kernel in (counted(COUNT), *map(held_up, HELD_UP)):
        write_object(kernel, target, folder / f"{kernel.attrs['global_symbol']}.o")
    file = folder / "library.so"
    file.write_bytes(link([each.read_bytes() for each in sorted(folder.glob("*.o"))]))
    return tvm_ffi().load_module(str(file))


@pytest.fixture
def count(library):
    """Counts the tasks of a kernel, once for each call."""
    times = zeros(COUNT * STEP)
    argument = tvm_ffi().from_dlpack(times)

    def count(calls=1, function=lambda call, *arguments: call(*arguments)):
        for _ in range(calls):
            function(library[f"counted_{COUNT}"], argument)
        return times[::STEP]

    return count


@pytest.mark.parametrize("threads", range(1, max_threads() + 1))
def test_every_task_of_every_call_is_done_once(library, count, threads):
    configure_pool(threads)
    assert (count(CALLS, library[TOGETHER]) == CALLS).all()
    assert (count(CALLS) == 2 * CALLS).all(), "as before, outside"
    assert (count(CALLS, library[TOGETHER]) == 3 * CALLS).all()


def test_what_is_called_may_call_again_and_again(library, count):
    configure_pool(max_threads())

    def several(calls):
        count(calls)
        count(calls, library[TOGETHER])
        return calls + 1

    assert library[TOGETHER](tvm_ffi().convert(several), CALLS) == CALLS + 1
    assert (count(0) == 2 * CALLS).all()


def test_an_error_goes_through(library, count):
    configure_pool(max_threads())

    def fail():
        raise ValueError("no such picture")

    with pytest.raises(ValueError, match="no such picture"):
        library[TOGETHER](tvm_ffi().convert(fail))
    assert (count(1, library[TOGETHER]) == 1).all(), "the next one gets its threads"


@SEVERAL
@pytest.mark.parametrize("late", HELD_UP)
def test_others_take_what_a_thread_that_is_held_up_has_not_begun(library, late):
    times, done = zeros(TASKS * STEP), zeros(1)
    configure_pool(2)
    library[TOGETHER](library[f"held_up_{late}"], *[tvm_ffi().from_dlpack(each) for each in (times, done)])
    assert done[0] == TASKS
    assert (times[::STEP] == 1).all()


def test_a_second_caller_works_without_the_first_ones_threads(library, count):
    configure_pool(max_threads())
    inside, over, found = threading.Event(), threading.Event(), []

    def wait():
        inside.set()
        assert over.wait(60)

    def second():
        assert inside.wait(60)
        times = zeros(COUNT * STEP)
        configure_pool(max_threads())
        for _ in range(CALLS):
            library[TOGETHER](library[f"counted_{COUNT}"], tvm_ffi().from_dlpack(times))
        found.append(times[::STEP].copy())
        over.set()

    other = threading.Thread(target=second)
    other.start()
    library[TOGETHER](tvm_ffi().convert(wait))
    other.join()
    assert (found[0] == CALLS).all()
    assert (count(CALLS, library[TOGETHER]) == CALLS).all()


def test_threads_may_run_where_they_might_before(library, count):
    configure_pool(max_threads())
    count()
    before = {task: os.sched_getaffinity(int(task)) for task in os.listdir("/proc/self/task")}
    count(CALLS, library[TOGETHER])
    after = {task: os.sched_getaffinity(int(task)) for task in before if os.path.exists(f"/proc/self/task/{task}")}
    assert after == {task: before[task] for task in after}


@SEVERAL
def test_a_module_without_the_function_answers_the_same(small_module, monkeypatch):
    pixels = np.random.default_rng(3).integers(0, 256, (32, 32, 3), np.uint8)

    def answer():
        own = engine.Engine(small_module, 2)
        own.input[:] = pixels
        return own.run().copy(), own

    with_it, own = answer()
    assert own._together is not own._main
    monkeypatch.setattr(engine, "TOGETHER", "run_apart")
    without, own = answer()
    assert own._together is own._main
    assert np.array_equal(with_it, without)
