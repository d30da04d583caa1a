"""A ROS node beside depth_node, in this process: it hears and sends in a thread of its own."""

from __future__ import annotations

import threading
import time
import traceback
from types import TracebackType
from typing import TypeVar

import rclpy
from rclpy.context import Context
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.signals import SignalHandlerOptions

from fastdepth_ros.runtime.ros_log import provide_log_folder

PAUSE = 0.05
"""Seconds of rest after a callback that failed: one that fails again at once is not to take the processor."""

Own = TypeVar("Own", bound="Bystander")


class Bystander:
    """To be used in a ``with`` statement: callbacks come from its beginning to its end.

    A context of its own keeps it out of the way of whatever else this process does with ROS; signals stay the caller's.
    What a callback raises is logged, and the next one is called.

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
        self._thread = threading.Thread(target=self._spin, name=name, daemon=True)

    def __enter__(self: Own) -> Own:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._executor.shutdown()
        self._thread.join()
        rclpy.try_shutdown(context=self._context)

    def _spin(self) -> None:
        while self._context.ok():
            try:
                self._executor.spin()
                return
            except ExternalShutdownException:
                return
            except Exception as error:  # anybody may send what a callback, or rclpy, stumbles over
                if not self._context.ok():
                    return
                words = "".join(traceback.format_exception(error))
                self.node.get_logger().error(words, throttle_duration_sec=5.0)
                time.sleep(PAUSE)
