"""Questions that the gate asks of a picture: how bright it is, and how much detail it has.

A compiled module's function answers all at once; here each question is asked when its answer is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from fastdepth_ros.filters.functions import DECODERS_GREEN, LIMIT

Pixels = npt.NDArray[np.uint8]


class Seen(Protocol):
    """Answers of one picture; shares are of its eighths."""

    @property
    def print(self) -> bytes:
        """Bytes that are the same again only if the picture is."""

    def means(self) -> tuple[float, float, float, float]:
        """Means of red, green and blue, and the standard deviation of green."""

    def most(self) -> float:
        """Largest green."""

    def bright(self) -> float:
        """Share whose green is at its limit."""

    def broken(self) -> float:
        """Share of the decoder's green."""

    def details(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Mean squares of second differences of green along rows and along columns: of halves, and of eighths.

        What is out of focus has little in both directions, what is smeared in that of the motion at least.
        """


class Asked:
    """Answers by numpy and OpenCV.

    Args:
        half, eighth: the picture's means of 2 x 2 and of 8 x 8 pixels, RGB.
        detail: keeps arrays from picture to picture.
    """

    def __init__(self, half: Pixels, eighth: Pixels, detail: Details) -> None:
        self._half, self._eighth, self._detail = half, eighth, detail

    @property
    def print(self) -> bytes:
        return self._half.tobytes()

    def means(self) -> tuple[float, float, float, float]:
        (red, green, blue), (_, deviation, _) = (each.ravel().tolist() for each in cv2.meanStdDev(self._eighth))
        return red, green, blue, deviation

    def most(self) -> float:
        return float(self._eighth[..., 1].max())

    def bright(self) -> float:
        return float(np.count_nonzero(self._eighth[..., 1] >= LIMIT)) / self._eighth[..., 1].size

    def broken(self) -> float:
        return cv2.countNonZero(cv2.inRange(self._eighth, *DECODERS_GREEN)) / self._eighth[..., 1].size

    def details(self) -> tuple[tuple[float, float], tuple[float, float]]:
        return self._detail.of(self._half, self._eighth)


class Counted:
    """Answers that a module's function has written.

    Args:
        numbers: as :data:`~fastdepth_ros.filters.functions.LOOK` names them.
        count: of eighths.
        print_: bytes that differ where pictures do.
    """

    def __init__(self, numbers: Sequence[float], count: int, print_: bytes) -> None:
        self._sums, self._counts, self._details = numbers[:4], numbers[4:7], numbers[7:]
        self._count, self.print = count, print_

    def means(self) -> tuple[float, float, float, float]:
        red, green, blue, squares = self._sums
        count = self._count
        mean = green / count
        return red / count, mean, blue / count, max(0.0, squares / count - mean * mean) ** 0.5

    def most(self) -> float:
        return self._counts[0]

    def bright(self) -> float:
        return self._counts[1] / self._count

    def broken(self) -> float:
        return self._counts[2] / self._count

    def details(self) -> tuple[tuple[float, float], tuple[float, float]]:
        along, across, coarse_along, coarse_across = self._details
        return (along, across), (coarse_along, coarse_across)


class Details:
    """Measures detail of pictures of one size after the other, into the same arrays."""

    def __init__(self) -> None:
        self._shape: tuple[int, ...] = ()
        self._fine, self._coarse = _Detail((1, 1)), _Detail((1, 1))

    def of(self, half: Pixels, eighth: Pixels) -> tuple[tuple[float, float], tuple[float, float]]:
        """See :meth:`Seen.details`."""
        if half.shape != self._shape:
            self._shape = half.shape
            self._fine, self._coarse = _Detail(half.shape), _Detail(eighth.shape)
        return self._fine.of(half), self._coarse.of(eighth)


class _Detail:
    """Detail of pictures of one size."""

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
