"""Messages brought into the camera's frame, and kept as they are there while neither they nor their sensors change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from fastdepth_ros.anchoring.poses import Pose
from fastdepth_ros.anchoring.sightings import Measurement
from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.errors import AnchorError, quoted
from fastdepth_ros.messages.depth_images import Depths
from fastdepth_ros.messages.measurements import measurement_of
from fastdepth_ros.node.anchor_inputs import KEPT
from fastdepth_ros.node.anchor_repeats import Repeats
from fastdepth_ros.node.camera_info import CameraInfoListener
from fastdepth_ros.node.rclpy_ways.interface import Subscriber
from fastdepth_ros.node.robot_frames import RobotFrames

MOST = 4 * KEPT
"""Messages that are kept as they were for the last image: as many as all sources keep."""


class Placed(NamedTuple):
    """A message, brought into the camera's frame.

    Attributes:
        message: as it was read.
        pose: of its sensor in the camera's frame.
        measurement: what it says there.
        lost: cause -> points that are no numbers.
        repeats: how long its sensor has said the same.
        late: by how much the pose is off the image's time [s].
        doubt: what is wrong with it, although it is used; empty where nothing is.
    """

    message: Any
    pose: Pose
    measurement: Measurement
    lost: Mapping[str, int]
    repeats: Repeats
    late: float
    doubt: str


class Placing:
    """Brings messages into the camera's frame. For the thread that answers images.

    Args:
        robot: where frames are.
        depth_infos: subscriber of anchor_depth's camera_info.
        logger: of the node.
        moved: is told of a source whose sensor was elsewhere when its image came than when it was read.

    Attributes:
        depth_camera: hears that camera_info.
        relative: whether ``anchors`` are known up to one factor only.
        latest: source and frame -> the latest message.
    """

    def __init__(
        self, robot: RobotFrames, depth_infos: Subscriber, logger: Any, moved: Callable[[str], None], *, relative: bool
    ) -> None:
        self.depth_camera = CameraInfoListener(logger)
        self.relative = relative
        self.latest: dict[tuple[str, str], Placed] = {}
        self._robot = robot
        self._depth_infos = depth_infos
        self._moved = moved

    def forget(self) -> None:
        """Drop what was placed: sensors are elsewhere."""
        self.latest = {}

    def place(self, name: str, message: Any, camera: str, stamp: float) -> Placed:
        """A message in the camera's frame: the same as for the image before, if neither came or moved.

        Args:
            name: of its source.
            message: as it was read.
            camera: the image's frame.
            stamp: of the image [s].

        Raises:
            AnchorError: it holds no measurement, or where its frame is is not known.
        """
        frame = message.header.frame_id
        pose = self._robot.pose(name, frame, camera, stamp)
        late = self._robot.frames.buffer.late
        known = self.latest.get((name, frame))
        moved = known is None or not known.pose.equals(pose)
        if known is not None and known.message is message:
            if not moved:
                return known if known.late == late else known._replace(late=late)
            self._moved(name)
        doubt: str = message.doubt
        seen_by: Intrinsics | None = None
        if isinstance(message, Depths):
            seen_by = self._seen_by_depth_camera()
            doubt = doubt or _stranger(frame, self.depth_camera.frame_id)
        measurement, lost = measurement_of(name, message, pose, seen_by, self.relative and name == "anchors")
        repeats = known.repeats if known is not None else Repeats()
        repeats.hear(message, moved=moved)
        placed = self.latest[name, frame] = Placed(message, pose, measurement, lost, repeats, late, doubt)
        if len(self.latest) > MOST:  # of a driver that names each message's frame anew
            del self.latest[next(iter(self.latest))]
        return placed

    def then(self, name: str, placed: Placed, camera: str) -> Measurement:
        """Measurement of a message from where its sensor was at its own time, not of the image that is answered.

        Args:
            name: of its source.
            placed: the message.
            camera: the image's frame.

        Raises:
            AnchorError: where its frame was is not known.
        """
        header = placed.message.header
        pose = self._robot.pose(name, header.frame_id, camera, header.seconds)
        if pose.equals(placed.pose):
            return placed.measurement
        seen_by = self._seen_by_depth_camera() if isinstance(placed.message, Depths) else None
        return measurement_of(name, placed.message, pose, seen_by)[0]

    def _seen_by_depth_camera(self) -> Intrinsics:
        for serialized, _ in self._depth_infos.take():
            self.depth_camera.hear(serialized)
        calibration = self.depth_camera.calibration
        if calibration is None:
            cause = self.depth_camera.problem or "no camera_info came for it"
            raise AnchorError(cause.rstrip("."), "Let its driver publish anchor_depth/camera_info.")
        return calibration.camera


def _stranger(frame: str, info_frame: str) -> str:
    """Say that camera_info is of another frame than the images that it is taken for; empty where it is not."""
    if not info_frame or not frame or info_frame.lstrip("/") == frame.lstrip("/"):
        return ""
    words = f"is of the frame {quoted(frame)}, and its camera_info of {quoted(info_frame)}: another camera's, perhaps"
    return f"{words}. Remap anchor_depth/camera_info to that beside its images"
