"""One frame as it is shown: pictures for the page, and points with colours.

The cloud is made here, from depth and its camera_info, so that the node need not make one for whoever looks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.colours import Bgr, colourise
from fastdepth_ros.errors import FastDepthError, ImageError
from fastdepth_ros.lens.lens import Lens, grid
from fastdepth_ros.messages.camera_info import seen_camera
from fastdepth_ros.messages.files import bgr_of
from fastdepth_ros.messages.images import PictureReader
from fastdepth_ros.messages.serialized import Unpacker, unpack_camera_info
from fastdepth_ros.view.listener import Heard

Map = npt.NDArray[np.float32]
Points = npt.NDArray[np.float32]

MOST_POINTS = 60_000
"""Points of a cloud that is shown; of larger depth images every n-th row and column is taken."""

WIDTH = 330
"""Width of a picture on the page [px]."""

REACH = (1, 99)
"""Percentiles of depth that are the reddest and the bluest colour, smoothed over frames."""

SMOOTH = 0.1
"""Share of a frame in these."""

DOUBT_FULL = 0.5
"""Standard deviation of the brightest colour, as a share of depth."""

PICTURE, DEPTH, UNCERTAINTY = "picture", "depth", "uncertainty"
COLOURS = (PICTURE, DEPTH, UNCERTAINTY)
"""Meanings of the points' colours."""

BEYOND = 200.0
"""Metres that no answer has, along the axis or aside: the node's reach at most 100 m."""

_METRES = {"32FC1": ("f4", 1.0), "16UC1": ("u2", 1e-3)}
"""Encoding -> numpy's type, and metres of its unit (REP-118)."""


@dataclass(frozen=True)
class Moment:
    """A frame, ready to be shown.

    Attributes:
        pictures: name of :data:`COLOURS` -> (h, w, 3) blue, green, red; what was not heard is left out.
        reach: depths of the reddest and of the bluest colour [m].
        points: (n, 3) [m] in the camera's optical frame; no rows while no camera_info came.
        colours: (n, 3) red, green, blue of the points.
        complaint: why something is not shown; empty where all of it is.
    """

    pictures: dict[str, Bgr]
    reach: tuple[float, float]
    points: Points
    colours: npt.NDArray[np.uint8]
    complaint: str = ""


class Maker:
    """Makes moments of one node; what depends on the cameras alone is computed when they change."""

    def __init__(self) -> None:
        self._reader = PictureReader(reduction=_reduction)
        self._unpackers = {compressed: Unpacker(compressed) for compressed in (False, True)}
        self._depths, self._sigmas = Unpacker(), Unpacker()
        self._rays = Rays()
        self._reach: npt.NDArray[np.float64] | None = None

    def make(self, heard: Heard, coloured_by: str = PICTURE) -> Moment:
        """Make messages into what is shown.

        Args:
            heard: the messages.
            coloured_by: one of :data:`COLOURS`: what the points' colours show, if it was heard; else depth.
        """
        complaints: list[str] = []
        pictures: dict[str, Bgr] = {}
        depth = self._metres(self._depths, heard.depth, complaints)
        if depth is None:
            return Moment({}, (0.0, 0.0), np.empty((0, 3), np.float32), np.empty((0, 3), np.uint8), complaints[0])
        picture = self._picture(heard, complaints)
        sigma = self._metres(self._sigmas, heard.uncertainty, complaints) if heard.uncertainty else None
        sigma = sigma if sigma is not None and sigma.shape == depth.shape else None
        self._rays.see(heard.depth_info, heard.picture_info, depth.shape, complaints)
        aspect = self._rays.aspect or depth.shape[1] / depth.shape[0]
        if picture is not None:
            pictures[PICTURE] = _sized(picture, picture.shape[1] / picture.shape[0])
        near, far = self._reach_of(depth)
        maps = {DEPTH: colourise(depth, near, far)}
        if sigma is not None:
            maps[UNCERTAINTY] = doubt_picture(sigma / depth)
        pictures.update({name: _sized(drawn, aspect) for name, drawn in maps.items()})
        points, chosen = self._rays.points(depth)
        colours = self._rays.look_up(picture) if coloured_by == PICTURE and picture is not None else None
        if colours is None:
            drawn = maps.get(coloured_by, maps[DEPTH])
            colours = drawn[:: self._rays.stride, :: self._rays.stride].reshape(-1, 3)
        rgb = np.ascontiguousarray(colours[chosen][:, ::-1]) if len(points) else np.empty((0, 3), np.uint8)
        return Moment(pictures, (near, far), points, rgb, complaints[0] if complaints else "")

    def _reach_of(self, depth: Map) -> tuple[float, float]:
        """Depths of the colours' ends [m]; they follow the scene slowly, so that a colour means what it meant."""
        known = depth[np.isfinite(depth)]
        if len(known):
            now = np.log(np.percentile(known, REACH))
            self._reach = now if self._reach is None else self._reach + SMOOTH * (now - self._reach)
        if self._reach is None:
            return 0.5, 10.0
        near, far = np.exp(self._reach)
        return float(near), float(max(far, 1.1 * near))

    def _picture(self, heard: Heard, complaints: list[str]) -> Bgr | None:
        if heard.image is None:
            return None
        try:
            return bgr_of(self._reader.read(self._unpackers[heard.compressed].unpack(heard.image)))
        except ImageError as error:
            complaints.append(str(error))
            return None

    def _metres(self, unpacker: Unpacker, data: bytes, complaints: list[str]) -> Map | None:
        try:
            return metres_of(unpacker.unpack(data))
        except ImageError as error:
            complaints.append(str(error))
            return None


class Rays:
    """Rays of a depth image's pixels, and the pixels of the camera's picture that see the same.

    Attributes:
        stride: every n-th row and column has a point.
        aspect: width over height of what the depth image shows; 0 where no camera_info of its size came.
    """

    def __init__(self) -> None:
        self.stride, self.aspect = 1, 0.0
        self._told: tuple[object, ...] = ()
        self._why = ""
        self._slopes: npt.NDArray[np.float32] | None = None
        self._places: npt.NDArray[np.float32] | None = None
        self._size = (0, 0)

    def see(
        self, depth_info: bytes | None, picture_info: bytes | None, shape: tuple[int, ...], complaints: list[str]
    ) -> None:
        """Take the cameras of a frame; what is wrong with one goes among the complaints."""
        told = (depth_info and depth_info[12:], picture_info and picture_info[12:], shape)  # without stamps
        if told != self._told:
            self._told = told
            self._why = self._take(depth_info, picture_info, shape)
        if self._why:
            complaints.append(self._why)

    def points(self, depth: Map) -> tuple[Points, npt.NDArray[np.bool_]]:
        """Points (n, 3) [m] of a depth image, and which of the pixels, every n-th of them, have one."""
        z = depth[:: self.stride, :: self.stride].reshape(-1)
        if self._slopes is None:
            return np.empty((0, 3), np.float32), np.zeros(len(z), np.bool_)
        with np.errstate(invalid="ignore"):
            chosen = np.asarray(np.isfinite(z) & (np.abs(self._slopes) * z[:, None] < BEYOND).all(1))
        far = z[chosen]
        return np.column_stack((self._slopes[chosen] * far[:, None], far)).astype(np.float32), chosen

    def look_up(self, picture: Bgr) -> Bgr | None:
        """Colours (n, 3) that a picture, perhaps a smaller one, has where the pixels look; None where nobody knows."""
        height, width = picture.shape[:2]
        if self._places is None or abs(width * self._size[1] - height * self._size[0]) > 0.01 * width * self._size[1]:
            return None
        scale = width / self._size[0]
        # As a map of rows and columns: OpenCV takes no row of more than 32766 places.
        places = scale * (self._places + 0.5) - 0.5
        return np.asarray(cv2.remap(picture, places, None, cv2.INTER_NEAREST)).reshape(-1, 3)

    def _take(self, depth_info: bytes | None, picture_info: bytes | None, shape: tuple[int, ...]) -> str:
        self._slopes = self._places = None
        self.aspect = 0.0
        self.stride = max(1, int(np.ceil(np.sqrt(shape[0] * shape[1] / MOST_POINTS))))
        if depth_info is None:
            return "no camera_info of depth came: there is no cloud"
        try:
            camera, lens = _camera(depth_info)
            if (camera.height, camera.width) != shape:
                return f"camera_info of depth is {camera.width}x{camera.height}: there is no cloud"
            self.aspect = camera.width * camera.fy / (camera.height * camera.fx)
            columns, rows = np.arange(0, shape[1], self.stride), np.arange(0, shape[0], self.stride)
            pixels = grid(columns, rows).reshape(-1, 2)
            slopes = lens.raw_rays(pixels) if lens else (pixels - (camera.cx, camera.cy)) / (camera.fx, camera.fy)
            self._slopes = slopes.astype(np.float32)
            if picture_info is not None:
                slopes = slopes.reshape(len(rows), len(columns), 2)
                self._place(slopes, *_camera(picture_info), whole=lens is not None)
        except FastDepthError as error:
            return str(error)
        return ""

    def _place(self, slopes: npt.NDArray[np.float64], camera: Intrinsics, lens: Lens | None, whole: bool) -> None:
        """Find the pixels of the camera's picture; ``whole`` where depth is in that picture's own frame."""
        if lens is None:
            places = slopes * (camera.fx, camera.fy) + (camera.cx, camera.cy)
        elif whole:
            places = lens.pixels(lens.rectified(slopes))
        else:
            places = lens.pixels(slopes)
        self._places = places.astype(np.float32)
        self._size = (camera.width, camera.height)


def metres_of(image: Any) -> Map:
    """Depth (h, w) [m] of a depth image, NaN where it has none.

    Args:
        image: a sensor_msgs/Image of encoding 32FC1 [m] or 16UC1 [mm].

    Raises:
        ImageError: it is of another encoding, or shorter than it says.
    """
    kind, unit = _METRES.get(image.encoding, ("", 0.0))
    size = np.dtype(kind).itemsize if kind else 0
    if (
        not kind
        or not image.width
        or not image.height
        or image.step < image.width * size
        or len(image.data) < image.height * image.step
    ):
        cause = f"a depth image of {image.width}x{image.height} {image.encoding} cannot be read"
        raise ImageError(cause, "Check who else publishes on depth/image_rect.")
    order = ">" if image.is_bigendian else "<"
    whole: npt.NDArray[Any] = np.ndarray((image.height, image.width), order + kind, image.data, 0, (image.step, size))
    metres = np.asarray(whole * np.float32(unit), np.float32)
    metres[~((metres > 0) & (metres < BEYOND))] = np.nan
    return metres


def doubt_picture(doubt: Map) -> Bgr:
    """Shares of depth (h, w) as a picture: black is sure, yellow :data:`DOUBT_FULL` or more, grey has none."""
    steps = (np.clip(np.nan_to_num(doubt) / DOUBT_FULL, 0, 1) * 255).astype(np.uint8)
    drawn = np.asarray(cv2.applyColorMap(steps, cv2.COLORMAP_INFERNO), np.uint8)
    drawn[~np.isfinite(doubt)] = (60, 60, 60)
    return drawn


def _reduction(width: int, _height: int) -> int:
    """Factor by which a JPEG is decoded smaller: never below twice the size that is shown."""
    return next((times for times in (8, 4, 2) if width // times >= 2 * WIDTH), 1)


def _camera(info: bytes) -> tuple[Intrinsics, Lens | None]:
    seen = seen_camera(unpack_camera_info(info), rectified=True, rectify="on")
    return (seen.lens.camera, seen.lens) if seen.lens else (seen.camera, None)


def _sized(picture: Bgr, aspect: float) -> Bgr:
    """A picture of :data:`WIDTH`; what is made larger keeps its cells. No camera's is five times as high or wide."""
    size = (WIDTH, round(WIDTH / min(max(aspect, 0.2), 5.0)))
    way = cv2.INTER_AREA if picture.shape[1] > WIDTH else cv2.INTER_NEAREST
    return np.asarray(cv2.resize(picture, size, interpolation=way), np.uint8)
