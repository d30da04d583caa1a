"""Depth as a person sees it: near is red, far is blue, no answer is grey."""

from __future__ import annotations

from functools import cache
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Map = npt.NDArray[np.floating[Any]]
Bgr = npt.NDArray[np.uint8]

NO_ANSWER = (60, 60, 60)
"""Blue, green and red of a pixel without depth."""

WIDTHS = (1.5, 4.0)
"""Reach of the neighbours with which :func:`relief` compares a pixel [cells]."""
STRENGTH = 8.0
"""Brightness per difference of ln depth, for each of the widths."""
DARKEST, BRIGHTEST = 0.7, 0.35
"""The most that relief takes from a colour, and the most that it adds of white."""


def colourise(depth: Map, near: float | None = None, far: float | None = None) -> Bgr:
    """A depth map as a picture.

    Args:
        depth: (height, width) [m]; what is not finite becomes grey.
        near: depth of the reddest colour [m]; None takes the 1st percentile of the map.
        far: depth of the bluest colour [m]; None takes the 99th.

    Returns:
        (height, width, 3) blue, green, red: the Turbo colour map, reversed (Mikhailov, "Turbo, an improved rainbow
        colormap", 2019), over 1 / depth, so that the near range, where a robot lives, has most of the colours.
    """
    valid = _valid(depth)
    if not valid.any():
        return np.full((*depth.shape, 3), NO_ANSWER, np.uint8)
    closest, farthest = np.percentile(depth[valid], (1, 99)) if near is None or far is None else (near, far)
    top, bottom = 1 / max(near or closest, 1e-3), 1 / max(far or farthest, 1e-3)
    return _turbo((1 / np.where(valid, depth, 1.0) - bottom) / max(top - bottom, 1e-9), valid)


def relief(depth: Map, cell: float) -> Bgr:
    """A depth map as a picture for people: its shapes stand out, its colours are evenly spread over its metres.

    Pixels nearer than their neighbours are lit, farther ones are darkened: unsharp masking of the depth buffer (Luft,
    Colditz, Deussen, "Image enhancement by unsharp masking the depth buffer", SIGGRAPH 2006), of ln depth, so that a
    room and its model look alike. Nothing but depth is in the picture.

    Args:
        depth: (height, width) [m]; what is not finite becomes grey.
        cell: side of the square that has one answer of the network [px]; its steps are smoothed.

    Returns:
        (height, width, 3) blue, green, red; the colours reach from the map's 1st to its 99th percentile.
    """
    valid = _valid(depth)
    if not valid.any():
        return np.full((*depth.shape, 3), NO_ANSWER, np.uint8)
    smooth = _blurred(depth, valid, 0.6 * cell)
    nearest, farthest = np.percentile(smooth[valid], (1, 99))
    colours = _turbo((farthest - smooth) / max(farthest - nearest, 1e-9), valid).astype(np.float32)
    logarithm = np.log(np.where(valid, smooth, 1.0))
    behind = STRENGTH * sum(logarithm - _blurred(logarithm, valid, width * cell) for width in WIDTHS)
    dark, light = np.clip(behind, 0, DARKEST)[..., None], np.clip(-behind, 0, BRIGHTEST)[..., None]
    picture = np.asarray(np.rint(colours * (1 - dark) + (255 - colours) * light), np.uint8)
    picture[~valid] = NO_ANSWER
    return picture


def _valid(depth: Map) -> npt.NDArray[np.bool_]:
    return np.asarray(np.isfinite(depth) & (depth > 0), np.bool_)


def _turbo(share: Map, valid: npt.NDArray[np.bool_]) -> Bgr:
    """Colours for 0 (far) to 1 (near)."""
    steps = (np.clip(np.where(valid, share, 0.0), 0, 1) * 255).astype(np.uint8)
    picture = _table()[steps]
    picture[~valid] = NO_ANSWER
    return picture


@cache
def _table() -> Bgr:
    """Colours of all steps, (256, 3): OpenCV computes the map anew with each call, which takes milliseconds."""
    steps = np.arange(256, dtype=np.uint8)
    return np.asarray(cv2.applyColorMap(steps, cv2.COLORMAP_TURBO), np.uint8).reshape(256, 3)


def _blurred(values: Map, valid: npt.NDArray[np.bool_], sigma: float) -> npt.NDArray[np.float32]:
    """Gaussian mean of the valid neighbours; anything where no valid pixel is near."""
    weights = cv2.GaussianBlur(valid.astype(np.float32), (0, 0), sigma)
    total = cv2.GaussianBlur(np.where(valid, values, 0.0).astype(np.float32), (0, 0), sigma)
    return np.asarray(total / np.maximum(weights, 1e-6), np.float32)
