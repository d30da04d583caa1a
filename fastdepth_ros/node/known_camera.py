"""The camera of the images: its calibration where that is of their size, and the camera_info of their depth."""

from __future__ import annotations

from collections.abc import Callable

from rclpy.serialization import serialize_message
from std_msgs.msg import Header

from fastdepth_ros.camera import Intrinsics, size_mismatch
from fastdepth_ros.lens.lens import Lens
from fastdepth_ros.messages.camera_info import depth_camera_info, raw_camera_info
from fastdepth_ros.node.camera_info import Calibration
from fastdepth_ros.picture import Picture


class KnownCamera:
    """Holds a calibration against one image after the other; both answers are made anew only when something changes.

    Args:
        calibration: gives the camera's; None where it is not known.

    Attributes:
        problem: why the calibration does not fit the latest image; empty where it does.
    """

    def __init__(self, calibration: Callable[[], Calibration | None]) -> None:
        self.problem = ""
        self._calibration = calibration
        self._fitted: tuple[Calibration, tuple[int, ...], Calibration | None] | None = None
        self._described: tuple[str, Calibration, Intrinsics, bytearray] | None = None

    def of(self, picture: Picture) -> Calibration | None:
        """The calibration, if it is one of this picture."""
        calibration = self._calibration()
        if calibration is None:
            return None
        shape, known = picture.size or picture.pixels.shape, self._fitted
        if known is None or known[0] is not calibration or known[1] != shape:
            size = picture.width, picture.height
            fitted = calibration.fitted(*size)
            mismatch = size_mismatch(fitted.camera, *size, "the image", calibration.source or "camera_info")
            self.problem = str(mismatch) if mismatch is not None else ""
            known = self._fitted = (calibration, shape, fitted if mismatch is None else None)
        return known[2]

    def describe(self, frame_id: str, calibration: Calibration, camera: Intrinsics, lens: Lens | None) -> bytearray:
        """The camera_info of the depth map, serialized; whoever publishes it puts a stamp into it.

        Args:
            frame_id: of the images.
            calibration: as :meth:`of` gave it.
            camera: of the depth map.
            lens: of the raw picture whose grid the depth map has; None where that is a pinhole's.
        """
        known = self._described
        if known is None or known[0] != frame_id or known[1] is not calibration or known[2] is not camera:
            header = Header(frame_id=frame_id)
            if lens is not None:
                info = raw_camera_info(lens, calibration.camera, calibration.info, header)
            else:
                info = depth_camera_info(camera, calibration.info, header)
            known = self._described = (frame_id, calibration, camera, bytearray(serialize_message(info)))
        return known[3]
