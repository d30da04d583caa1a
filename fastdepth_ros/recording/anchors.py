"""Topics of a recording with measured depths that the node can use beside the camera's picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastdepth_ros.errors import RecordingError, SettingError
from fastdepth_ros.recording.camera import CAMERA_INFO, CameraTopics
from fastdepth_ros.recording.content import DEPTH, IMAGE, content_of, is_matrix
from fastdepth_ros.recording.reader import Recording, Topic

SOURCES = {
    "anchors": "sensor_msgs/msg/PointCloud2",
    "scan": "sensor_msgs/msg/LaserScan",
    "range": "sensor_msgs/msg/Range",
    "anchor_depth": IMAGE,
    "imu": "sensor_msgs/msg/Imu",
}
"""Sources of the node -> type of their messages."""

FOUND = ("anchors", "scan", "range", "anchor_depth")
"""Sources that are looked for; the rest is taken where it is named."""

DEPTH_INFO = "anchor_depth/camera_info"

TRANSFORMS, TF, TF_STATIC = "tf2_msgs/msg/TFMessage", "/tf", "/tf_static"

HINTS = ("anchor", "slam", "odom", "vio", "landmark", "feature", "tof", "lidar", "velodyne", "map")

OUTPUTS = ("depth/points", "depth/image_rect", "depth/uncertainty")
"""Ends of the names of what this node and others compute from pictures."""

TALLEST = 64
"""Rows of an organised cloud beyond which it is a depth camera's, and taken where it is named only."""


@dataclass(frozen=True)
class AnchorTopics:
    """Topics of measured depths.

    Attributes:
        sources: source of the node -> its topic.
        depth_info: camera_info of ``anchor_depth``; None where there is none.
        transforms: /tf and /tf_static, where the recording has them.
        left_out: words on what was not taken, a sentence each.
    """

    sources: Mapping[str, Topic]
    depth_info: Topic | None = None
    transforms: tuple[Topic, ...] = ()
    left_out: tuple[str, ...] = ()

    @property
    def topics(self) -> list[Topic]:
        """All of them but tf's."""
        return [*self.sources.values(), *([self.depth_info] if self.depth_info else [])]

    def names(self, published: Mapping[str, str]) -> dict[str, str]:
        """Recorded name -> published name, where each source goes out under the one that is given for it.

        Args:
            published: source, or :data:`DEPTH_INFO` -> name.
        """
        own = {**self.sources, **({DEPTH_INFO: self.depth_info} if self.depth_info else {})}
        return {topic.name: published[source] for source, topic in own.items() if source in published}


def chosen_topics(words: Sequence[str], known: Sequence[str] = tuple(SOURCES)) -> dict[str, str]:
    """Source -> topic of ``SOURCE=TOPIC``, as a user gives them; an empty topic leaves the source out.

    Args:
        words: what the user gave.
        known: sources that may be named.

    Raises:
        SettingError: one is not like that, or the source is not known.
    """
    chosen = {}
    for word in words:
        source, equals, topic = word.partition("=")
        if not equals or source not in known:
            raise SettingError(f"{word!r} names no source and topic", f"Use SOURCE=TOPIC; sources: {', '.join(known)}.")
        chosen[source] = topic
    return chosen


def find_anchors(
    recording: Recording, camera: CameraTopics | None = None, chosen: Mapping[str, str] | None = None
) -> AnchorTopics:
    """Find measured depths by message type, size and name, except where a topic is named.

    Not taken by themselves: what was computed from pictures (``depth/points``), clouds and depth images of the size of
    a picture, which are an RGB-D camera's and the truth that answers are compared with, and inertial units.

    Args:
        recording: to look into.
        camera: its camera, whose topics are not anchors; None where it has none.
        chosen: source -> recorded topic, as :func:`chosen_topics` reads it.

    Raises:
        RecordingError: a named topic is missing or of another type.
    """
    chosen = chosen or {}
    sources: dict[str, Topic] = {}
    left_out: list[str] = []
    for source, kind in SOURCES.items():
        if chosen.get(source):
            sources[source] = _named(recording, source, chosen[source])
        elif source not in chosen and source in FOUND:
            found = [
                t for t in recording.topics.values() if t.type == kind and t.messages and _fits(recording, camera, t)
            ]
            found.sort(key=_likely, reverse=True)
            if found:
                sources[source] = found[0]
            if len(found) > 1:
                others = ", ".join(topic.name for topic in found[1:])
                left_out.append(f"Of several topics {found[0].name} was taken as {source}, and not {others}.")
    info = _info(recording, sources["anchor_depth"]) if "anchor_depth" in sources else None
    if "anchor_depth" in sources and info is None:
        topic = sources.pop("anchor_depth")
        left_out.append(f"{topic.name} was left out: the recording holds no camera_info for it.")
    transforms = [recording.topics[name] for name in (TF, TF_STATIC) if name in recording.topics]
    return AnchorTopics(sources, info, tuple(t for t in transforms if t.type == TRANSFORMS), tuple(left_out))


def _named(recording: Recording, source: str, name: str) -> Topic:
    topic = recording.topics.get(name)
    if topic is None:
        raise RecordingError(f"{recording.path} has no topic {name}", f"It has {', '.join(sorted(recording.topics))}.")
    if topic.type != SOURCES[source]:
        raise RecordingError(f"{name} in {recording.path} is a {topic.type}", f"{source} takes {SOURCES[source]}.")
    return topic


def _fits(recording: Recording, camera: CameraTopics | None, topic: Topic) -> bool:
    """Whether a topic of the right type may be measured depth."""
    if (camera is not None and topic.name in camera.names) or topic.name.endswith(OUTPUTS):
        return False
    if topic.type == IMAGE:
        return content_of(recording, topic) == DEPTH and is_matrix(recording, topic)
    if topic.type == SOURCES["anchors"]:
        first = _first(recording, topic)
        return first is not None and int(first.height) <= TALLEST
    return True


def _likely(topic: Topic) -> tuple[int, int]:
    name = topic.name.lower()
    return sum(hint in name for hint in HINTS), topic.messages


def _info(recording: Recording, depth: Topic) -> Topic | None:
    """The camera_info of a depth image: below its name, or beside it."""
    above = depth.name.rpartition("/")[0]
    for name in (f"{depth.name}/camera_info", f"{above}/camera_info"):
        topic = recording.topics.get(name)
        if topic is not None and topic.type == CAMERA_INFO and topic.messages:
            return topic
    return None


def _first(recording: Recording, topic: Topic) -> Any:
    message = recording.first(topic.name)
    try:
        return recording.decode(message) if message else None
    except RecordingError:
        return None
