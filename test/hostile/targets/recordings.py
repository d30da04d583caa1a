"""Recordings of strangers: opened, searched for a camera, read to their end, decoded."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from fastdepth_ros.errors import RecordingError
from fastdepth_ros.recording import Recording, UnpackedRecording, find_camera
from fastdepth_ros.recording.depth import decode_depth
from hostile import mutate
from hostile.seeds import bags
from hostile.target import Target

MOST = 50
"""Messages of a recording that are read."""


def _read(folder: Path) -> Callable[[bytes], object]:
    bag = folder / "bag"

    def take(data: bytes) -> None:
        shutil.rmtree(bag, ignore_errors=True)
        bag.mkdir()
        parts = mutate.unpack(data)
        names = [
            name.decode("utf-8", "replace").replace("/", "_").replace("\0", "_")[:100] or "x" for name in parts[::2]
        ]
        for name, content in zip(names, parts[1::2], strict=False):
            (bag / name).write_bytes(content)
        alone = "metadata.yaml" not in names and names
        path = bag / names[0] if alone else bag
        for kind in (Recording, UnpackedRecording):
            with kind.open(path) as recording:
                topics = find_camera(recording)
                _walk(recording, topics.names)

    return take


def _walk(recording: Recording, names: list[str]) -> None:
    for number, message in enumerate(recording.messages()):
        if number == MOST:
            return
        decoded = recording.decode(message)
        if message.topic.name not in names[1:] or not hasattr(decoded, "data"):
            continue
        try:
            decode_depth(decoded)
        except RecordingError:
            continue


TARGETS = (
    Target("mcap", "file", bags.mcap, _read, 4),
    Target("sqlite3", "file", bags.sqlite, _read, 4),
    Target("recording", "file", bags.folder, _read, 3),
)
