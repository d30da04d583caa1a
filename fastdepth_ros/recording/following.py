"""Messages of a recording that belong to others by their stamps, found in one pass: none but the nearest are kept."""

from __future__ import annotations

from collections.abc import Iterator

from fastdepth_ros import cdr
from fastdepth_ros.recording.reader import Message, Recording

TOLERANCE = 20_000_000
"""A message belongs to an image whose stamp differs by less than this [ns]: less than a period at 30 Hz."""

Stamped = tuple[int, Message]


class Follower:
    """One pass through a topic, to the messages whose stamps are nearest to stamps that grow."""

    def __init__(self, recording: Recording, topic: str) -> None:
        self._messages = stamped(recording, topic)
        self._here: Stamped | None = None
        self._next = next(self._messages, None)

    def nearest(self, stamp: int) -> Message | None:
        """The message nearest to a stamp [ns]; None where none is near enough to belong to it."""
        while self._next and (self._here is None or _gap(self._next, stamp) <= _gap(self._here, stamp)):
            self._here, self._next = self._next, next(self._messages, None)
        return self._here[1] if self._here and _gap(self._here, stamp) < TOLERANCE else None


def stamped(recording: Recording, topic: str) -> Iterator[Stamped]:
    """Messages of a topic with their stamps [ns]; what is too short to hold one is left out.

    Raises:
        RecordingError: the topic is not in the recording, or the file is broken.
    """
    for message in recording.messages([topic]):
        if (stamp := stamp_of(message)) is not None:
            yield stamp, message


def stamp_of(message: Message) -> int | None:
    """The stamp of a message that starts with a header [ns]; None where it is too short to hold one."""
    try:
        return cdr.stamp_of(message.data)
    except ValueError:
        return None


def _gap(one: Stamped, stamp: int) -> int:
    return abs(one[0] - stamp)
