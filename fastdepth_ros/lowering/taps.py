"""Phases of a convolution whose answer is larger than the map that it reads.

An answer ``f`` times as large falls into ``f`` phases on each axis: pixels ``f i + a`` for ``a`` in 0..f-1. In each
phase the convolution is one of the small map with few taps: where nearest neighbour repeated pixels, weights that meet
the same pixel are added up (5x5 behind a doubling is four 3x3); where zeros were inserted, weights that meet a zero are
left out (9 + 6 + 6 + 4 taps of 25 behind a doubling). Both are exact, at the map's edge too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fastdepth_ros.network.kinds import Transposed

NEAREST, ZEROS = "nearest", "zeros"
"""Ways in which a map is larger than what is stored of it."""


@dataclass(frozen=True)
class Phase:
    """Taps of one phase on one axis.

    Attributes:
        first: pixels of the small map from a phase's own pixel to the first tap.
        weights: for each tap, the numbers of the kernel's weights that are added up.
    """

    first: int
    weights: tuple[tuple[int, ...], ...]

    @property
    def count(self) -> int:
        return len(self.weights)

    def mix(self, kernel: int) -> npt.NDArray[np.float64]:
        """(taps, kernel): 1 where a tap takes a weight."""
        found = np.zeros((self.count, kernel))
        for tap, numbers in enumerate(self.weights):
            found[tap, list(numbers)] = 1
        return found


def phases(kernel: int, factor: int = 1, expansion: str = NEAREST) -> tuple[Phase, ...]:
    """Phases of a convolution with stride 1 of a map that was made ``factor`` times as large; one, of a plain map.

    Args:
        kernel: its side, which is odd; ``kernel // 2`` zeros lie around the large map.
        factor: by which the map was made larger.
        expansion: :data:`NEAREST` or :data:`ZEROS`.
    """
    found = []
    for phase in range(factor):
        away = [(phase + weight - kernel // 2, weight) for weight in range(kernel)]
        met = [(pixel // factor, w) for pixel, w in away if expansion == NEAREST or pixel % factor == 0]
        found.append(_phase(met))
    return tuple(found)


def transposed_phases(layer: Transposed) -> tuple[Phase, ...]:
    """Phases of a transposed convolution: pixel ``s j + a`` takes weight ``a + padding - s d`` of pixel ``j + d``."""
    found = []
    for phase in range(layer.stride):
        start = phase + layer.padding
        met = [((start - w) // layer.stride, w) for w in range(layer.kernel) if (start - w) % layer.stride == 0]
        found.append(_phase(met))
    return tuple(found)


def _phase(met: Iterable[tuple[int, int]]) -> Phase:
    """The phase in which pixels meet weights, as pairs; without any, one tap of no weight."""
    pairs = sorted(met) or [(0, -1)]
    first, last = pairs[0][0], pairs[-1][0]
    taps = (tuple(w for pixel, w in pairs if pixel == place and w >= 0) for place in range(first, last + 1))
    return Phase(first, tuple(taps))


def phase_weights(weight: npt.NDArray[np.float32], row: Phase, column: Phase) -> npt.NDArray[np.float32]:
    """Weights of a phase: (outputs, inputs, kernel, kernel) -> (outputs, inputs, taps of rows, taps of columns)."""
    kernel = weight.shape[2]
    mixes = row.mix(kernel), column.mix(kernel)
    mixed: npt.NDArray[np.float64] = np.einsum("rt,cu,oitu->oirc", *mixes, weight, optimize=True)
    return mixed.astype(np.float32)
