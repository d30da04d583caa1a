"""Tiles of registers by a rule: what a processor's registers hold, and how sums, loads and latency fill its cycles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from fastdepth_ros.compiler.byte_products import BYTE_KERNELS
from fastdepth_ros.compiler.layout import vectors as pieces
from fastdepth_ros.compiler.targets import Target

MOST_PIXELS = {
    "avx512": {1: 14, 2: 12, 3: 8, 4: 6},
    "avx2": {1: 8, 2: 6, 3: 4},
    "neon": {1: 12, 2: 10, 3: 7, 4: 5},
}
"""Family -> vectors of a panel -> pixels whose sums, with weights and an input, fit 32 registers, or 16 of AVX2."""

SUMS_IN_FLIGHT = 8
"""Sums that keep two multipliers busy whose answer comes four cycles later."""

INPUT_CYCLES = 0.1
"""Cycles that an input counts beside its multiplications: it is read anew for every panel, so that wide ones are better
where they are as fast."""

SMALL_MAP = 256
"""Positions of a map up to which the panels of weights are shared, not the rows."""

TASK_POSITIONS = 128
"""Positions of a task that shares by rows: each task reads all weights anew."""

STRIP = {"avx512": 14, "avx2": 8, "neon": 12}
"""Family -> pixels that a depthwise convolution computes at a time."""


CACHE_BYTES = 128 * 1024
"""Bytes that a task may keep between its two convolutions: well inside a second-level cache."""

MOST_ROWS = 8


@dataclass(frozen=True)
class Tile:
    """Cuts of a convolution of all channels.

    Attributes:
        panel: vectors of output channels in registers.
        pixels: pixels in registers beside 1, 2, ... vectors.
        rows: rows of positions that a task has; 0 shares the panels instead.
        unroll: input channels per turn of the inner loop.
    """

    panel: int
    pixels: tuple[int, ...]
    rows: int
    unroll: int = 4

    def cuts(self, panel: int, width: int) -> tuple[Cut, ...]:
        """Tiles of ``panel`` vectors that make up a row."""
        return cuts(width, self.pixels[panel - 1])


class Cut(NamedTuple):
    """Neighbouring tiles of the same length: the first one's start, how many, and the pixels of each."""

    start: int
    tiles: int
    pixels: int


def cuts(width: int, most: int) -> tuple[Cut, ...]:
    """As few tiles of at most ``most`` pixels as make up a row, whose lengths differ by one: 14 by 4 is 4, 4, 3, 3.

    A short rest would leave multipliers waiting: a row of 14 cut into 4, 4, 4 and 2 took longer than one of 16
    (measured on an AMD EPYC with AVX2).
    """
    tiles = pieces(width, most)
    short, longer = divmod(width, tiles)
    found = (Cut(0, longer, short + 1), Cut(longer * (short + 1), tiles - longer, short))
    return tuple(cut for cut in found if cut.tiles)


def tile_of(target: Target, vectors: int, height: int, width: int) -> Tile:
    """The tile for ``height`` x ``width`` positions of so many vectors of outputs."""
    most = MOST_PIXELS[target.family]
    panel = min((n for n in most if n <= max(vectors, 1)), key=lambda n: _cost(most, n, vectors, width))
    return Tile(panel, tuple(most.values()), rows_of(height, width) if height * width > SMALL_MAP else 0)


def tile_of_bytes(target: Target, products: str, vectors: int, height: int, width: int) -> Tile:
    """The tile of a convolution of bytes: the instructions' own registers, or those of float32."""
    registers = BYTE_KERNELS[products].registers
    if registers is None:
        return tile_of(target, vectors, height, width)
    panel, pixels = registers
    rows = rows_of(height, width) if height * width > SMALL_MAP else 0
    return Tile(min(panel, vectors), (pixels,) * panel, rows)


def _cost(most: dict[int, int], panel: int, vectors: int, width: int) -> tuple[float, float]:
    """Cycles of an input channel over all tiles of a row, and loads, for panels of that many vectors."""
    full, rest = divmod(vectors, panel)
    cycles, loads = 0.0, 0.0
    for count, times in ((panel, full), (rest, bool(rest))):
        if not times:
            continue
        for _, tiles, pixels in cuts(width, most[count]):
            cycles += times * tiles * (max(count * pixels, SUMS_IN_FLIGHT) / 2 + INPUT_CYCLES * pixels)
            loads += times * tiles * (count + pixels)
    return cycles, loads


def rows_of(height: int, width: int) -> int:
    """Rows of a task: about :data:`TASK_POSITIONS`, and so that two threads have as much to do each, or nearly so."""
    least = max(1, -(-TASK_POSITIONS // width))
    return min(range(least, 2 * least + 1), key=lambda rows: (_longest(height, rows), rows))


def _longest(height: int, rows: int) -> int:
    """Rows that the busier of two threads has, where a task has ``rows``."""
    tasks = pieces(height, rows)
    return pieces(tasks, 2) * rows


def rows_between(height: int, row_bytes: int) -> int:
    """Rows of a task that keeps ``row_bytes`` of each between two convolutions: what the cache holds, cut evenly."""
    most = max(1, min(MOST_ROWS, CACHE_BYTES // row_bytes))
    return min(range(-(-most // 2), most + 1), key=lambda rows: (_longest(height, rows), -rows))
