"""CameraInfo messages to intrinsics, and the camera_info of a depth map."""

from __future__ import annotations

from sensor_msgs.msg import CameraInfo
from std_msgs.msg import Header

from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.errors import CalibrationError


def intrinsics_of(info: CameraInfo) -> Intrinsics:
    """The pinhole camera of the images that come with ``info``.

    It is that of the projection matrix P where the camera is calibrated as rectified, else that of K. Region of
    interest and binning are applied, in that order, as the message defines them.

    Raises:
        CalibrationError: the matrix is zero or not finite, or the size is zero.
    """
    matrix = (
        (info.p[0], info.p[5], info.p[2], info.p[6]) if info.p[0] > 0 else (info.k[0], info.k[4], info.k[2], info.k[5])
    )
    if not any(matrix):
        raise CalibrationError(
            "camera_info holds a camera matrix of zeros: the camera is not calibrated",
            "Calibrate it (camera_calibration) and give the driver the file; until then there is depth but no cloud.",
        )
    camera = Intrinsics(info.width, info.height, *map(float, matrix))
    roi = info.roi
    if roi.width and roi.height:
        camera = camera.crop(roi.x_offset, roi.y_offset, roi.width, roi.height)
    columns, rows = max(1, info.binning_x), max(1, info.binning_y)
    if columns > 1 or rows > 1:
        camera = camera.scale(camera.width // columns, camera.height // rows)
    return camera


def same_camera(one: CameraInfo, other: CameraInfo) -> bool:
    """Whether two messages say the same, whatever their stamps."""
    fields = ("width", "height", "distortion_model", "binning_x", "binning_y", "roi")
    arrays = ("k", "p", "d")
    return all(getattr(one, name) == getattr(other, name) for name in fields) and all(
        tuple(getattr(one, name)) == tuple(getattr(other, name)) for name in arrays
    )


def depth_camera_info(camera: Intrinsics, source: CameraInfo, header: Header) -> CameraInfo:
    """The camera_info of a depth map: rectified, and of its own size.

    Args:
        camera: intrinsics of the depth map.
        source: the camera_info of the image; its distortion model is named, and the baseline of a stereo camera (Tx and
            Ty of P) kept.
        header: of the image.
    """
    k = [camera.fx, 0.0, camera.cx, 0.0, camera.fy, camera.cy, 0.0, 0.0, 1.0]
    tx, ty = _baseline(source, camera)
    return CameraInfo(
        header=header,
        width=camera.width,
        height=camera.height,
        distortion_model=source.distortion_model,
        d=[0.0] * len(source.d),
        k=k,
        r=[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        p=[camera.fx, 0.0, camera.cx, tx, 0.0, camera.fy, camera.cy, ty, 0.0, 0.0, 1.0, 0.0],
    )


def _baseline(source: CameraInfo, camera: Intrinsics) -> tuple[float, float]:
    """P's Tx = -fx B and Ty = -fy B in the depth map's pixels; zero for a camera that is not half of a stereo pair."""
    if not (source.p[0] > 0 and source.p[5] > 0):
        return 0.0, 0.0
    return float(source.p[3]) * camera.fx / float(source.p[0]), float(source.p[7]) * camera.fy / float(source.p[5])
