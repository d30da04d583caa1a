"""Contents of a recorded topic of images: pictures, depth, or what cannot be decoded here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from fastdepth_ros import cdr
from fastdepth_ros.errors import RecordingError
from fastdepth_ros.recording.reader import Recording, Topic

IMAGE = "sensor_msgs/msg/Image"
COMPRESSED = "sensor_msgs/msg/CompressedImage"

PICTURE, DEPTH = "pictures", "depth"

DEPTH_ENCODINGS = ("16UC1", "32FC1")
"""Encodings of depth alone; mono16 is depth where the topic's name says so."""

VIDEO = re.compile(r"h\.?26[3-6]|x26[45]|hevc|\bavc|av1|vp[89]|mpe?g-?[24]|theora|video", re.IGNORECASE)
FILES = re.compile(r"jpe?g|png", re.IGNORECASE)
FILE_STARTS = (b"\xff\xd8\xff", b"\x89PNG")

MATRIX = 64 * 64
"""Pixels of the largest depth image that is taken for a small sensor's."""

LOOKED_AT = 5
"""Messages from the beginning of a topic that are looked at: a camera's first ones may be damaged."""


def content_of(recording: Recording, topic: Topic) -> str:
    """Contents of a topic of Image or CompressedImage: :data:`PICTURE`, :data:`DEPTH`, or what else, in words."""
    if topic.name in recording.videos:
        return PICTURE  # nothing is decoded before somebody wants it
    messages = list(_readable(recording, topic))
    if not messages:
        return PICTURE  # whoever decodes it says what is wrong with it
    if topic.type == IMAGE:
        return DEPTH if _names_depth(messages[0].encoding, topic) else PICTURE
    said = str(messages[0].format)
    if "compressedDepth" in said or _names_depth(said.partition(";")[0].strip(), topic):
        return DEPTH
    if (video := VIDEO.search(said)) and not FILES.search(said):
        return f"{video.group().lower()} video"
    starts = [bytes(message.data[:4]) for message in messages]
    if FILES.search(said) or any(start.startswith(FILE_STARTS) for start in starts):
        return PICTURE
    return f"compressed data of format {said[:40]!r}, neither JPEG nor PNG"


def is_matrix(recording: Recording, topic: Topic) -> bool:
    """Whether a topic of Image holds so few pixels that it is a time-of-flight sensor's, and no picture's depth."""
    first = next(_readable(recording, topic), None) if topic.type == IMAGE else None
    return first is not None and 0 < int(first.width) * int(first.height) <= MATRIX


def frame_of(recording: Recording, topic: Topic) -> str:
    """The frame_id of a topic's first message; empty where there is none."""
    first = recording.first(topic.name)
    try:
        return cdr.frame_of(first.data) if first else ""
    except ValueError:  # the message is cut short
        return ""


def _readable(recording: Recording, topic: Topic) -> Iterator[Any]:
    for message in islice(recording.messages([topic.name]), LOOKED_AT):
        try:
            yield recording.decode(message)
        except RecordingError:
            continue


def _names_depth(encoding: str, topic: Topic) -> bool:
    return encoding in DEPTH_ENCODINGS or (encoding == "mono16" and "depth" in topic.name)
