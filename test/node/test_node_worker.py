"""The worker prepares itself, works on what comes, and hands its work on."""

from __future__ import annotations

import gc
import os
import threading
import time
import weakref
from collections import deque

import pytest
from robot import PATIENCE

from fastdepth_ros.node.worker import Worker


class Queue:
    """An inbox into which the test puts items."""

    def __init__(self):
        self._changed = threading.Condition()
        self._items = deque()
        self._closed = False

    def put(self, item):
        with self._changed:
            self._items.append(item)
            self._changed.notify_all()

    def look_up(self):
        with self._changed:
            self._changed.notify_all()

    def close(self):
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def items(self, wanted):
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._items or self._closed or not wanted())
                if self._closed or not wanted():
                    return
                item = self._items.popleft()
            yield item


def test_the_worker_works_in_the_thread_in_which_it_prepared_itself():
    threads, done = [], threading.Event()

    def prepare():
        threads.append(threading.current_thread())

        def work(item):
            threads.append(threading.current_thread())
            assert item == "item"
            done.set()

        return work

    queue = Queue()
    worker = Worker(prepare, queue)
    worker.start()
    worker.ready.result(PATIENCE)
    queue.put("item")
    assert done.wait(PATIENCE)
    worker.stop()
    assert threads == [worker, worker]
    assert not worker.is_alive()


def test_it_tells_since_when_it_is_at_an_item():
    begun, go_on = threading.Event(), threading.Event()

    def work(_):
        begun.set()
        assert go_on.wait(PATIENCE)

    queue = Queue()
    worker = Worker(lambda: work, queue)
    worker.start()
    worker.ready.result(PATIENCE)
    assert worker.busy_since is None
    before = time.perf_counter()
    queue.put("item")
    assert begun.wait(PATIENCE)
    since = worker.busy_since
    assert before <= since <= time.perf_counter()
    go_on.set()
    worker.stop()
    assert worker.busy_since is None


def test_what_prepare_raises_reaches_whoever_waits():
    def prepare():
        raise ValueError("no model")

    worker = Worker(prepare, Queue())
    worker.start()
    with pytest.raises(ValueError, match="no model"):
        worker.ready.result(PATIENCE)
    worker.stop()
    assert not worker.is_alive()


def test_a_fault_of_its_inbox_is_kept_for_whoever_looks_after_it():
    class Broken(Queue):
        def items(self, wanted):  # noqa: ARG002
            yield from ()
            raise KeyError("a bug")

    worker = Worker(lambda: lambda _: None, Broken())
    worker.start()
    worker.join(PATIENCE)
    assert isinstance(worker.fault, KeyError)
    worker.stop()


def test_work_goes_on_in_a_thread_of_another_niceness_and_nothing_is_lost():
    done: list[tuple[str, int, int]] = []
    begun, go_on = threading.Event(), threading.Event()

    def work(item):
        begun.set()
        go_on.wait(PATIENCE)
        done.append((item, threading.get_ident(), os.getpriority(os.PRIO_PROCESS, 0)))

    here = os.getpriority(os.PRIO_PROCESS, 0)
    nicer = min(19, here + 5)
    queue = Queue()
    one = Worker(lambda: work, queue)
    one.start()
    queue.put("in work")
    assert begun.wait(PATIENCE)
    two = one.successor(nicer)
    two.start()
    queue.put("waits")
    three = two.successor(-20)  # back, as any user may
    three.start()
    go_on.set()
    three.ready.result(PATIENCE)
    while len(done) < 2:
        three.join(0.01)
    queue.put("comes later")
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
        go_on.wait(PATIENCE)

    queue = Queue()
    one = Worker(lambda: work, queue)
    one.start()
    queue.put("in work")
    assert begun.wait(PATIENCE)
    two = one.successor(0)
    two.start()
    threading.Timer(0.05, go_on.set).start()
    two.stop()
    assert not one.is_alive()
    assert not two.is_alive()


def test_nothing_is_kept_of_workers_whose_work_went_on():
    """A robot's power profile changes hands many times a day."""
    worker = Worker(lambda: lambda _: None, Queue())
    former = []
    worker.start()
    for _ in range(3):
        worker.ready.result(PATIENCE)
        former.append(weakref.ref(worker))
        worker = worker.successor(0)
        worker.start()
    worker.ready.result(PATIENCE)
    gc.collect()
    assert [each() for each in former] == [None] * 3
    worker.stop()
