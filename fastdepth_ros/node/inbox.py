"""Where a thread waits for a camera's messages itself, in a wait set of its own.

An image that one thread takes for another wakes two threads up, both with cold caches, the first with all that the
executor waits for besides: a tenth of what a frame costs beside the network. What comes with the images, as their
camera_info, wakes nobody: it is taken before them, or when somebody has the waiting thread look up.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, Generic, Protocol, TypeVar

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.context import Context
from rclpy.guard_condition import GuardCondition
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.subscription import Subscription

rcl: Any = rclpy_implementation  # its types are not those of every release
FOREVER = -1

Item = TypeVar("Item")
Taken = TypeVar("Taken", covariant=True)


class Aside(ReentrantCallbackGroup):  # type: ignore[misc]  # rclpy ships no types
    """Callback group of subscriptions that executors leave alone; their events are handled as ever."""

    def can_execute(self, entity: Any) -> bool:
        """Whether an executor may wait for it."""
        return not isinstance(entity, Subscription)


class Source(Protocol[Taken]):
    """What an inbox asks of whoever takes the messages."""

    @property
    def subscriptions(self) -> list[Any]:
        """Subscriptions that are read; the first is waited for."""

    def take(self, waited_since: int) -> Taken | None:
        """Take what is there; what is to be worked on, if anything. ``waited_since`` [ns] is by the system's clock."""


class Inbox(Generic[Item]):
    """Room between a thread that subscribes, and one that waits and works.

    Args:
        context: of the node.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._woken = GuardCondition(None, None, context=context)
        self._source: Source[Item] | None = None
        self._closed = False

    def open(self, source: Source[Item] | None) -> None:
        """Have messages taken from there from now on; None is from nowhere.

        Subscriptions may be destroyed right after they were given up: rclpy does so when nobody waits for them.
        """
        self._source = source
        self.look_up()

    @property
    def has_mail(self) -> bool:
        """Whether an image is there that nobody took yet; to be asked from any thread."""
        source = self._source
        if source is None:
            return False
        images = source.subscriptions[0]
        with ExitStack() as held:
            try:
                for each in (self._context, images):
                    held.enter_context(each.handle)
            except rcl.InvalidHandle:
                return False
            wait_set = rcl.WaitSet(1, 0, 0, 0, 0, 0, self._context.handle)
            wait_set.clear_entities()
            wait_set.add_subscription(images.handle)
            wait_set.wait(0)
            return bool(wait_set.get_ready_entities("subscription"))

    def close(self) -> None:
        """End :meth:`items`."""
        self._closed = True
        self.look_up()

    def look_up(self) -> None:
        """Have the thread that waits see whether anything changed, and take what is there."""
        self._woken.trigger()

    def items(self, wanted: Callable[[], bool] = lambda: True) -> Iterator[Item]:
        """Wait for items, until the inbox is closed, its context ends, or they are no longer ``wanted``."""
        while not self._closed and wanted() and self._context.ok():
            source = self._source
            with ExitStack() as held:
                try:
                    for each in (self._context, self._woken, *(source.subscriptions if source else ())):
                        held.enter_context(each.handle)
                    yield from self._items_of(source, wanted)
                except rcl.InvalidHandle:  # it is being destroyed: soon there is another source, or none
                    continue
                except rcl.RCLError:
                    if self._context.ok():  # else it was shut down between a question and its use
                        raise

    def _items_of(self, source: Source[Item] | None, wanted: Callable[[], bool]) -> Iterator[Item]:
        """Items of one source; whatever is waited for is held by the caller."""
        images, woken = source.subscriptions[0].handle if source else None, self._woken.handle
        wait_set = rcl.WaitSet(int(source is not None), 1, 0, 0, 0, 0, self._context.handle)
        while True:
            wait_set.clear_entities()
            wait_set.add_guard_condition(woken)
            if images is not None:
                wait_set.add_subscription(images)
            began = time.time_ns()
            wait_set.wait(FOREVER)
            if self._source is not source or self._closed or not wanted():
                return
            if source is not None and (item := source.take(began)) is not None:
                yield item
