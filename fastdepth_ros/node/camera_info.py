"""Calibration of the camera: the latest camera_info that is valid."""

from __future__ import annotations

from typing import Any, NamedTuple

from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.cdr import STAMP_ENDS
from fastdepth_ros.errors import CalibrationError
from fastdepth_ros.messages.camera_info import distortion_of, intrinsics_of, is_rectified, same_camera
from fastdepth_ros.messages.serialized import SerializedCameraInfo, unpack_camera_info


class Calibration(NamedTuple):
    """A camera_info that is valid, the camera that it says, and what its distortion does; nothing if there is none."""

    info: SerializedCameraInfo
    camera: Intrinsics
    distortion: str


class CameraInfoListener:
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
        self._rectified = False

    def watch(self, image_topic: str) -> None:
        """Take camera_info for the pictures of this topic from now on: whether they are rectified is in its name."""
        if is_rectified(image_topic) == self._rectified:
            return
        self._rectified, self._latest = not self._rectified, b""
        if self.calibration is not None:
            info, self.calibration = self.calibration.info, None
            self._take(info)

    def hear(self, serialized: bytes) -> None:
        """Take a message as DDS brings it; one that repeats the last, as nearly all do, is not unpacked.

        One of a camera that cannot be is named, and the last good one stays in force.
        """
        said = serialized[STAMP_ENDS:]
        if said == self._latest:
            return
        self._latest = said
        try:
            self._take(unpack_camera_info(serialized))
        except CalibrationError as error:
            self._complain(error)

    def _take(self, info: SerializedCameraInfo) -> None:
        known = self.calibration
        if known is None or not same_camera(info, known.info):
            try:
                camera = intrinsics_of(info, self._rectified)
            except CalibrationError as error:
                self._complain(error)
                return
            self.calibration = Calibration(info, camera, distortion_of(info, self._rectified))
        self.problem = ""

    def _complain(self, error: CalibrationError) -> None:
        self.problem = str(error)
        self._logger.warning(self.problem, throttle_duration_sec=10.0)
