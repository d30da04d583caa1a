"""The plain way: what rclpy documents, and nothing else.

An image goes from the executor's thread, whose callback puts it into a queue, to the thread that works on it. Every
message wakes the executor up, those of the camera, of tf and of /clock alike.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Generic, TypeVar

from rclpy.context import Context
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import HistoryPolicy

from fastdepth_ros.node.rclpy_ways.interface import MOMENT, Message, Taker

PAUSE = 0.005
"""Seconds of rest after a fault: one that comes again at once is not to take the processor."""

LOOK = 0.5
"""Period in which whoever waits looks whether the context has ended [s]."""

MOST = 100
"""Messages that are kept where the subscription keeps all."""

Item = TypeVar("Item")


class PlainExecutor:
    """rclpy's executor, which outlives what its callbacks raise; arguments are those of :meth:`Way.executor`."""

    def __init__(self, node: Node, outlive: Callable[[Exception], None]) -> None:
        self._context = node.context
        self._outlive = outlive
        self._stopped = False
        self._stop = node.create_guard_condition(lambda: None)
        self._executor = SingleThreadedExecutor(context=node.context)
        self._executor.add_node(node)

    def spin(self) -> None:
        """Run callbacks until :meth:`stop`, or the end of the context."""
        while self._context.ok() and not self._stopped:
            try:
                self._executor.spin_once()
            except ExternalShutdownException:
                return
            except Exception as error:
                if not self._context.ok():  # it was shut down under the callback's feet
                    return
                self._outlive(error)
                time.sleep(PAUSE)

    def stop(self) -> None:
        """End :meth:`spin`; from any thread."""
        self._stopped = True
        self._stop.trigger()


class PlainSubscriber:
    """A subscription whose callback puts messages into a queue.

    Attributes:
        subscription: rclpy's.
        arrived: is called when a message came.
    """

    def __init__(self, node: Node, kind: type, topic: str, qos: Any, **options: Any) -> None:
        self.arrived: Callable[[], object] = lambda: None
        self._node = node
        self._queue: deque[Message] = deque(maxlen=MOST)  # overrides of the QoS are known only afterwards
        self.subscription = node.create_subscription(kind, topic, self._hear, qos, **{"raw": True, **options})
        profile = self.subscription.qos_profile
        if profile.history == HistoryPolicy.KEEP_LAST and 0 < profile.depth < MOST:
            self._queue = deque(self._queue, maxlen=profile.depth)

    def _hear(self, message: Any, info: Any) -> None:
        self._queue.append((message, info))
        self.arrived()

    @property
    def is_empty(self) -> bool:
        """Whether no message waits."""
        return not self._queue

    def take(self) -> list[Message]:
        """The messages in the queue, oldest first; from any thread."""
        taken: list[Message] = []
        while len(taken) < MOST:
            try:
                taken.append(self._queue.popleft())
            except IndexError:
                break
        return taken

    def destroy(self) -> None:
        """Unsubscribe, and forget what waits."""
        self._node.destroy_subscription(self.subscription)
        self._queue.clear()


class PlainPublisher:
    """rclpy's publisher. It takes serialized messages as bytes, so each is copied once more."""

    def __init__(self, publisher: Any) -> None:
        self._publisher = publisher
        self.count: Callable[[], int] = publisher.get_subscription_count

    def publish(self, serialized: bytearray) -> None:
        """Publish one; from any thread."""
        self._publisher.publish(bytes(serialized))


class PlainInbox(Generic[Item]):
    """Waits for what callbacks of :class:`PlainSubscriber` bring."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._changed = threading.Condition()
        self._source: Taker[Item] | None = None
        self._looks_up = self._closed = self._prepares = False

    def unread(self) -> list[Any]:
        """Subscribers with a message that is waited for, and that nobody took yet; from any thread."""
        source = self._source
        return [each for each in source.waited if not each.is_empty] if source is not None else []

    def open(self, source: Taker[Item] | None) -> None:
        """Have messages taken from there from now on; None is from nowhere."""
        self._source = source
        for each in source.waited if source is not None else ():
            each.arrived = self._wake
        for each in source.besides if source is not None else ():
            each.arrived = self._prepare
        self.look_up()

    def close(self) -> None:
        """End :meth:`items`."""
        self._closed = True
        self._wake()

    def look_up(self) -> None:
        """Have the thread that waits see whether anything changed, and take what is there."""
        self._looks_up = True
        self._wake()

    def _prepare(self) -> None:
        self._prepares = True
        self._wake()

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def items(self, wanted: Callable[[], bool] = lambda: True) -> Iterator[Item]:
        """Wait for items, until the inbox is closed, its context ends, or they are no longer ``wanted``."""
        behind = False
        while True:
            began = time.time_ns()
            with self._changed:
                ends = self._closed or not wanted() or not self._context.ok()
                if not (ends or self._looks_up or self._prepares or self.unread()):
                    self._changed.wait(MOMENT if behind else LOOK)
            if self._closed or not wanted() or not self._context.ok():
                return
            if not (self._looks_up or self._prepares or behind or self.unread()):
                continue
            self._looks_up = self._prepares = False
            source = self._source
            if source is None:
                continue
            item = source.take(began)
            if item is not None:
                yield item
                behind = source.is_behind
            else:
                behind = False
                source.prepare()


class PlainWay:
    """The plain way; see :class:`fastdepth_ros.node.rclpy_ways.interface.Way`."""

    name = "plain"
    refusals: tuple[type[Exception], ...] = (RuntimeError,)

    def executor(self, node: Node, outlive: Callable[[Exception], None]) -> PlainExecutor:
        """Make the executor of a node."""
        return PlainExecutor(node, outlive)

    def subscriber(self, node: Node, kind: type, topic: str, qos: Any, **options: Any) -> PlainSubscriber:
        """Subscribe."""
        return PlainSubscriber(node, kind, topic, qos, **options)

    def publisher(self, publisher: Any) -> PlainPublisher:
        """Publish serialized messages by a publisher of rclpy's."""
        return PlainPublisher(publisher)

    def inbox(self, context: Context) -> PlainInbox[Any]:
        """Make an inbox in a node's context."""
        return PlainInbox(context)

    def logger(self, logger: Any) -> Any:
        """Give rclpy's own."""
        return logger

    def parameter_overrides(self, node: Node) -> Mapping[str, object]:  # noqa: ARG002
        """Nothing: rclpy tells of parameters that were not declared nowhere."""
        return {}
