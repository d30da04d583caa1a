"""Parts of a camera's picture that never show the room, as the robot's own body: where there is to be no depth.

Convention:
    Coordinates are those of the camera's own, raw picture [px]: the first pixel is centred at (0, 0).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from fastdepth_ros.codec.decoder import decode_file
from fastdepth_ros.errors import ImageError, SettingError, quoted
from fastdepth_ros.files.reading import read, user_path
from fastdepth_ros.files.remembered import Remembered

__all__ = ["Mask", "parse_mask"]

LARGEST_FILE = 2**24
"""Bytes of a mask's PNG; one of 12 megapixels has a few hundred kilobytes."""

FARTHEST = 100_000.0
"""Coordinates that a polygon may reach beyond the picture [px]."""

POLYGON = re.compile(r"[\s\d.,;+-]+")
SHIFT = 4
"""Bits of a pixel's fraction that OpenCV fills polygons with."""

REMEDY = (
    "Use corners x y, parted by commas, of polygons that are parted by semicolons, as 0 400, 640 400, 640 480, 0 480;"
    " or the path of a PNG of the picture's size, black where there is to be no depth."
)


@dataclass(frozen=True, eq=False)
class Mask:
    """A part of a picture.

    Attributes:
        words: as its owner wrote it.
        polygons: corners (n, 2) of each [px].
        hides: (height, width), where a file says it; None where polygons do.
    """

    words: str
    polygons: tuple[npt.NDArray[np.float64], ...] = ()
    hides: npt.NDArray[np.bool_] | None = None

    def of(self, width: int, height: int) -> npt.NDArray[np.bool_]:
        """The pixels (height, width) of a picture that are hidden.

        Raises:
            SettingError: the mask is a file of another size.
        """
        if self.hides is None:
            return self._filled(width, height)
        if self.hides.shape != (height, width):
            rows, columns = self.hides.shape
            cause = f"the mask {self.words} has {columns}x{rows} pixels, the picture {width}x{height}"
            raise SettingError(cause, "Draw it on a picture as the camera sends it, or set mask to none.")
        return self.hides

    def _filled(self, width: int, height: int) -> npt.NDArray[np.bool_]:
        filled = np.zeros((height, width), np.uint8)
        for polygon in self.polygons:  # one by one: where two overlap, both hide
            corners = np.rint(polygon * 2**SHIFT).astype(np.int32)
            cv2.fillPoly(filled, [corners], 1, cv2.LINE_8, SHIFT)
        return filled.astype(np.bool_)


def parse_mask(text: str, anew: bool = False) -> Mask:
    """The mask that a parameter says. A file is read once, with bounds, and looked through before it is decoded.

    Args:
        text: polygons, ``0 400, 640 400, 640 480, 0 480; ...``; or the path of a PNG: black hides, all else shows.
        anew: whether a file is read again.

    Raises:
        SettingError: it is neither, or the file cannot be read.
    """
    return _known.get(text, anew)


def _parse(text: str) -> Mask:
    if POLYGON.fullmatch(text):
        return Mask(text, tuple(_polygon(text, each) for each in text.split(";") if each.strip()))
    return Mask(text, hides=_read(text))


_known = Remembered(_parse)


def _polygon(text: str, words: str) -> npt.NDArray[np.float64]:
    try:
        corners = [[float(number) for number in corner.split()] for corner in words.split(",") if corner.strip()]
    except ValueError:
        raise _cannot(text, "it holds something that is no number") from None
    if len(corners) < 3 or any(len(corner) != 2 for corner in corners):
        raise _cannot(text, f"{words.strip() or 'nothing'} are no three corners or more of two numbers each")
    if not all(math.isfinite(number) and abs(number) <= FARTHEST for corner in corners for number in corner):
        raise _cannot(text, f"a corner is farther than {FARTHEST:g} px away")
    return np.array(corners)


def _read(path: str) -> npt.NDArray[np.bool_]:
    try:
        data = read(user_path(path), LARGEST_FILE)
        pixels = decode_file(data, "it", cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION)
    except OSError as error:
        raise _cannot(path, str(error.strerror or error)) from error
    except ImageError as error:
        raise _cannot(path, error.cause) from error
    hides: npt.NDArray[np.bool_] = pixels == 0
    hides.setflags(write=False)
    return hides


def _cannot(text: str, why: str) -> SettingError:
    return SettingError(f"mask cannot be {quoted(text)}: {why}", REMEDY)
