"""A picture at a half, a quarter and an eighth of its size: made once for all who look at it, when the first asks."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from fastdepth_ros.arguments import Arrays, Bind, Call, bound
from fastdepth_ros.filters.functions import functions
from fastdepth_ros.filters.seen import Asked, Counted, Details, Seen

Pixels = npt.NDArray[np.uint8]

STEPS = 3
"""Times that a picture is halved: OpenCV is quicker at that than at an eighth at once."""


class Halves:
    """Halves one picture after the other; of one size, into the same buffers.

    Args:
        pixels: of the first picture, (height, width, 3), both at least 8.
        bind: gives a compiled function that halves these very pixels, written anew, and looks at them.

    Attributes:
        pixels: of the latest.

    Example:
        >>> halves = Halves(np.full((224, 320, 3), 7, np.uint8))
        >>> halves.half.shape, halves.eighth.shape, int(halves.eighth.max())
        ((112, 160, 3), (28, 40, 3), 7)
    """

    def __init__(self, pixels: Pixels, bind: Bind | None = None) -> None:
        self._buffers: list[Pixels] = []
        self._shape: tuple[int, ...] = ()
        self._details = Details()
        self._function = _Function.find(pixels, bind)
        self.show(pixels)

    def show(self, pixels: Pixels) -> None:
        """Take the next picture. It may be written again, and has to be shown again then."""
        self.pixels = pixels
        self._made = self._looked = False

    @property
    def half(self) -> Pixels:
        """(height // 2, width // 2, 3): means of 2 x 2 pixels. Valid until the next picture, as is :attr:`eighth`."""
        self._make()
        return self._buffers[0]

    @property
    def eighth(self) -> Pixels:
        """(height // 8, width // 8, 3): means of 8 x 8 pixels."""
        function = self._own()
        if function is not None:
            return function.eighths
        self._make()
        return self._buffers[-1]

    def seen(self) -> Seen:
        """Answers about the picture; valid until the next."""
        function = self._own()
        return Asked(self.half, self.eighth, self._details) if function is None else function.seen()

    def _own(self) -> _Function | None:
        """The function, which has looked at the latest picture; None where there is none for these pixels."""
        function = self._function
        if function is None or function.pixels is not self.pixels:
            return None
        if not self._looked:
            function.call()
            self._looked = True
        return function

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


class _Function:
    """The compiled function, bound to the pixels of one array.

    Args:
        pixels: as above.
        call: the function.
        arrays: its own, by name.

    Attributes:
        eighths: (height // 8, width // 8, 3), written at each call.
    """

    def __init__(self, pixels: Pixels, call: Call, arrays: Arrays) -> None:
        self.pixels, self.call = pixels, call
        self._numbers, self._print = arrays["numbers"], arrays["print"]
        rows, columns = pixels.shape[:2]
        self.eighths: Pixels = arrays["eighths"].reshape(rows >> STEPS, columns >> STEPS, 3)
        self._count = self.eighths.size // 3
        # Greens that begin a difference: the second of the three numbers of each half, which is two pixels wide.
        halves = columns // 2
        for name, count in (("along", halves - 2), ("across", halves)):
            arrays[name][1 : 6 * count : 6] = 1.0

    @classmethod
    def find(cls, pixels: Pixels, bind: Bind | None) -> _Function | None:
        """The function for these pixels; None where there is none."""
        known = functions(*pixels.shape[:2]).get("look")
        made = bound(bind, *known, {"pixels": pixels}) if known else None
        return None if made is None else cls(pixels, *made)

    def seen(self) -> Seen:
        """Answers about the picture of the latest call."""
        return Counted(self._numbers.tolist(), self._count, self._print.tobytes())
