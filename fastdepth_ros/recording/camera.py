"""Which topics of a recording are the camera's picture, its camera_info and the true depth."""

from __future__ import annotations

from dataclasses import dataclass

from fastdepth_ros.errors import RecordingError
from fastdepth_ros.recording.reader import Recording, Topic

IMAGE = "sensor_msgs/msg/Image"
COMPRESSED = "sensor_msgs/msg/CompressedImage"
CAMERA_INFO = "sensor_msgs/msg/CameraInfo"

DEPTH_ENCODINGS = ("16UC1", "32FC1", "mono16")
COLOUR_HINTS = ("color", "colour", "rgb", "image_raw", "image_rect")
OTHER_HINTS = ("infra", "/ir/", "fisheye", "mask", "debug", "overlay", "right")
TRUTH_HINTS = ("ground_truth", "truth", "aligned", "registered")


@dataclass(frozen=True)
class CameraTopics:
    """The topics of one camera in a recording.

    Attributes:
        image: sensor_msgs/Image or CompressedImage.
        camera_info: None where the recording has none.
        ground_truth: depth image, raw or compressedDepth, that shows what ``image`` shows; None where there is none.
    """

    image: Topic
    camera_info: Topic | None
    ground_truth: Topic | None

    @property
    def compressed(self) -> bool:
        """Whether the image is a CompressedImage."""
        return self.image.type == COMPRESSED

    @property
    def names(self) -> list[str]:
        """The names of those that there are."""
        return [topic.name for topic in (self.image, self.camera_info, self.ground_truth) if topic]


def find_camera(
    recording: Recording, image: str | None = None, camera_info: str | None = None, ground_truth: str | None = None
) -> CameraTopics:
    """Find the camera by message type, encoding and name, except where a topic is named.

    A depth image is told from a picture by its encoding (16UC1, 32FC1; ``compressedDepth`` in the format). Among
    several pictures, names such as ``rgb`` and ``image_raw`` win; raw wins over compressed.

    Raises:
        RecordingError: there is no picture, or a named topic is missing or of another type.
    """
    pictures: list[Topic] = []
    depths: list[Topic] = []
    for topic in recording.topics.values():
        if topic.type in (IMAGE, COMPRESSED) and topic.messages:
            (depths if _is_depth(recording, topic) else pictures).append(topic)

    if image is not None:
        chosen = _named(recording, image, (IMAGE, COMPRESSED))
    elif pictures:
        chosen = max(pictures, key=_colour_score)
    else:
        found = ", ".join(f"{topic.name} ({topic.type})" for topic in recording.topics.values())
        remedy = "It needs a topic of sensor_msgs/Image or sensor_msgs/CompressedImage with messages."
        raise RecordingError(f"{recording.path} holds no camera picture, only {found}", remedy)

    if camera_info is not None:
        info: Topic | None = _named(recording, camera_info, (CAMERA_INFO,))
    else:
        infos = [topic for topic in recording.topics.values() if topic.type == CAMERA_INFO and topic.messages]
        info = max(infos, key=lambda topic: _kinship(topic, chosen), default=None)

    if ground_truth is not None:
        truth: Topic | None = _named(recording, ground_truth, (IMAGE, COMPRESSED))
    else:
        others = [topic for topic in depths if topic.name != chosen.name]
        truth = max(others, key=lambda topic: sum(hint in topic.name for hint in TRUTH_HINTS), default=None)
    return CameraTopics(chosen, info, truth)


def _named(recording: Recording, name: str, kinds: tuple[str, ...]) -> Topic:
    topic = recording.topics.get(name)
    if topic is None:
        raise RecordingError(f"{recording.path} has no topic {name}", f"It has {', '.join(sorted(recording.topics))}.")
    if topic.type not in kinds:
        raise RecordingError(f"{name} in {recording.path} is a {topic.type}", f"Name one of type {' or '.join(kinds)}.")
    return topic


def _is_depth(recording: Recording, topic: Topic) -> bool:
    first = recording.first(topic.name)
    if first is None:
        return False
    message = recording.decode(first)
    if topic.type == COMPRESSED:
        return "compressedDepth" in message.format or any(kind in message.format for kind in DEPTH_ENCODINGS)
    return message.encoding in DEPTH_ENCODINGS and not (message.encoding == "mono16" and "depth" not in topic.name)


def _colour_score(topic: Topic) -> tuple[int, int, int]:
    name = topic.name.lower()
    hints = sum(hint in name for hint in COLOUR_HINTS) - 2 * sum(hint in name for hint in OTHER_HINTS)
    return hints, topic.type == IMAGE, topic.messages


def _kinship(info: Topic, image: Topic) -> tuple[int, int]:
    """How many leading name parts two topics share: a camera_info lies beside the image that it belongs to."""
    shared = 0
    for one, other in zip(info.name.split("/"), image.name.split("/"), strict=False):
        if one != other:
            break
        shared += 1
    return shared, -len(info.name)
