"""Memory of the last frames' corrections: noise of points grows less while the view stays.

A correction is averaged with those before it, exponentially, wherever the answer is what it was. Corrections by exact
anchors are not averaged: what they say of this frame is better than what was said of an earlier one. Once anchors fall
silent the last correction holds for seconds, wherever the answer is what it was.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

LASTS = 0.3
"""Time within which 1 / e of the memory is left [s]."""

PAUSES = 10.0
"""Time within which 1 / e of the last correction is left while anchors are silent and the answer stays [s]."""

CHANGED = np.float32(0.05)
"""Change of the answer [log m], mean of 5x5 places, at which a quarter of a place's memory is left."""

NOISY = 0.03
"""Noise of anchors [log m] at which half of the memory is used."""

LEAST = 0.05
"""Share of the memory that is worth using."""

_SIDE = (5, 5)


def used(noise: float) -> float:
    """Share of the memory that is used, by the standard deviation of anchors' errors [log m]; 0 where it is little."""
    share = noise**2 / (noise**2 + NOISY**2)
    return share if share > LEAST else 0.0


class Memory:
    """The last frames' corrections; its buffers are made once.

    Args:
        shape: rows and columns of corrections.
        correction, answer: buffers of that shape, where there are some.

    Attributes:
        correction, answer: of the last frame with anchors (rows, columns), the logarithms; without meaning where
            nothing is known.
    """

    def __init__(self, shape: tuple[int, int], correction: Floats | None = None, answer: Floats | None = None) -> None:
        self.correction = np.zeros(shape, np.float32) if correction is None else correction
        self.answer = np.zeros(shape, np.float32) if answer is None else answer
        self._kept, self._change = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        self._time = math.nan

    def succeed(self, other: Memory) -> None:
        """Remember what another one does."""
        np.copyto(self.correction, other.correction)
        np.copyto(self.answer, other.answer)
        self._time = other._time

    def forget(self) -> None:
        """Drop what was remembered."""
        self._time = math.nan

    def rescale(self, step: float) -> None:
        """Have all answers be e^step times as far from now on: what they were corrected to stays."""
        self.answer += np.float32(step)
        self.correction -= np.float32(step)

    def decay(self, now: float) -> float:
        """Share of the memory that is left at a frame's time [s], which is noted.

        Returns:
            0 where nothing is known: a clock that jumps back, or shows no number, ends the memory.
        """
        passed = now - self._time
        self._time = now
        return math.exp(-passed / LASTS) if 0 <= passed < 10 * LASTS else 0.0

    def blend(self, correction: Floats, answer: Floats, now: float, noise: float) -> Floats | None:
        """Average a correction with those before it, in place.

        Args:
            correction: (rows, columns) log(corrected / answered); numbers that are none end the memory.
            answer: (rows, columns) logarithm of the answer [log m].
            now: time of the frame [s].
            noise: standard deviation of the anchors' errors [log m].

        Returns:
            (rows, columns) how much of the last frame is still true, 0 to 1, until the next call; None where nothing
            is known.
        """
        decay = self.decay(now)
        if not (cv2.checkRange(correction)[0] and cv2.checkRange(answer)[0]):
            self.forget()
            return None
        kept, share = self._still(answer, decay) if decay else None, used(noise)
        if kept is not None and share:
            change = np.subtract(self.correction, correction, out=self._change)
            change *= kept
            change *= np.float32(share)
            correction += change
        np.copyto(self.correction, correction)
        np.copyto(self.answer, answer)
        return kept

    def recall(self, answer: Floats, now: float) -> Floats | None:
        """The share of the last correction that holds while anchors are silent.

        Args:
            answer: (rows, columns) logarithm of the answer [log m].
            now: time of the frame [s].

        Returns:
            (rows, columns) from 0 to 1, until the next call; None where nothing is known. A clock that jumps back ends
            the memory.
        """
        passed = now - self._time
        if passed < 0:
            self.forget()
        if not (passed >= 0 and cv2.checkRange(answer)[0]):
            return None
        return self._still(answer, math.exp(-passed / PAUSES))

    def _still(self, answer: Floats, decay: float) -> Floats:
        kept = self._kept
        np.subtract(answer, self.answer, out=kept)
        cv2.blur(kept, _SIDE, kept)
        kept *= 1 / CHANGED
        np.square(kept, out=kept)
        kept += 1
        np.square(kept, out=kept)
        np.divide(np.float32(decay), kept, out=kept)
        return kept
