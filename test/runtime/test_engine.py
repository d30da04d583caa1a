"""The engine: the same answer with any number of threads, from any thread, without TVM's Python."""

import gc
import hashlib
import os
import shutil
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_weights import random_weights
from small_network import SMALL

from fastdepth_ros.compiler.export import compile_bundle
from fastdepth_ros.errors import ModuleError, SettingError
from fastdepth_ros.runtime.bundle import Manifest, write_bundle
from fastdepth_ros.runtime.engine import load_machine
from fastdepth_ros.runtime.engines import open_engine
from fastdepth_ros.runtime.module import CompiledModule

CORES = len(os.sched_getaffinity(0))


@pytest.fixture
def engine(module):
    engine = open_engine(module, threads=1)
    engine.input[:] = np.random.default_rng(5).integers(0, 256, engine.input.shape)
    return engine


def test_one_and_several_threads_give_the_same_bits(engine):
    alone = engine.run().copy()
    assert alone.max() > alone.min() >= 0
    for threads in range(CORES, 0, -1):
        engine.threads = threads
        assert np.array_equal(engine.run(), alone), f"{threads} threads"


def test_another_thread_than_the_one_that_made_it_may_run_it(engine):
    here, there = engine.run().copy(), []
    engine.threads = CORES
    worker = threading.Thread(target=lambda: there.append(engine.run().copy()))
    worker.start()
    worker.join()
    assert np.array_equal(here, there[0])
    assert np.array_equal(engine.run(), here)


def test_each_of_two_modules_in_a_process_answers_with_its_own_weights(tmp_path, small_module):
    """The linker takes a library by its path: one that is loaded already must not stand for another."""
    depths = {}
    other = write_bundle(tmp_path / "other", Manifest("other", SMALL, 32, 32), random_weights(SMALL, seed=2))
    modules = [small_module, CompiledModule.open(compile_bundle(other, "host", tmp_path / "module"))]
    for name, order in (("first", modules), ("last", modules[::-1])):
        engines = [open_engine(module, 1) for module in order]  # both at once
        depths[name] = []
        for engine in engines:
            engine.input[:] = 128
            depths[name].append(engine.run().copy())
        del engines, engine
        gc.collect()
    assert not np.array_equal(*depths["first"])
    assert np.array_equal(depths["first"], depths["last"][::-1])


def test_threads_change_between_two_runs(engine):
    if CORES < 2:
        pytest.skip("needs two cores")
    for threads in (CORES, 1, CORES):
        engine.threads = threads
        assert engine.threads == threads
        # Threads that are not needed any more look for work for a while before they sleep.
        deadline = time.monotonic() + 60
        while (found := busy_threads(engine)) != threads:
            assert time.monotonic() < deadline, f"{found} threads are at work where {threads} were asked for"


def busy_threads(engine):
    """Number of this process' threads that the kernel has seen at work during some runs."""
    before = cpu_times()
    for _ in range(100):
        engine.run()
    return sum(cpu_times().get(task, 0) > ticks for task, ticks in before.items())


def cpu_times():
    """Task -> ticks of processor time that it has used."""
    times = {}
    for task in Path("/proc/self/task").iterdir():
        fields = (task / "stat").read_text().rsplit(")", 1)[1].split()
        times[task.name] = int(fields[11]) + int(fields[12])
    return times


@pytest.mark.parametrize("threads", [-1, CORES + 1, 10**6])
def test_an_impossible_number_of_threads_is_refused(module, engine, threads):
    with pytest.raises(SettingError, match=rf"threads is {threads}\. .*1 to {CORES}"):
        open_engine(module, threads=threads)
    with pytest.raises(SettingError):
        engine.threads = threads
    assert engine.threads == 1, "a refused setting changes nothing"


def test_no_number_of_threads_means_every_core(module):
    assert 1 <= open_engine(module).threads <= CORES


def test_the_input_is_one_aligned_buffer(engine):
    address = engine.input.ctypes.data
    assert address % 64 == 0
    assert engine.input.flags.c_contiguous
    assert engine.input.dtype == np.uint8
    engine.run()
    assert engine.input.ctypes.data == address


def test_a_new_picture_gives_a_new_answer(engine):
    before = engine.run().copy()
    engine.input[:] = 255 - engine.input
    assert not np.array_equal(engine.run(), before)


def test_idle_threads_sleep_between_two_pictures(module):
    """TVM's own way of waiting keeps a core busy for some 15 ms after each picture."""
    if CORES < 2:
        pytest.skip("needs two cores")
    engine, main = open_engine(module, threads=CORES), str(threading.get_native_id())
    engine.run()
    before = cpu_times()
    for _ in range(40):
        engine.run()
        time.sleep(0.025)
    used = {task: ticks - before.get(task, 0) for task, ticks in cpu_times().items()}
    tick = 1 / os.sysconf("SC_CLK_TCK")
    busiest = max(ticks for task, ticks in used.items() if task != main) * tick
    assert busiest < 2 * used[main] * tick + 0.05, f"{busiest:.2f} s of which {used[main] * tick:.2f} s is work"


def test_two_engines_do_not_disturb_each_other(module, engine):
    other = open_engine(module, threads=1)
    other.input[:] = 255 - engine.input
    mine, theirs = engine.run().copy(), other.run().copy()
    assert np.array_equal(engine.run(), mine)
    assert np.array_equal(other.run(), theirs)
    assert not np.array_equal(mine, theirs)


def test_other_python_threads_go_on_while_the_network_runs(engine):
    turns, stop = 0, threading.Event()

    def count():
        nonlocal turns
        while not stop.is_set():
            turns += 1

    counter = threading.Thread(target=count)
    counter.start()
    before = turns
    for _ in range(20):
        engine.run()
    after = turns
    stop.set()
    counter.join()
    assert after - before > 1000


def test_the_engine_does_not_load_tvms_python(module):
    program = (
        "import sys; from fastdepth_ros.runtime.engines import open_engine; "
        "from fastdepth_ros.runtime.module import CompiledModule; "
        f"open_engine(CompiledModule.open({str(module.folder)!r})).run(); "
        "print(sorted(n for n in sys.modules if n in ('tvm', 'torch', 'rclpy', 'cv2')))"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout == "[]\n"


def test_a_library_that_is_no_module_is_refused(module, tmp_path):
    (tmp_path / "module.so").write_bytes(b"not a library")
    about = replace(module.description, library_sha256=hashlib.sha256(b"not a library").hexdigest())
    with pytest.raises(ModuleError, match=r"module\.so cannot be loaded.*fastdepth compile"):
        load_machine(CompiledModule(tmp_path, about))


def test_a_library_that_was_changed_after_its_check_is_not_loaded(module, tmp_path):
    copy = CompiledModule.open(shutil.copytree(module.folder, tmp_path / "module"))
    with copy.library.open("r+b") as file:
        file.seek(100000)
        file.write(b"another")
    with pytest.raises(ModuleError, match="was altered"):
        open_engine(copy)


def test_an_engine_that_is_gone_leaves_no_library_behind(module):
    def mapped():
        gc.collect()
        return Path("/proc/self/maps").read_text().count("fastdepth-module")

    before = mapped()
    engines = [open_engine(module, 1) for _ in range(3)]
    assert engines[0].run().any()
    assert mapped() > before
    del engines
    assert mapped() == before
