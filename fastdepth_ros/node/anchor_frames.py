"""Where the sensors are: what the robot's owner wrote down, else what tf says."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from typing import Any

from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

from fastdepth_ros.anchoring.poses import IDENTITY, OPTICAL, Pose
from fastdepth_ros.anchoring.transforms import TransformBuffer, no_transform
from fastdepth_ros.errors import AnchorError
from fastdepth_ros.messages.motion import read_transforms
from fastdepth_ros.node.intake import Mailbox

rcl: Any = rclpy_implementation

TRANSFORMS = 100
"""Messages of /tf that wait until somebody needs them: as tf2's own listener keeps."""

OPTICAL_ENDS = ("optical_frame", "optical")
"""How names of optical frames end (REP-103)."""

Subscribe = Callable[[type, str, QoSProfile], Any]


class Frames:
    """Poses of sensors in the camera's optical frame.

    Args:
        extrinsics: source -> its pose in the camera's body frame; that holds, whatever tf says.

    Attributes:
        extrinsics: as above; may be replaced at any time.
        buffer: what tf says.
        wanted: whether tf has been asked for something.
    """

    def __init__(self, extrinsics: Mapping[str, Pose]) -> None:
        self.extrinsics = extrinsics
        self.buffer = TransformBuffer()
        self.wanted = False
        self._mail: list[tuple[Any, Mailbox, bool]] = []

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
        given = self.extrinsics.get(source)
        if given is not None:
            is_optical = source == "anchor_depth" or frame.endswith(OPTICAL_ENDS)
            return OPTICAL.inverse() @ given @ OPTICAL if is_optical else OPTICAL.inverse() @ given
        if frame.lstrip("/") == camera.lstrip("/"):
            return IDENTITY
        self.wanted = True
        self._hear()
        if self.buffer.is_empty:
            raise no_transform(camera, frame, why_no_tf())
        return self.buffer.lookup(camera, frame, stamp)

    def subscribe(self, subscribe: Subscribe) -> None:
        """Subscribe to tf, where it is wanted and its messages are installed."""
        kind = tf_message() if self.wanted and not self._mail else None
        if kind is None:
            return
        passing = QoSProfile(depth=TRANSFORMS, reliability=ReliabilityPolicy.RELIABLE)
        kept = QoSProfile(
            depth=TRANSFORMS,
            reliability=ReliabilityPolicy.RELIABLE,
            durability=DurabilityPolicy.TRANSIENT_LOCAL,
        )
        mail = []
        for topic, quality, is_static in (("/tf", passing, False), ("/tf_static", kept, True)):
            subscription = subscribe(kind, topic, quality)
            mail.append((subscription, Mailbox(subscription), is_static))
        self._mail = mail

    def forget(self) -> None:
        """The subscriptions end."""
        self._mail = []

    def _hear(self) -> None:
        """Take what tf said since somebody asked last."""
        for subscription, mailbox, is_static in self._mail:
            try:
                with subscription.handle:
                    for serialized, _ in mailbox:
                        self.take(serialized, is_static)
            except rcl.InvalidHandle:  # it is being destroyed
                continue

    def take(self, serialized: bytes, is_static: bool) -> None:
        """Take a serialized tf2_msgs/TFMessage."""
        try:
            transforms = read_transforms(serialized)
        except AnchorError as error:
            self.buffer.note(str(error))
            return
        for origin, child, translation, quaternion in transforms:
            self.buffer.put(origin.frame_id, child, origin.seconds, translation, quaternion, is_static)


def tf_message() -> type | None:
    """The type of tf's messages; None where it is not installed."""
    if importlib.util.find_spec("tf2_msgs") is None:
        return None
    from tf2_msgs.msg import TFMessage

    return TFMessage  # type: ignore[no-any-return]


def why_no_tf() -> str:
    """Why nothing was heard of tf."""
    return "tf is not heard yet" if tf_message() is not None else "tf2_msgs is not installed"
