"""Colours of one picture given to another: what is rehearsed looks as if the place's camera had taken it."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

MOST = 2.0
"""Most that a channel's contrast grows or shrinks."""

Pixels = npt.NDArray[np.uint8]


def tinted(pixels: Pixels, other: Pixels) -> Pixels:
    """A picture whose channels have another's means and deviations.

    Reinhard et al., "Color transfer between images", IEEE CG&A 2001, in RGB.

    Args:
        pixels: (h, w, 3) uint8 RGB.
        other: (h', w', 3) uint8 RGB.

    Returns:
        (h, w, 3) uint8 RGB.
    """
    mean, deviation = cv2.meanStdDev(pixels)
    wanted, spread = cv2.meanStdDev(other)
    factor = np.clip(spread / np.maximum(deviation, 1.0), 1 / MOST, MOST)
    matrix = np.hstack([np.diagflat(factor), wanted - factor * mean])
    return np.asarray(cv2.transform(pixels, matrix), np.uint8)
