"""A ROS node beside depth_node, in this process: it hears and sends in a thread of its own."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import TypeVar

import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.signals import SignalHandlerOptions

from fastdepth_ros.runtime.ros_log import provide_log_folder

Own = TypeVar("Own", bound="Bystander")


class Bystander:
    """To be used in a ``with`` statement: callbacks come from its beginning to its end.

    A context of its own keeps it out of the way of whatever else this process does with ROS; signals stay the caller's.

    Args:
        name: of the node.

    Attributes:
        node: for publishers, subscriptions and timers.
    """

    def __init__(self, name: str) -> None:
        self._context = Context()
        provide_log_folder()
        rclpy.init(args=[], context=self._context, signal_handler_options=SignalHandlerOptions.NO)
        self.node = rclpy.create_node(name, context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self._thread = threading.Thread(target=self._executor.spin, name=name, daemon=True)

    def __enter__(self: Own) -> Own:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._executor.shutdown()
        self._thread.join()
        rclpy.try_shutdown(context=self._context)
