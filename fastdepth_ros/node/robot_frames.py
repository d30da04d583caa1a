"""Places of frames and of the floor, as seen from the camera at an image's time: for anchors, and for the scan."""

from __future__ import annotations

from fastdepth_ros.anchoring.floor import FloorMeasurement
from fastdepth_ros.anchoring.frames import Frames
from fastdepth_ros.anchoring.poses import Pose
from fastdepth_ros.errors import AnchorError, SettingError
from fastdepth_ros.lens import turning
from fastdepth_ros.messages.motion import Down
from fastdepth_ros.messages.tf import why_no_tf
from fastdepth_ros.node.anchor_floor import check_upright, floor_below, floor_of
from fastdepth_ros.node.anchor_inputs import Input
from fastdepth_ros.node.anchor_tf import Subscribe, TfInput
from fastdepth_ros.node.rclpy_ways.interface import Subscriber
from fastdepth_ros.parameters import NONE, Parameters


class RobotFrames:
    """Hears tf where somebody needs it, and knows where the floor is.

    Args:
        subscribe: subscribes to a topic.

    Attributes:
        frames: where they are.
        floor_pose: pose of ``floor_frame`` in the camera's, as :meth:`floor` found it; None where it did not.
    """

    def __init__(self, subscribe: Subscribe) -> None:
        self.frames = Frames({}, why_no_tf())
        self._make = subscribe
        self._begin()
        self.floor_pose: Pose | None = None
        self._floor: tuple[FloorMeasurement | AnchorError | None] | None = None
        self._below: tuple[Pose, float, FloorMeasurement] | None = None

    def _begin(self) -> None:
        self._tf = TfInput(self.frames.buffer)
        self._subscribers: list[Subscriber] = []

    # In the executor's thread

    def keep_up(self) -> None:
        """Subscribe to tf where it is needed by now; to be called now and then."""
        try:
            self._tf.subscribe(self._subscribe)
        except SettingError as error:
            self.frames.why_empty = error.cause

    def release(self) -> list[Subscriber]:
        """Subscribers of tf, which are to be destroyed: it is subscribed to again when somebody needs it."""
        gone = self._subscribers
        self._begin()
        return gone

    def _subscribe(self, *topic: object) -> Subscriber:
        subscriber = self._make(*topic)  # type: ignore[arg-type]  # as TfInput gives them
        self._subscribers.append(subscriber)
        return subscriber

    # In the thread that answers images

    def look_anew(self) -> None:
        """Begin another image."""
        self._floor = self.floor_pose = None

    def pose(self, source: str, frame: str, camera: str, stamp: float) -> Pose:
        """The pose of a frame in the camera's; see :meth:`~fastdepth_ros.anchoring.frames.Frames.pose`.

        Raises:
            AnchorError: it is not known; the remedy says what to do.
        """
        if self.frames.needs_tf(source, frame, camera):
            self._tf.hear()
        return self.frames.pose(source, frame, camera, stamp)

    def floor(
        self,
        parameters: Parameters,
        camera: str,
        stamp: float,
        imu: Input[Down] | None = None,
        rotation: str = turning.NONE,
    ) -> FloorMeasurement | None:
        """Find the floor at an image's time, once until :meth:`look_anew`; None where nobody says where it is.

        Args:
            parameters: in force.
            camera: frame of the image.
            stamp: of the image [s].
            imu: the inertial unit's topic, for whoever asks first.
            rotation: by which the image has to be turned to be upright [degrees], likewise.

        Raises:
            AnchorError: as :func:`~fastdepth_ros.node.anchor_floor.floor_of`.
        """
        if self._floor is None:
            self._floor = (self._find_floor(parameters, camera, stamp, imu, rotation),)
        (found,) = self._floor
        if isinstance(found, AnchorError):
            raise found
        return found

    def _pose_of(self, source: str, frame: str, camera: str, stamp: float) -> Pose:
        pose = self.pose(source, frame, camera, stamp)
        if source == "floor":
            self.floor_pose = pose
        return pose

    def _find_floor(
        self, parameters: Parameters, camera: str, stamp: float, imu: Input[Down] | None, rotation: str
    ) -> FloorMeasurement | AnchorError | None:
        frame = "" if parameters.floor_frame == NONE else parameters.floor_frame
        try:
            if frame:
                pose = self._pose_of("floor", frame, camera, stamp)
                known, height = self._below, parameters.camera_height
                if known is None or known[0] is not pose or known[1] != height:  # else it did not move
                    known = self._below = pose, height, floor_below(pose, height, frame)
                check_upright(known[2].down, rotation, frame)
                return known[2]
            return floor_of(
                parameters.camera_height,
                parameters.camera_pitch,
                frame,
                self._pose_of,
                imu,
                camera,
                stamp,
                parameters.anchor_max_age,
                rotation,
            )
        except AnchorError as error:
            return error
