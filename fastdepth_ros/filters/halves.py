"""A picture at a half, a quarter and an eighth of its size: made once for all who look at it, when the first asks."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]

STEPS = 3
"""Times that a picture is halved: OpenCV is quicker at that than at an eighth at once."""


class Halves:
    """Halves one picture after the other; of one size, into the same buffers.

    Args:
        pixels: of the first picture, (height, width, 3), both at least 8.

    Attributes:
        pixels: of the latest.

    Example:
        >>> halves = Halves(np.full((224, 320, 3), 7, np.uint8))
        >>> halves.half.shape, halves.eighth.shape, int(halves.eighth.max())
        ((112, 160, 3), (28, 40, 3), 7)
    """

    def __init__(self, pixels: Pixels) -> None:
        self._buffers: list[Pixels] = []
        self._shape: tuple[int, ...] = ()
        self.show(pixels)

    def show(self, pixels: Pixels) -> None:
        """Take the next picture. It may be written again, and has to be shown again then."""
        self.pixels = pixels
        self._made = False

    @property
    def half(self) -> Pixels:
        """(height // 2, width // 2, 3): means of 2 x 2 pixels. Valid until the next picture, as is :attr:`eighth`."""
        self._make()
        return self._buffers[0]

    @property
    def eighth(self) -> Pixels:
        """(height // 8, width // 8, 3): means of 8 x 8 pixels."""
        self._make()
        return self._buffers[-1]

    def _make(self) -> None:
        if self._made:
            return
        picture = self.pixels
        if picture.shape != self._shape:
            self._shape = picture.shape
            rows, columns = picture.shape[:2]
            self._buffers = [np.empty((rows >> step, columns >> step, 3), np.uint8) for step in range(1, STEPS + 1)]
        for smaller in self._buffers:
            cv2.resize(picture, smaller.shape[1::-1], smaller, 0, 0, cv2.INTER_AREA)
            picture = smaller
        self._made = True
