"""A ROS node beside depth_node that hears the newest message of each topic."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.exceptions import NameValidationException
from rclpy.qos import HistoryPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from fastdepth_ros import cdr
from fastdepth_ros.diagnostics.graph import topics_of
from fastdepth_ros.diagnostics.messages import read_statuses
from fastdepth_ros.diagnostics.status import Status
from fastdepth_ros.harness.operator import Operator
from fastdepth_ros.messages.output_topics import OUTPUT_TOPICS

NEWEST = QoSProfile(history=HistoryPolicy.KEEP_LAST, depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
"""Nobody waits for this reader: what it misses is gone."""

TEND_PERIOD = 0.1
"""Period in which subscriptions are held against what is looked at [s]."""

KEPT, KEPT_BYTES = 8, 64 << 20
"""Camera pictures that are kept until the depth of one of them has come; of large ones fewer, down to one."""

MOST_PARTS = 64
"""Parts of a node that are told of; it has a dozen, each of several cameras."""

IMAGE, PICTURE_INFO = "image", "picture_info"
DEPTH, DEPTH_INFO, UNCERTAINTY = "depth", "camera_info", "uncertainty"
"""Names under which messages are heard: of the camera, and of :data:`OUTPUT_TOPICS`."""


@dataclass(frozen=True)
class Heard:
    """Messages of one frame, serialized, and when its depth was heard.

    Attributes:
        stamp: of the frame [ns].
        depth: its depth image.
        age: now minus stamp when it was heard [s].
        image: the picture of the same stamp; None where it was lost.
        compressed: whether that is a CompressedImage.
        depth_info, picture_info: the latest camera_info of each; None before.
        uncertainty: the latest; None where nobody looks at it.
    """

    stamp: int
    depth: bytes
    age: float
    image: bytes | None = None
    compressed: bool = False
    depth_info: bytes | None = None
    picture_info: bytes | None = None
    uncertainty: bytes | None = None


@dataclass
class _Box:
    """The latest messages; under the listener's lock."""

    images: deque[tuple[int, bytes]] = field(default_factory=lambda: deque(maxlen=KEPT))
    latest: dict[str, bytes] = field(default_factory=dict)
    age: float = 0.0
    frames: int = 0

    def keep(self, stamp: int, image: bytes) -> None:
        """Take a picture, and let older ones go."""
        self.images.append((stamp, image))
        while len(self.images) > 1 and sum(len(data) for _, data in self.images) > KEPT_BYTES:
            self.images.popleft()


class Listener(Operator):
    """Hears a node. Nothing but /diagnostics is subscribed to while :attr:`wanted` is empty.

    Args:
        node: full name of depth_node.
        image: topic of the camera's pictures; empty is what the node says that it answers.

    Attributes:
        wanted: names of what is looked at: :data:`IMAGE`, :data:`DEPTH`, ... Set it from any thread.
    """

    def __init__(self, node: str, image: str = "") -> None:
        super().__init__(f"fastdepth_view_{os.getpid()}", node)
        self.wanted: Collection[str] = ()
        self._image = image
        self._lock = threading.Lock()
        self._box = _Box()
        self._statuses: dict[str, Status] = {}
        self._numbers: dict[str, float] = {}
        self._reported = time.monotonic()
        self._readers: dict[str, tuple[str, Any, Any]] = {}
        self.node.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, 10, raw=True)
        self.node.create_subscription(
            DiagnosticArray, f"{self.name}/performance", self._on_performance, NEWEST, raw=True
        )
        self.node.create_timer(TEND_PERIOD, self._tend)

    # What was heard

    def newest(self, than: int = -1) -> Heard | None:
        """The newest frame; None where none came since that of the stamp ``than`` [ns]."""
        with self._lock:
            box, depth = self._box, self._box.latest.get(DEPTH)
            if depth is None or (stamp := cdr.stamp_of(depth)) == than:
                return None
            image = next((data for at, data in box.images if at == stamp), None)
            compressed = IMAGE in self._readers and self._readers[IMAGE][1] is CompressedImage
            infos = box.latest.get(DEPTH_INFO), box.latest.get(PICTURE_INFO)
            return Heard(stamp, depth, box.age, image, compressed, *infos, box.latest.get(UNCERTAINTY))

    @property
    def statuses(self) -> Mapping[str, Status]:
        """Part of the node -> what it says of it on /diagnostics; empty before."""
        with self._lock:
            return dict(self._statuses)

    @property
    def numbers(self) -> Mapping[str, float]:
        """The latest of ``~/performance``, in SI units."""
        with self._lock:
            return dict(self._numbers)

    @property
    def silence(self) -> float:
        """Time since the node's last diagnostics, or since this listener began [s]."""
        with self._lock:
            return time.monotonic() - self._reported

    @property
    def frames(self) -> int:
        """Depth images heard so far."""
        with self._lock:
            return self._box.frames

    # In the thread of callbacks

    def _tend(self) -> None:
        """Subscribe to what is wanted, and to nothing else."""
        wanted = {name: each for name in self.wanted if (each := self._topic(name)) is not None}
        for name, (topic, kind, reader) in list(self._readers.items()):
            if wanted.get(name) != (topic, kind):
                self.node.destroy_subscription(reader)
                del self._readers[name]
                with self._lock:
                    self._box.latest.pop(name, None)
        for name, (topic, kind) in wanted.items():
            if name not in self._readers:
                try:
                    reader = self.node.create_subscription(kind, topic, self._taker(name), NEWEST, raw=True)
                except (NameValidationException, ValueError):  # whoever says that it is the node may say anything
                    continue
                self._readers[name] = (topic, kind, reader)

    def _topic(self, name: str) -> tuple[str, Any] | None:
        """Topic of a name, and the type of its messages; None while it is not known."""
        if name == IMAGE:
            topic = self._image or self._says("input")
            types = dict(topics_of(self.node)).get(topic, []) if topic else []
            kind = next((k for k in (Image, CompressedImage) if f"sensor_msgs/msg/{k.__name__}" in types), None)
            return (topic, kind) if kind else None
        if name == PICTURE_INFO:
            topic = self._says("calibration")
            return (topic, CameraInfo) if topic else None
        output = next(each for each in OUTPUT_TOPICS if each.name == name)
        # The node names its topics as they are after remapping.
        told = self._values("outputs")
        named = (key.removeprefix("subscribers of ") for key in told if key.startswith("subscribers of "))
        own = f"{self.name.rpartition('/')[0]}/{output.topic}"
        return next((topic for topic in named if topic.endswith(f"/{output.topic}")), own), output.message

    def _says(self, part: str) -> str:
        return self._values(part).get("topic", "")

    def _values(self, part: str) -> Mapping[str, str]:
        with self._lock:
            status = self._statuses.get(part)
        return status.values if status else {}

    def _taker(self, name: str) -> Callable[[bytes], None]:
        def take(data: bytes) -> None:
            now = self.node.get_clock().now().nanoseconds
            try:
                stamp = cdr.stamp_of(data)
            except ValueError:  # anybody may publish there
                return
            with self._lock:
                if name == IMAGE:
                    self._box.keep(stamp, data)
                    return
                self._box.latest[name] = data
                if name == DEPTH:
                    self._box.age, self._box.frames = (now - stamp) / 1e9, self._box.frames + 1

        return take

    def _on_diagnostics(self, data: bytes) -> None:
        for part, status in self._read(data):
            with self._lock:
                self._reported = time.monotonic()
                self._statuses.pop(part, None)
                self._statuses[part] = status
                if len(self._statuses) > MOST_PARTS:  # somebody who says that he is the node
                    del self._statuses[next(iter(self._statuses))]

    def _on_performance(self, data: bytes) -> None:
        for _, status in self._read(data):
            numbers = {name: _number(value) for name, value in status.values.items()}
            with self._lock:
                self._numbers = {name: value for name, value in numbers.items() if value is not None}

    def _read(self, data: bytes) -> list[tuple[str, Status]]:
        try:
            found = read_statuses(data)
        except ValueError:  # anybody may publish there
            return []
        return [(status.about, status) for name, status in found if f"/{name}" == self.name]


def _number(word: str) -> float | None:
    try:
        return float(word)
    except ValueError:
        return None
