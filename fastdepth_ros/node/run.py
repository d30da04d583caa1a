"""Runs the node as a process."""

from __future__ import annotations

import faulthandler
import sys
from typing import Any

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.signals import SignalHandlerOptions

from fastdepth_ros.node.depth_node import DepthNode
from fastdepth_ros.node.ending import Ending, leave, left_behind
from fastdepth_ros.node.process import prepare_process
from fastdepth_ros.node.rclpy_ways.choice import choose
from fastdepth_ros.node.starting import StartError

FAREWELL = 15.0
"""Time that leaving the graph may take [s]."""


def main(args: list[str] | None = None, **options: Any) -> int:
    """Run the node until it is told to end.

    Args:
        args: of the process, for ROS; None are its own.
        options: arguments of :class:`DepthNode`, as ``open_engine``.

    Returns:
        0; where ROS does not start, the status of the error.
    """
    ending, left = Ending(), False
    prepare_process()
    way = choose()
    try:
        try:
            rclpy.init(args=args, signal_handler_options=SignalHandlerOptions.NO)
            node = DepthNode(lambda: ending.told, way=way, command_line=args or sys.argv, **options)
        except way[0].refusals as refusal:
            error = StartError(refusal)
            sys.stderr.write(f"depth_node: {error}\n")
            return error.status
        executor = node.way.executor(node, node.outlive)
        ending.then(executor.stop)
        try:
            executor.spin()
        finally:
            # Fast DDS 3.2 can wait for itself for ever when other participants leave at this moment, with Python's lock
            # held; this ends the process all the same, and tells where it was.
            faulthandler.dump_traceback_later(FAREWELL, exit=True)
            node.close()
            left = left_behind()
            node.destroy_node()
    except ExternalShutdownException:
        pass
    finally:
        rclpy.try_shutdown()
        faulthandler.cancel_dump_traceback_later()
    if left:
        leave(0)
    return 0
