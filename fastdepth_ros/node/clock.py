"""The node's time, as it is asked for with every image."""

from __future__ import annotations

import time

from rclpy.clock import JumpThreshold, ROSClock

NANO = 1e-9


class NodeClock:
    """Reads a node's clock. Only while that plays another time, as with ``use_sim_time``, rclpy has to be asked.

    Args:
        clock: of the node.
    """

    def __init__(self, clock: ROSClock) -> None:
        self._clock = clock
        self._played = clock.ros_time_is_active
        changes = JumpThreshold(min_forward=None, min_backward=None, on_clock_change=True)
        self._jumps = clock.create_jump_callback(changes, post_callback=self._changed)

    def now(self) -> float:
        """The time [s]; to be asked from any thread."""
        return float(self._clock.now().nanoseconds * NANO) if self._played else time.time()

    def _changed(self, _: object) -> None:
        self._played = self._clock.ros_time_is_active
