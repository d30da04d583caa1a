"""Measured depths of a recording, brought into the camera's optical frame by what it holds of tf."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from fastdepth_ros import cdr
from fastdepth_ros.anchoring.frames import Frames
from fastdepth_ros.anchoring.poses import Pose
from fastdepth_ros.anchoring.sightings import Measurement
from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.errors import AnchorError, CalibrationError
from fastdepth_ros.messages.camera_info import intrinsics_of
from fastdepth_ros.messages.measurements import READERS, measurement_of
from fastdepth_ros.messages.serialized import unpack_camera_info
from fastdepth_ros.messages.tf import put_transforms
from fastdepth_ros.recording.anchors import TF_STATIC, AnchorTopics
from fastdepth_ros.recording.reader import Message, Recording

AROUND = 2_000_000_000
"""Transforms that were recorded so long before or after a message count for it [ns]."""


class Placed(NamedTuple):
    """One message as a measurement.

    Attributes:
        source: its name in the node.
        measurement: in the camera's optical frame.
        left_out: cause -> points that are no numbers.
        stamp: of the message [ns].
    """

    source: str
    measurement: Measurement
    left_out: Mapping[str, int]
    stamp: int


class Placer:
    """Brings messages of a recording into the camera's frame.

    Args:
        recording: holds the messages, and tf where it was recorded.
        topics: of measured depths.
        camera: frame_id of the pictures.
        extrinsics: source -> the pose of its sensor in the camera's body frame; those hold, whatever tf says.
    """

    def __init__(self, recording: Recording, topics: AnchorTopics, camera: str, extrinsics: Mapping[str, Pose]) -> None:
        self._recording = recording
        self._topics = topics
        self._camera = camera
        self._frames = Frames(extrinsics, "the recording holds no tf")
        for topic in topics.transforms:
            if topic.name == TF_STATIC:
                for message in recording.messages([topic.name]):
                    put_transforms(self._frames.buffer, message.data, is_static=True)

    def fixed(self, source: str, frame: str) -> Pose | None:
        """The pose of a sensor that is fixed to the camera; None where only moving transforms could tell it."""
        try:
            return self._frames.pose(source, frame, self._camera, 0.0)
        except AnchorError:
            return None

    def hear(self, message: Message) -> None:
        """Take a message of tf."""
        put_transforms(self._frames.buffer, message.data, is_static=message.topic.name == TF_STATIC)

    def place(self, source: str, message: Message, look_around: bool = True) -> Placed:
        """One message as a measurement.

        Args:
            source: its name.
            message: of the recording.
            look_around: whether to look in the recording for tf of that time; else what was heard has to do.

        Raises:
            AnchorError: it cannot be read, measures nothing, or where its frame is is not known.
        """
        read = READERS[source](message.data)
        frame, stamp = read.header.frame_id, cdr.stamp_of(message.data)
        needs_tf = look_around and self._frames.needs_tf(source, frame, self._camera)
        if needs_tf and self.fixed(source, frame) is None:
            self._look_around(message.time)
        pose = self._frames.pose(source, frame, self._camera, read.header.seconds)
        camera = self._depth_camera() if source == "anchor_depth" else None
        measurement, left_out = measurement_of(source, read, pose, camera)
        return Placed(source, measurement, left_out, stamp)

    def place_at(self, seconds: float) -> list[Placed]:
        """The message of each source that was recorded nearest to a time.

        Args:
            seconds: since the recording's first message [s].

        Raises:
            AnchorError: one cannot be used.
            RecordingError: the recording is broken.
        """
        wanted = {topic.name: source for source, topic in self._topics.sources.items() if source in READERS}
        nearest: dict[str, Message] = {}
        time = None
        for message in self._recording.messages():
            time = message.time + round(seconds * 1e9) if time is None else time
            name = message.topic.name
            if name in wanted and (name not in nearest or abs(message.time - time) < abs(nearest[name].time - time)):
                nearest[name] = message
        return [self.place(wanted[name], message) for name, message in nearest.items()]

    def _look_around(self, time: int) -> None:
        """Take the moving transforms around a time."""
        moving = [topic.name for topic in self._topics.transforms if topic.name != TF_STATIC]
        for message in self._recording.messages(moving) if moving else ():
            if abs(message.time - time) < AROUND:
                self.hear(message)
            elif message.time > time:
                break

    def _depth_camera(self) -> Intrinsics | None:
        """The camera of the depth image; None where the recording holds none.

        Raises:
            AnchorError: it is not calibrated.
        """
        info = self._topics.depth_info
        first = self._recording.first(info.name) if info else None
        if first is None:
            return None
        try:
            return intrinsics_of(unpack_camera_info(first.data))
        except CalibrationError as error:
            raise AnchorError(error.cause, error.remedy) from error
