"""Places of the sensors: what the robot's owner wrote down, else what tf says."""

from __future__ import annotations

from collections.abc import Mapping

from fastdepth_ros.anchoring.poses import IDENTITY, OPTICAL, Pose
from fastdepth_ros.anchoring.transforms import TransformBuffer, no_transform

OPTICAL_ENDS = ("optical_frame", "optical")
"""Endings of names of optical frames (REP-103)."""


class Frames:
    """Poses of sensors in the camera's optical frame.

    Args:
        extrinsics: source -> its pose in the camera's body frame; that holds, whatever tf says.

    Attributes:
        extrinsics: as above; may be replaced at any time.
        buffer: what tf says.
        why_empty: why nothing was heard of tf, where nothing was.
    """

    def __init__(self, extrinsics: Mapping[str, Pose], why_empty: str = "tf is not heard") -> None:
        self.extrinsics = extrinsics
        self.buffer = TransformBuffer()
        self.why_empty = why_empty
        self._given: dict[tuple[str, bool], tuple[Pose, Pose]] = {}

    def needs_tf(self, source: str, frame: str, camera: str) -> bool:
        """Whether only tf can tell where a source's frame is."""
        return source not in self.extrinsics and frame.lstrip("/") != camera.lstrip("/")

    def pose(self, source: str, frame: str, camera: str, stamp: float) -> Pose:
        """The pose of a source's frame in the camera's.

        Args:
            source: its name.
            frame: of its message.
            camera: the image's frame.
            stamp: of the image [s].

        Raises:
            AnchorError: it is not known; the remedy says what to do.
        """
        self.buffer.late = 0.0
        given = self.extrinsics.get(source)
        if given is not None:
            return self._placed(source, given, source == "anchor_depth" or frame.endswith(OPTICAL_ENDS))
        if frame.lstrip("/") == camera.lstrip("/"):
            return IDENTITY
        if self.buffer.is_empty:
            raise no_transform(camera, frame, self.why_empty)
        return self.buffer.lookup(camera, frame, stamp)

    def _placed(self, source: str, given: Pose, is_optical: bool) -> Pose:
        """The pose in the camera's frame of what its owner wrote down: as long as that stays, the same object."""
        known = self._given.get((source, is_optical))
        if known is None or known[0] is not given:
            pose = OPTICAL.inverse() @ given
            known = self._given[source, is_optical] = given, pose @ OPTICAL if is_optical else pose
        return known[1]
