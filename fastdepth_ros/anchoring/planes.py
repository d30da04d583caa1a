"""Planes of the answer, which a correction keeps planes: noise of anchors does not bend a wall.

On a plane inverse depth is affine over the picture of a pinhole camera, so log(true / answered) is an affine function
over the answered inverse depth wherever both are planar. Planes are sought in parts of the answer, whoever fits one is
its member, and the correction of members gives way to its best fit of that kind. It does so only as far as the anchors'
own noise would explain the difference: exact anchors are followed as they are.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from fastdepth_ros.anchoring.fit import middle
from fastdepth_ros.anchoring.layout import SEEDS
from fastdepth_ros.anchoring.selection import VAGUE

Floats = npt.NDArray[np.float32]

FITS = 0.06
"""Difference from a plane, as a share of depth, at which a node is half a member."""

MEMBERS = 2.0
"""Members with which a plane counts half."""

BENT = 0.95
"""Root mean square of the change, over the anchors' noise, at which a plane counts half: they contradict it."""

MOSTLY_BENT = 1.2
"""Such a root mean square of the plane in the middle, at which all of a picture's planes count half."""

FARTHEST = 2.5
"""A change over the anchors' noise of which half is made; of larger ones less."""

LOUD, SEVERAL = 0.025, 8
"""Noise [log m] and count of anchors below which corrections are left as they are."""

LEFT_OUT = 1e8
"""Standardised errors from here on are of anchors that were left out."""

LARGEST = np.float32(0.3**2)
"""Square of a member's distance from its plane's correction that counts at most."""

LITTLE, NEARLY_NONE = np.float32(1e-4), np.float32(1e-30)
"""Share by which planes are drawn to zero, and a number by which they always are."""

NEARNESS = np.log(np.array((1 / 500, 1 / 0.02), np.float32))
"""Logarithm of the least and of the largest inverse depth that a node may have."""


class Noise(NamedTuple):
    """Standard deviations of anchors' errors of measuring [log m].

    Attributes:
        seen: by their residuals; 0 where they are too few to tell.
        assumed: the same; of few, what is said or assumed of them.
    """

    seen: float
    assumed: float


def noise_of(errors: Floats, sds: Floats) -> Noise:
    """Noise of anchors by the medians of their errors, or of few by that of their standard deviations.

    It is at most what points of odometry are assumed to have: where the answer is far off, what anchors say of it looks
    like noise, too.

    Args:
        errors: (n,) standardised; huge of those that were left out.
        sds: (n,) what they were standardised by, about.
    """
    used = np.abs(errors) < LEFT_OUT
    count = np.count_nonzero(used)
    if count < len(errors):
        errors, sds = errors[used], sds[used]
    if count < SEVERAL:
        return Noise(0.0, min(middle(sds), VAGUE) if count else 0.0)
    return noise_from(middle(np.abs(errors) * sds))


def noise_from(middle_size: float) -> Noise:
    """Noise of several anchors from the median of their errors' sizes [log m]."""
    seen = min(1.48 * middle_size, VAGUE)
    return Noise(seen, seen)


class Kept(NamedTuple):
    """Planes that are kept.

    Attributes:
        change: (rows, columns) of the correction [log m].
        share: (rows, columns) how far each node is a member of a plane, 0 to 1.
    """

    change: Floats
    share: Floats


def limits(noise: float) -> tuple[float, float, float]:
    """Factors that make changes 1 at the limits, by anchors' noise [log m].

    Returns:
        on the mean square of a plane's members, on that of the plane in the middle, and on a single change.
    """
    return 1 / (BENT * noise) ** 2, 1 / (MOSTLY_BENT * noise) ** 2, 1 / (FARTHEST * noise)


class Planes:
    """Planes on a grid of nodes.

    Args:
        grid: rows and columns of nodes.

    Attributes:
        are_sought: whether the grid is large enough.
        fine, coarse: (3, nodes) columns, rows and one, of the grid and of means over its 2x2 nodes: the picture goes
            from -1 to 1.
        seeds: (nodes,) of these means, the part of the picture that each is in.
    """

    def __init__(self, grid: tuple[int, int]) -> None:
        self._grid = grid
        # Planes are fitted to means over 2x2 nodes.
        self._half = (grid[0] // 2, grid[1] // 2)
        self.are_sought = min(self._half) >= 2 * SEEDS
        self.coarse, self.fine = _basis(self._half), _basis(grid)
        self._products = (self.coarse[:, None] * self.coarse).reshape(9, -1)
        row, column = (np.arange(size) * SEEDS // max(size, 1) for size in self._half)
        self.seeds = (row[:, None] * SEEDS + column).ravel()
        self._parts = np.asarray(self.seeds == np.arange(SEEDS**2)[:, None], np.float32)
        self._sums = np.empty((12, self.seeds.size), np.float32)
        self._ones = np.ones((self.seeds.size, 1), np.float32)
        self._row, self._planes = np.ones(3, np.float32), np.ones(SEEDS**2, np.float32)

    def keep(self, log_depth: Floats, correction: Floats, noise: float) -> Kept | None:
        """Find what to change of a correction, so that planes stay planes.

        Args:
            log_depth: (rows, columns) of the answer at the nodes [log m].
            correction: (rows, columns) log(corrected / answered) there.
            noise: standard deviation of the anchors' errors [log m].

        Returns:
            None where nothing is to be changed.
        """
        if noise < LOUD or not self.are_sought or not cv2.checkRange(correction)[0]:
            return None
        nearness = np.exp(np.minimum(np.maximum(-log_depth, NEARNESS[0]), NEARNESS[1]))
        found, fitted, believed = self._fit(nearness, correction, noise)
        lines, old = self.fine / nearness.ravel(), correction.ravel()
        member = _members(found @ lines)
        member *= believed
        share = member.max(0)
        np.square(member, out=member)
        # Means over planes, weighed by how far a node is a member: first of the planes' coefficients, then there.
        mean = np.ascontiguousarray(fitted.T) @ member
        mean *= lines
        change = self._row @ mean
        change /= self._planes @ member + np.float32(1e-12)
        change -= old
        change *= share
        change /= 1 + np.square(change * np.float32(limits(noise)[2]))
        return Kept(change.reshape(self._grid), share.reshape(self._grid))

    def _fit(self, nearness: Floats, correction: Floats, noise: float) -> tuple[Floats, Floats, Floats]:
        """Planes (k, 3) of inverse depth, what corrects them (k, 3), and how far each is believed (k, 1)."""
        size = self._half[::-1]
        depth = np.reciprocal(cv2.resize(nearness, size, interpolation=cv2.INTER_AREA).ravel())
        old = cv2.resize(correction, size, interpolation=cv2.INTER_AREA).ravel()
        sums = self._sums
        squares, lines = sums[:9], sums[9:]
        np.multiply(self._products, np.square(depth), out=squares)
        np.multiply(self.coarse, depth, out=lines)
        found = _solve(self._parts @ sums.T)
        member, plain = _members(found @ lines), lines.copy()
        lines *= old
        fitted = _solve(member @ sums.T)
        gap = fitted @ plain
        gap -= old
        np.square(gap, out=gap)
        np.minimum(gap, LARGEST, out=gap)
        count = member @ self._ones
        np.square(member, out=member)
        gap *= member
        bent = (gap @ self._ones) / (member @ self._ones + np.float32(1e-12))
        by_bent, by_middle, _ = limits(noise)
        believed = count / (count + np.float32(MEMBERS)) / (1 + (bent * np.float32(by_bent)) ** 5)
        believed /= 1 + (middle(bent.ravel()) * by_middle) ** 3
        return found, fitted, np.asarray(believed, np.float32)


def _basis(grid: tuple[int, int]) -> Floats:
    """Columns, rows and one (3, nodes): the picture goes from -1 to 1."""
    rows, columns = ((np.arange(size) + 0.5) * 2 / max(size, 1) - 1 for size in grid)
    return np.stack(np.broadcast_arrays(columns, rows[:, None], 1.0)).reshape(3, -1).astype(np.float32)


def _members(nearness: Floats) -> Floats:
    """Memberships of nodes in planes, 0 to 1, from the planes' inverse depths over the nodes' own; written in place."""
    nearness -= np.float32(1)
    nearness *= np.float32(1 / FITS)
    np.square(nearness, out=nearness)
    np.square(nearness, out=nearness)
    nearness += np.float32(1)
    return np.reciprocal(nearness, out=nearness)


def _solve(sums: Floats) -> Floats:
    """Coefficients (k, 3) of least squares from sums of products (k, 9 + 3), written over, a little drawn to zero."""
    sums[:, :9:4] += sums[:, 8:9] * LITTLE + NEARLY_NONE
    return np.linalg.solve(sums[:, :9].reshape(-1, 3, 3), sums[:, 9:, None])[..., 0]
