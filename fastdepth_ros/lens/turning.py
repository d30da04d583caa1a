"""Cameras that are mounted turned: the network is to see rooms upright, and answers stay in the camera's own grid.

Convention:
    A rotation is the angle by which the camera's own picture has to be turned clockwise to be upright [degrees], as a
    word. Own coordinates are those of the camera's picture, upright ones those of the turned one.
"""

from __future__ import annotations

import math
from typing import Any, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

NONE, AUTO = "0", "auto"
TO_UPRIGHT = {"90": cv2.ROTATE_90_CLOCKWISE, "180": cv2.ROTATE_180, "270": cv2.ROTATE_90_COUNTERCLOCKWISE}
TO_OWN = {"90": cv2.ROTATE_90_COUNTERCLOCKWISE, "180": cv2.ROTATE_180, "270": cv2.ROTATE_90_CLOCKWISE}
SIDEWAYS = ("90", "270")
"""Rotations that swap width and height."""

DOWN = {"0": (0.0, 1.0), "90": (1.0, 0.0), "180": (0.0, -1.0), "270": (-1.0, 0.0)}
"""Direction (x, y) in the own picture that is down in the upright one."""

LEVEL = 0.5
"""Share of "down" that has to lie in the picture's plane: beyond 60 degrees up or down, none of its sides is below."""

STICKS = 0.25
"""By how much another rotation has to fit better: 10 degrees beyond the middle, so that a camera there stays."""

Turned = TypeVar("Turned", bound=npt.NDArray[Any])


def rotation_of(down: tuple[float, float, float], current: str) -> str:
    """The rotation under which a picture is upright.

    Args:
        down: unit vector in the camera's optical frame.
        current: rotation that stays where ``down`` does not clearly say another.
    """
    x, y, _ = down
    level = math.hypot(x, y)
    if not level >= LEVEL:
        return current
    fits = {rotation: (across * x + along * y) / level for rotation, (across, along) in DOWN.items()}
    best = max(fits, key=lambda rotation: fits[rotation])
    return best if fits[best] > fits[current] + STICKS else current


def upright(pixels: Turned, rotation: str, out: Turned) -> None:
    """Write the upright picture or map of an own one; ``out`` has its size."""
    cv2.rotate(pixels, TO_UPRIGHT[rotation], out)


def own(pixels: Turned, rotation: str, out: Turned) -> None:
    """Write the own picture or map of an upright one; ``out`` has its size."""
    cv2.rotate(pixels, TO_OWN[rotation], out)


def upright_pixels(pixels: npt.NDArray[np.float32], width: int, height: int, rotation: str) -> npt.NDArray[np.float32]:
    """Coordinates (n, 2) in the upright picture of own ones in a ``width`` x ``height`` picture [px]."""
    x, y = pixels[:, 0], pixels[:, 1]
    across, down = {
        "0": (x, y),
        "90": (height - 1 - y, x),
        "180": (width - 1 - x, height - 1 - y),
        "270": (y, width - 1 - x),
    }[rotation]
    return np.stack((across, down), axis=-1)
