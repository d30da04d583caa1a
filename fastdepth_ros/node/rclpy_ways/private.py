"""The fast way: what is not public of rclpy. :data:`RAN_ON` says which releases it knows.

An image that one thread takes for another wakes two threads up, both with cold caches, the first with all that the
executor waits for besides: a tenth of what a frame costs beside the network. So whoever answers images waits for them
himself, in a wait set of his own (:class:`PrivateInbox`). What comes with the images, as their camera_info, wakes
nobody: it is taken before them, or when somebody has the waiting thread look up. What takes long to read, as measured
depths, wakes the same thread while it has nothing else to do, once between two images: then the image need not wait.

For everything else there is rclpy's executor, with a shorter way for timers
(:class:`fastdepth_ros.node.rclpy_ways.private_executor.PrivateExecutor`), and its log
(:class:`fastdepth_ros.node.rclpy_ways.quick_log.QuickLogger`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from typing import Any, Generic, TypeVar

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.context import Context
from rclpy.guard_condition import GuardCondition
from rclpy.node import Node
from rclpy.qos import HistoryPolicy
from rclpy.subscription import Subscription

from fastdepth_ros.node.rclpy_ways.interface import MOMENT, Message, Taker
from fastdepth_ros.node.rclpy_ways.private_executor import FOREVER, PrivateExecutor, rcl
from fastdepth_ros.node.rclpy_ways.quick_log import QuickLogger

RAN_ON = {"7.1": "Jazzy's 7.1.5, in the wheel 7.1.6", "9.1": "Kilted's 9.1.2"}
"""Release of rclpy, without its patches -> the version that the node's tests were run with."""

MOST = 100
"""Messages that are taken in one go where all are kept: a publisher may send faster than they are taken."""

MOMENT_NS = int(MOMENT * 1e9)

Item = TypeVar("Item")


class _LeftAlone(ReentrantCallbackGroup):  # type: ignore[misc]  # rclpy ships no types
    """Callback group of subscriptions that executors leave alone; their events are handled as ever."""

    def can_execute(self, entity: Any) -> bool:
        """Whether an executor may wait for it."""
        return not isinstance(entity, Subscription)


class PrivateSubscriber:
    """A subscription whose messages the middleware keeps until they are taken.

    Attributes:
        subscription: rclpy's.
    """

    def __init__(self, node: Node, group: _LeftAlone, kind: type, topic: str, qos: Any, **options: Any) -> None:
        self._node = node
        options = {"raw": True, "callback_group": group, **options}
        self.subscription = node.create_subscription(kind, topic, lambda _: None, qos, **options)
        self._handle, self._kind = self.subscription.handle, (self.subscription.msg_type, self.subscription.raw)
        profile = self.subscription.qos_profile
        keeps = profile.depth if profile.history == HistoryPolicy.KEEP_LAST else MOST
        self._most = min(keeps or MOST, MOST)

    def take(self) -> list[Message]:
        """The messages in the queue, oldest first; from any thread."""
        handle, (kind, raw) = self._handle, self._kind
        taken: list[Message] = []
        try:
            with handle:
                # To ask once more than there can be messages would cost as much as a message.
                while len(taken) < self._most and (message := handle.take_message(kind, raw)) is not None:
                    taken.append(message)
        except rcl.InvalidHandle:  # it is being destroyed
            pass
        return taken

    def destroy(self) -> None:
        """Unsubscribe. That may be done right after an inbox gave it up: it happens when nobody waits for it."""
        self._node.destroy_subscription(self.subscription)


class PrivatePublisher:
    """Publishes by a publisher's handle, without a copy in Python.

    rclpy's own methods keep others from destroying a handle meanwhile, which takes as long as what they do.
    """

    def __init__(self, publisher: Any) -> None:
        self._handle = publisher.handle
        self.count: Callable[[], int] = publisher.handle.get_subscription_count

    def publish(self, serialized: bytearray) -> None:
        """Publish one; from any thread."""
        try:
            self._handle.publish_raw(serialized)
        except TypeError:  # an rclpy whose pybind11 is older than 2.10
            self._handle.publish_raw(bytes(serialized))


class PrivateInbox(Generic[Item]):
    """Waits for messages in a wait set of its own; see :class:`fastdepth_ros.node.rclpy_ways.interface.Inbox`."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._woken = GuardCondition(None, None, context=context)
        self._source: Taker[Item] | None = None
        self._opened = object()
        self._closed = False

    def unread(self) -> list[Any]:
        """Subscribers with a message that is waited for, and that nobody took yet; from any thread."""
        source = self._source
        if source is None:
            return []
        waited = source.waited
        with ExitStack() as held:
            try:
                for each in (self._context, *(subscriber.subscription for subscriber in waited)):
                    held.enter_context(each.handle)
            except rcl.InvalidHandle:
                return []
            wait_set = rcl.WaitSet(len(waited), 0, 0, 0, 0, 0, self._context.handle)
            wait_set.clear_entities()
            for subscriber in waited:
                wait_set.add_subscription(subscriber.subscription.handle)
            wait_set.wait(0)
            ready = wait_set.get_ready_entities("subscription")
            return [each for each in waited if each.subscription.handle.pointer in ready]

    def open(self, source: Taker[Item] | None) -> None:
        """Have messages taken from there from now on; None is from nowhere."""
        self._source, self._opened = source, object()
        self.look_up()

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
            opened, source = self._opened, self._source
            with ExitStack() as held:
                try:
                    waited = [each.subscription for each in source.waited] if source else []
                    besides = [each.subscription for each in source.besides] if source else []
                    for each in (self._context, self._woken, *waited, *besides):
                        held.enter_context(each.handle)
                    handles = [each.handle for each in waited], [each.handle for each in besides]
                    yield from self._items_of(source, *handles, partial(self._goes_on, opened, wanted))
                except rcl.InvalidHandle:  # it is being destroyed: soon there is another source, or none
                    continue
                except rcl.RCLError:
                    if self._context.ok():  # else it was shut down between a question and its use
                        raise

    def _goes_on(self, opened: object, wanted: Callable[[], bool]) -> bool:
        return self._opened is opened and not self._closed and wanted()

    def _items_of(
        self, source: Taker[Item] | None, waited: list[Any], besides: list[Any], goes_on: Callable[[], bool]
    ) -> Iterator[Item]:
        """Items of one source; the handles that are waited for are held by the caller."""
        woken = self._woken.handle
        wait_set = rcl.WaitSet(len(waited) + len(besides), 1, 0, 0, 0, 0, self._context.handle)
        left, behind = besides, False
        while True:
            wait_set.clear_entities()
            wait_set.add_guard_condition(woken)
            for subscription in waited:
                wait_set.add_subscription(subscription)
            for subscription in () if behind else left:
                wait_set.add_subscription(subscription)
            began = time.time_ns()
            wait_set.wait(MOMENT_NS if behind else FOREVER)
            if not goes_on():
                return
            if source is None:
                continue
            # To take what is not there costs as much as to take it, so it is asked for where it may be there.
            ready = wait_set.get_ready_entities("subscription") if behind or left else None
            if ready is None or any(each.pointer in ready for each in waited) or _is_set(wait_set):
                item = source.take(began)
                if item is not None:
                    yield item
                    left, behind = besides, source.is_behind
                    continue
            if ready is not None:
                # Of what is ready, the rest comes with the next item.
                left = [each for each in left if behind or each.pointer not in ready]
                behind = False
                source.prepare()


def _is_set(wait_set: Any) -> bool:
    """Whether a guard condition ended the wait."""
    return bool(wait_set.get_ready_entities("guard_condition"))


class PrivateWay:
    """The fast way; see :class:`fastdepth_ros.node.rclpy_ways.interface.Way`."""

    name = "private"

    def __init__(self) -> None:
        self._group = _LeftAlone()
        self.refusals: tuple[type[Exception], ...] = (
            rcl.RCLError,
            rcl.UnknownROSArgsError,
            rcl.RCLInvalidROSArgsError,
        )

    def executor(self, node: Node, outlive: Callable[[Exception], None]) -> PrivateExecutor:
        """Make the executor of a node."""
        return PrivateExecutor(node, outlive)

    def subscriber(self, node: Node, kind: type, topic: str, qos: Any, **options: Any) -> PrivateSubscriber:
        """Subscribe."""
        return PrivateSubscriber(node, self._group, kind, topic, qos, **options)

    def publisher(self, publisher: Any) -> PrivatePublisher:
        """Publish serialized messages by a publisher of rclpy's."""
        return PrivatePublisher(publisher)

    def inbox(self, context: Context) -> PrivateInbox[Any]:
        """Make an inbox in a node's context."""
        return PrivateInbox(context)

    def logger(self, logger: Any) -> QuickLogger:
        """Give one that writes lines of the same name."""
        return QuickLogger(logger.name)

    def parameter_overrides(self, node: Node) -> Mapping[str, object]:
        """Parameters that a node was given at its start, declared or not."""
        return dict(getattr(node, "_parameter_overrides", {}))
