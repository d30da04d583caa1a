"""Depth as a person sees it: near is red, far is blue, no answer is grey."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

NO_ANSWER = (60, 60, 60)
"""Blue, green and red of a pixel without depth."""


def colourise(
    depth: npt.NDArray[np.floating[Any]], near: float | None = None, far: float | None = None
) -> npt.NDArray[np.uint8]:
    """A depth map as a picture.

    Args:
        depth: (height, width) [m]; what is not finite becomes grey.
        near: depth of the reddest colour [m]; None takes the 1st percentile of the map.
        far: depth of the bluest colour [m]; None takes the 99th.

    Returns:
        (height, width, 3) blue, green, red: the Turbo colour map, reversed (Mikhailov, "Turbo, an improved rainbow
        colormap", 2019), over 1 / depth, so that the near range, where a robot lives, has most of the colours.
    """
    valid = np.isfinite(depth) & (depth > 0)
    if not valid.any():
        return np.full((*depth.shape, 3), NO_ANSWER, np.uint8)
    closest, farthest = np.percentile(depth[valid], (1, 99)) if near is None or far is None else (near, far)
    top, bottom = 1 / max(near or closest, 1e-3), 1 / max(far or farthest, 1e-3)
    share = (1 / np.where(valid, depth, 1.0) - bottom) / max(top - bottom, 1e-9)
    picture = cv2.applyColorMap((np.clip(share, 0, 1) * 255).astype(np.uint8), cv2.COLORMAP_TURBO)
    picture[~valid] = NO_ANSWER
    return np.asarray(picture, np.uint8)
