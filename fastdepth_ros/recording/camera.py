"""Finds the topics of a recording's camera: its picture, its camera_info and the true depth."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from itertools import takewhile

from fastdepth_ros.errors import RecordingError
from fastdepth_ros.recording.content import COMPRESSED, DEPTH, IMAGE, PICTURE, content_of, frame_of, is_matrix
from fastdepth_ros.recording.reader import Recording, Topic
from fastdepth_ros.recording.video import SUFFIXES, TRANSPORTS, transport_of

CAMERA_INFO = "sensor_msgs/msg/CameraInfo"

SUFFIX = "/compressed"

COLOUR_HINTS = ("color", "colour", "rgb", "image_raw", "image_rect")
OTHER_HINTS = ("infra", "/ir/", "fisheye", "mask", "debug", "overlay", "right")
TRUTH_HINTS = ("ground_truth", "truth", "aligned", "registered")


@dataclass(frozen=True)
class CameraTopics:
    """The topics of one camera in a recording.

    Attributes:
        image: sensor_msgs/Image or CompressedImage, or packets of a video.
        camera_info: None where the recording has none of this camera.
        ground_truth: depth image, raw or compressedDepth, that shows what ``image`` shows; None where there is none.
            One of 64x64 pixels or fewer in another frame is a sensor's of its own, and taken where it is named.
        strangers: topics of camera_info that were left out, because nothing says that they are of this camera.
        transport: as the node's ``image_transport`` names it: raw, compressed, or one of video's.
    """

    image: Topic
    camera_info: Topic | None
    ground_truth: Topic | None
    strangers: tuple[str, ...] = ()
    transport: str = "raw"

    @property
    def compressed(self) -> bool:
        """Whether the image is a CompressedImage."""
        return self.image.type == COMPRESSED

    @property
    def suffix(self) -> str:
        """End of the image's topic by which image_transport knows its kind."""
        return SUFFIXES.get(self.transport, SUFFIX if self.compressed else "")

    @property
    def names(self) -> list[str]:
        """The names of those that there are."""
        return [topic.name for topic in (self.image, self.camera_info, self.ground_truth) if topic]

    @property
    def why_no_camera_info(self) -> str:
        """Why there is no camera_info although the recording holds some, in two sentences; else empty."""
        if self.camera_info is not None or not self.strangers:
            return ""
        return (
            f"{', '.join(self.strangers)} shares neither frame_id nor a part of its name with {self.image.name}, so"
            " no camera_info is used. If it is of this camera all the same, name it."
        )


def find_camera(
    recording: Recording,
    image: str | None = None,
    camera_info: str | None = None,
    ground_truth: str | None = None,
    *,
    packets: bool = False,
) -> CameraTopics:
    """Find the camera by message type, encoding and name, except where a topic is named.

    A depth image is told from a picture by its encoding (16UC1, 32FC1; ``compressedDepth`` in the format). Among
    several pictures, names such as ``rgb`` and ``image_raw`` win; raw wins over compressed. A camera_info is taken for
    the picture's if it has the same frame_id, or lies beside it, above it or below it in the names.

    Video is taken where there are no pictures: decoded, as a :class:`~fastdepth_ros.recording.unpack.VideoRecording`
    gives it, or with ``packets`` as it was recorded.

    Raises:
        RecordingError: there is no picture, or a named topic is missing or of another type.
    """
    contents = {
        topic.name: content_of(recording, topic)
        for topic in recording.topics.values()
        if topic.type in (IMAGE, COMPRESSED) and topic.messages
    }
    videos = _videos(recording) if packets else {}
    chosen = _picture(recording, contents, image, videos)
    info, strangers = _camera_info(recording, chosen, camera_info)
    transport = videos.get(chosen.name) or ("compressed" if chosen.type == COMPRESSED else "raw")
    return CameraTopics(chosen, info, _ground_truth(recording, contents, chosen, ground_truth), strangers, transport)


def _videos(recording: Recording) -> dict[str, str]:
    """Topics of video that are given as they were recorded -> their transports."""
    found = {topic.name: transport_of(recording, topic) for topic in recording.topics.values()}
    return {name: transport for name, transport in found.items() if transport is not None}


def _picture(recording: Recording, contents: dict[str, str], name: str | None, videos: Collection[str]) -> Topic:
    if name is not None:
        chosen = _named(recording, name, (IMAGE, COMPRESSED, *TRANSPORTS))
        if name not in videos and contents.get(name, chosen.type) != PICTURE and chosen.messages:
            cause = f"{name} in {recording.path} holds {contents.get(name, chosen.type)}, not pictures"
            raise RecordingError(cause, _remedy(contents))
        return chosen
    pictures = [recording.topics[name] for name, content in contents.items() if content == PICTURE]
    pictures = [topic for topic in pictures if topic.name not in recording.videos] or pictures
    if pictures or videos:
        return max(pictures or [recording.topics[each] for each in videos], key=_colour_score)
    topics = recording.topics.values()
    found = ", ".join(f"{topic.name} ({contents.get(topic.name, topic.type)})" for topic in topics)
    raise RecordingError(f"{recording.path} holds no camera picture, only {found}", _remedy(contents))


def _remedy(contents: dict[str, str]) -> str:
    if any(content not in (PICTURE, DEPTH) for content in contents.values()):
        return "Of video, H.264 and H.265 are decoded: republish it as one of them, as JPEG or as sensor_msgs/Image."
    return "It needs a topic of sensor_msgs/Image or sensor_msgs/CompressedImage with messages."


def _camera_info(recording: Recording, image: Topic, name: str | None) -> tuple[Topic | None, tuple[str, ...]]:
    """The image's camera_info, and the names of those that are nobody's."""
    if name is not None:
        return _named(recording, name, (CAMERA_INFO,)), ()
    infos = [topic for topic in recording.topics.values() if topic.type == CAMERA_INFO and topic.messages]
    frame = frame_of(recording, image)
    related = {topic: _kinship(topic, image, frame, frame_of(recording, topic)) for topic in infos}
    found = max((topic for topic in infos if any(related[topic])), key=lambda topic: related[topic], default=None)
    return found, tuple(topic.name for topic in infos if not any(related[topic]))


def _ground_truth(recording: Recording, contents: dict[str, str], image: Topic, name: str | None) -> Topic | None:
    if name is not None:
        return _named(recording, name, (IMAGE, COMPRESSED))
    frame = frame_of(recording, image)

    def score(topic: Topic) -> tuple[bool, int]:
        return frame_of(recording, topic) == frame, sum(hint in topic.name for hint in TRUTH_HINTS)

    depths = [recording.topics[name] for name, content in contents.items() if content == DEPTH and name != image.name]
    whole = [topic for topic in depths if frame_of(recording, topic) == frame or not is_matrix(recording, topic)]
    return max(whole, key=score, default=None)


def _named(recording: Recording, name: str, kinds: tuple[str, ...]) -> Topic:
    topic = recording.topics.get(name)
    if topic is None:
        raise RecordingError(f"{recording.path} has no topic {name}", f"It has {', '.join(sorted(recording.topics))}.")
    if topic.type not in kinds:
        raise RecordingError(f"{name} in {recording.path} is a {topic.type}", f"Name one of type {' or '.join(kinds)}.")
    return topic


def _colour_score(topic: Topic) -> tuple[int, int, int]:
    name = topic.name.lower()
    hints = sum(hint in name for hint in COLOUR_HINTS) - 2 * sum(hint in name for hint in OTHER_HINTS)
    return hints, topic.type == IMAGE, topic.messages


def _kinship(info: Topic, image: Topic, frame: str, info_frame: str) -> tuple[bool, int, bool]:
    """Evidence that a camera_info is that of an image; false and zero where there is none.

    Returns:
        Whether their frame_ids are the same; how many parts of their names they share beyond the root, if one lies in
        the other's namespace; and whether it is where image_transport looks for it.
    """
    same = bool(frame) and frame == info_frame
    contradicts = bool(frame and info_frame) and not same
    *above, last = info.name.strip("/").split("/")
    name = image.name
    for suffix in (SUFFIX, *SUFFIXES.values()):
        name = name.removesuffix(suffix)
    base = name.strip("/").split("/")
    length = len(list(takewhile(lambda pair: pair[0] == pair[1], zip(above, base, strict=False))))
    # Siblings such as robot/front and robot/rear share a part as well, and are two cameras.
    related = same or (length in (len(above), len(base)) and (last == "camera_info" or not contradicts))
    beside = above == base[:-1] and last == "camera_info" and (bool(above) or not contradicts)
    return same, length if related else 0, beside
