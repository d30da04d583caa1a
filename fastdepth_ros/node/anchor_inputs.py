"""Topics that measured depths come on: taken between images or with one, read from their bytes, matched by stamp."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from sensor_msgs.msg import Image, Imu, LaserScan, PointCloud2, Range

from fastdepth_ros.diagnostics.anchoring import SourceNotes
from fastdepth_ros.errors import AnchorError
from fastdepth_ros.messages.clouds import read_cloud
from fastdepth_ros.messages.depth_images import read_depths
from fastdepth_ros.messages.motion import read_down
from fastdepth_ros.messages.ranges import read_range, read_scan
from fastdepth_ros.messages.serialized import SerializedHeader
from fastdepth_ros.node.rclpy_ways.interface import Subscriber
from fastdepth_ros.power.ages import of_another_clock

KEPT = 16
"""Measurements of a source that wait for their image: 0.8 s of 20 Hz."""

BACK = 1.0
"""A stamp that is so much before the last is of a recording that starts again, or of a clock that was set [s]."""

LONGEST = 10.0
"""Time for which what came may be used [s]: stamps that stand, as a camera's without a clock, match for ever."""

WAITING = 2
"""Messages that wait to be taken; a cloud may be large."""


class Measured(Protocol):
    """A message that was read, with its stamp and frame."""

    @property
    def header(self) -> SerializedHeader:
        """Stamp and frame."""

    @property
    def doubt(self) -> str:
        """Why it is not to be trusted, although it is used; empty where it is."""


Message = TypeVar("Message", bound=Measured)


@dataclass(frozen=True)
class Kind:
    """A kind of source.

    Attributes:
        message: type of its messages.
        read: reads one.
    """

    message: type
    read: Callable[[bytes], Any]


KINDS = {
    "anchors": Kind(PointCloud2, read_cloud),
    "scan": Kind(LaserScan, read_scan),
    "range": Kind(Range, read_range),
    "anchor_depth": Kind(Image, read_depths),
}
"""Sources that come on a topic of their name."""

IMU = Kind(Imu, read_down)


class Input(Generic[Message]):
    """The latest messages of one topic.

    Args:
        kind: of its source.
        subscriber: of its topic.
        notes: of the source.
        now: the time in the node's clock [s].

    Attributes:
        topic: its full name.
    """

    def __init__(self, kind: Kind, subscriber: Subscriber, notes: SourceNotes, now: Callable[[], float]) -> None:
        self.subscriber = subscriber
        self.topic = str(subscriber.subscription.topic_name)
        self.notes = notes
        self._read: Callable[[bytes], Message] = kind.read
        self._now = now
        # With stamps [s], frames, and when they came [s].
        self._kept: deque[tuple[float, str, Message, float]] = deque(maxlen=KEPT)
        self._of_one_sensor = True  # and in the order of their stamps
        self._unread = ""

    def take(self) -> list[Message]:
        """Take what is there. What cannot be read is noted.

        Returns:
            What came and can be read.
        """
        heard = [self.hear(serialized) for serialized, _ in self.subscriber.take()]
        return [each for each in heard if each is not None]

    def hear(self, serialized: bytes) -> Message | None:
        """Take one serialized message; None where it cannot be read."""
        now = self._now()
        self.notes.came(now)
        try:
            message = self._read(serialized)
        except AnchorError as error:
            self._unread = str(error)
            self.notes.problem(now, self._unread)
            return None
        self._unread = ""
        stamp = message.header.seconds
        if self._kept and stamp < self._kept[-1][0] - BACK:
            self._kept.clear()
        if not self._kept:
            self._of_one_sensor = True
        elif self._kept[-1][0] > stamp or self._kept[-1][1] != message.header.frame_id:
            self._of_one_sensor = False
        self._kept.append((stamp, message.header.frame_id, message, now))
        return message

    def nearest(self, stamp: float, max_age: float) -> list[Message]:
        """The message of each frame whose stamp is nearest to an image's: several sensors may share a topic.

        Args:
            stamp: of the image [s].
            max_age: how far from it a stamp may be [s]; what is farther is left out.
        """
        oldest = self._now() - LONGEST
        found = (self._nearest_of_one if self._of_one_sensor else self._nearest_of_each)(stamp, max_age, oldest)
        if not found and self._kept:
            self.notes.problem(self._now(), self._unread or self._how_far(stamp, max_age))
        return found

    def _nearest_of_each(self, stamp: float, max_age: float, oldest: float) -> list[Message]:
        found: dict[str, tuple[float, Message]] = {}
        for said, frame, message, came in self._kept:
            distance = abs(said - stamp)
            if distance <= max_age and came >= oldest and (frame not in found or distance <= found[frame][0]):
                found[frame] = distance, message
        return [message for _, message in found.values()]

    def _nearest_of_one(self, stamp: float, max_age: float, oldest: float) -> list[Message]:
        """Look through those of one sensor, from the latest on, until they are farther again."""
        found: list[Message] = []
        least = max_age
        for said, _, message, came in reversed(self._kept):
            distance = abs(said - stamp)
            if came < oldest or (found and distance > least):
                break
            if distance < least or (not found and distance <= max_age):
                found, least = [message], distance
        return found

    def _how_far(self, stamp: float, max_age: float) -> str:
        late = min((stamp - said for said, *_ in self._kept), key=abs)
        if abs(late) <= max_age:
            return f"its last message came {self._now() - self._kept[-1][3]:.0f} s ago, whatever stamps say"
        when = f"{late:.2f} s older" if late > 0 else f"{-late:.2f} s newer"
        when = "from another clock" if of_another_clock(late) else when
        remedy = "Synchronise the clocks, or raise anchor_max_age."
        return f"its stamps do not match the images': the nearest is {when}. {remedy}"
