"""A thread that prepares itself, and then works on what it finds in its inbox."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Generic, Protocol, TypeVar

from fastdepth_ros.power import process

Item = TypeVar("Item")
Found = TypeVar("Found", covariant=True)


class Work(Protocol[Found]):
    """Source of the items; :class:`fastdepth_ros.node.rclpy_ways.interface.Inbox` is one."""

    def items(self, wanted: Callable[[], bool]) -> Iterator[Found]:
        """Wait for items, until the inbox is closed, or they are no longer ``wanted``."""

    def look_up(self) -> None:
        """Have whoever waits see whether anything changed."""

    def close(self) -> None:
        """End :meth:`items`."""


class Worker(threading.Thread, Generic[Item]):
    """Prepares itself, then works on what comes into its inbox, until it is stopped.

    Args:
        prepare: runs first, in the thread, and returns what is done with each item. That must not raise.
        inbox: where the work comes from.
        niceness: of the thread and of those that it starts; one below that of whoever starts it changes nothing.

    Attributes:
        ready: done when prepared, or with what ``prepare`` raised; the thread has ended then.
        fault: what ended it although nobody stopped it; None where nothing did.
        busy_since: when it took the item that it works on [s, ``time.perf_counter``]; None where it waits for one.
    """

    def __init__(self, prepare: Callable[[], Callable[[Item], None]], inbox: Work[Item], niceness: int = -20) -> None:
        # A daemon, because a model that is being compiled must not hold up the end of the process.
        super().__init__(name="worker", daemon=True)
        self.ready: Future[None] = Future()
        self.fault: BaseException | None = None
        self.busy_since: float | None = None
        self._inbox = inbox
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
        # That of an heir holds its predecessor, which would stay, with all before it, for as long as work goes on.
        del self._prepare
        self.ready.set_result(None)
        try:
            for item in self._inbox.items(lambda: not self._relieved):
                self.busy_since = time.perf_counter()
                self._work(item)
                self.busy_since = None
        except BaseException as error:  # whoever looks after us gets it
            self.fault = error

    def successor(self, niceness: int) -> Worker[Item]:
        """A worker of another niceness that goes on where this one stops, and loses nothing of what waits.

        Not every user may lower the niceness of a thread, but anybody may start one from a thread that has a lower one:
        so work changes hands, with the threads that the TVM runtime keeps for each thread that calls it.

        Returns:
            A worker to be started; this one ends after the item that it works on.
        """
        heir: Worker[Item] = Worker(self._last_work, self._inbox, niceness)
        heir._inherits = True
        self._relieved = True
        self._inbox.look_up()
        return heir

    def _last_work(self) -> Callable[[Item], None]:
        self.join()
        return self._work

    def stop(self) -> None:
        """End the thread after the item that it works on."""
        self._inbox.close()
        if self.ready.done() or self._inherits:
            self.join()
