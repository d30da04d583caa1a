"""Video of strangers, by the node's own way: messages unpacked, packets decoded, the newest picture taken."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from fastdepth_ros.errors import FastDepthError
from fastdepth_ros.messages.images import PictureReader
from fastdepth_ros.messages.video import VideoUnpacker
from hostile import mutate
from hostile.seeds import videos
from hostile.target import FooledError, Target


def prepare(_: Path) -> Callable[[bytes], object]:
    expected = {codec: [each.copy() for each in _read(videos.good(codec=codec))] for codec in videos.ENCODERS}
    count = 0

    def take(data: bytes) -> None:
        nonlocal count
        count += 1
        transport, *messages = mutate.unpack(data) or [b""]
        reader = PictureReader()
        reader.max_pixels = videos.MOST_PIXELS
        name = transport.decode("ascii", "ignore")
        unpacker = VideoUnpacker(name if name in videos.TRANSPORTS else "video")
        failed: FastDepthError | None = None
        for message in messages:
            try:
                video = unpacker.unpack(message)
                unpacker.hand_over(video)
                picture = reader.read(video)
            except FastDepthError as error:
                failed = error
                continue
            picture.check()
            height, width = picture.pixels.shape[:2]
            if height * width > videos.MOST_PIXELS:
                raise FooledError(f"a picture of {width}x{height} pixels is read, of more than max_pixels")
        if count % 16 == 0:
            _check_good(reader, expected)
        if failed is not None:
            raise failed

    return take


def _read(messages: list[bytes]) -> list[np.ndarray]:
    unpacker, reader = VideoUnpacker("video"), PictureReader()
    return _pictures(messages, unpacker, reader)


def _pictures(messages: list[bytes], unpacker: VideoUnpacker, reader: PictureReader) -> list[np.ndarray]:
    found = []
    for message in messages:
        video = unpacker.unpack(message)
        unpacker.hand_over(video)
        found.append(reader.read(video).pixels)
    return found


def _check_good(reader: PictureReader, expected: dict[str, list[np.ndarray]]) -> None:
    """A good video, which begins with a key frame, has to be read as ever whatever came before it."""
    for codec, pictures in expected.items():
        found = _pictures(videos.good(codec=codec), VideoUnpacker("video"), reader)
        if not all(np.array_equal(one, other) for one, other in zip(found, pictures, strict=True)):
            raise FooledError("a good video is read otherwise than before")


TARGETS = (Target("video", "message", videos.make, prepare, 6),) if videos.available() else ()
