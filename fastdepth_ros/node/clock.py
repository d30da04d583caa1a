"""The node's time, as it is asked for with every image, and /clock, as it comes in."""

from __future__ import annotations

import time
from collections.abc import Callable

from rclpy.clock import JumpThreshold, ROSClock
from rosgraph_msgs.msg import Clock

from fastdepth_ros.cdr import time_of

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


def checked(hear: Callable[[Clock], None]) -> Callable[[bytes], None]:
    """Hear /clock serialized: bytes that are no time, or one before 1970, would end rclpy and the process with it."""

    def hear_serialized(serialized: bytes) -> None:
        try:
            seconds, nanoseconds = time_of(serialized)
        except ValueError:
            return
        if seconds >= 0:
            message = Clock()
            message.clock.sec, message.clock.nanosec = seconds, nanoseconds
            hear(message)

    return hear_serialized
