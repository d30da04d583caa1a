"""A recording: its topics, and its messages in the order in which they were recorded."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from rosbags.interfaces import MessageDefinitionFormat
from rosbags.rosbag2 import Reader
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from fastdepth_ros.errors import RecordingError, brief, quoted
from fastdepth_ros.files.names import LONGEST_TEXT
from fastdepth_ros.recording.storages import CheckedReader

LATEST = 2**63
"""Nanoseconds since 1970; rosbag2's are of 63 bits."""

MOST_MESSAGES = 2**48

REMEDY = "Name a rosbag2 folder (with its metadata.yaml), a .mcap file or a .db3 file."


class Topic(NamedTuple):
    """One topic of a recording: its name, its type (``sensor_msgs/msg/Image``) and how many messages it holds."""

    name: str
    type: str
    messages: int


class Message(NamedTuple):
    """One recorded message: its topic, when it was recorded [ns], and its CDR bytes."""

    topic: Topic
    time: int
    data: bytes


class Recording:
    """An open rosbag2 recording (sqlite3 or MCAP, plain or zstd), to be used in a ``with`` statement.

    Attributes:
        path: where it lies.
        topics: topic name -> :class:`Topic`.
        duration: from the first message to the last [s].
        videos: names of topics that are given as raw images and were recorded as video; none here.

    Example:
        >>> with Recording.open("kitchen") as recording:
        ...     for topic in recording.topics.values():
        ...         print(topic.name, topic.type, topic.messages)
        ...     image = recording.decode(recording.first("/camera/image_raw"))
        /camera/image_raw sensor_msgs/msg/Image 2
        /camera/camera_info sensor_msgs/msg/CameraInfo 1
        >>> image.width, image.height, image.encoding
        (8, 6, 'rgb8')
    """

    def __init__(self, path: Path, reader: Reader) -> None:
        self.path = path
        self._reader = reader
        self._types = get_typestore(Stores.ROS2_HUMBLE)
        self._recorded = {
            connection.topic: Topic(connection.topic, connection.msgtype, connection.msgcount)
            for connection in reader.connections
        }
        self.topics = dict(self._recorded)
        self.videos: frozenset[str] = frozenset()
        # The reader's end lies one nanosecond behind the last message.
        self.duration = max(0, reader.duration - 1) / 1e9

    @classmethod
    def open(cls, path: Path | str) -> Recording:
        """Open a recording: a rosbag2 folder, or one storage file of it.

        Raises:
            RecordingError: there is none, or it is broken or of a kind that cannot be read.
        """
        path = Path(path)
        if not path.exists():
            raise RecordingError(f"there is no recording {path}", REMEDY)
        if path.is_dir() and not (path / "metadata.yaml").is_file():
            raise RecordingError(f"{path} is no rosbag2 recording: it holds no metadata.yaml", REMEDY)
        reader = None
        try:
            reader = CheckedReader(path)
            reader.open()
            check_words(reader)
            recording = cls(path, reader)
        except BaseException as error:
            if reader is not None and reader.is_open:
                reader.close()
            # The storage plugins raise whatever their parser meets in a broken file.
            if isinstance(error, RecordingError) or not isinstance(error, Exception):
                raise
            raise _broken(path, error) from error
        if not any(topic.messages for topic in recording.topics.values()):
            recording.close()
            raise RecordingError(f"the recording {path} holds no message", "Record it again.")
        return recording

    def close(self) -> None:
        """Close the files, and delete what was unpacked of a compressed one."""
        self._reader.close()

    def __enter__(self) -> Recording:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def messages(self, topics: Collection[str] | None = None) -> Iterator[Message]:
        """The messages of some topics (default: all), in the order of their time.

        Raises:
            RecordingError: a topic is not in the recording, or the file is broken.
        """
        return self.recorded(topics)

    def recorded(self, topics: Collection[str] | None = None) -> Iterator[Message]:
        """Messages as they were recorded, whatever :meth:`messages` makes of them."""
        wanted = self._recorded if topics is None else topics
        for name in wanted:
            if name not in self._recorded:
                raise RecordingError(f"{self.path} has no topic {name}", f"It has {', '.join(sorted(self._recorded))}.")
        connections = [c for c in self._reader.connections if c.topic in wanted]
        try:
            for connection, time, data in self._reader.messages(connections):
                # In sqlite3's columns anything may stand, and `bytes` makes so many zeros of a number.
                if not isinstance(data, bytes) or type(time) is not int or not 0 <= time < LATEST:
                    raise ValueError(f"a message of {connection.topic} is damaged")
                yield Message(self._recorded[connection.topic], time, data)
        except Exception as error:
            raise _broken(self.path, error) from error

    def first(self, topic: str) -> Message | None:
        """The first message of a topic; None where it has none."""
        return next(self.messages([topic]), None)

    def decode(self, message: Message) -> Any:
        """The message as an object with the fields of its ROS type; arrays are numpy's.

        Raises:
            RecordingError: its bytes do not fit its type, or the type is unknown.
        """
        kind = message.topic.type
        try:
            if kind not in self._types.fielddefs:
                self._learn(message.topic)
            return self._types.deserialize_cdr(message.data, kind)
        except Exception as error:
            cause = f"a message of {message.topic.name} in {self.path} cannot be read as {kind} ({error})"
            raise RecordingError(cause, "Record it again, or leave this topic out.") from error

    def _learn(self, topic: Topic) -> None:
        """Take the definition of a type that this package does not know from the recording."""
        for connection in self._reader.connections:
            if connection.topic == topic.name and connection.msgdef.format == MessageDefinitionFormat.MSG:
                self._types.register(get_types_from_msg(connection.msgdef.data, topic.type))


def check_words(reader: Reader) -> None:
    """Hold what a recording says of its topics against what it may say.

    Raises:
        ValueError: a name cannot be shown, or a number is none.
    """
    for number in (reader.duration, reader.start_time):
        if type(number) is not int or not 0 <= number <= LATEST:
            raise ValueError(f"it says that it begins or lasts {quoted(number)} ns")
    for topic in reader.connections:
        for word in (topic.topic, topic.msgtype):
            if not isinstance(word, str) or not word or len(word) > LONGEST_TEXT or not word.isprintable():
                raise ValueError(f"a topic or its type is called {quoted(word)}")
        if type(topic.msgcount) is not int or not 0 <= topic.msgcount <= MOST_MESSAGES:
            raise ValueError(f"{quoted(topic.topic)} has {quoted(topic.msgcount)} messages")


def _broken(path: Path, error: Exception) -> RecordingError:
    words = brief(error, 500) or type(error).__name__
    return RecordingError(f"the recording {path} cannot be read ({words})", "Copy it again, or record it again.")
