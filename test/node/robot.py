"""A node on trial in this process, and another beside it."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Thread
from typing import Any

import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.signals import SignalHandlerOptions

from fastdepth_ros.node.executor import NodeExecutor
from fastdepth_ros.node.inbox import Aside

PATIENCE = 20.0


class Counting(NodeExecutor):
    """Counts how often rclpy is asked what is ready."""

    asked = 0

    def spin_once(self, timeout_sec: float | None = None) -> None:
        self.asked += 1
        super().spin_once(timeout_sec)


class Robot:
    """A node whose executor runs in a thread, once that was started, and another node, which the test spins itself."""

    def __init__(self) -> None:
        self.context = Context()
        rclpy.init(args=[], context=self.context, signal_handler_options=SignalHandlerOptions.NO)
        self.node, self.other = (rclpy.create_node(name, context=self.context) for name in ("tried", "other"))
        self.strays: list[Any] = []
        """What an executor took although it was put aside."""
        self._aside = Aside()
        self.executor = Counting(self.node)
        self.thread = Thread(target=self.executor.spin)
        self._spinner = SingleThreadedExecutor(context=self.context)
        self._spinner.add_node(self.other)

    def aside(self, kind: type, topic: str, qos: Any = 1, **options: Any) -> Any:
        """A subscription of the node's that executors leave alone."""
        options = {"raw": True, "callback_group": self._aside, **options}
        return self.node.create_subscription(kind, topic, self.strays.append, qos, **options)

    def publisher(self, subscription: Any) -> Any:
        """A publisher of the other node's that the subscription hears."""
        publisher = self.other.create_publisher(subscription.msg_type, subscription.topic_name, 10)
        self.wait_for(lambda: subscription.get_publisher_count() and publisher.get_subscription_count())
        self.spin(0.2)
        return publisher

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
