"""A recording whose compressed pictures are given as raw images, as a camera driver would have sent them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

import cv2
import numpy as np
from rosbags.rosbag2 import Reader

from fastdepth_ros.codec.decoder import decode_file
from fastdepth_ros.errors import ImageError, RecordingError, shortened
from fastdepth_ros.recording.camera import COMPRESSED, IMAGE
from fastdepth_ros.recording.reader import Message, Recording, Topic

SUFFIX = "/compressed"


class UnpackedRecording(Recording):
    """A recording in which ``X/compressed`` is ``X``, a sensor_msgs/Image of encoding rgb8.

    Compressed depth stays as it is, and so do pictures of which the recording holds the raw ones as well.
    """

    def __init__(self, path: Path, reader: Reader) -> None:
        super().__init__(path, reader)
        self._unpacked: dict[str, Topic] = {}
        for topic in self._recorded.values():
            name = topic.name.removesuffix(SUFFIX)
            first = self.first(topic.name) if topic.type == COMPRESSED else None
            if first and name not in self._recorded and "compressedDepth" not in self.decode(first).format:
                self._unpacked[topic.name] = Topic(name, IMAGE, topic.messages)
        given = [self._unpacked.get(name, topic) for name, topic in self._recorded.items()]
        self.topics = {topic.name: topic for topic in given}

    def messages(self, topics: Collection[str] | None = None) -> Iterator[Message]:
        """As :meth:`Recording.messages`, with raw images for compressed pictures.

        Raises:
            RecordingError: a topic is not in the recording, the file is broken, or a picture cannot be decoded.
        """
        packed = {topic.name: name for name, topic in self._unpacked.items()}
        wanted = [packed.get(name, name) for name in (self.topics if topics is None else topics)]
        for message in super().messages(wanted):
            raw = self._unpacked.get(message.topic.name)
            yield self._unpack(message, raw) if raw else message

    def _unpack(self, message: Message, raw: Topic) -> Message:
        packed = self.decode(message)
        name = f"a picture of {message.topic.name} in {self.path} ({shortened(packed.format)})"
        try:
            picture = decode_file(np.asarray(packed.data, np.uint8), name, cv2.IMREAD_COLOR_RGB)
        except ImageError as error:
            raise RecordingError(error.cause, "Record it again, or play it as it is, without --raw.") from error
        height, width = picture.shape[:2]
        kind = self._types.types[IMAGE]
        image = kind(packed.header, height, width, "rgb8", 0, 3 * width, picture.reshape(-1))
        return Message(raw, message.time, bytes(self._types.serialize_cdr(image, IMAGE)))
