"""Pictures that a bundle is evaluated on: labelled pictures from files, or from a recording that holds true depth."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.errors import CalibrationError, RecordingError, SettingError
from fastdepth_ros.evaluation.dataset import Frame, last_share, open_source
from fastdepth_ros.messages.camera_info import intrinsics_of, is_rectified

if TYPE_CHECKING:
    from fastdepth_ros.recording import Topic


class Labelled(NamedTuple):
    """A picture with known depth, and what to call it."""

    name: str
    frame: Frame


def is_recording(path: Path) -> bool:
    """Whether a path is a rosbag2 folder or one storage file of it."""
    return (path / "metadata.yaml").is_file() or path.suffix in (".mcap", ".db3")


def labelled(paths: list[Path], only: str | None = None, last: float = 1.0) -> Iterator[Labelled]:
    """The pictures with known depth of files, folders and recordings.

    Args:
        paths: as :func:`~fastdepth_ros.evaluation.dataset.open_source` takes them, or recordings.
        only: the set to take from files; None takes all.
        last: share of the samples to take from files, the last by their number.

    Raises:
        SettingError: there is no picture with depth.
        RecordingError: a recording is broken or holds no true depth.
    """
    samples = []
    found = False
    for path in paths:
        if is_recording(path):
            found = True
            yield from _recorded(path)
        else:
            samples += [s for s in open_source(path) if s.has_depth and only in (None, s.set)]
    for sample in last_share(samples, last):
        found = True
        yield Labelled(sample.name, sample.read())
    if not found:
        what = "picture with depth" if only is None else f"picture with depth in the set {only}"
        raise SettingError(f"{', '.join(map(str, paths))}: there is no {what}", "Depth is NAME.depth.png in mm.")


def _recorded(path: Path) -> Iterator[Labelled]:
    from fastdepth_ros.messages.files import read_message, rgb_of
    from fastdepth_ros.recording import VideoRecording, find_camera
    from fastdepth_ros.recording.content import frame_of
    from fastdepth_ros.recording.depth import decode_depth
    from fastdepth_ros.recording.following import Follower, stamped

    with VideoRecording.open(path) as recording:
        topics = find_camera(recording)
        if topics.ground_truth is None:
            raise RecordingError(f"{path} holds no true depth", "It needs a depth image of the same camera.")
        _check_frames(frame_of(recording, topics.image), frame_of(recording, topics.ground_truth), topics.ground_truth)
        camera = None
        if topics.camera_info is not None and (info := recording.first(topics.camera_info.name)) is not None:
            camera = _intrinsics(recording.decode(info), is_rectified(topics.image.name))
        depths = Follower(recording, topics.ground_truth.name)
        for stamp, message in stamped(recording, topics.image.name):
            truth = depths.nearest(stamp)
            if truth is None:
                continue
            pixels = rgb_of(read_message(recording.decode(message)))
            depth = np.nan_to_num(decode_depth(recording.decode(truth)), nan=0.0, posinf=0.0, neginf=0.0)
            yield Labelled(f"{path.name} {stamp / 1e9:.3f}", Frame(pixels, depth, camera))


def _check_frames(image: str, truth: str, topic: Topic) -> None:
    if image and truth and image != truth:
        cause = f"{topic.name} is in the frame {truth}, not in the picture's ({image}): it is not aligned to it"
        raise RecordingError(cause, "Record depth that is registered to the picture.")


def _intrinsics(info: Any, rectified: bool) -> Intrinsics | None:
    try:
        return intrinsics_of(info, rectified)
    except CalibrationError:
        return None
