"""The ROS node with which the doctor looks into the graph, and listens."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

from fastdepth_ros.runtime.ros_log import provide_log_folder


class Newest:
    """The newest message of a topic, and how many came: all that a large camera sends in some seconds are gigabytes.

    Attributes:
        count: of the messages.
        message: serialized; empty before the first.
    """

    def __init__(self) -> None:
        self.count = 0
        self.message = b""

    def hear(self, serialized: bytes) -> None:
        """Take a message in the place of the one before."""
        self.count += 1
        self.message = serialized


@contextmanager
def listener(name: str) -> Iterator[tuple[Node, SingleThreadedExecutor]]:
    """A node in a context of its own, and the executor that calls its callbacks; both end afterwards.

    Args:
        name: of the node.
    """
    context = Context()
    provide_log_folder()
    rclpy.init(args=[], context=context)
    try:
        node = rclpy.create_node(name, context=context, enable_rosout=False, start_parameter_services=False)
        executor = SingleThreadedExecutor(context=context)
        executor.add_node(node)
        try:
            yield node, executor
        finally:
            executor.shutdown()
            node.destroy_node()
    finally:
        context.try_shutdown()


def spin(executor: SingleThreadedExecutor, seconds: float) -> None:
    """Call back for so long [s]."""
    end = time.monotonic() + seconds
    while (rest := end - time.monotonic()) > 0:
        executor.spin_once(timeout_sec=rest)
