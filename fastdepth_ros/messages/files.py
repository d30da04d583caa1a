"""Pictures that lie in files and recordings, read as those in messages are: one reader for all.

So a picture has the same pixels wherever it comes from. Above all an orientation that a file asks for is ignored: the
calibration is that of the sensor. No ROS is needed.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fastdepth_ros.codec import bmp
from fastdepth_ros.codec.decoder import MAX_PIXELS, Decoder, File, check_size
from fastdepth_ros.errors import ImageError
from fastdepth_ros.messages.images import PictureReader, read_compressed
from fastdepth_ros.messages.serialized import NOWHEN, SerializedCompressedImage
from fastdepth_ros.picture import Picture

_TO_RGB = {"bgr": cv2.COLOR_BGR2RGB, "bgra": cv2.COLOR_BGRA2RGB, "rgba": cv2.COLOR_RGBA2RGB, "grey": cv2.COLOR_GRAY2RGB}
_TO_BGR = {"rgb": cv2.COLOR_RGB2BGR, "rgba": cv2.COLOR_RGBA2BGR, "bgra": cv2.COLOR_BGRA2BGR, "grey": cv2.COLOR_GRAY2BGR}


def read_file(data: bytes, name: str) -> Picture:
    """The picture of a JPEG, PNG or BMP file. Others are refused: nothing says what decoding them would cost.

    Args:
        data: the file's bytes.
        name: what errors call it.

    Raises:
        ImageError: it is of another kind, was cut short, is too large, or cannot be decoded.
    """
    try:
        if not data:
            raise ValueError("it is empty")
        if data.startswith(bmp.START):
            return _read_bmp(data)
        return read_compressed(SerializedCompressedImage(NOWHEN, memoryview(data), ""))
    except (ImageError, ValueError) as error:
        cause = error.cause if isinstance(error, ImageError) else str(error)
        remedy = "Name a JPEG, PNG or BMP file that is whole; save pictures of other kinds as PNG."
        raise ImageError(f"{name} is no picture that can be read: {cause}", remedy) from error


def _read_bmp(data: bytes) -> Picture:
    name = "the BMP file"
    try:
        header = bmp.read_header(data)
    except ValueError as error:
        raise ImageError(f"{name} {error}", "Save it again.") from None
    check_size(name, header.width, header.height, MAX_PIXELS)
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    file = File("BMP", header.width, header.height, 8, 3, False, data)
    return Picture(np.asarray(Decoder().decode(file, name, flags), np.uint8), "bgr")


def read_message(message: Any) -> Picture:
    """The picture of a recorded Image or CompressedImage, as rosbags or rclpy unpack it.

    Raises:
        ImageError: it does not hold a picture that can be read.
    """
    if hasattr(message, "format"):
        data = memoryview(np.asarray(message.data, np.uint8).tobytes())
        return read_compressed(SerializedCompressedImage(NOWHEN, data, str(message.format)))
    return PictureReader().read(message)


def rgb_of(picture: Picture) -> npt.NDArray[np.uint8]:
    """The pixels (height, width, 3) as red, green, blue; an array of their own."""
    return _converted(picture, _TO_RGB)


def bgr_of(picture: Picture) -> npt.NDArray[np.uint8]:
    """The pixels (height, width, 3) as blue, green, red, as OpenCV writes and draws them; an array of their own."""
    return _converted(picture, _TO_BGR)


def _converted(picture: Picture, codes: dict[str, int]) -> npt.NDArray[np.uint8]:
    code = codes.get(picture.order)
    return np.array(picture.pixels if code is None else cv2.cvtColor(picture.pixels, code), np.uint8, order="C")
