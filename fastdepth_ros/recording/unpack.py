"""A recording whose compressed pictures or video are given as raw images, as a camera driver would have sent them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from rosbags.rosbag2 import Reader

from fastdepth_ros.errors import ImageError, RecordingError
from fastdepth_ros.messages.files import read_message, rgb_of
from fastdepth_ros.recording.content import COMPRESSED, IMAGE, PICTURE, content_of
from fastdepth_ros.recording.reader import Message, Recording, Topic
from fastdepth_ros.recording.video import SUFFIXES, RecordedVideo, transport_of

SUFFIX = "/compressed"


class UnpackedRecording(Recording):
    """A recording in which ``X/compressed`` is ``X``, a sensor_msgs/Image of encoding rgb8, and so is video.

    Compressed depth stays as it is, and so do pictures and video of which the recording holds the raw pictures as well.
    A picture that cannot be decoded is left out, as by a driver that got it from its camera like that; of a video,
    whatever comes before its first key frame. Video is decoded by PyAV, which is asked for when its pictures are.
    """

    _FILES = True
    """Whether pictures in files are unpacked."""

    def __init__(self, path: Path, reader: Reader) -> None:
        super().__init__(path, reader)
        self._unpacked: dict[str, Topic] = {}
        self._transports: dict[str, str] = {}
        # Topics and times of pictures, and why the last of them: an error would keep its picture in memory.
        self._left_out: set[tuple[str, int]] = set()
        self._why = ""
        if self._FILES:
            for topic in self._recorded.values():
                if topic.type == COMPRESSED and topic.messages and content_of(self, topic) == PICTURE:
                    self._give(topic, SUFFIX)
        for topic in self._recorded.values():
            transport = transport_of(self, topic)
            if transport is not None and self._give(topic, SUFFIXES[transport]):
                self._transports[topic.name] = transport
        self.videos = frozenset(self._unpacked[name].name for name in self._transports)
        given = [self._unpacked.get(name, topic) for name, topic in self._recorded.items()]
        self.topics = {topic.name: topic for topic in given}

    def _give(self, topic: Topic, suffix: str) -> bool:
        """Give a topic as raw images, unless others have its name."""
        name = topic.name.removesuffix(suffix)
        others = {*self._recorded, *(each.name for each in self._unpacked.values())} - {topic.name}
        if name in others:
            return False
        self._unpacked[topic.name] = Topic(name, IMAGE, topic.messages)
        return True

    def messages(self, topics: Collection[str] | None = None) -> Iterator[Message]:
        """As :meth:`Recording.messages`, with raw images for compressed pictures.

        Raises:
            RecordingError: a topic is not in the recording, the file is broken, or none of its pictures can be
                decoded.
            SettingError: video is wanted, and PyAV is not installed.
        """
        packed = {topic.name: name for name, topic in self._unpacked.items()}
        wanted = [packed.get(name, name) for name in (self.topics if topics is None else topics)]
        good, bad = set[str](), dict[str, str]()
        videos = {name: RecordedVideo(transport) for name, transport in self._transports.items() if name in wanted}
        for message in super().messages(wanted):
            name = message.topic.name
            raw = self._unpacked.get(name)
            if raw is None:
                yield message
                continue
            try:
                image = self._unpack(message, raw, videos.get(name))
            except ImageError as error:
                self._left_out.add((name, message.time))
                self._why = bad[name] = error.cause
                continue
            good.add(name)
            yield image
        for name in bad.keys() - good:
            cause = f"the pictures of {name} in {self.path} cannot be decoded ({bad[name]})"
            raise RecordingError(cause, "Record it again. As it is, `fastdepth play` without --raw plays it.")

    @property
    def left_out(self) -> str:
        """Sentence about the pictures that were asked for and cannot be decoded; empty where all can."""
        if not self._left_out:
            return ""
        return f"Pictures that cannot be decoded and were left out: {len(self._left_out)} ({self._why})."

    def _unpack(self, message: Message, raw: Topic, video: RecordedVideo | None) -> Message:
        types = self._types.types
        if video is not None:
            head, pixels = video.read(message)
            time = types["builtin_interfaces/msg/Time"](head.sec, head.nanosec)
            header = types["std_msgs/msg/Header"](time, head.frame_id)
        else:
            packed = self.decode(message)
            header, pixels = packed.header, rgb_of(read_message(packed))
        height, width = pixels.shape[:2]
        image = types[IMAGE](header, height, width, "rgb8", 0, 3 * width, pixels.reshape(-1))
        return Message(raw, message.time, bytes(self._types.serialize_cdr(image, IMAGE)))


class VideoRecording(UnpackedRecording):
    """A recording in which video alone is given as raw images; pictures in files stay as they are."""

    _FILES = False
