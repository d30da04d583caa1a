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

from fastdepth_ros.filters.functions import LIMIT
from fastdepth_ros.filters.halves import Halves

__all__ = ["Fault", "Gate"]

DARK = 40
"""A picture is dark if all of its mean values are below this, of 255."""

OVEREXPOSED = 0.5
"""Share of values at their limit from which on a picture is overexposed."""

COVERED = 8.0
"""Standard deviation of the mean values below which nothing is to be seen, of 255."""

BLURRED = 0.33
"""Fine detail as a share of coarse detail, along rows or along columns, below which a picture is blurred."""

GREEN = 0.2
"""Share of values that are the decoder's green from which on a picture is broken."""

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
        >>> import numpy as np
        >>> gate = Gate()
        >>> gate.look(Halves(np.zeros((224, 224, 3), np.uint8)), now=0.0).words
        'too dark'
    """

    def __init__(self) -> None:
        self._last = b""
        self._since = 0.0

    def look(self, picture: Halves, now: float) -> Fault | None:
        """Find the fault of a picture.

        Args:
            picture: the network's input, RGB.
            now: the picture's time in any clock that goes on [s].

        Returns:
            A fault; None for a good picture.
        """
        seen = picture.seen()
        frozen = self._is_frozen(seen.print, now)
        red, green, blue, deviation = seen.means()
        # What needs every value is asked only where the means allow it.
        if green < DARK and seen.most() < DARK:
            return Fault.DARK
        if green > OVEREXPOSED * LIMIT and seen.bright() >= OVEREXPOSED:
            return Fault.OVEREXPOSED
        if green > max(red, blue) and seen.broken() >= GREEN:
            return Fault.GREEN
        if deviation < COVERED:
            return Fault.COVERED
        fine, coarse = seen.details()
        if fine[0] < BLURRED**2 * coarse[0] or fine[1] < BLURRED**2 * coarse[1]:
            return Fault.BLURRED
        return Fault.FROZEN if frozen else None

    def _is_frozen(self, bits: bytes, now: float) -> bool:
        if bits == self._last and now >= self._since:
            return now - self._since >= FROZEN
        self._last, self._since = bits, now
        return False
