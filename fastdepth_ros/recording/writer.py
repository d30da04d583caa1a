"""Messages into a new recording: MCAP in rosbag2's version 8, which Humble and everything newer reads."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Literal

from rosbags.interfaces import Connection
from rosbags.rosbag2 import StoragePlugin, Writer, WriterError
from rosbags.typesys import Stores, get_typestore

from fastdepth_ros.errors import RecordingError

HUMBLE: Literal[8] = 8


class RecordingWriter:
    """A recording that is being written, to be used in a ``with`` statement: it can be read once that ends.

    Args:
        path: the folder to make; it must not exist.

    Raises:
        RecordingError: it exists, or cannot be made.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._types = get_typestore(Stores.ROS2_HUMBLE)
        self._connections: dict[str, Connection] = {}
        try:
            self._writer = Writer(self.path, version=HUMBLE, storage_plugin=StoragePlugin.MCAP)
            self._writer.open()
        except (WriterError, OSError) as error:
            remedy = "Name a folder that does not exist yet, where you may write."
            raise RecordingError(f"no recording can be written to {self.path} ({error})", remedy) from error

    def write(self, topic: str, kind: str, time: int, data: bytes) -> None:
        """Append one message.

        Args:
            topic: its name; the first message of a topic declares it.
            kind: its type, as ``sensor_msgs/msg/Image``.
            time: when it was received [ns].
            data: its CDR bytes.

        Raises:
            RecordingError: the type is unknown, or the disk is full.
        """
        try:
            if topic not in self._connections:
                self._connections[topic] = self._writer.add_connection(topic, kind, typestore=self._types)
            self._writer.write(self._connections[topic], time, data)
        except KeyError as error:
            raise RecordingError(f"{topic} has the unknown type {kind}", "Leave this topic out.") from error
        except (WriterError, OSError) as error:
            raise RecordingError(f"{self.path} cannot be written ({error})", "Check the disk.") from error

    def __enter__(self) -> RecordingWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A recording that was cut short is closed in order all the same: what it holds can be read.
        self._writer.close()
