"""tf's messages, where they are installed: a distribution brings tf2_msgs, the wheels do not."""

from __future__ import annotations

import importlib.util
import struct
from collections.abc import Sequence
from typing import Any, NamedTuple

from fastdepth_ros.anchoring.frame_history import Sample
from fastdepth_ros.anchoring.transforms import TransformBuffer
from fastdepth_ros.errors import AnchorError
from fastdepth_ros.messages.motion import read_transforms
from fastdepth_ros.messages.reader import Reader

MOST_LAYOUTS, ALIKE = 64, 8
"""Layouts that are remembered, and how many of messages of one length."""

MOST_AT_ONCE, STRANGE_AT_ONCE = 4096, 1024
"""Transforms that one image waits for: those of 200 frames at 100 Hz and five images a second. Those that come in a
layout that was not seen before take ten times as long each."""

_COUNT = struct.Struct(">I"), struct.Struct("<I")
"""Number of a message's transforms, by the lowest bit of the encapsulation's kind."""

SHORTEST = 72
"""Bytes of a transform without names."""

_FIELDS = 13
"""Values of a transform: seconds, nanoseconds, length and bytes of two names, seven numbers; two stand before all."""


def tf_message() -> Any:
    """The type of tf's messages; None where it is not installed."""
    if importlib.util.find_spec("tf2_msgs") is None:
        return None
    from tf2_msgs.msg import TFMessage

    return TFMessage


def why_no_tf() -> str:
    """Why nothing was heard of tf."""
    return "tf2_msgs is not installed" if tf_message() is None else "nothing was heard on /tf and /tf_static"


def put_transforms(buffer: TransformBuffer, serialized: bytes, is_static: bool) -> None:
    """Put all of a serialized tf2_msgs/TFMessage into a buffer; one that cannot be read is noted there."""
    try:
        transforms = read_transforms(serialized)
    except AnchorError as error:
        buffer.note(str(error))
        return
    for header, child, translation, quaternion in transforms:
        buffer.put(header.frame_id, child, header.seconds, translation, quaternion, is_static)


class _Layout(NamedTuple):
    """Layout of a message: whoever publishes tf says the same frames again and again, with other numbers.

    Attributes:
        fields: all of the message.
        said: encapsulation, count and names with their lengths, as they stand in it.
        frames: parent and child of each transform.
    """

    fields: struct.Struct
    said: tuple[tuple[Any, ...], ...]
    frames: tuple[tuple[str, str], ...]


class TransformReader:
    """Puts messages of tf into a buffer, and most of them quickly: those that repeat a layout.

    A robot says thousands of transforms a second, and an image waits for them.

    Args:
        buffer: takes what they say.
    """

    def __init__(self, buffer: TransformBuffer) -> None:
        self._buffer = buffer
        self._layouts: dict[int, list[_Layout]] = {}

    def put(self, messages: Sequence[bytes], is_static: bool) -> None:
        """Put what an image can wait for of serialized messages, given as they came: the latest, of statics the first.

        One that cannot be read, or is left out, is noted in the buffer.
        """
        kept = _within(messages, newest=not is_static)
        strange = 0
        for serialized in kept:
            if self._repeats(serialized, is_static):
                continue
            if strange <= STRANGE_AT_ONCE:
                strange += _count(serialized)
                put_transforms(self._buffer, serialized, is_static)
                self._learn(serialized)
        if len(kept) < len(messages) or strange > STRANGE_AT_ONCE:
            topic = "/tf_static" if is_static else "/tf"
            self._buffer.note(f"more comes on {topic} than images can wait for: some of it is left out")

    def _repeats(self, serialized: bytes, is_static: bool) -> bool:
        """Put a message whose layout is known; False where it is not."""
        for layout in self._layouts.get(len(serialized), ()):
            values = layout.fields.unpack_from(serialized)
            if _said(values) != layout.said:
                continue
            columns = [values[at::_FIELDS] for at in (2, 3, *range(8, 15))]
            put, put_again = self._buffer.put, self._buffer.put_again
            times = [sec + nanosec * 1e-9 for sec, nanosec in zip(*columns[:2], strict=True)]
            said = zip(times, zip(*columns[2:5], strict=True), zip(*columns[5:], strict=True), strict=True)
            for (parent, child), numbers in zip(layout.frames, said, strict=True):
                if is_static or not put_again(parent, child, _sample(Sample, numbers)):
                    put(parent, child, *numbers, is_static)
            return True
        return False

    def _learn(self, serialized: bytes) -> None:
        """Remember the layout of a message that was read; of one that cannot be there is none."""
        try:
            layout = _layout_of(Reader(serialized))
        except (ValueError, struct.error):
            return
        if sum(map(len, self._layouts.values())) >= MOST_LAYOUTS:
            self._layouts.clear()
        alike = self._layouts.setdefault(len(serialized), [])
        alike[:] = [layout._replace(said=_said(layout.fields.unpack_from(serialized))), *alike[: ALIKE - 1]]


def _within(messages: Sequence[bytes], *, newest: bool) -> Sequence[bytes]:
    """The newest or oldest of messages that hold no more transforms than one image waits for; one at least."""
    if not messages:
        return messages
    left = MOST_AT_ONCE
    for number, serialized in enumerate(reversed(messages) if newest else messages):
        left -= _count(serialized)
        if left < 0 and number:
            return messages[-number:] if newest else messages[:number]
    return messages


def _count(serialized: bytes) -> int:
    """Number of transforms that a message says it has, as far as it can hold them; one at least, as each costs time."""
    said: int = _COUNT[serialized[1] & 1].unpack_from(serialized, 4)[0] if len(serialized) >= 8 else 1
    return max(1, min(said, len(serialized) // SHORTEST))


_sample: Any = tuple.__new__
"""Its own constructor is a function of Python, and this is called for each transform."""


def _said(values: tuple[Any, ...]) -> tuple[tuple[Any, ...], ...]:
    """All of a message that does not change while its publisher says the same frames."""
    return values[:2], *(values[at::_FIELDS] for at in range(4, 8))


def _layout_of(message: Reader) -> _Layout:
    """The layout of a message that can be read, yet without what it says."""
    codes, frames, end = [f"{message.order}4sI"], [], 8
    for _ in range(message.word()):
        start = message.aligned(4)
        parent = message.header().frame_id
        after, child_at = message.aligned(1), message.aligned(4)
        child = message.string()
        named = message.aligned(1)
        message.numbers("7d")
        ends = message.aligned(1)
        codes.append(f"{start - end}xiII{after - start - 12}s{child_at - after}xI{named - child_at - 4}s")
        codes.append(f"{ends - 56 - named}x7d")
        frames.append((parent.lstrip("/"), child.lstrip("/")))
        end = ends
    return _Layout(struct.Struct("".join(codes)), (), tuple(frames))
