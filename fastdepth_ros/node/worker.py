"""A thread that works on the newest thing there is: what waits is replaced, never queued."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

from fastdepth_ros.power import process

Item = TypeVar("Item")


class Slot(Generic[Item]):
    """Room for one item between two threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._item: Item | None = None
        self._closed = False

    def put(self, item: Item) -> bool:
        """Put an item in.

        Returns:
            Whether it replaced one that nobody had taken.
        """
        with self._changed:
            replaced = self._item is not None
            self._item = item
            self._changed.notify()
        return replaced

    def take(self, wanted: Callable[[], bool] = lambda: True) -> Item | None:
        """Wait for an item and take it out; None when the slot was closed, or the taker is no longer ``wanted``."""
        with self._changed:
            self._changed.wait_for(lambda: self._item is not None or self._closed or not wanted())
            if self._closed or not wanted():
                return None
            item, self._item = self._item, None
            return item

    def look_up(self) -> None:
        """Let every :meth:`take` see whether it is still wanted."""
        with self._changed:
            self._changed.notify_all()

    def clear(self) -> None:
        """Forget what waits."""
        with self._changed:
            self._item = None

    def close(self) -> None:
        """Let every :meth:`take` return None."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()


class Worker(threading.Thread, Generic[Item]):
    """Prepares itself, then works on what is put into its slot, until it is stopped.

    Args:
        prepare: runs first, in the thread, and returns what is done with each item. That must not raise.
        niceness: of the thread and of those that it starts; one below that of whoever starts it changes nothing.

    Attributes:
        slot: where the work comes from.
        ready: done when prepared, or with what ``prepare`` raised; the thread has ended then.
        busy_since: when it took the item that it works on [s, ``time.perf_counter``]; None where it waits for one.
    """

    def __init__(self, prepare: Callable[[], Callable[[Item], None]], niceness: int = -20) -> None:
        # A daemon, because a model that is being compiled must not hold up the end of the process.
        super().__init__(name="worker", daemon=True)
        self.slot: Slot[Item] = Slot()
        self.ready: Future[None] = Future()
        self.busy_since: float | None = None
        self._prepare = prepare
        self._niceness = niceness
        self._work: Callable[[Item], None] = lambda _: None
        self._relieved = self._inherits = False

    def run(self) -> None:
        process.raise_niceness(self._niceness)
        try:
            self._work = self._prepare()
        except BaseException as error:  # whoever waits gets it
            self.ready.set_exception(error)
            return
        self.ready.set_result(None)
        while (item := self.slot.take(lambda: not self._relieved)) is not None:
            self.busy_since = time.perf_counter()
            self._work(item)
            self.busy_since = None

    def successor(self, niceness: int) -> Worker[Item]:
        """A worker of another niceness that goes on where this one stops, and loses nothing of what waits.

        Not every user may lower the niceness of a thread, but anybody may start one from a thread that has a lower one:
        so work changes hands, with the threads that the TVM runtime keeps for each thread that calls it.

        Returns:
            A worker to be started; this one ends after the item that it works on.
        """
        heir: Worker[Item] = Worker(self._last_work, niceness)
        heir.slot, heir._inherits = self.slot, True
        self._relieved = True
        self.slot.look_up()
        return heir

    def _last_work(self) -> Callable[[Item], None]:
        self.join()
        return self._work

    def stop(self) -> None:
        """End the thread after the item that it works on."""
        self.slot.close()
        if self.ready.done() or self._inherits:
            self.join()
