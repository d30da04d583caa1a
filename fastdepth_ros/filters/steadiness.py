"""Depth without flicker: the answer to a picture is held against the mean of those before, and corrected.

Two things flicker: the scale of a whole answer, and its parts, each for itself. Both do so smoothly: a tenth of it or
less is finer than pieces of 4 x 4 cells. So the mean is one of pieces, and an answer is multiplied by a smooth factor:
its edges stay where the newest answer has them. In log depth of pieces, with the mean fetched from where each
piece was (:mod:`fastdepth_ros.filters.following`):

    mean - answer = shift (of all pieces) + rest (of each)
    log factor    = (1 - 1/m) shift + (1 - 1/n) rest

m and n count the answers that are in the mean, this one included, up to a most: m of the whole, n of each piece. n
falls to 1, so that a piece's own part of the answer stands alone, where

    - the picture shows another thing than before, or the piece was out of sight;
    - the rest is large: another surface, an edge that moves. What is large is little while the camera goes, and more
      while it stands: there depth cannot change.

All of it begins anew after a cut, a pause, a clock that jumps, and where hardly a piece fits.

A frame calls many small functions once, right after the network, when none of them is in a cache. So it calls the same
few again and again: the first call of each costs as much as ten more.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from fastdepth_ros.arguments import Bind
from fastdepth_ros.filters.following import Follower
from fastdepth_ros.filters.halves import Halves
from fastdepth_ros.filters.limits import (
    ANSWERED,
    DARK,
    FITS,
    JUMP,
    LEAST,
    LONGEST,
    LONGEST_GOING,
    MOST,
    NEAR,
    NEAR_STANDING,
    NOISE,
    OUTLYING,
    SHOWS,
    STANDS,
)
from fastdepth_ros.filters.pieces import Map, Pieces
from fastdepth_ros.filters.steady_function import SteadyFunction

PAUSE = 0.5
"""Time between pictures beyond which all begin anew [s]."""

_MOST_OFF = np.array([[[OUTLYING]], [[4 * NOISE]]], np.float32)
_LEAST_OFF = -_MOST_OFF
_NOTHING = (0.0, 0.0, 0.0)


class Steadiness:
    """Steadies the answers to one camera's pictures.

    Args:
        shape: rows and columns of the answers.
        bind: gives the compiled function, where there is one; the same in numpy otherwise.

    Attributes:
        goes_on: share of pieces of the latest answer that went on from the one before; 0 after a new beginning.
    """

    def __init__(self, shape: tuple[int, int], bind: Bind | None = None) -> None:
        self.goes_on = 0.0
        self._pieces = Pieces(shape)
        pieces = self._pieces.shape
        self._follower = Follower(pieces)
        self._function = SteadyFunction.find(shape, self._follower, bind)
        self._last = -math.inf
        self._frames = 0.0
        # Log depth, log brightness and count of each piece. Held ones lie together, to be fetched at once.
        self._held, self._fetched = (np.zeros((*pieces, 3), np.float32) for _ in range(2))
        self._before, self._now = (np.zeros((3, *pieces), np.float32) for _ in range(2))
        self._off, self._fits = (np.zeros((2, *pieces), np.float32) for _ in range(2))
        self._weights, self._every = np.zeros(pieces, np.float32), np.ones(pieces, np.float32)
        self._slopes = np.array([[[0.0]], [[-1 / NOISE]]], np.float32)
        self._answered, self._there = np.zeros(shape, np.bool_), np.ones(pieces, np.float32)

    def forget(self) -> None:
        """Begin anew with the next answer."""
        self._last = -math.inf

    def steady(self, metres: Map, picture: Halves, now: float, steadiness: float) -> None:
        """Steady one answer, in place.

        Args:
            metres: (rows, columns) [m]; what is no number between :data:`LEAST` and :data:`MOST` stays as it is.
            picture: what the network saw, RGB.
            now: the picture's time in any clock that goes on [s].
            steadiness: 0 leaves answers as they are, 1 steadies most.
        """
        self._follower.show(picture)
        goes_on = 0 <= now - self._last <= PAUSE
        self._last = now
        if self._function is not None:
            self.goes_on = self._function.steady(metres, steadiness, goes_on)
            return
        whole = self._take(metres)
        self.goes_on = self._join(steadiness, whole) if goes_on else 0.0
        if not self.goes_on:
            self._now[2] = 1.0 if whole else self._there
            self._frames = 1.0
        np.copyto(self._held.transpose(2, 0, 1), self._now)
        if self.goes_on:
            np.exp(self._off[0], out=self._pieces.numbers)
            if whole:
                np.multiply(metres, self._pieces.smooth(), out=metres)
            else:
                np.multiply(metres, self._pieces.smooth(), out=metres, where=self._answered)

    def _take(self, metres: Map) -> bool:
        """Logarithms of an answer's and a picture's pieces; returns whether all cells have an answer."""
        depth, brightness = self._now[0], self._now[1]
        np.copyto(brightness, self._follower.grey)
        np.add(brightness, DARK, out=brightness)
        whole = bool(cv2.checkRange(metres, True, LEAST, MOST)[0])
        if whole:
            self._pieces.mean(metres, depth)
        else:
            self._take_part(metres, depth)
        np.log(self._now[:2], out=self._now[:2])
        return whole

    def _take_part(self, metres: Map, out: Map) -> None:
        """Means of the answers of each piece, 1 where there are too few."""
        answered, there = self._answered, self._there
        np.greater(metres, LEAST, out=answered)
        answered &= metres < MOST
        self._pieces.mean(answered.astype(np.float32), there)
        self._pieces.mean(np.where(answered, metres, np.float32(0)), out)
        enough = there >= ANSWERED
        np.divide(out, there, out=out, where=enough)
        np.copyto(out, 1.0, where=~enough)
        np.copyto(there, enough)

    def _join(self, steadiness: float, whole: bool) -> float:
        """Find the logarithms of factors, and the mean that they make; returns the share of pieces that go on.

        Returns 0, and leaves all as it was, where too few do.
        """
        count, stands = self._fetch(whole)
        seen = float(np.vdot(count, self._every))
        if seen < 1:
            return 0.0
        shift = self._shift(count, seen)
        showing = self._fit(count, stands) / seen
        off, fits, weights, every = self._off, self._fits, self._weights, self._every
        if showing < SHOWS:
            return 0.0
        np.multiply(fits[0], fits[1], out=weights)
        np.multiply(weights, count, out=weights)
        np.minimum(weights, FITS, out=fits[0])
        pieces = every.size if whole else max(1.0, float(np.vdot(self._there, every)))
        known = float(np.vdot(fits[0], every)) / (FITS * pieces)
        if known < FITS:
            return 0.0
        more = float(np.vdot(weights, off[0])) / float(np.vdot(weights, every))
        shift += more
        if abs(shift) > JUMP:
            return 0.0
        np.subtract(off[0], more, out=off[0])
        most = LONGEST**steadiness
        self._frames = min(self._frames, stands * most + (1 - stands) * min(most, LONGEST_GOING) - 1) + 1
        self._mix(most, shift, whole)
        return known

    def _fetch(self, whole: bool) -> tuple[Map, float]:
        """Fetch what is held from where each piece was.

        Returns:
            Its counts, 0 where it was out of sight; and from 1, the camera stands, to 0, it goes.
        """
        self._follower.follow()
        before, fetched, flow = self._before, self._fetched, self._follower.flow
        cv2.remap(self._held, self._follower.places, None, cv2.INTER_LINEAR, fetched, cv2.BORDER_CONSTANT, _NOTHING)
        np.copyto(before, fetched.transpose(2, 0, 1))
        if not whole:
            np.multiply(before[2], self._there, out=before[2])
        way = math.sqrt(2 * float(np.vdot(flow, flow)) / flow.size)
        return before[2], min(1.0, max(0.0, 2 - way / STANDS))

    def _shift(self, count: Map, seen: float) -> float:
        """Find how far the mean is from the answer, and the picture before from that of now, in the same light.

        Returns:
            The shift of depth, which is taken out as the light is.
        """
        off, cut = self._off, self._fits
        np.subtract(self._before[:2], self._now[:2], out=off)
        np.minimum(off, _MOST_OFF, out=cut)
        np.maximum(cut, _LEAST_OFF, out=cut)
        shift, light = float(np.vdot(cut[0], count)) / seen, float(np.vdot(cut[1], count)) / seen
        np.subtract(off[0], shift, out=off[0])
        np.subtract(off[1], light, out=off[1])
        return shift

    def _fit(self, count: Map, stands: float) -> float:
        """Find how well depth and brightness fit: from 1, up to what may be noise, down to 0.

        Returns:
            The sum of the counts of all pieces, each by how much it shows the same.
        """
        fits = self._fits
        self._slopes[0] = -1 / (NEAR + stands * (NEAR_STANDING - NEAR))
        np.abs(self._off, out=fits)
        np.multiply(fits, self._slopes, out=fits)
        np.add(fits, 2.0, out=fits)
        np.minimum(fits, 1.0, out=fits)
        np.maximum(fits, 0.0, out=fits)
        return float(np.vdot(fits[1], count))

    def _mix(self, most: float, shift: float, whole: bool) -> None:
        """Make logarithms of factors of what is off, and the new mean and its counts."""
        weights, rest, depth, counts = self._weights, self._off[0], self._now[0], self._now[2]
        np.minimum(weights, most - 1, out=weights)
        np.add(weights, 1.0, out=counts)
        np.divide(weights, counts, out=weights)
        np.multiply(rest, weights, out=rest)
        np.add(rest, (1 - 1 / self._frames) * shift, out=rest)
        if abs(shift) > JUMP / 2:  # else the rest is too small for more
            np.clip(rest, -JUMP, JUMP, out=rest)
        np.add(depth, rest, out=depth)
        if not whole:
            np.multiply(counts, self._there, out=counts)
