"""Anchors of a frame as the kernel of the fit sees them: its arguments by name, and arrays that it works in."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from fastdepth_ros.anchoring.layout import COUNTS, FIT, KNOTS, LINE, NUMBERS, POINTS, RIGHT, SQUARE
from fastdepth_ros.arguments import WORK
from fastdepth_ros.compiler import ir
from fastdepth_ros.compiler.anchors.words import Matrix
from fastdepth_ros.compiler.ir import Buffer, Expr

Body = Callable[..., None]
"""Writes a kernel when it gets the buffers of its arguments."""


class Frame:
    """Arguments and arrays.

    Args:
        buffers: of the arguments, as :data:`~fastdepth_ros.anchoring.layout.FIT` has them.
        lanes: numbers of a vector.

    Attributes:
        points: planes of those that passed their gates: features, residuals, standard deviations.
        source_of: of each.
        index: of each among all.
        sorted: the same planes in the order of the curve.
        source: of each, in that order.
        order: which point is at each place of the order.
        gaps: between each and the next.
        prior, matrix: of the knots: the process's covariance, and that with noise, which is solved.
        work: arrays that only the kernel uses, by name.
    """

    def __init__(self, buffers: Sequence[Buffer], lanes: int) -> None:
        self._arguments = dict(zip((each.name for each in FIT), buffers, strict=True))
        self.lanes = lanes
        work = {name.removeprefix(WORK): each for name, each in self._arguments.items() if name.startswith(WORK)}
        self.work = work
        self.points, self.sorted = work["points"], work["sorted"]
        self.source_of, self.index, self.source, self.order = (
            work[name] for name in ("source_of", "index", "source_sorted", "order")
        )
        self.keys, self.gaps = work["keys"], work["gaps"]
        self.errors, self.unsure, self.base, self.precision = (
            work[name] for name in ("wrong", "unsure", "base", "precision")
        )
        self.matrix, self.prior = (Matrix(work[name], KNOTS + RIGHT, KNOTS, lanes) for name in ("matrix", "prior"))
        self.small = Matrix(work["small"], 2 * SQUARE, SQUARE, lanes)
        self.levels, self.freedom = work["levels"], work["freedom"]

    def __getitem__(self, name: str) -> Buffer:
        """An argument."""
        return self._arguments[name]

    def count(self, name: str) -> Expr:
        return self["counts"][COUNTS.index(name)]

    def set_count(self, name: str, value: Expr) -> None:
        ir.put(self["counts"], value, COUNTS.index(name))

    def number(self, name: str) -> Expr:
        return self["numbers"][NUMBERS.index(name)]

    def line(self, row: int, column: int) -> Expr:
        """The line's covariance in terms of its basis."""
        return self["numbers"][len(NUMBERS) + LINE * row + column]

    def bias(self, source: Expr) -> Expr:
        """The variance that a source's anchors have in common."""
        return self["numbers"][len(NUMBERS) + LINE**2 + source]

    def plane(self, number: int, index: Expr) -> Expr:
        """A point's feature, or behind these its residual and standard deviation."""
        return self.sorted[number * POINTS + index]
