"""A node on trial in this process, and another beside it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any

import rclpy
from rclpy.context import Context
from rclpy.duration import Duration
from rclpy.executors import SingleThreadedExecutor
from rclpy.serialization import deserialize_message
from rclpy.signals import SignalHandlerOptions

from fastdepth_ros.node.rclpy_ways.choice import choose
from fastdepth_ros.node.rclpy_ways.interface import Subscriber, Way

PATIENCE = 30.0
BOTH_WAYS = list(dict.fromkeys((choose()[0].name, "plain")))
"""Ways to use rclpy: that of its release, and the plain one. Only that with FASTDEPTH_PLAIN_RCLPY=1."""


def raised(error: Exception) -> None:
    """End an executor with what a callback raised."""
    raise error


class Robot:
    """A node whose executor runs in a thread, once that was started, and another node, which the test spins itself."""

    def __init__(self, way: Way) -> None:
        self.way = way
        self.context = Context()
        rclpy.init(args=[], context=self.context, signal_handler_options=SignalHandlerOptions.NO)
        self.node, self.other = (rclpy.create_node(name, context=self.context) for name in ("tried", "other"))
        self.executor = way.executor(self.node, raised)
        self.thread = Thread(target=self.executor.spin)
        self._spinner = SingleThreadedExecutor(context=self.context)
        self._spinner.add_node(self.other)

    def start(self) -> None:
        """Have the executor run, if it does not."""
        if self.thread.ident is None:
            self.thread.start()

    def subscriber(self, kind: type, topic: str, qos: Any = 1, **options: Any) -> Subscriber:
        """A subscriber of the node's. In the plain way it is the executor that brings its messages."""
        subscriber = self.way.subscriber(self.node, kind, topic, qos, **options)
        if self.way.name == "plain":
            self.start()
        return subscriber

    def publisher(self, subscription: Any) -> Any:
        """A publisher of the other node's that the subscription hears."""
        publisher = self.other.create_publisher(subscription.msg_type, subscription.topic_name, 10)
        self.wait_for(lambda: subscription.get_publisher_count() and publisher.get_subscription_count())
        self.spin(0.2)
        return publisher

    def deliver(self, subscriber: Subscriber, publisher: Any, *messages: Any) -> None:
        """Publish messages to a reliable subscriber, and wait until the last waits there."""
        for message in messages:
            publisher.publish(message)
        assert publisher.wait_for_all_acked(Duration(seconds=PATIENCE))
        if self.way.name == "plain":  # the middleware has them; now the executor has to bring them
            queue: Any = subscriber._queue  # type: ignore[attr-defined]
            last = messages[-1]

            def is_last(message: Any) -> bool:
                # The bytes between its fields may be any.
                raw = isinstance(message, bytes) and not isinstance(last, bytes)
                return (deserialize_message(message, type(last)) if raw else message) == last

            self.wait_for(lambda: queue and is_last(queue[-1][0]))

    def has(self, subscriber: Subscriber) -> bool:
        """Whether a message waits at a subscriber."""
        inbox = self.way.inbox(self.context)
        inbox.open(SimpleNamespace(waited=[subscriber], besides=[]))
        return bool(inbox.unread())

    def wakes(self) -> int:
        """How often the executor's thread has gone to sleep so far."""
        status = Path(f"/proc/self/task/{self.thread.native_id}/status").read_text()
        return int(status.partition("\nvoluntary_ctxt_switches:")[2].split()[0])

    def cost(self) -> int:
        """Processor time of the executor's thread so far [ns]."""
        assert self.thread.ident is not None
        return time.clock_gettime_ns(time.pthread_getcpuclockid(self.thread.ident))

    def spin(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._spinner.spin_once(timeout_sec=0.01)

    def wait_for(self, condition: Callable[[], object], each: Callable[[], object] = lambda: None) -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end
            each()
            self._spinner.spin_once(timeout_sec=0.02)

    def end(self) -> None:
        rclpy.try_shutdown(context=self.context)
        if self.thread.ident is not None:
            self.thread.join(PATIENCE)
        assert not self.thread.is_alive()
        # Else their subscriptions are heard of in the next test, until somebody collects garbage.
        self.node.destroy_node()
        self.other.destroy_node()
