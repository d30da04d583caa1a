"""Table of camera drivers' encodings: how pixels lie in memory, and how OpenCV reads them.

Names are those of ``sensor_msgs/image_encodings.hpp``, and ``nv12``, which drivers send although it is not there. Two
families of names mislead. In ROS, ``yuv422`` is UYVY and ``yuv422_yuy2`` is YUYV. OpenCV names a Bayer pattern by the
second and third pixel of the second row, so that ROS's RGGB is OpenCV's BayerBG.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2

from fastdepth_ros.errors import ImageError, shortened
from fastdepth_ros.picture import CHANNELS, Order


@dataclass(frozen=True)
class Encoding:
    """Layout of one encoding's pixels in memory.

    Attributes:
        order: channels of the picture that comes out.
        pixel_bytes: bytes of one pixel in a row (of the brightness plane, where there are planes).
        code: OpenCV's colour conversion; None where the bytes are the picture, or only have to be scaled.
        even: which sides have to be even, because neighbours share a colour.
        planes: 1; or 1.5 where a half-height plane of colours follows the plane of brightness.
    """

    order: Order
    pixel_bytes: int
    code: int | None = None
    even: Literal["", "width", "width and height"] = ""
    planes: float = 1

    @property
    def is_view(self) -> bool:
        """Whether the message's bytes are a picture already."""
        return self.code is None and self.pixel_bytes == CHANNELS[self.order]

    def rows(self, height: int) -> int:
        """Rows of bytes of a picture of ``height`` pixels."""
        return int(height * self.planes)


_UYVY = Encoding("rgb", 2, cv2.COLOR_YUV2RGB_UYVY, even="width")
_YUYV = Encoding("rgb", 2, cv2.COLOR_YUV2RGB_YUYV, even="width")

ENCODINGS: dict[str, Encoding] = {
    "rgb8": Encoding("rgb", 3),
    "bgr8": Encoding("bgr", 3),
    "rgba8": Encoding("rgba", 4),
    "bgra8": Encoding("bgra", 4),
    "mono8": Encoding("grey", 1),
    "mono16": Encoding("grey", 2),
    "uyvy": _UYVY,
    "yuv422": _UYVY,
    "yuyv": _YUYV,
    "yuv422_yuy2": _YUYV,
    "nv12": Encoding("rgb", 1, cv2.COLOR_YUV2RGB_NV12, even="width and height", planes=1.5),
    "nv21": Encoding("rgb", 1, cv2.COLOR_YUV2RGB_NV21, even="width and height", planes=1.5),
    "bayer_rggb8": Encoding("rgb", 1, cv2.COLOR_BayerBG2RGB),
    "bayer_bggr8": Encoding("rgb", 1, cv2.COLOR_BayerRG2RGB),
    "bayer_gbrg8": Encoding("rgb", 1, cv2.COLOR_BayerGR2RGB),
    "bayer_grbg8": Encoding("rgb", 1, cv2.COLOR_BayerGB2RGB),
}

_REMEDIES = {
    "8UC3": "8UC3 does not say the order of its colours; let the publisher name it rgb8 or bgr8.",
    "8UC1": "8UC1 does not say what its numbers are; let the publisher name it mono8.",
    "16UC1": "16UC1 is a depth image; remap `image` to the topic of the colour camera.",
    "32FC1": "32FC1 is a depth image; remap `image` to the topic of the colour camera.",
}


def find_encoding(name: str) -> Encoding:
    """The encoding of that name.

    Raises:
        ImageError: there is none; the remedy lists those that are read.
    """
    try:
        return ENCODINGS[name]
    except KeyError:
        remedy = _REMEDIES.get(name, f"Let the driver send one of {', '.join(ENCODINGS)}.")
        raise ImageError(f"the image's encoding {shortened(name)!r} cannot be read", remedy) from None
