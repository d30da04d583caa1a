"""Large maps are asked for ahead of their reading, so that a depthwise convolution does not wait for them.

A map that no longer fits a second-level cache comes from a far one, or from memory. Its reader goes through a few rows
of one vector of channels, then through the same rows of the next, which lie a whole plane further: a processor's own
prefetcher starts anew each time, and stops at each page. The reader knows where it will be.
"""

from __future__ import annotations

from tvm import tirx

from fastdepth_ros.compiler.ir import Buffer, Expr
from fastdepth_ros.compiler.sources import Source
from fastdepth_ros.network import Convolution

NEAR_BYTES = 2**20
"""A larger map is out of a second-level cache when its reader begins."""

ROWS_AHEAD = 2
"""Rows between asking for a row and its turn: the time of a row covers a memory's delay, and few rows stay unread."""


def is_far(source: Source, conv: Convolution) -> bool:
    """Whether to ask. With a stride a convolution has too little to do for each line to be faster for it (measured)."""
    return source.nbytes > NEAR_BYTES and conv.stride == 1


def ask(
    source: Source,
    buffers: list[Buffer],
    conv: Convolution,
    rows: int,
    task: Expr,
    vector: Expr,
    r: Expr,
    column: Expr,
    length: int,
) -> None:
    """Ask for what will be read first in the row whose turn is :data:`ROWS_AHEAD` later.

    Args:
        source, buffers: the map, and the arguments that hold it.
        conv: reads it, with a stride of 1, in tasks of ``rows`` rows: all of them of a vector, then of the next one.
        rows: of a task.
        task, vector, r: whose turn it is now; ``r`` counts the rows of the task.
        column, length: pixels for which to ask now.
    """
    turn = (task * source.vectors + vector) * rows + r + ROWS_AHEAD
    row = tirx.floordiv(turn, source.vectors * rows) * rows + tirx.floormod(turn, rows)
    vector = tirx.floormod(tirx.floordiv(turn, rows), source.vectors)
    # Of its rows only the lowest is new to the task; the others were asked for with the rows before.
    source.prefetch(buffers, vector, row + conv.kernel // 2, column, length)
