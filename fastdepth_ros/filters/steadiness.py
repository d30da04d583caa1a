"""Depth without flicker: the answer of a cell joins those that the same thing had in the pictures before.

Two things flicker: the scale of a whole answer, and each cell within it. In log depth, the answer is held against the
mean of those before, which is fetched from where each cell was (:mod:`fastdepth_ros.filters.following`):

    answer - mean = shift (of all cells) + rest (of each)
    steady        = answer - (1 - 1/m) shift - (1 - 1/n) rest

m and n count the answers that are in the mean, this one included, up to a most: m of the whole, n of each cell. n falls
to 1, so that a cell's own part of the answer stands alone, where

    - the picture shows another thing than before, or the cell was out of sight;
    - the rest is large: another surface, an edge that moves. What is large is little where the picture moves, and more
      where it stands still: there depth cannot change.

All of it begins anew after a cut, a pause, a clock that jumps, and where hardly a cell fits.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from fastdepth_ros.filters.following import Followed, Follower, Map

LEAST, MOST = 1e-3, 1e4
"""Depths that have a logarithm here [m]; anything else is no answer."""

LONGEST, LONGEST_GOING = 10.0, 5.0
"""Answers that are in the mean with a steadiness of 1, which is an exponent; and of the whole where the camera goes:
what it comes nearer to is nearer in all cells, and would be so too late."""

FAR, FAR_STANDING = 0.12, 0.5
"""Rest in log depth from which a cell has nothing to do with the mean; in a picture that stands still."""

STANDS = 0.15
"""Way from picture to picture up to which a cell stands still [cells]; from twice that it goes."""

FITS, SHOWS = 0.3, 0.6
"""Share of cells that have to go on from before, and of the picture that has to show the same, or all begin anew."""

OUTLYING, JUMP = 0.2, 0.5
"""Distance from the mean shift that says nothing more of it; a shift beyond which all begin anew. In log depth."""

PAUSE = 0.5
"""Time between pictures beyond which all begin anew [s]."""


class Steadiness:
    """Steadies the answers to one camera's pictures.

    Args:
        shape: rows and columns of the answers.

    Attributes:
        goes_on: share of cells of the latest answer that went on from the one before; 0 after a new beginning.
    """

    def __init__(self, shape: tuple[int, int]) -> None:
        self.goes_on = 0.0
        self._shape = shape
        self._follower = Follower(shape)
        self._last = -math.inf
        self._frames = 0.0
        # Mean and count of each cell.
        self._held, self._fetched = (np.zeros((*shape, 2), np.float32) for _ in range(2))
        self._log, self._mean, self._count, self._off, self._share = (np.zeros(shape, np.float32) for _ in range(5))
        half = (-(-shape[0] // 2), -(-shape[1] // 2))
        self._weights, self._clipped = (np.zeros(half, np.float32) for _ in range(2))
        self._answered = np.zeros(shape, np.bool_)

    def forget(self) -> None:
        """Begin anew with the next answer."""
        self._last = -math.inf

    def steady(self, metres: Map, picture: npt.NDArray[np.uint8], now: float, steadiness: float) -> None:
        """Steady one answer, in place.

        Args:
            metres: (rows, columns) [m]; what is no number between :data:`LEAST` and :data:`MOST` stays as it is.
            picture: (h, w, 3) RGB, what the network saw.
            now: the picture's time in any clock that goes on [s].
            steadiness: 0 leaves answers as they are, 1 steadies most.
        """
        self._follower.show(picture)
        whole = self._take(metres)
        followed = self._follow(now)
        self.goes_on = self._join(followed, steadiness, whole) if followed is not None else 0.0
        if not self.goes_on:
            self._begin(whole)
            return
        cv2.exp(self._log, self._log)
        if whole:
            np.copyto(metres, self._log)
        else:
            np.copyto(metres, self._log, where=self._answered)

    def _follow(self, now: float) -> Followed | None:
        """Find where cells were in the picture before; None after a pause or a cut."""
        goes_on = 0 <= now - self._last <= PAUSE
        self._last = now
        followed = self._follower.follow() if goes_on else None
        return followed if followed is not None and cv2.mean(followed.same)[0] >= SHOWS else None

    def _take(self, metres: Map) -> bool:
        """Logarithms of an answer, 0 where there is none; returns whether there is one everywhere."""
        if cv2.checkRange(metres, True, LEAST, MOST)[0]:
            cv2.log(metres, self._log)
            return True
        answered = self._answered
        np.greater(metres, LEAST, out=answered)
        answered &= metres < MOST
        self._log.fill(1.0)
        np.copyto(self._log, metres, where=answered)
        cv2.log(self._log, self._log)
        return False

    def _begin(self, whole: bool) -> None:
        self._held[..., 0] = self._log
        self._held[..., 1] = 1.0 if whole else self._answered
        self._frames = 1.0

    def _join(self, followed: Followed, steadiness: float, whole: bool) -> float:
        """Steady the logarithms of an answer, and keep them as the mean; returns the share of cells that go on.

        Returns 0, and leaves all as it was, where too few do.
        """
        self._fetch(followed, whole)
        shift = self._shift(followed)
        if shift is None or abs(shift) > JUMP:
            return 0.0
        log, count, rest, share = self._log, self._count, self._off, self._share
        np.subtract(rest, np.float32(shift), out=rest)
        stands = self._trust(followed)
        answers = share.size if whole else max(1, np.count_nonzero(self._answered))
        known = float(np.count_nonzero(np.multiply(share, count, out=count) > FITS)) / answers
        if known < FITS:
            return 0.0
        most = LONGEST**steadiness
        np.minimum(count, np.float32(most - 1), out=count)
        most_of_all = stands * most + (1 - stands) * min(most, LONGEST_GOING)
        self._frames = min(self._frames, most_of_all - 1) + 1

        log -= np.float32((1 - 1 / self._frames) * shift)
        np.add(count, np.float32(1), out=share)
        np.divide(count, share, out=count)
        np.multiply(rest, count, out=rest)
        np.subtract(log, rest, out=log)
        if not whole:
            share *= self._answered
        cv2.merge([log, share], self._held)
        return known

    def _fetch(self, followed: Followed, whole: bool) -> None:
        """Fetch mean and count from where each cell was, and hold the answer against the mean.

        From the nearest cell: a mean of two depths would be a thing in the air between them.
        """
        cv2.remap(self._held, followed.places, None, cv2.INTER_NEAREST, self._fetched, cv2.BORDER_CONSTANT, (0.0, 0.0))
        cv2.split(self._fetched, [self._mean, self._count])
        np.subtract(self._log, self._mean, out=self._off)
        if not whole:
            self._count *= self._answered

    def _shift(self, followed: Followed) -> float | None:
        """Mean distance of the answer from the mean over cells that show the same, outliers cut; None without any.

        It asks every second cell of every second row.
        """
        weights, clipped, off = self._weights, self._clipped, self._off[::2, ::2]
        np.multiply(self._count[::2, ::2], followed.same, out=weights)
        total = float(weights.sum())
        if total < 1:
            return None
        np.copyto(clipped, off)
        rough = float(np.vdot(weights, clipped)) / total
        np.clip(clipped, np.float32(rough - OUTLYING), np.float32(rough + OUTLYING), out=clipped)
        return float(np.vdot(weights, clipped)) / total

    def _trust(self, followed: Followed) -> float:
        """Find the share of each cell's mean that still holds; returns the share of cells that stand still."""
        far, share = followed.motion, self._share
        # From 1 where a cell stands to 0 where it goes: how much more may be noise.
        np.multiply(far, np.float32(-1 / STANDS), out=far)
        np.add(far, np.float32(2), out=far)
        np.clip(far, 0, 1, out=far)
        standing = cv2.mean(far)[0]
        np.multiply(far, np.float32(FAR_STANDING - FAR), out=far)
        np.add(far, np.float32(FAR), out=far)
        # Hardly anything is near where the picture shows another thing.
        np.maximum(followed.same, np.float32(1e-2), out=followed.same)
        np.multiply(far, followed.same, out=far)
        np.divide(np.float32(-2), far, out=far)
        cv2.resize(far, share.shape[::-1], share, 0, 0, cv2.INTER_LINEAR)
        # 1 up to half of what is far, then down to 0.
        np.abs(self._off, out=self._mean)
        np.multiply(share, self._mean, out=share)
        np.add(share, np.float32(2), out=share)
        np.clip(share, 0, 1, out=share)
        return float(standing)
