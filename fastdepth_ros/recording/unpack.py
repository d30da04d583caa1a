"""A recording whose compressed pictures are given as raw images, as a camera driver would have sent them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from rosbags.rosbag2 import Reader

from fastdepth_ros.errors import ImageError, RecordingError
from fastdepth_ros.messages.files import read_message, rgb_of
from fastdepth_ros.recording.content import COMPRESSED, IMAGE, PICTURE, content_of
from fastdepth_ros.recording.reader import Message, Recording, Topic

SUFFIX = "/compressed"


class UnpackedRecording(Recording):
    """A recording in which ``X/compressed`` is ``X``, a sensor_msgs/Image of encoding rgb8.

    Compressed depth and video stay as they are, and so do pictures of which the recording holds the raw ones as well.
    A picture that cannot be decoded is left out, as by a driver that got it from its camera like that.
    """

    def __init__(self, path: Path, reader: Reader) -> None:
        super().__init__(path, reader)
        self._unpacked: dict[str, Topic] = {}
        self._left_out: dict[tuple[str, int], ImageError] = {}
        for topic in self._recorded.values():
            name = topic.name.removesuffix(SUFFIX)
            compressed = topic.type == COMPRESSED and topic.messages and name not in self._recorded
            if compressed and content_of(self, topic) == PICTURE:
                self._unpacked[topic.name] = Topic(name, IMAGE, topic.messages)
        given = [self._unpacked.get(name, topic) for name, topic in self._recorded.items()]
        self.topics = {topic.name: topic for topic in given}

    def messages(self, topics: Collection[str] | None = None) -> Iterator[Message]:
        """As :meth:`Recording.messages`, with raw images for compressed pictures.

        Raises:
            RecordingError: a topic is not in the recording, the file is broken, or none of its pictures can be
                decoded.
        """
        packed = {topic.name: name for name, topic in self._unpacked.items()}
        wanted = [packed.get(name, name) for name in (self.topics if topics is None else topics)]
        good, bad = set[str](), dict[str, ImageError]()
        for message in super().messages(wanted):
            name = message.topic.name
            raw = self._unpacked.get(name)
            if raw is None:
                yield message
                continue
            try:
                image = self._unpack(message, raw)
            except ImageError as error:
                self._left_out[name, message.time] = bad[name] = error
                continue
            good.add(name)
            yield image
        for name in bad.keys() - good:
            cause = f"the pictures of {name} in {self.path} cannot be decoded ({bad[name].cause})"
            raise RecordingError(cause, "Record it again, or play it as it is, without --raw.")

    @property
    def left_out(self) -> str:
        """Sentence about the pictures that were asked for and cannot be decoded; empty where all can."""
        if not self._left_out:
            return ""
        last = list(self._left_out.values())[-1]
        return f"Pictures that cannot be decoded and were left out: {len(self._left_out)} ({last.cause})."

    def _unpack(self, message: Message, raw: Topic) -> Message:
        packed = self.decode(message)
        pixels = rgb_of(read_message(packed))
        height, width = pixels.shape[:2]
        kind = self._types.types[IMAGE]
        image = kind(packed.header, height, width, "rgb8", 0, 3 * width, pixels.reshape(-1))
        return Message(raw, message.time, bytes(self._types.serialize_cdr(image, IMAGE)))
