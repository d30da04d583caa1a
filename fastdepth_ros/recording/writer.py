"""Messages into a new recording: MCAP in rosbag2's version 8, which Humble and everything newer reads."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from types import TracebackType
from typing import Literal

from rosbags.interfaces import Connection
from rosbags.rosbag2 import StoragePlugin, Writer, WriterError
from rosbags.typesys import Stores, get_typestore

from fastdepth_ros.errors import RecordingError
from fastdepth_ros.files.scratch import make_scratch, remove
from fastdepth_ros.files.writing import make_parents, sync, sync_all

HUMBLE: Literal[8] = 8
NOTHING_LEFT = "Check the disk; nothing is left of the recording."


class RecordingWriter:
    """A recording that is being written, to be used in a ``with`` statement: it is there, and whole, once that ends.

    It is written aside. If the disk is full, nothing is left of it.

    Args:
        path: the folder to make; it must not exist.

    Raises:
        RecordingError: it exists, or cannot be made.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._types = get_typestore(Stores.ROS2_HUMBLE)
        self._connections: dict[str, Connection] = {}
        self._failed = False
        remedy = "Name a folder that does not exist yet, where you may write."
        if os.path.lexists(self.path):
            raise RecordingError(f"{self.path} exists already", remedy)
        try:
            make_parents(self.path.parent)
            self._aside, self._lock = make_scratch(self.path.parent)
        except OSError as error:
            raise self._cannot(error, remedy) from error
        try:
            # The name of the folder is that of the file in it.
            self._writer = Writer(self._aside / self.path.name, version=HUMBLE, storage_plugin=StoragePlugin.MCAP)
            self._writer.open()
        except (WriterError, OSError) as error:
            self._clear()
            raise self._cannot(error, remedy) from error

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
        if self._failed:
            raise RecordingError(f"{self.path} could not be written before", "Check the disk.")
        try:
            if topic not in self._connections:
                self._connections[topic] = self._writer.add_connection(topic, kind, typestore=self._types)
            self._writer.write(self._connections[topic], time, data)
        except KeyError as error:
            raise RecordingError(f"{topic} has the unknown type {kind}", "Leave this topic out.") from error
        except (WriterError, OSError) as error:
            self._failed = True
            raise self._cannot(error) from error

    def __enter__(self) -> RecordingWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A recording that was cut short is closed in order all the same: what it holds can be read.
        try:
            if not self._failed:
                self._finish()
        except (WriterError, OSError) as failure:
            raise self._cannot(failure) from failure
        finally:
            self._clear()

    def _finish(self) -> None:
        self._writer.close()
        draft = self._aside / self.path.name
        sync_all(draft)
        os.rename(draft, self.path)
        sync(self.path.parent)

    def _clear(self) -> None:
        with contextlib.suppress(OSError, AttributeError):
            self._writer.abort()
        remove(self._aside)
        os.close(self._lock)

    def _cannot(self, error: Exception, remedy: str = NOTHING_LEFT) -> RecordingError:
        why = (error.strerror or error) if isinstance(error, OSError) else error
        return RecordingError(f"no recording can be written to {self.path} ({why})", remedy)
