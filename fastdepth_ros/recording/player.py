"""Play recorded messages onto DDS in real time, as a camera driver would send them."""

from __future__ import annotations

import importlib
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, NamedTuple

from rclpy.duration import Duration
from rclpy.exceptions import NameValidationException
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

from fastdepth_ros import cdr
from fastdepth_ros.errors import AnchorError, RecordingError, SettingError, quoted
from fastdepth_ros.messages.motion import restamped_transforms
from fastdepth_ros.recording.anchors import TF_STATIC, TRANSFORMS
from fastdepth_ros.recording.camera import CameraTopics
from fastdepth_ros.recording.reader import Message, Topic
from fastdepth_ros.recording.rectified import told_apart, without_distortion
from fastdepth_ros.recording.video import TRANSPORTS

STAMPED = ("std_msgs/Header", "builtin_interfaces/Time")
"""First fields of messages that begin with a stamp; foxglove_msgs' video has a time and a frame_id for a header."""

DEPTH = 5
"""Messages that a publisher keeps for a slow reliable reader."""

MOMENT = 0.2
"""Time that a publisher stays after its last message, for readers that do not acknowledge [s]."""

LONGEST_WAIT = 86400.0
"""For the next message [s]; what is later has a damaged time."""

SLOWEST, FASTEST = 1e-6, 1e6
"""Rates beyond which stamps are no longer numbers that a message can hold."""

FOLLOWED = 10_000_000_000
"""Stamps that are farther from the picture's are of another clock [ns]."""

MOMENTS = 64
"""Recorded stamps that are kept in mind: a moment's messages lie close together."""

Stamps = dict[int, tuple[int, set[str]]]
"""Recorded stamp -> the new one, and the topics that have borne it [ns]."""


class Published(NamedTuple):
    """A message that went out.

    Attributes:
        message: as recorded.
        recorded_stamp: the stamp that it was recorded with [ns]; None where its type has no header.
        stamp: the stamp that it went out with [ns]; None likewise.
        late: how long after it was due it went out [s].
    """

    message: Message
    recorded_stamp: int | None
    stamp: int | None
    late: float


def names_as_published(
    topics: CameraTopics, image: str | None, camera_info: str | None, namespace: str = "/"
) -> dict[str, str]:
    """Recorded name -> published name of a camera's topics.

    ``image`` is the base name, as image_transport takes it: a compressed picture goes out on ``<image>/compressed``,
    video there or on ``<image>/ffmpeg`` or ``<image>/foxglove``.
    Topics that are given no other name keep theirs, below the namespace.
    """
    names = {name: below(namespace, name) for name in topics.names}
    if image:
        names[topics.image.name] = image.removesuffix(topics.suffix) + topics.suffix
    if camera_info and topics.camera_info:
        names[topics.camera_info.name] = camera_info
    return names


def below(namespace: str, name: str) -> str:
    """Name of a recorded topic below a namespace."""
    return f"/{namespace.strip('/')}/{name.lstrip('/')}".replace("//", "/")


class Player:
    """Publishers for the topics of a recording, and the clock that says when each message is due.

    Args:
        node: publishes.
        topics: the topics to publish.
        names: recorded name -> published name, for those that change.
        rate: how many times faster than recorded, from :data:`SLOWEST` to :data:`FASTEST`.
        restamp: give every message the time at which it goes out as its stamp, so that its age means something;
            messages that shared a stamp share the new one. Else the stamps stay as recorded.
        reliable: offer reliable delivery, which best-effort readers take as well. A camera driver's usual choice is
            best effort.
        followers: topics whose new stamps are as far from the picture's as they were recorded: of sensors, which are
            matched with images by stamp, and of tf. Other topics give the time to those that share their stamp.

    Raises:
        SettingError: the rate is out of range.
        RecordingError: the type of a topic is not installed, or ROS has no topics of its name.
    """

    def __init__(
        self,
        node: Node,
        topics: Iterable[Topic],
        names: Mapping[str, str] | None = None,
        *,
        rate: float = 1.0,
        restamp: bool = True,
        reliable: bool = True,
        followers: Collection[str] = (),
    ) -> None:
        if not SLOWEST <= rate <= FASTEST:
            remedy = f"Give a positive --rate, from {SLOWEST:g} to {FASTEST:g}."
            raise SettingError(f"a recording cannot be played {rate:g} times as fast", remedy)
        self._node = node
        self._rate = rate
        self._restamp = restamp
        reliability = ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT
        qos = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=DEPTH, reliability=reliability)
        self._publishers: dict[str, Any] = {}
        self._with_header: set[str] = set()
        self._followers = followers
        self._clock: tuple[int, int] | None = None
        topics = list(topics)
        self._told_apart = told_apart(topics, names or {}, followers)
        for topic in topics:
            kind = message_class(topic)
            wanted = latched() if topic.name == TF_STATIC else qos
            name = (names or {}).get(topic.name, topic.name)
            try:
                self._publishers[topic.name] = node.create_publisher(kind, name, wanted)
            except (NameValidationException, ValueError) as error:  # the latter of a word in braces
                remedy = "Publish it under another name (--image, --camera-info, --publish, --namespace)."
                raise RecordingError(f"{quoted(name)} is no name of a topic ({_first_line(error)})", remedy) from None
            if next(iter(kind.get_fields_and_field_types().values()), "") in STAMPED:
                self._with_header.add(topic.name)

    def readers(self, topic: str) -> int:
        """Number of subscriptions to the topic (by its recorded name)."""
        return int(self._publishers[topic].get_subscription_count())

    def play(
        self,
        messages: Iterable[Message],
        stop: threading.Event | None = None,
        on_publish: Callable[[Published], None] | None = None,
    ) -> int:
        """Publish messages, each when it is due, until they end or ``stop`` is set.

        The deadlines are counted from the first message, so that one late message does not delay the others.

        Returns:
            Number of messages that were published.

        Raises:
            RecordingError: a message cannot be published, or is due after :data:`LONGEST_WAIT`.
        """
        stop = stop or threading.Event()
        stamps: Stamps = {}
        self._clock = None  # a recording that begins again is at another time
        count = 0
        start: float | None = None
        source = iter(messages)
        message = next(source, None)
        while message is not None:
            # The next message is read, and perhaps unpacked, before this one is due; afterwards it would be late.
            following = next(source, None)
            now = time.monotonic()
            if start is None:
                start, first = now, message.time
            due = start + (message.time - first) / 1e9 / self._rate
            if due - now > LONGEST_WAIT:
                cause = f"the next message of {message.topic.name} comes {(due - now) / 86400:.0f} days later"
                raise RecordingError(cause, "Its time is damaged: record it again, or give a larger --rate.")
            # An event's wait, not a sleep: it ends at once when playing is stopped.
            if stop.wait(due - now) if due > now else stop.is_set():
                break
            published = self.publish(message, stamps, due)
            count += 1
            if on_publish:
                on_publish(published)
            message = following
        return count

    def publish(self, message: Message, stamps: Stamps | None = None, due: float | None = None) -> Published:
        """Publish one message now. ``stamps`` is what messages of one moment share."""
        recorded = stamp = None
        data = message.data
        if message.topic.name in self._with_header:
            try:
                recorded = stamp = cdr.stamp_of(data)
            except ValueError as error:
                raise RecordingError(
                    f"{message.topic.name} holds a broken message ({error})", "Record again."
                ) from error
            if self._restamp and message.topic.name in self._followers:
                stamp = self._followed(recorded)
                data = cdr.with_stamp(data, stamp)
            elif self._restamp:
                stamp = self._new_stamp(message.topic.name, recorded, {} if stamps is None else stamps)
                data = cdr.with_stamp(data, stamp)
                self._clock = (recorded, stamp)
        elif self._restamp and message.topic.type == TRANSFORMS:
            try:
                data = restamped_transforms(data, self._followed)
            except AnchorError as error:
                raise RecordingError(
                    f"{message.topic.name} holds a broken message ({error})", "Record again."
                ) from error
        if message.topic.name in self._told_apart:
            data = without_distortion(data)
        self._publishers[message.topic.name].publish(data)
        return Published(message, recorded, stamp, max(0.0, time.monotonic() - due) if due else 0.0)

    def finish(self, seconds: float = 2.0) -> None:
        """Wait until every reader has what was sent, ``seconds`` at most; a publisher that ends takes it along.

        Best-effort readers acknowledge nothing; they get a moment.
        """
        deadline = time.monotonic() + seconds
        for publisher in self._publishers.values():
            publisher.wait_for_all_acked(Duration(seconds=max(0.0, deadline - time.monotonic())))
        time.sleep(max(0.0, min(MOMENT, deadline - time.monotonic())))

    def _followed(self, recorded: int) -> int:
        """The time of a recorded stamp, counted from the latest stamp of the picture's moment [ns].

        Before the first picture, and where the stamps are of another clock than the picture's, it is now.
        """
        if self._clock is not None:
            then, now = self._clock
            if abs(recorded - then) < FOLLOWED:
                return now + round((recorded - then) / self._rate)
        return int(self._node.get_clock().now().nanoseconds)

    def _new_stamp(self, topic: str, recorded: int, stamps: Stamps) -> int:
        stamp, topics = stamps.get(recorded, (0, set[str]()))
        # A topic that repeats a stamp, as a driver without a clock does with 0, is at another moment all the same.
        if not stamp or topic in topics:
            stamp, topics = self._node.get_clock().now().nanoseconds, set()
        stamps[recorded] = (stamp, topics | {topic})
        if len(stamps) > MOMENTS:
            del stamps[next(iter(stamps))]
        return stamp


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0].rstrip(": ")


def latched() -> QoSProfile:
    """QoS of /tf_static: whoever comes late still hears it."""
    return QoSProfile(depth=100, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL)


def message_class(topic: Topic) -> Any:
    """The Python class of a topic's messages.

    Raises:
        RecordingError: its package is not installed.
    """
    package, _, name = topic.type.split("/")
    try:
        return getattr(importlib.import_module(f"{package}.msg"), name)
    except (ImportError, AttributeError) as error:
        remedy = f"Install {package}, or leave {topic.name} out."
        if topic.type in TRANSPORTS:
            remedy = f"Install {package}, or have the pictures decoded and sent as raw images (--raw)."
        raise RecordingError(f"the type {topic.type} is not installed", remedy) from error
