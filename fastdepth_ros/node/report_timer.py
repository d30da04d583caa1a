"""Timer of the node's reports: in a period that may change, and at once where something changed."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from rclpy.clock import Clock
from rclpy.node import Node


class ReportTimer:
    """Has something reported now and then.

    Args:
        node: whose timers these are.
        clock: that they go by.
        period: of the reports [s].
        report: reports.
    """

    def __init__(self, node: Node, clock: Clock, period: float, report: Callable[[], None]) -> None:
        self._report = report
        self._period, self._reported = period, -math.inf
        self._timer: Any = node.create_timer(period, report, clock=clock)
        self._soon: Any = node.create_timer(0.0, self._report_now, clock=clock)

    def soon(self) -> None:
        """Have it reported as soon as what is being done is done."""
        self._soon.reset()

    def reported(self) -> None:
        """Take note that it was reported."""
        self._reported = time.monotonic()

    def change(self, period: float) -> None:
        """Report in another period from now on [s]; at once where that has passed already."""
        if period == self._period:
            return
        self._period = period
        self._timer.timer_period_ns = int(period * 1e9)
        self._timer.reset()  # else the old period would have to end first
        if time.monotonic() - self._reported >= period:
            self.soon()

    def _report_now(self) -> None:
        self._soon.cancel()
        self._report()
