"""Number of a pixel's 16 bits that a camera fills.

``mono16`` does not say: 10 or 12 bits of a sensor lie in the lower ones as often as they are shifted up to 16. Taken
for 16, 12 bits are a picture sixteen times too dark, and depth is a third too near.
"""

from __future__ import annotations

from collections import deque
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

USUAL = (10, 12, 14, 16)
"""Bits of sensors."""

STUCK = 1e-4
"""Share of a picture's values that may be larger than the others' bits can say: sensors have pixels that are stuck."""

SEEN, WITHIN = 3, 30
"""Pictures of so many that have to show more bits than the first one did before darker ones are taken for as many.

One that was damaged on its way would make all that follow too dark, for ever.
"""

FIRST = 10
"""Pictures for which the first one is believed alone; then what SEEN of them show holds.

Drivers send a first picture that is none, and one that is dark needs the bits of a light one before it.
"""


class Bits:
    """Finds out how many bits pixels have, from the largest value of the pictures so far.

    Pixels that are stuck are left out. What few pictures show holds for themselves alone.

    Attributes:
        given: what the user says; 0 where it is to be found out.
        bits: that the last picture was taken to have; 0 before the first.
    """

    def __init__(self) -> None:
        self.given = self.bits = self._largest = self._told = 0
        self._larger: deque[int] = deque(maxlen=SEEN - 1)
        self._first: list[int] = []
        self._pictures = 0

    @property
    def note(self) -> str:
        """Note for a user; empty where no picture had 16 bits."""
        if not self.bits or self.given:
            return f"{self.given}, as mono16_bits says" if self.bits else ""
        return f"{self.bits}, as the largest value is {self._told}; set mono16_bits if that is wrong"

    def to_8(self, words: npt.NDArray[np.uint16], out: npt.NDArray[np.uint8] | None = None) -> npt.NDArray[np.uint8]:
        """Pixels of 8 bits: white is the largest number that the camera's bits can say.

        Args:
            words: (height, width) or (height, width, channels), in this machine's byte order.
            out: to write into, of the same shape.
        """
        self.bits = self.given or self._infer(words)
        scaled: Any = cv2.convertScaleAbs(words, dst=out, alpha=255 / (2**self.bits - 1))
        return np.asarray(scaled, np.uint8)

    def _infer(self, words: npt.NDArray[np.uint16]) -> int:
        largest = int(words.max())
        self._pictures += 1
        self._told = self._largest
        is_early = self._pictures <= FIRST
        most = _largest_of_most(words, largest) if is_early or largest > self._largest else 0
        if most > self._largest:
            self._told = most
            if self._pictures == 1 or _bits(most) == _bits(self._largest) or self._is_seen_again():
                self._largest = most
        if is_early:
            self._first.append(most)
            if self._pictures == FIRST:
                self._judge_the_first(most)
        return _bits(self._told)

    def _judge_the_first(self, most: int) -> None:
        """Believe what enough of the first pictures show; ``most`` is the largest value of the last of them."""
        shown = sorted(self._first)[-SEEN]
        if _bits(shown) < _bits(self._largest):
            self._largest = shown
            self._told = max(shown, most)

    def _is_seen_again(self) -> bool:
        """Whether enough of the latest pictures need more bits, this one among them."""
        first = self._larger[0] if len(self._larger) == SEEN - 1 else -WITHIN
        self._larger.append(self._pictures)
        return self._pictures - first < WITHIN


def _bits(largest: int) -> int:
    return next(bits for bits in USUAL if largest < 1 << bits)


def _largest_of_most(words: npt.NDArray[np.uint16], largest: int) -> int:
    """The largest value of all pixels but those that are stuck."""
    for bits in USUAL:
        above = words >= 1 << bits if largest >> bits else np.zeros(1, np.bool_)
        if np.count_nonzero(above) <= STUCK * words.size:
            return int(words.max(where=~above, initial=0))
    return largest
