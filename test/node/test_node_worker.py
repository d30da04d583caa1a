"""The newest item is worked on; what waits is replaced."""

from __future__ import annotations

import threading

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


def test_what_prepare_raises_reaches_whoever_waits():
    def prepare():
        raise ValueError("no model")

    worker = Worker(prepare)
    worker.start()
    with pytest.raises(ValueError, match="no model"):
        worker.ready.result(5)
    worker.stop()
    assert not worker.is_alive()
