"""Frames whose depth other sensors of a recording measured: points of SLAM, a lidar's scan, a small depth image."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fastdepth_ros import cdr
from fastdepth_ros.adapting.place import small
from fastdepth_ros.anchoring.poses import Pose
from fastdepth_ros.anchoring.sightings import PointMeasurement, in_view
from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.errors import AnchorError, CalibrationError, RecordingError
from fastdepth_ros.evaluation.dataset import Frame
from fastdepth_ros.messages.camera_info import intrinsics_of
from fastdepth_ros.messages.files import read_message, rgb_of
from fastdepth_ros.messages.serialized import unpack_camera_info
from fastdepth_ros.recording import CameraTopics, Message, Recording, find_camera
from fastdepth_ros.recording.anchors import TF_STATIC, AnchorTopics, find_anchors
from fastdepth_ros.recording.content import frame_of
from fastdepth_ros.recording.placed import Placer

POINTS = ("anchors", "scan", "anchor_depth")
"""Sources that measure points. A cone's range is of no pixel before it is known which surface is near."""

NEAR = 100_000_000
"""Nanoseconds by which a measurement's stamp may differ from the picture's, as ``anchor_max_age`` has it."""

SETTLED = 300_000_000
"""Nanoseconds of the recording after which tf has told where a sensor was."""


@dataclass(frozen=True)
class Sensors:
    """Sensors of a recording that are learned from.

    Attributes:
        topics: source -> topic; sources that are not named are looked for.
        poses: source -> the pose of its sensor in the camera's body frame, where tf does not tell it.
    """

    topics: Mapping[str, str] = field(default_factory=dict)
    poses: Mapping[str, Pose] = field(default_factory=dict)


def measured(path: Path, sensors: Sensors) -> list[Frame]:
    """The pictures of a recording with what was measured of them, made small; pictures without are left out.

    Each takes of each source what was measured nearest in time. Where points lie on one pixel the nearest counts. No
    other is taken for hidden: a point that is wrong and near would leave out true ones beside it.

    Args:
        path: of the recording.
        sensors: to take.

    Raises:
        RecordingError: it is broken, or has no camera_info or no such sensor.
        AnchorError: nothing that a sensor measured can be used.
    """
    with Recording.open(path) as recording:
        camera = find_camera(recording)
        seen = _intrinsics(recording, camera)
        found = find_anchors(recording, camera, sensors.topics)
        heard = _heard(recording, camera, found, sensors)
        frames = []
        for message in recording.messages([camera.image.name]):
            stamp = cdr.stamp_of(message.data)
            near = [each for one in heard.values() if (each := _nearest(one, stamp)) is not None]
            if not near:
                continue
            frame = small(Frame(rgb_of(read_message(recording.decode(message))), None, seen))
            depth = drawn(near, frame)
            if depth.any():
                frames.append(Frame(frame.pixels, depth, frame.camera))
    return frames


def drawn(measurements: list[PointMeasurement], frame: Frame) -> npt.NDArray[np.float32]:
    """Depth of the pixels that were measured, 0 elsewhere.

    Args:
        measurements: in the camera's optical frame.
        frame: with a camera.
    """
    height, width = frame.pixels.shape[:2]
    assert frame.camera is not None
    depth = np.full((height, width), np.inf, np.float32)
    for each in measurements:
        points = in_view(each.xyz, each.sigmas, frame.camera)
        across, down = np.rint(points.pixels).astype(int).T
        np.minimum.at(depth, (np.clip(down, 0, height - 1), np.clip(across, 0, width - 1)), points.depths)
    depth[np.isinf(depth)] = 0.0
    return depth


Heard = list[tuple[int, PointMeasurement]]
"""Stamp [ns] and measurement, of one source, in the order of their stamps."""


def _heard(recording: Recording, camera: CameraTopics, found: AnchorTopics, sensors: Sensors) -> dict[str, Heard]:
    """Source -> all that it measured, in the camera's optical frame."""
    sources = {topic.name: source for source, topic in found.sources.items() if source in POINTS}
    if not sources:
        cause = f"{recording.path} holds no measured depths, only {', '.join(sorted(recording.topics))}"
        raise RecordingError(cause, "It needs a PointCloud2, a LaserScan, or a small depth image with camera_info.")
    placer = Placer(recording, found, frame_of(recording, camera.image), sensors.poses)
    heard: dict[str, Heard] = {source: [] for source in sources.values()}
    refused: AnchorError | None = None
    for message in _settled(recording, placer, found, [*sources]):
        source = sources[message.topic.name]
        try:
            placed = placer.place(source, message, look_around=False)
        except AnchorError as error:
            refused = refused or error
            continue
        if isinstance(placed.measurement, PointMeasurement):
            heard[source].append((placed.stamp, placed.measurement))
    if refused is not None and not any(heard.values()):
        raise refused
    return {source: sorted(rows, key=lambda row: row[0]) for source, rows in heard.items()}


def _settled(recording: Recording, placer: Placer, found: AnchorTopics, names: list[str]) -> Iterator[Message]:
    """Messages of topics, each once tf of its time was heard."""
    moving = {topic.name for topic in found.transforms if topic.name != TF_STATIC}
    waiting: deque[Message] = deque()
    for message in recording.messages([*names, *moving]):
        if message.topic.name in moving:
            placer.hear(message)
        else:
            waiting.append(message)
        while waiting and message.time - waiting[0].time > SETTLED:
            yield waiting.popleft()
    yield from waiting


def _nearest(heard: Heard, stamp: int) -> PointMeasurement | None:
    """The measurement nearest in time to a picture; None where none is near."""
    if not heard:
        return None
    found, measurement = min(heard, key=lambda row: abs(row[0] - stamp))
    return measurement if abs(found - stamp) <= NEAR else None


def _intrinsics(recording: Recording, camera: CameraTopics) -> Intrinsics:
    first = recording.first(camera.camera_info.name) if camera.camera_info is not None else None
    remedy = "Record the camera_info of a calibrated camera beside the picture."
    if first is None:
        raise RecordingError(
            f"{recording.path} holds no camera_info: where points lie in the picture is unknown", remedy
        )
    try:
        return intrinsics_of(unpack_camera_info(first.data))
    except CalibrationError as error:
        raise RecordingError(f"the camera_info of {recording.path}: {error.cause}", remedy) from error
