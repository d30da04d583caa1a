"""Depth as a small picture for people, in colours that mean the same depth in every frame."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from fastdepth_ros.colours import colourise

NEAREST = 0.5
"""Depth of the reddest colour [m]; nearer things are as red."""

CELL = 3
"""Rows of the picture for each of the map."""

QUALITY = 85
"""JPEG's, of 100."""


def preview(metres: npt.NDArray[np.float32], aspect: float, farthest: float) -> bytes:
    """A JPEG of a depth map, in the colours of :func:`~fastdepth_ros.colours.colourise`.

    Args:
        metres: (rows, columns) [m]; what is not finite is grey.
        aspect: width over height of what it shows.
        farthest: depth of the bluest colour [m].
    """
    colours = colourise(metres, min(NEAREST, farthest / 2), farthest)
    height = CELL * len(metres)
    large = cv2.resize(colours, (max(1, round(height * aspect)), height), interpolation=cv2.INTER_NEAREST)
    _, jpeg = cv2.imencode(".jpg", large, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return jpeg.tobytes()
