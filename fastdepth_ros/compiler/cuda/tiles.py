"""Sizes of the tiles. Counted, not measured: there was no GPU to tune on."""

from __future__ import annotations

from itertools import product
from math import ceil

from fastdepth_ros.compiler.cuda.grid import VECTOR, round_up
from fastdepth_ros.compiler.cuda.layout import Flat, Map
from fastdepth_ros.compiler.cuda.tile import OUTPUTS, PIXELS, Tile, Window
from fastdepth_ros.network import Convolution

MOST_THREADS = 256
"""Most threads of a block: the TX2 has 32768 registers for one, so that each of them may have 128."""

MOST_PIXELS = 128
STAGING = 12
"""Instructions of a thread for each input pixel that it copies: where it lies, a load, a store."""

CHUNK = 8
POINTWISE_CHUNK = 16
POINTWISE_PIXELS = 64
POINTWISE_OUTPUTS = (64, 32, 16)
DEPTHWISE_PIXELS = 256


def fused(target: Map, conv: Convolution) -> Tile:
    """Tile of a block in one kernel: all output channels of some pixels, with the least work for the whole map.

    Args:
        target: what the block gives.
        conv: its depthwise convolution.
    """
    outputs = round_up(target.channels, OUTPUTS)
    most = max(VECTOR, min(MOST_PIXELS, MOST_THREADS * PIXELS * OUTPUTS // outputs))
    return least_work(target.height, target.width, conv, outputs, most)


def depthwise(target: Flat, conv: Convolution) -> Tile:
    """Tile of a kernel that convolves only."""
    return least_work(target.height, target.width, conv, OUTPUTS, DEPTHWISE_PIXELS)


def least_work(height: int, width: int, conv: Convolution, outputs: int, most: int) -> Tile:
    """The rows and columns of at most ``most`` pixels for which a whole map takes the fewest instructions a channel."""

    def work(tile: Tile) -> int:
        window = Window(conv, tile)
        blocks = ceil(height / tile.rows) * ceil(width / tile.columns)
        return blocks * (STAGING * window.rows * window.columns + tile.pixels * (conv.kernel**2 + outputs))

    columns = range(VECTOR, round_up(width, VECTOR) + 1, VECTOR)
    sizes = [(r, c) for r, c in product(range(1, height + 1), columns) if r * c <= most]
    tiles = [Tile(r, c, outputs, CHUNK) for r, c in sizes]
    return min(tiles, key=lambda tile: (work(tile), -tile.pixels))


def even_part(count: int, most: int) -> int:
    """The part of at most ``most`` that cuts ``count`` into equal parts, as nearly as whole vectors allow."""
    return round_up(ceil(count / ceil(count / most)), VECTOR)
