"""tf as the node hears it: subscribed to when a sensor's frame needs it, and taken when an image is answered."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

from fastdepth_ros.anchoring.transforms import TransformBuffer
from fastdepth_ros.messages.tf import TransformReader, tf_message
from fastdepth_ros.node.rclpy_ways.interface import Subscriber

WAITING = 100
"""Messages of /tf that wait until somebody needs them: as many as tf2's own listener keeps."""

AGAIN = 0.005
"""Time after they were taken within which they are not taken again [s]: one image asks for several sensors' places."""

Subscribe = Callable[[type, str, QoSProfile], Subscriber]


class TfInput:
    """Hears /tf and /tf_static.

    Args:
        buffer: takes what they say.

    Attributes:
        wanted: whether somebody needs it; it is subscribed to then.
    """

    def __init__(self, buffer: TransformBuffer) -> None:
        self.wanted = False
        self._reader = TransformReader(buffer)
        self._subscribers: list[tuple[Subscriber, bool]] = []
        self._tried = False
        self._heard = -math.inf

    def subscribe(self, subscribe: Subscribe) -> None:
        """Subscribe, once, where it is wanted and its messages are installed.

        Raises:
            SettingError: a QoS override is not allowed.
        """
        kind = tf_message() if self.wanted and not self._tried else None
        if kind is None:
            return
        self._tried = True
        passing, kept = (QoSProfile(depth=WAITING, reliability=ReliabilityPolicy.RELIABLE) for _ in range(2))
        kept.durability = DurabilityPolicy.TRANSIENT_LOCAL
        topics = (("/tf", passing, False), ("/tf_static", kept, True))
        self._subscribers = [(subscribe(kind, topic, qos), is_static) for topic, qos, is_static in topics]

    def hear(self) -> None:
        """Take what was said since the last time."""
        self.wanted = True
        if time.monotonic() < self._heard + AGAIN:
            return
        for subscriber, is_static in self._subscribers:
            self._reader.put([serialized for serialized, _ in subscriber.take()], is_static)
        self._heard = time.monotonic()
