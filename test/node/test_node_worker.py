"""The newest item is worked on; what waits is replaced."""

from __future__ import annotations

import os
import threading
import time

import pytest

from fastdepth_ros.node.worker import Slot, Worker


def test_what_waits_is_replaced_by_what_is_newer():
    slot = Slot()
    assert not slot.put(1)
    assert slot.put(2)
    assert slot.take() == 2
    assert not slot.put(3)


def test_a_closed_slot_gives_nothing():
    slot = Slot()
    slot.put(1)
    slot.close()
    assert slot.take() is None


def test_the_worker_works_in_the_thread_in_which_it_prepared_itself():
    threads, done = [], threading.Event()

    def prepare():
        threads.append(threading.current_thread())

        def work(item):
            threads.append(threading.current_thread())
            assert item == "item"
            done.set()

        return work

    worker = Worker(prepare)
    worker.start()
    worker.ready.result(5)
    worker.slot.put("item")
    assert done.wait(5)
    worker.stop()
    assert threads == [worker, worker]
    assert not worker.is_alive()


def test_it_tells_since_when_it_is_at_an_item():
    begun, go_on = threading.Event(), threading.Event()

    def work(_):
        begun.set()
        assert go_on.wait(5)

    worker = Worker(lambda: work)
    worker.start()
    worker.ready.result(5)
    assert worker.busy_since is None
    before = time.perf_counter()
    worker.slot.put("item")
    assert begun.wait(5)
    since = worker.busy_since
    assert before <= since <= time.perf_counter()
    go_on.set()
    worker.stop()
    assert worker.busy_since is None


def test_what_prepare_raises_reaches_whoever_waits():
    def prepare():
        raise ValueError("no model")

    worker = Worker(prepare)
    worker.start()
    with pytest.raises(ValueError, match="no model"):
        worker.ready.result(5)
    worker.stop()
    assert not worker.is_alive()


def test_work_goes_on_in_a_thread_of_another_niceness_and_nothing_is_lost():
    done: list[tuple[str, int, int]] = []
    begun, go_on = threading.Event(), threading.Event()

    def work(item):
        begun.set()
        go_on.wait(5)
        done.append((item, threading.get_ident(), os.getpriority(os.PRIO_PROCESS, 0)))

    here = os.getpriority(os.PRIO_PROCESS, 0)
    nicer = min(19, here + 5)
    one = Worker(lambda: work)
    one.start()
    one.slot.put("in work")
    assert begun.wait(5)
    two = one.successor(nicer)
    two.start()
    two.slot.put("waits")
    three = two.successor(-20)  # back, as any user may
    three.start()
    go_on.set()
    three.ready.result(5)
    while len(done) < 2:
        three.join(0.01)
    three.slot.put("comes later")
    while len(done) < 3:
        three.join(0.01)
    three.stop()
    assert [item for item, _, _ in done] == ["in work", "waits", "comes later"]
    assert done[0][2] == done[2][2] == here
    assert not any(worker.is_alive() for worker in (one, two, three))


def test_a_worker_that_waits_for_its_turn_can_be_stopped():
    begun, go_on = threading.Event(), threading.Event()

    def work(_):
        begun.set()
        go_on.wait(5)

    one = Worker(lambda: work)
    one.start()
    one.slot.put("in work")
    assert begun.wait(5)
    two = one.successor(0)
    two.start()
    threading.Timer(0.05, go_on.set).start()
    two.stop()
    assert not one.is_alive()
    assert not two.is_alive()
