"""CameraInfo messages to intrinsics, and the camera_info of a depth map."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from fastdepth_ros.camera import FOCAL_RATIO, Intrinsics, check_lens, implausible
from fastdepth_ros.errors import CalibrationError
from fastdepth_ros.lens.distortion import FISHEYE, Distortion
from fastdepth_ros.lens.lens import UPRIGHT, Lens, pinhole
from fastdepth_ros.lens.warp import check_sides
from fastdepth_ros.messages.serialized import SerializedCameraInfo

if TYPE_CHECKING:
    # ROS is where messages are made; recordings are read without it, too.
    from sensor_msgs.msg import CameraInfo
    from std_msgs.msg import Header

AnyCameraInfo: TypeAlias = "CameraInfo | SerializedCameraInfo"

MOST_SKEW = 0.02
"""Share of fx: some calibrations find a little."""

_RECTIFIED = re.compile(r"(?<![A-Za-z])(?<!un_)(?<!not_)[Rr]ect(ified)?(?![a-z])")
"""``image_rect_color``, ``rect/image`` and ``rectified``, but neither ``unrectified`` nor ``direct``."""

REMEDY = "Calibrate the camera (camera_calibration) at the size that it sends, and check what its driver publishes."


def intrinsics_of(info: AnyCameraInfo, rectified: bool = True) -> Intrinsics:
    """The pinhole camera of the images that come with ``info``.

    Region of interest and binning are applied, in that order, as the message defines them. Numbers that no lens has
    are doubted, see :attr:`Intrinsics.doubt`; these are looked for in the whole picture of the sensor.

    Args:
        info: the message.
        rectified: the images are rectified, so that the projection matrix P is theirs; of others it is K. If the one
            is not filled in, it is the other.

    Raises:
        CalibrationError: the matrix is zero, not finite or beyond any lens, or the size is zero.
    """
    k, p = (info.k[0], info.k[4], info.k[2], info.k[5]), (info.p[0], info.p[5], info.p[2], info.p[6])
    wanted, other = (p, k) if rectified else (k, p)
    matrix = wanted if any(wanted) else other
    if not any(matrix):
        raise CalibrationError(
            "camera_info holds a camera matrix of zeros: the camera is not calibrated",
            "Calibrate it (camera_calibration) and give the driver the file; until then there is depth but no cloud.",
        )
    sensor = Intrinsics(info.width, info.height, *map(float, matrix))
    check_lens(sensor)
    rest = (info.p[1], info.p[4], *info.p[8:11]) if matrix is p else (info.k[1], info.k[3], *info.k[6:9])
    doubt = implausible(sensor) or _other_shape(rest, sensor.fx) or _disagreement(info) or _beyond_sensor(info)
    camera, roi = replace(sensor, doubt=doubt), info.roi
    if roi.width and roi.height:
        camera = camera.crop(roi.x_offset, roi.y_offset, roi.width, roi.height)
    columns, rows = max(1, info.binning_x), max(1, info.binning_y)
    if columns > 1 or rows > 1:
        camera = camera.scale(camera.width // columns, camera.height // rows)
    check_lens(camera)
    return camera


class SeenCamera(NamedTuple):
    """A camera as the network is to see through it.

    Attributes:
        camera: the pinhole.
        lens: the camera that the pictures come from, where it bends straight lines and that is undone; else None.
        distortion: warning about pictures that bend straight lines all the same; empty for others.
    """

    camera: Intrinsics
    lens: Lens | None = None
    distortion: str = ""


def seen_camera(info: AnyCameraInfo, rectified: bool, rectify: str = "auto", view_fov: float = 0.0) -> SeenCamera:
    """The camera of pictures that come with ``info``, and the lens that is to be undone.

    Undone it gives what image_proc makes of the pictures: R turns the raw camera into the rectified one, whose matrix
    is P; where that is not filled in, it is K.

    Args:
        info: the message.
        rectified: the images' topic is of rectified ones.
        rectify: ``auto`` undoes the lens of images that are not rectified where D is not zero, ``on`` of all, ``off``
            of none. A fisheye's bends straight lines with zeros as well; whether they are meant, a driver does not say,
            so that ``auto`` warns.
        view_fov: angle that the pinhole's picture sees from its left to its right edge [degrees]; 0 is P's.

    Raises:
        CalibrationError: as :func:`intrinsics_of`. What is wrong with the lens alone is a warning: then the pictures
            are taken as they are.
    """
    turn = _rotation(info)
    fisheye = info.distortion_model in FISHEYE
    bends = any(info.d) or (rectify == "on" and (turn != UPRIGHT or fisheye))
    if rectify == "off" or (rectify == "auto" and rectified) or not bends:
        return SeenCamera(intrinsics_of(info, rectified), None, distortion_of(info, rectified))
    raw = intrinsics_of(info, rectified=False)
    try:
        model, d = (info.distortion_model, info.d) if any(info.d) or fisheye else ("plumb_bob", [0.0] * 5)
        lens = Lens(raw, Distortion.of(model, d), turn)
        check_sides(raw)
        seen = pinhole(raw.width, raw.height, view_fov) if view_fov else intrinsics_of(info, rectified=True)
    except CalibrationError as error:
        return SeenCamera(raw, None, f"the pictures are distorted and are not rectified: {error}")
    return SeenCamera(replace(seen, doubt=seen.doubt or raw.doubt), lens)


def _rotation(info: AnyCameraInfo) -> tuple[float, ...]:
    """R; what is not filled in is no rotation."""
    turn = tuple(map(float, info.r))
    return turn if any(turn) else UPRIGHT


def distortion_of(info: AnyCameraInfo, rectified: bool) -> str:
    """Warning about a picture that bends straight lines; empty for others."""
    if rectified or not is_bent(info):
        return ""
    if not any(info.d):
        return (
            f"the distortion model is {info.distortion_model}, whose D of zeros bends straight lines as a fisheye does."
            " Set rectify to on if the lens is one; else let the driver say plumb_bob."
        )
    return (
        "the pictures are distorted (D is not zero), and their topic is not of rectified ones; the focal length is"
        " that of K. Set rectify to auto, or rectify them (image_proc) and take image_rect: the network is a pinhole's."
    )


def is_bent(info: AnyCameraInfo) -> bool:
    """Whether pictures that come with ``info`` bend straight lines, if they are not rectified."""
    return any(info.d) or info.distortion_model in FISHEYE


def is_rectified(image_topic: str) -> bool:
    """Whether a topic is of rectified pictures, by image_proc's naming: ``rect`` is a word of its name."""
    return _RECTIFIED.search(image_topic) is not None


def same_camera(one: AnyCameraInfo, other: AnyCameraInfo) -> bool:
    """Whether two messages say the same, whatever their stamps."""
    fields = ("width", "height", "distortion_model", "binning_x", "binning_y", "roi")
    arrays = ("k", "p", "d", "r")
    return all(getattr(one, name) == getattr(other, name) for name in fields) and all(
        tuple(getattr(one, name)) == tuple(getattr(other, name)) for name in arrays
    )


def depth_camera_info(camera: Intrinsics, source: AnyCameraInfo, header: Header) -> CameraInfo:
    """The camera_info of a depth map: rectified, of its own size, and plumb_bob with five zeros.

    Args:
        camera: intrinsics of the depth map.
        source: the camera_info of the image; the baseline of a stereo camera (Tx and Ty of P) is kept.
        header: of the image.
    """
    from sensor_msgs.msg import CameraInfo

    k = [camera.fx, 0.0, camera.cx, 0.0, camera.fy, camera.cy, 0.0, 0.0, 1.0]
    tx, ty = _baseline(source, camera)
    return CameraInfo(
        header=header,
        width=camera.width,
        height=camera.height,
        distortion_model="plumb_bob",
        d=[0.0] * 5,
        k=k,
        r=[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        p=[camera.fx, 0.0, camera.cx, tx, 0.0, camera.fy, camera.cy, ty, 0.0, 0.0, 1.0, 0.0],
    )


def raw_camera_info(lens: Lens, camera: Intrinsics, source: AnyCameraInfo, header: Header) -> CameraInfo:
    """The camera_info of a depth map in the grid of a raw picture: distorted as that is, at its size.

    Args:
        lens: of the raw picture.
        camera: the pinhole that it is rectified to.
        source: the camera_info of the image.
        header: of the image.
    """
    info, raw = depth_camera_info(camera, source, header), lens.camera
    info.k = [raw.fx, 0.0, raw.cx, 0.0, raw.fy, raw.cy, 0.0, 0.0, 1.0]
    info.distortion_model, info.d = lens.distortion.model, list(lens.distortion.coefficients)
    info.r = list(lens.rotation)
    return info


def _other_shape(rest: tuple[float, ...], fx: float) -> str:
    """A pinhole's matrix is (fx 0 cx, 0 fy cy, 0 0 1); drivers that fill in no more than these four leave the 1 out."""
    skew, *zeros, one = map(float, rest)
    if abs(skew) <= MOST_SKEW * fx and not any(zeros) and one in (0.0, 1.0):
        return ""
    return f"the camera matrix is no pinhole's: besides fx, fy, cx and cy it holds {', '.join(f'{n:g}' for n in rest)}"


def _disagreement(info: AnyCameraInfo) -> str:
    """Without distortion K and P are one lens; where they are two, nobody knows whose picture it is."""
    for at, in_p, name in ((0, 0, "fx"), (4, 5, "fy")):
        k, p = float(info.k[at]), float(info.p[in_p])
        if k > 0 and p > 0 and not is_bent(info) and not 1 / FOCAL_RATIO <= k / p <= FOCAL_RATIO:
            return f"K has a {name} of {k:g}, P of {p:g}, and there is no distortion between them"
    return ""


def _beyond_sensor(info: AnyCameraInfo) -> str:
    """A region of interest lies in the picture of the sensor, whose size is the message's own."""
    roi = info.roi
    right, bottom = roi.x_offset + roi.width, roi.y_offset + roi.height
    if not (roi.width and roi.height) or (right <= info.width and bottom <= info.height):
        return ""
    return f"the region of interest ends at ({right}, {bottom}), outside the sensor's {info.width}x{info.height} pixels"


def _baseline(source: AnyCameraInfo, camera: Intrinsics) -> tuple[float, float]:
    """P's Tx = -fx B and Ty = -fy B in the depth map's pixels; zero for a camera that is not half of a stereo pair."""
    if not (source.p[0] > 0 and source.p[5] > 0):
        return 0.0, 0.0
    tx = float(source.p[3]) / float(source.p[0]) * camera.fx
    ty = float(source.p[7]) / float(source.p[5]) * camera.fy
    return (tx, ty) if math.isfinite(tx) and math.isfinite(ty) else (0.0, 0.0)
