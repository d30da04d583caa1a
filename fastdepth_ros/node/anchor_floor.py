"""The floor as a source: the camera's height and tilt, as they are written down, measured, or known to tf."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from fastdepth_ros.anchoring.floor import FloorMeasurement
from fastdepth_ros.anchoring.poses import Pose
from fastdepth_ros.errors import AnchorError
from fastdepth_ros.lens import turning
from fastdepth_ros.messages.motion import Down
from fastdepth_ros.node.anchor_inputs import Input

HIGHEST = 20.0
"""Height of a camera above which its floor is none that a room has [m]."""

ASIDE = math.cos(math.radians(60))
"""Cosine of the angle by which a picture may be rolled over the floor and still be as upright as rotation says."""

UP = math.sin(math.radians(65))
"""Share of "down" that lies behind a camera which sees no floor, however wide its view."""


def floor_of(
    camera_height: float,
    camera_pitch: float,
    floor_frame: str,
    pose_of: Callable[[str, str, str, float], Pose],
    imu: Input[Down] | None,
    camera: str,
    stamp: float,
    max_age: float,
    rotation: str = "0",
) -> FloorMeasurement | None:
    """Find where the floor is at an image's time; None where nobody wants it.

    The tilt is that of ``floor_frame``, whose z points up; without one, that of an inertial unit, where one is heard;
    else ``camera_pitch``.

    Args:
        camera_height: above the floor [m]; 0 is that above ``floor_frame``, or no floor at all.
        camera_pitch: how far the camera looks below the horizon [rad].
        floor_frame: a frame whose x and y are in the floor; empty where there is none.
        pose_of: (source, frame, camera's frame, time) -> the frame's pose in the camera's; raises AnchorError.
        imu: the inertial unit's topic.
        camera: the image's frame.
        stamp: of the image [s].
        max_age: how old a message of the inertial unit may be [s].
        rotation: by which the image has to be turned to be upright [degrees].

    Raises:
        AnchorError: a frame is not known, the camera is not above the floor, the inertial unit says nothing, or either
            contradicts ``rotation``.
    """
    if floor_frame:
        floor = floor_below(pose_of("floor", floor_frame, camera, stamp), camera_height, floor_frame)
        check_upright(floor.down, rotation, floor_frame)
        return floor
    if camera_height <= 0:
        return None
    down = down_of("", pose_of, imu, camera, stamp, max_age)
    if down is None:
        x, y = turning.DOWN[rotation]
        level = math.cos(camera_pitch)
        down = (x * level, y * level, math.sin(camera_pitch))
    else:
        check_upright(down, rotation, "imu")
    return FloorMeasurement(down, camera_height)


def check_upright(down: tuple[float, float, float], rotation: str, who: str) -> None:
    """Hold "down" against the picture, which the network is shown as ``rotation`` says.

    Args:
        down: unit vector in the camera's optical frame.
        rotation: by which the image has to be turned to be upright [degrees].
        who: says where down is.

    Raises:
        AnchorError: they contradict each other: an upside-down unit would take the ceiling for the floor.
    """
    x, y, z = down
    if z < -UP:
        remedy = (
            "Images are in an optical frame, z forward: let their driver name that one. Else see how it is mounted."
        )
        raise AnchorError(f"by {who} the camera looks straight up, where no floor is", remedy)
    level = math.hypot(x, y)
    across, along = turning.DOWN[rotation]
    if level >= turning.LEVEL and across * x + along * y < ASIDE * level:
        right = turning.rotation_of(down, rotation)
        cause = f"by {who} pictures are upright at a rotation of {right} degrees, and rotation is {rotation}"
        raise AnchorError(
            cause, f"See how {who} is mounted (tf, anchor_extrinsics), or set rotation to {right} or auto."
        )


def down_of(
    floor_frame: str,
    pose_of: Callable[[str, str, str, float], Pose],
    imu: Input[Down] | None,
    camera: str,
    stamp: float,
    max_age: float,
) -> tuple[float, float, float] | None:
    """Find where down is in the camera's frame, a unit vector, as :func:`floor_of` does; None where nobody says it.

    An inertial unit that was heard has to go on: nothing takes its place, for a tilt that jumps makes floors obstacles.

    Raises:
        AnchorError: a frame is not known, or the inertial unit moves, contradicts itself, or is silent.
    """
    if floor_frame:
        return _three(-pose_of("floor", floor_frame, camera, stamp).rotation[:, 2])
    if imu is None:
        return None
    found = imu.nearest(stamp, max_age)
    if not found:
        remedy = f"Look whether who publishes {imu.topic} still runs, and at its clock; or at anchor_max_age."
        raise AnchorError("imu says nothing at the image's time", remedy)
    measured = found[0]
    if measured.direction is None:
        raise AnchorError(f"imu does not say where down is: {measured.why}", measured.remedy)
    pose = pose_of("imu", measured.header.frame_id, camera, stamp)
    return _three(pose.rotation @ measured.direction)


def floor_below(pose: Pose, camera_height: float, floor_frame: str) -> FloorMeasurement:
    """The floor in which a frame lies.

    Args:
        pose: of the frame in the camera's.
        camera_height: above the floor [m]; 0 is that above the frame.
        floor_frame: its name.

    Raises:
        AnchorError: the camera is not above it.
    """
    down = -pose.rotation[:, 2]
    height = camera_height or float(down @ pose.translation)
    if not 0 < height < HIGHEST:
        cause = f"the camera is {height:.2f} m above {floor_frame}"
        raise AnchorError(cause, "Let floor_frame name a frame whose x and y are in the floor and whose z points up.")
    return FloorMeasurement(_three(down), height)


def _three(vector: npt.NDArray[np.float64]) -> tuple[float, float, float]:
    return float(vector[0]), float(vector[1]), float(vector[2])
