"""Scan and obstacles that are published: the camera's place over the floor, tables that are kept, and messages."""

from __future__ import annotations

import math

import numpy as np

from fastdepth_ros.anchoring.floor import FloorMeasurement
from fastdepth_ros.anchoring.poses import Pose
from fastdepth_ros.arguments import Bind
from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.errors import AnchorError
from fastdepth_ros.filters.band import Band, Map, Stand
from fastdepth_ros.filters.obstacles import ObstacleMaker
from fastdepth_ros.filters.scan import ScanMaker
from fastdepth_ros.lens import turning
from fastdepth_ros.messages.laser_scan import LaserScanMessage
from fastdepth_ros.messages.points import points_message
from fastdepth_ros.messages.serialized import SerializedHeader
from fastdepth_ros.node.robot_frames import RobotFrames
from fastdepth_ros.parameters import NONE, Parameters

LEVEL = math.cos(math.radians(20))
"""Cosine of the angle up to which a frame's z may be off the floor's normal."""

TURN_KEPT = math.radians(0.25)
"""Turn of the camera over the floor up to which tables are kept [rad]: 2 cm of height at 5 m."""

MOVE_KEPT = 0.005
"""Move of it up to which they are kept [m]."""


class Scans:
    """Makes the messages of depth/scan, one after the other.

    Args:
        bind: gives the compiled function; None where there is none.
    """

    def __init__(self, bind: Bind | None = None) -> None:
        self._bind = bind
        self._known: tuple[Intrinsics, Stand, Band, str, ScanMaker, LaserScanMessage] | None = None
        self._stood: tuple[Pose, FloorMeasurement, Stand] | None = None

    def make(
        self, metres: Map, seen: Intrinsics, parameters: Parameters, header: SerializedHeader, robot: RobotFrames
    ) -> bytearray:
        """The message of an image, valid until the next.

        Args:
            metres: of the cells [m].
            seen: the camera of the network's input.
            parameters: in force.
            header: of the image.
            robot: knows where frames and the floor are.

        Raises:
            AnchorError: nobody says where the floor is, or the camera sees nothing of what is above it.
        """
        frame, stand = self._stand(parameters, header, robot)
        band = _band(parameters)
        known = self._known
        if known is None or known[0] != seen or known[2:4] != (band, frame) or not _same(known[1], stand):
            maker = ScanMaker(seen.scale(*metres.shape[::-1]), stand, band, self._bind)
            message = LaserScanMessage(
                frame, maker.angle_min, maker.angle_increment, maker.count, band.range_min, band.range_max
            )
            known = self._known = (seen, stand, band, frame, maker, message)
        maker, message = known[4:]
        if not maker.count:
            cause = f"the camera sees nothing from {band.min_height:g} to {band.max_height:g} m above the floor"
            raise AnchorError(cause, "Look at camera_height, camera_pitch or floor_frame, and at obstacle_max_height.")
        message.ranges[:] = maker.ranges(metres)
        message.stamp(header.sec, header.nanosec)
        return message.bytes

    def _stand(self, parameters: Parameters, header: SerializedHeader, robot: RobotFrames) -> tuple[str, Stand]:
        """The frame that the scan lies in, and the camera's place over the floor."""
        camera, stamp = header.frame_id, header.seconds
        floor = _floor(parameters, header, robot)
        named = parameters.scan_output_frame
        if parameters.floor_frame != NONE:
            frame = parameters.floor_frame if named == NONE else named
            pose = robot.floor_pose if frame == parameters.floor_frame else None
            pose = pose or robot.pose("output_frame", frame, camera, stamp)
            known = self._stood
            if known is None or known[0] is not pose or known[1] is not floor:  # else neither moved
                known = self._stood = pose, floor, _in_frame(frame, pose, floor)
            return frame, known[2]
        if named == NONE:
            remedy = "Set scan_output_frame to a level frame at the camera, x to where it looks: as camera_link."
            raise AnchorError("the scan has no frame", remedy)
        try:
            return named, Stand.level(floor.down, floor.height)
        except ValueError as error:
            raise AnchorError(str(error), "Look at camera_pitch.") from None


class Obstacles:
    """Makes the messages of depth/obstacles, one after the other."""

    def __init__(self) -> None:
        self._known: tuple[Intrinsics, FloorMeasurement, Band, ObstacleMaker] | None = None

    def make(
        self, metres: Map, seen: Intrinsics, parameters: Parameters, header: SerializedHeader, robot: RobotFrames
    ) -> bytearray:
        """The message of an image; see :meth:`Scans.make`.

        Raises:
            AnchorError: nobody says where the floor is.
        """
        floor, band = _floor(parameters, header, robot), _band(parameters)
        known = self._known
        if known is None or known[0] != seen or known[2] != band or not _same_floor(known[1], floor):
            maker = ObstacleMaker(seen.scale(*metres.shape[::-1]), floor.down, floor.height, band)
            known = self._known = (seen, floor, band, maker)
        points = known[3].points(metres, parameters.obstacle_leaf, parameters.obstacle_clearing)
        return points_message(header, points)


def _band(parameters: Parameters) -> Band:
    return Band(
        parameters.obstacle_min_height,
        parameters.obstacle_max_height,
        parameters.obstacle_range_min,
        parameters.obstacle_range_max,
    )


def _floor(parameters: Parameters, header: SerializedHeader, robot: RobotFrames) -> FloorMeasurement:
    # With auto, the sources of anchors have asked before.
    rotation = turning.NONE if parameters.rotation == turning.AUTO else parameters.rotation
    floor = robot.floor(parameters, header.frame_id, header.seconds, rotation=rotation)
    if floor is None:
        remedy = "Set floor_frame to a frame of tf in the floor, as base_footprint; or camera_height and camera_pitch."
        raise AnchorError("nobody says where the floor is", remedy)
    return floor


def _in_frame(frame: str, pose: Pose, floor: FloorMeasurement) -> Stand:
    """A scan in the plane of a frame whose pose in the camera's is known.

    Raises:
        AnchorError: that frame is not level.
    """
    if -pose.rotation[:, 2] @ np.array(floor.down) < LEVEL:
        remedy = "Set scan_output_frame to a frame whose z points up, as base_link; an optical frame's does not."
        raise AnchorError(f"the scan cannot lie in {frame}, which is not level", remedy)
    camera = -pose.rotation.T @ pose.translation
    forward, left = (tuple(float(each) for each in pose.rotation[:, axis]) for axis in (0, 1))
    return Stand(forward, left, floor.down, floor.height, (float(camera[0]), float(camera[1])))  # type: ignore[arg-type]


def _same(one: Stand, other: Stand) -> bool:
    """Whether tables of one do for the other."""
    if one == other:
        return True
    turns = np.subtract((one.forward, one.left, one.down), (other.forward, other.left, other.down))
    moves = np.subtract((one.height, *one.origin), (other.height, *other.origin))
    return bool(np.abs(turns).max() <= TURN_KEPT and np.abs(moves).max() <= MOVE_KEPT)


def _same_floor(one: FloorMeasurement, other: FloorMeasurement) -> bool:
    """Whether tables of one do for the other."""
    if one == other:
        return True
    turn = np.abs(np.subtract(one.down, other.down)).max()
    return bool(turn <= TURN_KEPT and abs(one.height - other.height) <= MOVE_KEPT)
