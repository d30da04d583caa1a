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

import cv2
import numpy as np

from fastdepth_ros.filters.halves import Halves, Pixels

__all__ = ["Fault", "Gate"]

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
        >>> gate.look(Halves(np.zeros((224, 224, 3), np.uint8)), now=0.0).words
        'too dark'
    """

    def __init__(self) -> None:
        self._last = b""
        self._since = 0.0
        self._shape: tuple[int, ...] = ()
        self._fine, self._coarse = _Detail((1, 1)), _Detail((1, 1))

    def look(self, picture: Halves, now: float) -> Fault | None:
        """Find the fault of a picture.

        Args:
            picture: the network's input, RGB.
            now: the picture's time in any clock that goes on [s].

        Returns:
            A fault; None for a good picture.
        """
        half, small = picture.half, picture.eighth
        frozen = self._is_frozen(half, now)
        (red, green, blue), (_, deviation, _) = (each.ravel().tolist() for each in cv2.meanStdDev(small))
        # What needs every value is asked only where the means allow it.
        if green < DARK and small[..., 1].max() < DARK:
            return Fault.DARK
        if green > OVEREXPOSED * LIMIT and np.count_nonzero(small[..., 1] >= LIMIT) >= OVEREXPOSED * small[..., 1].size:
            return Fault.OVEREXPOSED
        if green > max(red, blue) and _share_of_green(small) >= GREEN:
            return Fault.GREEN
        if deviation < COVERED:
            return Fault.COVERED
        if self._is_blurred(half, small):
            return Fault.BLURRED
        return Fault.FROZEN if frozen else None

    def _is_frozen(self, half: Pixels, now: float) -> bool:
        bits = half.tobytes()
        if bits == self._last and now >= self._since:
            return now - self._since >= FROZEN
        self._last, self._since = bits, now
        return False

    def _is_blurred(self, half: Pixels, small: Pixels) -> bool:
        if half.shape != self._shape:
            self._shape = half.shape
            self._fine, self._coarse = _Detail(half.shape), _Detail(small.shape)
        fine, coarse = self._fine.of(half), self._coarse.of(small)
        return any(each < BLURRED**2 * other for each, other in zip(fine, coarse, strict=True))


class _Detail:
    """Mean squares of the second differences of a picture's green along its rows, and along its columns.

    A picture that is out of focus has little in both directions, one that is smeared in that of the motion at least.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        rows, columns = shape[:2]
        self._channel = np.empty((rows, columns), np.uint8)
        self._green, self._twice = (np.empty((rows, columns), np.float32) for _ in range(2))
        # Of every second row, and around every second row: half of them say as much.
        along = np.empty((-(-rows // 2), max(0, columns - 2)), np.float32)
        across = np.empty((max(0, rows - 1) // 2, columns), np.float32)
        g, t = self._green, self._twice
        self._parts = (
            (g[::2, 2:], g[::2, :-2], t[::2, 1:-1], along),
            (g[2::2], g[:-2:2], t[1:-1:2], across),
        )

    def of(self, pixels: Pixels) -> tuple[float, float]:
        """Both of a picture, (rows, columns, 3)."""
        cv2.extractChannel(pixels, 1, self._channel)
        np.copyto(self._green, self._channel)
        np.add(self._green, self._green, out=self._twice)
        found = []
        for one, other, middle, difference in self._parts:
            np.add(one, other, out=difference)
            np.subtract(difference, middle, out=difference)
            found.append(float(np.vdot(difference, difference)) / max(1, difference.size))
        return found[0], found[1]


def _share_of_green(pixels: Pixels) -> float:
    """Share of pixels that are the decoder's green."""
    return cv2.countNonZero(cv2.inRange(pixels, *DECODERS_GREEN)) / (pixels.shape[0] * pixels.shape[1])
