"""Milliseconds of a network of any widths: the sum over its parts, each by a table of measurements."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class Unit(NamedTuple):
    """A part of a network that takes its own time: a layer, or several that one kernel computes.

    Attributes:
        name: of its layers.
        groups: on whose widths its time depends.
        cost: those widths -> milliseconds.
    """

    name: str
    groups: tuple[str, ...]
    cost: Callable[[tuple[int, ...]], float]


class Latency:
    """Milliseconds of a network by the widths of its groups.

    Args:
        about: what the milliseconds are of, in words.
        units: the network's parts.
    """

    def __init__(self, about: str, units: Sequence[Unit]) -> None:
        self.about, self.units = about, tuple(units)
        self._known: dict[tuple[str, tuple[int, ...]], float] = {}

    def milliseconds(self, widths: Mapping[str, int]) -> float:
        """Time of the network where its groups have ``widths`` [ms]."""
        return sum(self.parts(widths).values())

    def parts(self, widths: Mapping[str, int]) -> dict[str, float]:
        """Name of a unit -> its time [ms]."""
        found = {}
        for unit in self.units:
            key = unit.name, tuple(widths[group] for group in unit.groups)
            if key not in self._known:
                self._known[key] = unit.cost(key[1])
            found[unit.name] = self._known[key]
        return found


class Cubic:
    """Values between points that were measured: cubic radial basis functions and a plane (Powell, 1992).

    ``f(x) = sum_i c_i |x - x_i|^3 + a + b x``, through every point; NetAdapt's published code interpolates so, too.
    Points that were measured twice count once, with the median. With too few points for a plane the mean is taken.

    Args:
        points: (n, d) widths.
        values: (n,) measurements.
    """

    def __init__(self, points: npt.ArrayLike, values: npt.ArrayLike) -> None:
        given, measured = np.atleast_2d(np.asarray(points, np.float64)), np.asarray(values, np.float64)
        self.points, places = np.unique(given, axis=0, return_inverse=True)
        self.values = np.array([np.median(measured[places.ravel() == i]) for i in range(len(self.points))])
        self.scale = np.maximum(self.points.max(axis=0), 1.0)
        self._solve()

    def _solve(self) -> None:
        self.varying = np.ptp(self.points, axis=0) > 0
        x, count = (self.points / self.scale)[:, self.varying], len(self.points)
        plane = np.hstack([np.ones((count, 1)), x])
        distances = np.linalg.norm(x[:, None] - x[None], axis=2)
        size = plane.shape[1]
        matrix = np.zeros((count + size, count + size))
        matrix[:count, :count], matrix[:count, count:], matrix[count:, :count] = distances**3, plane, plane.T
        right = np.concatenate([self.values, np.zeros(size)])
        flat = count == 1 or bool(np.linalg.matrix_rank(plane) < size)
        self.x, self.factors = x, None if flat else np.linalg.solve(matrix, right)

    def __call__(self, widths: Sequence[int]) -> float:
        """Value at ``widths``; never below zero."""
        if self.factors is None:
            return float(self.values.mean())
        x = (np.asarray(widths, np.float64) / self.scale)[self.varying]
        count = len(self.x)
        bent = np.linalg.norm(self.x - x, axis=1) ** 3 @ self.factors[:count]
        return max(float(bent + self.factors[count] + x @ self.factors[count + 1 :]), 0.0)
