"""Measured depths that a recording holds beside its images, played as they were recorded."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from rclpy.serialization import serialize_message

from fastdepth_ros import cdr
from fastdepth_ros.anchoring.frames import OPTICAL_ENDS
from fastdepth_ros.anchoring.poses import OPTICAL, Pose
from fastdepth_ros.anchoring.sightings import PointMeasurement
from fastdepth_ros.demo.feed import Points
from fastdepth_ros.errors import AnchorError
from fastdepth_ros.harness import measured
from fastdepth_ros.messages.tf import tf_message
from fastdepth_ros.parameters import extrinsics_of
from fastdepth_ros.recording import CameraTopics, Message, Recording, Topic
from fastdepth_ros.recording.anchors import DEPTH_INFO, SOURCES, TF, TF_STATIC, AnchorTopics
from fastdepth_ros.recording.content import frame_of
from fastdepth_ros.recording.following import Stamped, stamped
from fastdepth_ros.recording.placed import Placer

NEAR = 500_000_000
"""Distance from an image's stamp within which a message is shown with it [ns]; the node's ``anchor_max_age``."""

UPRIGHT = 1e-9
"""Cosine of a pitch below which roll and yaw cannot be told apart."""


class Recorded:
    """Messages of recorded sensors; see :class:`~fastdepth_ros.demo.feed.Feed`.

    Where tf's messages are installed, tf is played, too. Elsewhere a sensor that is fixed to the camera is placed by
    /tf_static through ``anchor_extrinsics``, points of a frame that moves against it are brought into the camera's by
    the recorded tf as they go out, and other sensors that move are left out.

    Args:
        recording: holds them.
        topics: its camera.
        found: its measured depths.
        extrinsics: of the node's parameter; empty where tf tells.

    Attributes:
        left_out: words on what is not played, a sentence each.

    Raises:
        SettingError: the extrinsics are none.
    """

    def __init__(self, recording: Recording, topics: CameraTopics, found: AnchorTopics, extrinsics: str) -> None:
        self._recording = recording
        self._image = topics.image
        self._camera_frame = frame_of(recording, topics.image)
        poses = extrinsics_of(extrinsics)
        self._placer = Placer(recording, found, self._camera_frame, poses)
        self._transforms = found.transforms if tf_message() is not None else ()
        self.left_out: list[str] = []
        self._sources: dict[str, Topic] = {}
        self._moving: Topic | None = None
        self._tf: list[str] = []
        self._info = found.depth_info
        places = [extrinsics] if extrinsics else []
        for source, topic in found.sources.items():
            frame = frame_of(recording, topic)
            if source in poses or frame == self._camera_frame or self._transforms:
                self._sources[source] = topic
                continue
            pose = self._placer.fixed(source, frame)
            if pose is None and source == "anchors" and any(each.name == TF for each in found.transforms):
                self._sources[source] = self._moving = topic
                self._tf = [each.name for each in found.transforms]
                continue
            if pose is None:
                self.left_out.append(
                    f"{topic.name} was left out: where {frame} is, seen from {self._camera_frame}, is not known. Give"
                    f" --anchor-extrinsics '{source}=x y z roll pitch yaw', or install tf2_msgs and record tf."
                )
                continue
            self._sources[source] = topic
            places.append(f"{source}={_words(pose, source, frame)}")
        self.parameters: dict[str, object] = {"anchor_extrinsics": "; ".join(places)} if places else {}
        self._shown: dict[str, tuple[Iterator[Stamped], list[Stamped]]] = {}

    @property
    def words(self) -> str:
        """See :class:`~fastdepth_ros.demo.feed.Feed`."""
        return "recorded: " + ", ".join(f"{topic.name} as {source}" for source, topic in self._sources.items())

    @property
    def topics(self) -> list[Topic]:
        """Topics of the sensors that are used, and of tf."""
        return [*self._own().values(), *(self._transforms if self._sources else ())]

    @property
    def names(self) -> dict[str, str]:
        """Names that the node hears."""
        own = {topic.name: f"/{name}" for name, topic in self._own().items()}
        return {**own, TF: TF, TF_STATIC: TF_STATIC}

    @property
    def followers(self) -> list[str]:
        """All of them: their stamps are as far from the images' as they were."""
        return [topic.name for topic in self.topics]

    def beside(self, recording: Recording, camera: Sequence[str]) -> Iterator[Message]:
        """All messages in the order of the recording."""
        for message in recording.messages(dict.fromkeys((*camera, *self.followers, *self._tf))):
            if message.topic == self._moving:
                placed = self._in_the_camera(message)
                if placed is not None:
                    yield placed
            elif message.topic.name in self._tf:
                self._placer.hear(message)
            else:
                yield message

    def _in_the_camera(self, message: Message) -> Message | None:
        """Points in the camera's frame at their own time; None where tf does not tell it, as at the beginning."""
        try:
            measurement = self._placer.place("anchors", message, look_around=False).measurement
        except AnchorError:
            return None
        assert isinstance(measurement, PointMeasurement)
        sigmas = None if np.isnan(measurement.sigmas).all() else measurement.sigmas
        head = measured.header(cdr.stamp_of(message.data), self._camera_frame)
        return message._replace(data=serialize_message(measured.cloud(head, measurement.xyz, sigmas)))

    def points(self, recorded: int) -> Points | None:
        """Points of the messages whose stamps are nearest to the image's; cones are not drawn."""
        found: list[Points] = []
        for source, topic in self._sources.items():
            message = self._nearest(topic, recorded) if source != "imu" else None
            if message is None:
                continue
            try:
                measurement = self._placer.place(source, message).measurement
            except AnchorError:  # the node says what is wrong with it
                continue
            if isinstance(measurement, PointMeasurement):
                found.append(measurement.xyz[measurement.xyz[:, 2] > 0])
        return np.concatenate(found) if found else None

    def _own(self) -> dict[str, Topic]:
        own = {source: self._sources[source] for source in SOURCES if source in self._sources}
        if "anchor_depth" in own and self._info is not None:
            own[DEPTH_INFO] = self._info
        return own

    def _nearest(self, topic: Topic, stamp: int) -> Message | None:
        """The message of a topic nearest to a stamp; stamps are asked for in their order."""
        source, seen = self._shown.setdefault(topic.name, (stamped(self._recording, topic.name), []))
        while not seen or seen[-1][0] < stamp:
            following = next(source, None)
            if following is None:
                break
            seen.append(following)
            del seen[:-2]
        near = min(seen, key=lambda each: abs(each[0] - stamp), default=None)
        return near[1] if near and abs(near[0] - stamp) < NEAR else None


def _words(pose: Pose, source: str, frame: str) -> str:
    """A pose in the camera's optical frame as ``anchor_extrinsics`` says it: in its body frame, with three angles."""
    is_optical = source == "anchor_depth" or frame.endswith(OPTICAL_ENDS)
    given = OPTICAL @ pose @ OPTICAL.inverse() if is_optical else OPTICAL @ pose
    return " ".join(f"{number:.9f}" for number in (*given.translation, *_angles(given)))


def _angles(pose: Pose) -> tuple[float, float, float]:
    """Roll, pitch and yaw [rad]; see :mod:`fastdepth_ros.anchoring.poses`."""
    r = pose.rotation
    pitch = math.asin(max(-1.0, min(1.0, -float(r[2, 0]))))
    if math.hypot(r[2, 1], r[2, 2]) < UPRIGHT:  # it looks straight up or down: only roll and yaw together are known
        return 0.0, pitch, math.atan2(-r[0, 1], r[1, 1])
    return math.atan2(r[2, 1], r[2, 2]), pitch, math.atan2(r[1, 0], r[0, 0])
