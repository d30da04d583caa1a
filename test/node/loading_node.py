"""The node, whose model is never loaded: that goes on and on in a library in C++, in and out of Python's lock."""

import sys

import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.signals import SignalHandlerOptions

from fastdepth_ros.node.run import main


def open_engine(*_):
    context = Context()
    rclpy.init(args=[], context=context, signal_handler_options=SignalHandlerOptions.NO)
    executor = SingleThreadedExecutor(context=context)
    while True:
        executor.spin_once(timeout_sec=0.0001)


sys.exit(main(open_engine=open_engine))
