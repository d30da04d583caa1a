"""A thread that works on the newest thing there is: what waits is replaced, never queued."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

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

    def take(self) -> Item | None:
        """Wait for an item and take it out; None when the slot was closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._item is not None or self._closed)
            item, self._item = self._item, None
            return None if self._closed else item

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

    Attributes:
        slot: where the work comes from.
        ready: done when prepared, or with what ``prepare`` raised; the thread has ended then.
    """

    def __init__(self, prepare: Callable[[], Callable[[Item], None]]) -> None:
        # A daemon, because a model that is being compiled must not hold up the end of the process.
        super().__init__(name="worker", daemon=True)
        self.slot: Slot[Item] = Slot()
        self.ready: Future[None] = Future()
        self._prepare = prepare

    def run(self) -> None:
        try:
            work = self._prepare()
        except BaseException as error:  # whoever waits gets it
            self.ready.set_exception(error)
            return
        self.ready.set_result(None)
        while (item := self.slot.take()) is not None:
            work(item)

    def stop(self) -> None:
        """End the thread after the item that it works on."""
        self.slot.close()
        if self.ready.done():
            self.join()
