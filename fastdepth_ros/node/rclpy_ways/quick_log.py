"""Lines of the log without rclpy's search for who wrote them; part of the fast way."""

from __future__ import annotations

import os
import sys
from typing import Any

from rclpy.impl import rcutils_logger
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.impl.rcutils_logger import RcutilsLogger

rcl: Any = rclpy_implementation  # its types are not those of every release
# Where rclpy looks for who wrote a line, it passes over these files.
rcutils_logger._internal_callers.append(os.path.realpath(__file__))


class QuickLogger(RcutilsLogger):  # type: ignore[misc]  # rclpy ships no types
    """The logger of a name. A line names the place in the code that wrote it, as rclpy's do.

    For that rclpy has Python find the sources, and so the files of all modules that a process has loaded: with a node's
    first line that took 47 ms of the processor. Filters, as of lines that are not to come too often, are left to rclpy.
    """

    def log(self, message: str, severity: int, **options: Any) -> bool:
        """Write a line; see rclpy."""
        if options:
            return bool(super().log(message, severity, **options))
        if not self.is_enabled_for(severity):
            return False
        frame = sys._getframe(1)
        while frame.f_back and frame.f_code.co_filename == rcutils_logger.__file__:
            frame = frame.f_back
        code = frame.f_code
        rcl.rclpy_logging_rcutils_log(severity, self.name, message, code.co_name, code.co_filename, frame.f_lineno)
        return True
