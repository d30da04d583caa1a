"""The camera, as its camera_info says it: the latest one that is valid."""

from __future__ import annotations

from typing import Any, NamedTuple

from rclpy.serialization import deserialize_message
from sensor_msgs.msg import CameraInfo

from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.cdr import STAMP_ENDS
from fastdepth_ros.errors import CalibrationError
from fastdepth_ros.messages.camera_info import intrinsics_of, same_camera


class Calibration(NamedTuple):
    """A camera_info that is valid, and the camera that it says."""

    info: CameraInfo
    camera: Intrinsics


class Camera:
    """Takes camera_info.

    Args:
        logger: of the node.

    Attributes:
        calibration: the latest that is valid; None before the first.
        problem: what is wrong with the message that came last; empty if nothing is.
    """

    def __init__(self, logger: Any) -> None:
        self.calibration: Calibration | None = None
        self.problem = ""
        self._logger = logger
        self._latest = b""

    def hear(self, serialized: bytes) -> None:
        """Take a message as DDS brings it; one that repeats the last, as nearly all do, is not unpacked."""
        said = serialized[STAMP_ENDS:]
        if said == self._latest and not self.problem:
            return
        self._latest = said
        try:
            message = deserialize_message(serialized, CameraInfo)
        except (RuntimeError, UnicodeDecodeError) as error:
            self._complain(CalibrationError(f"camera_info cannot be unpacked ({error})", "Check who publishes it."))
        else:
            self.take(message)

    def take(self, message: CameraInfo) -> None:
        """Take a message. One of a camera that cannot be is named, and the last good one stays in force."""
        if self.calibration is not None and not self.problem and same_camera(message, self.calibration.info):
            return
        try:
            self.calibration = Calibration(message, intrinsics_of(message))
            self.problem = ""
        except CalibrationError as error:
            self._complain(error)

    def _complain(self, error: CalibrationError) -> None:
        self.problem = str(error)
        self._logger.warning(self.problem, throttle_duration_sec=10.0)
