"""Whether a picture is worth answering: the network answers anything, a lens cap as well.

A look takes means of 2 x 2 and of 8 x 8 pixels of the network's input. Faults that it knows:

    dark         hardly a pixel is bright
    overexposed  most pixels are at their limit
    covered      nothing is to be seen: a lens cap, a finger, a wall right in front of the lens
    blurred      fine detail is missing beside coarse detail: out of focus, smeared, or dirty
    green        the green of a decoder that got no picture (Y, U and V are 0)
    frozen       the same bits again and again, which no camera with a sensor sends

Thresholds were chosen on pictures of rooms. docs/gate.md has what they catch and what they refuse.
"""

from __future__ import annotations

from enum import Enum
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

__all__ = ["Fault", "Gate"]

Grey: TypeAlias = npt.NDArray[np.uint8]

DARK = 40
"""A picture is dark if all of its mean values are below this, of 255."""

LIMIT = 245
"""Mean values from here on are at the limit: JPEG does not keep 255."""

OVEREXPOSED = 0.5
"""Share of values at their limit from which on a picture is overexposed."""

COVERED = 8.0
"""Standard deviation of the mean values below which nothing is to be seen, of 255."""

BLURRED = 0.33
"""Fine detail as a share of coarse detail, along rows or along columns, below which a picture is blurred."""

GREEN = 0.2
"""Share of values that are the decoder's green from which on a picture is broken."""

DECODERS_GREEN = (0, 60, 0), (25, 150, 25)
"""Darkest and brightest of that green, RGB: Y = U = V = 0 is (0, 135, 0) by BT.601 and (0, 77, 0) by BT.709."""

FROZEN = 5.0
"""Time without a changed bit from which on a picture is frozen [s]."""


class Fault(Enum):
    """Why a picture is not worth answering: what is to be seen, and what to do."""

    DARK = ("too dark", "Give it light, or the camera a longer exposure.")
    OVEREXPOSED = ("overexposed", "Let the camera expose automatically, or turn it away from the light.")
    COVERED = ("empty", "Look whether the lens is covered, or a wall fills the view.")
    BLURRED = ("blurred", "Focus the camera, clean its lens, or expose for a shorter time.")
    GREEN = (
        "green where a decoder got nothing",
        "Look at the driver's log: frames break on their way.",
    )
    FROZEN = ("frozen", "Start the driver again. A simulated camera that stands still needs `gate: off`.")

    @property
    def words(self) -> str:
        """Fault, as a word for the picture."""
        return self.value[0]

    @property
    def remedy(self) -> str:
        """Advice to whoever reads the word."""
        return self.value[1]


class Gate:
    """Looks at one picture after the other, of one camera.

    Example:
        >>> gate = Gate()
        >>> gate.look(np.zeros((224, 224, 3), np.uint8), now=0.0).words
        'too dark'
    """

    def __init__(self) -> None:
        self._last: Grey = np.empty((0, 0), np.uint8)
        self._since = 0.0

    def look(self, pixels: npt.NDArray[np.uint8], now: float) -> Fault | None:
        """Find the fault of a picture.

        Args:
            pixels: (h, w, 3) RGB, the network's input.
            now: the picture's time in any clock that goes on [s].

        Returns:
            A fault; None for a good picture.
        """
        half = _halved(pixels)
        small = _halved(_halved(half))
        fine, coarse = cv2.extractChannel(half, 1), cv2.extractChannel(small, 1)
        frozen = self._is_frozen(fine, now)
        (red, green, blue), (_, deviation, _) = (each.ravel() for each in cv2.meanStdDev(small))
        # What needs every value is asked only where the means allow it.
        if green < DARK and coarse.max() < DARK:
            return Fault.DARK
        if green > OVEREXPOSED * LIMIT and np.count_nonzero(coarse >= LIMIT) >= OVEREXPOSED * coarse.size:
            return Fault.OVEREXPOSED
        if green > max(red, blue) and _share_of_green(small) >= GREEN:
            return Fault.GREEN
        if deviation < COVERED:
            return Fault.COVERED
        if (_detail(fine) < BLURRED * _detail(coarse)).any():
            return Fault.BLURRED
        return Fault.FROZEN if frozen else None

    def _is_frozen(self, green: Grey, now: float) -> bool:
        if np.array_equal(green, self._last) and now >= self._since:
            return now - self._since >= FROZEN
        self._last, self._since = green, now
        return False


def _detail(grey: Grey) -> npt.NDArray[np.float32]:
    """RMS of an image's second differences along its rows and along its columns, (2,).

    A picture that is out of focus has little in both directions, one that is smeared in that of the motion at least.
    """
    at = grey.astype(np.float32)
    twice = at + at
    differences = at[:, 2:] + at[:, :-2], at[2:] + at[:-2]
    for difference, middle in zip(differences, (twice[:, 1:-1], twice[1:-1]), strict=True):
        difference -= middle
    return np.array([np.sqrt(np.vdot(each, each) / each.size) for each in differences], np.float32)


def _halved(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Means of 2 x 2 pixels."""
    size = (pixels.shape[1] // 2, pixels.shape[0] // 2)
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def _share_of_green(pixels: npt.NDArray[np.uint8]) -> float:
    """Share of pixels that are the decoder's green."""
    return cv2.countNonZero(cv2.inRange(pixels, *DECODERS_GREEN)) / (pixels.shape[0] * pixels.shape[1])
