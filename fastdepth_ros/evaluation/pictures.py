"""Depth, errors and photographs as small pictures inside a page."""

from __future__ import annotations

import base64
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fastdepth_ros.colours import NO_ANSWER, Bgr, colourise


def data_uri(picture: Bgr, quality: int = 82) -> str:
    """A blue-green-red picture as a JPEG in a ``data:`` address."""
    _, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return "data:image/jpeg;base64," + base64.b64encode(jpeg.tobytes()).decode("ascii")


def error_picture(error: npt.NDArray[np.floating[Any]], full: float) -> Bgr:
    """Signed errors [m]: blue where the answer is too near, red where it is too far, pale where it is right.

    Args:
        error: (height, width), answer minus truth; NaN becomes grey.
        full: error of the full colour [m].
    """
    share = np.clip(np.nan_to_num(error / full), -1, 1)[..., None]
    pale, far, near = (np.array(c, np.float32) for c in ((238, 240, 240), (38, 38, 190), (170, 90, 20)))
    mixed = np.where(share > 0, pale + share * (far - pale), pale - share * (near - pale))
    picture = np.asarray(np.clip(mixed + 0.5, 0, 255), np.uint8)
    picture[~np.isfinite(error)] = NO_ANSWER
    return picture


def depth_scale(near: float, far: float, width: int = 256) -> Bgr:
    """The colours of depths, from ``near`` at the left to ``far`` at the right, evenly in metres: (1, width, 3)."""
    return colourise(np.linspace(near, far, width)[None, :], near, far)


def error_scale(full: float, width: int = 256) -> Bgr:
    """The colours of errors, from -full at the left to +full at the right: (1, width, 3)."""
    return error_picture(np.linspace(-full, full, width)[None, :], full)
