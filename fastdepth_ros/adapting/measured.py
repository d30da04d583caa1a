"""Frames whose depth other sensors of a recording measured: points of SLAM, a lidar's scan, a small depth image."""

from __future__ import annotations

from bisect import bisect
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fastdepth_ros.adapting.place import small, thinned
from fastdepth_ros.adapting.teaching import Seen
from fastdepth_ros.anchoring.poses import Pose
from fastdepth_ros.anchoring.sightings import Measurement
from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.errors import AnchorError, CalibrationError, RecordingError
from fastdepth_ros.evaluation.dataset import Frame
from fastdepth_ros.messages.camera_info import intrinsics_of
from fastdepth_ros.messages.files import read_message, rgb_of
from fastdepth_ros.messages.serialized import unpack_camera_info
from fastdepth_ros.recording import CameraTopics, Message, Recording, VideoRecording, find_camera
from fastdepth_ros.recording.anchors import TF_STATIC, AnchorTopics, find_anchors
from fastdepth_ros.recording.content import frame_of
from fastdepth_ros.recording.following import stamp_of, stamped
from fastdepth_ros.recording.placed import Placer

SOURCES = ("anchors", "scan", "range", "anchor_depth")
"""Sources of the node that are learned from: what measures depth."""

NEAR = 100_000_000
"""Nanoseconds by which a measurement's stamp may differ from the picture's, as ``anchor_max_age`` has it."""

SETTLED = 300_000_000
"""Nanoseconds of the recording after which tf has told where a sensor was."""

MOST_WAITING = 256 << 20
"""Bytes of messages that wait for that: a recording whose clock stood would wait as a whole."""


@dataclass(frozen=True)
class Sensors:
    """Sensors of a recording that are learned from.

    Attributes:
        topics: source -> topic; sources that are not named are looked for.
        poses: source -> the pose of its sensor in the camera's body frame, where tf does not tell it.
    """

    topics: Mapping[str, str] = field(default_factory=dict)
    poses: Mapping[str, Pose] = field(default_factory=dict)


def measured(path: Path, sensors: Sensors) -> list[Seen]:
    """The pictures of a recording with what was measured of them, made small; pictures without are left out.

    Each takes of each source what was measured nearest in time. Of a long recording some pictures are taken, and kept
    is what was measured of those.

    Args:
        path: of the recording.
        sensors: to take.

    Raises:
        RecordingError: it is broken, or has no camera_info or no such sensor.
        AnchorError: nothing that a sensor measured can be used.
    """
    with VideoRecording.open(path) as recording:
        camera = find_camera(recording)
        intrinsics = _intrinsics(recording, camera)
        found = find_anchors(recording, camera, sensors.topics)
        sources = {topic.name: source for source, topic in found.sources.items() if source in SOURCES}
        if not sources:
            cause = f"{recording.path} holds no measured depths, only {', '.join(sorted(recording.topics))}"
            raise RecordingError(cause, "It needs a PointCloud2, a LaserScan, or a small depth image with camera_info.")
        wanted = _wanted(recording, camera, sources)
        placer = Placer(recording, found, frame_of(recording, camera.image), sensors.poses)
        heard = _heard(_settled(recording, placer, found, sources), placer, sources, wanted)
        frames = []
        for stamp, message in stamped(recording, camera.image.name):
            near = tuple((heard[key], (stamp - key[1]) / 1e9) for key in wanted.get(stamp, ()) if key in heard)
            if near:
                frame = small(Frame(rgb_of(read_message(recording.decode(message))), None, intrinsics))
                frames.append(Seen(frame, stamp / 1e9, near))
    return frames


Key = tuple[str, int]
"""Source, and stamp [ns] of what it measured."""


def _wanted(recording: Recording, camera: CameraTopics, sources: Mapping[str, str]) -> dict[int, list[Key]]:
    """Stamps of the pictures to take [ns] -> what was measured nearest in time to each, by each source."""
    stamps = {name: sorted(stamp for stamp, _ in stamped(recording, name)) for name in sources}

    def near(stamp: int) -> list[Key]:
        nearest = ((source, _nearest(stamps[name], stamp)) for name, source in sources.items())
        return [(source, found) for source, found in nearest if found is not None]

    pictures = (stamp for stamp, _ in stamped(recording, camera.image.name))
    return dict(thinned((stamp, keys) for stamp in pictures if (keys := near(stamp))))


def _nearest(stamps: Sequence[int], stamp: int) -> int | None:
    """The nearest of sorted stamps; None where none is near."""
    place = bisect(stamps, stamp)
    found = min(stamps[max(place - 1, 0) : place + 1], key=lambda each: abs(each - stamp), default=None)
    return found if found is not None and abs(found - stamp) <= NEAR else None


def _heard(
    messages: Iterable[Message], placer: Placer, sources: Mapping[str, str], wanted: Mapping[int, list[Key]]
) -> dict[Key, Measurement]:
    """Measurements for the pictures to take, in the camera's optical frame."""
    keys = {key for some in wanted.values() for key in some}
    heard: dict[Key, Measurement] = {}
    refused: AnchorError | None = None
    for message in messages:
        source = sources[message.topic.name]
        if (source, stamp_of(message)) not in keys:
            continue
        try:
            placed = placer.place(source, message, look_around=False)
            heard[source, placed.stamp] = placed.measurement
        except AnchorError as error:
            refused = refused or error
    if refused is not None and not heard:
        raise refused
    return heard


def _settled(recording: Recording, placer: Placer, found: AnchorTopics, names: Collection[str]) -> Iterator[Message]:
    """Messages of topics, each once tf of its time was heard."""
    moving = {topic.name for topic in found.transforms if topic.name != TF_STATIC}
    waiting: deque[Message] = deque()
    held = 0
    for message in recording.messages([*names, *moving]):
        if message.topic.name in moving:
            placer.hear(message)
        else:
            waiting.append(message)
            held += len(message.data)
        while waiting and (message.time - waiting[0].time > SETTLED or held > MOST_WAITING):
            settled = waiting.popleft()
            held -= len(settled.data)
            yield settled
    yield from waiting


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
