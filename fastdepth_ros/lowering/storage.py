"""Places of maps: slices of concatenations, and one block of memory that maps share one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np
import numpy.typing as npt

from fastdepth_ros.compiler.layout import Map, vectors
from fastdepth_ros.lowering.kernels.bytes import Words

ALIGNMENT = 16
"""Numbers of float32 at whose multiples a map begins: 64 bytes."""


@dataclass(frozen=True)
class Layout(Map):
    """A map with a gap behind each vector's rows; see :func:`gap_of`."""

    gap: int = 0

    @property
    def plane(self) -> int:
        return (self.height + 2 * self.border) * self.row + self.gap


LINE, SETS, WAYS = 16, 64, 8
"""Numbers of float32 in a cache line; sets and ways of a first-level cache of 32 KiB."""

ROWS_READ, LINES_READ = 3, 4
"""Rows, and lines of each, that a tile of a 3x3 convolution reads of every vector of channels."""

MOST_GAP = 16
"""Lines of the largest gap."""


@cache
def gap_of(row: int, plane: int, vectors: int) -> int:
    """Numbers to leave between the rows of a vector and those of the next, so that a tile's lines fit the cache.

    A tile reads the same few pixels of all vectors again and again. Where planes lie a multiple of 4 KiB apart, or
    nearly so, all of them fall into the same few sets of the cache, and push each other out.

    Args:
        row, plane: numbers of a row and of all rows of a vector, without a gap.
        vectors: of the map.
    """
    first = np.arange(min(vectors, SETS))[:, None, None]
    rows = np.arange(ROWS_READ)[None, :, None] * row
    lines = np.arange(LINES_READ)[None, None, :] * LINE

    def crowded(gap: int) -> int:
        found = (first * (plane + gap * LINE) + rows + lines) // LINE % SETS
        return int(np.maximum(np.bincount(found.ravel(), minlength=SETS) - WAYS, 0).sum())

    return LINE * min(range(MOST_GAP + 1), key=lambda gap: (crowded(gap), gap))


@dataclass
class Area:
    """A map in the making.

    Attributes:
        height, width: of the map.
        parts: channels of each part; every part begins with a whole vector, and the gap before the next holds zeros.
        border: zeros around it: as many as the widest of its readers needs.
        home: the area of a concatenation of which it is a slice; None where it lies alone.
        before: vectors of that area before it.
        words_of: the area whose bytes it holds; None where it is a map.
    """

    height: int
    width: int
    parts: tuple[int, ...]
    border: int = 0
    home: str | None = None
    before: int = 0
    words_of: str | None = None


class Areas:
    """All maps of a network by name.

    Args:
        lanes: numbers of a vector.
    """

    def __init__(self, lanes: int) -> None:
        self.lanes = lanes
        self.by_name: dict[str, Area] = {}

    def __getitem__(self, name: str) -> Area:
        return self.by_name[name]

    def widen(self, name: str, border: int) -> None:
        """See that a map has at least that border; the whole concatenation, where it is part of one."""
        area = self.by_name[self.root(name)]
        area.border = max(area.border, border)

    def root(self, name: str) -> str:
        """The area that has memory of its own."""
        home = self.by_name[name].home
        return self.root(home) if home else name

    def vectors(self, name: str) -> int:
        """Vectors of a map."""
        return sum(vectors(channels, self.lanes) for channels in self.by_name[name].parts)

    def size(self, name: str) -> int:
        """Numbers of four bytes that an area takes."""
        source = self.by_name[name].words_of
        return Words(self.map(source)).size if source else self.map(name).size

    def map(self, name: str) -> Map:
        """The layout, of a slice as if it were alone: that of its vectors."""
        area, root = self.by_name[name], self.root(name)
        channels = area.parts[0] if len(area.parts) == 1 else self.vectors(name) * self.lanes
        plain = Layout(area.height, area.width, channels, self.by_name[root].border, self.lanes)
        return replace(plain, gap=gap_of(plain.row, plain.plane, self.vectors(root)))

    def start(self, name: str) -> int:
        """Numbers from the beginning of its root to a map."""
        area = self.by_name[name]
        return 0 if area.home is None else self.start(area.home) + area.before * self.map(name).plane


def places(parts: Iterable[int], lanes: int) -> npt.NDArray[np.intp]:
    """For each channel of a map, which of the stored ones it is."""
    found, start = [], 0
    for channels in parts:
        found.append(start + np.arange(channels))
        start += vectors(channels, lanes) * lanes
    return np.concatenate(found)


def without_gaps(parts: Sequence[int], lanes: int) -> bool:
    """Whether all channels of a map lie one after the other."""
    return all(channels % lanes == 0 for channels in parts[:-1])


@dataclass
class Life:
    """A block of memory: numbers, and the first and the last stage that use it."""

    size: int
    first: int
    last: int


@dataclass
class Arena:
    """Memory of all blocks.

    Attributes:
        size: numbers of float32.
        starts: name of a block -> where it begins.
    """

    size: int = 0
    starts: dict[str, int] = field(default_factory=dict)


def share(lives: dict[str, Life]) -> Arena:
    """Place blocks so that those in use at the same time lie apart, the largest first, each as low as it can."""
    arena = Arena()
    placed: list[tuple[int, int, Life]] = []
    for name, life in sorted(lives.items(), key=lambda item: (-item[1].size, item[1].first, item[0])):
        size = -(-life.size // ALIGNMENT) * ALIGNMENT
        beside = sorted((s, e) for s, e, other in placed if other.first <= life.last and life.first <= other.last)
        start = _lowest(beside, size)
        placed.append((start, start + size, life))
        arena.starts[name] = start
        arena.size = max(arena.size, start + size)
    return arena


def _lowest(taken: Sequence[tuple[int, int]], size: int) -> int:
    start = 0
    for begin, end in taken:
        if begin - start >= size:
            break
        start = max(start, end)
    return start
