"""Calibration of the camera: the latest camera_info that is valid."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any, NamedTuple

from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.cdr import STAMP_ENDS
from fastdepth_ros.errors import CalibrationError
from fastdepth_ros.lens.calibration_file import CalibrationFile
from fastdepth_ros.lens.lens import Lens
from fastdepth_ros.messages.camera_info import is_rectified, same_camera, seen_camera
from fastdepth_ros.messages.serialized import RegionOfInterest, SerializedCameraInfo, unpack_camera_info

SAME_ASPECT = 0.01
"""Share by which two pictures of one shape may differ: sides are whole pixels."""


class Calibration(NamedTuple):
    """A camera_info that is valid, and what it says.

    Attributes:
        info: the message.
        camera: the pinhole that the network sees through.
        distortion: warning about pictures that bend straight lines, and stay so; empty for others.
        lens: of the pictures, where it is undone; else None.
        source: the file that it comes from; empty where it came on camera_info.
    """

    info: SerializedCameraInfo
    camera: Intrinsics
    distortion: str
    lens: Lens | None = None
    source: str = ""

    def fitted(self, width: int, height: int) -> Calibration:
        """The calibration of ``width`` x ``height`` pictures: a file's holds for every size of the same shape."""
        across, down = width / self.camera.width, height / self.camera.height
        if not self.source or across == down == 1 or abs(across - down) > SAME_ASPECT * down:
            return self
        lens = self.lens and replace(self.lens, camera=self.lens.camera.scale(width, height))
        return self._replace(camera=self.camera.scale(width, height), lens=lens)


class Wanted(NamedTuple):
    """Wishes of how pictures are rectified; see :func:`~fastdepth_ros.messages.camera_info.seen_camera`."""

    rectified: bool = False
    rectify: str = "off"
    view_fov: float = 0.0


class CameraInfoListener:
    """Takes camera_info, in the thread that answers images; what is wanted of it changes in the executor's.

    Args:
        logger: of the node.

    Attributes:
        calibration: the latest that is valid; None before the first.
        problem: what is wrong with the message that came last; empty if nothing is.
        frame_id: of the message that came last.
    """

    def __init__(self, logger: Any) -> None:
        self.calibration: Calibration | None = None
        self.problem = self.frame_id = ""
        self._logger = logger
        self._latest = b""
        self._wanted = Wanted()
        self._file: CalibrationFile | None = None
        self._lock = threading.Lock()

    def watch(self, image_topic: str) -> None:
        """Take camera_info for the pictures of this topic from now on: whether they are rectified is in its name."""
        self._want(self._wanted._replace(rectified=is_rectified(image_topic)))

    def rectify(self, rectify: str, view_fov: float) -> None:
        """Have lenses undone from now on, or not, as the parameters of these names say."""
        self._want(self._wanted._replace(rectify=rectify, view_fov=view_fov))

    def take_file(self, found: CalibrationFile | None) -> None:
        """Take a file's calibration from now on, whatever comes as camera_info; what comes, where it is None."""
        if found is self._file:
            return
        with self._lock:
            self._file, self._latest, self.calibration, self.problem = found, b"", None, ""
            if found is not None:
                no_roi = RegionOfInterest(0, 0, 0, 0)
                height, width, model = found.height, found.width, found.distortion_model
                info = SerializedCameraInfo(height, width, model, found.d, found.k, found.r, found.p, 0, 0, no_roi)
                self._see(info)

    def hear(self, serialized: bytes) -> None:
        """Take a message as DDS brings it; one that repeats the last, as nearly all do, is not unpacked.

        One of a camera that cannot be is named, and the last good one stays in force.
        """
        latest = self._latest
        again = serialized.endswith(latest) and len(serialized) == STAMP_ENDS + len(latest)
        if again or self._file is not None:
            return
        self._latest = serialized[STAMP_ENDS:]
        try:
            info = unpack_camera_info(serialized)
            self.frame_id = info.frame_id
            self._take(info)
        except CalibrationError as error:
            self._complain(error)

    def _want(self, wanted: Wanted) -> None:
        if wanted == self._wanted:
            return
        with self._lock:
            self._wanted, self._latest = wanted, b""
            if self.calibration is not None:
                self._see(self.calibration.info)

    def _take(self, info: SerializedCameraInfo) -> None:
        with self._lock:
            if self._file is not None:
                return
            known = self.calibration
            if known is None or not same_camera(info, known.info):
                self._see(info)
            else:
                self.problem = ""

    def _see(self, info: SerializedCameraInfo) -> None:
        try:
            camera, lens, distortion = seen_camera(info, *self._wanted)
        except CalibrationError as error:
            self._complain(error)
            return
        self.calibration = Calibration(info, camera, distortion, lens, self._file.source if self._file else "")
        self.problem = ""

    def _complain(self, error: CalibrationError) -> None:
        self.problem = str(error)
        self._logger.warning(self.problem, throttle_duration_sec=10.0)
