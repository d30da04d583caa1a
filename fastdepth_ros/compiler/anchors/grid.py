"""Places between the nodes of a grid."""

from __future__ import annotations

from tvm import tirx

from fastdepth_ros.compiler.anchors.words import real, whole
from fastdepth_ros.compiler.ir import Expr


def node(cell: Expr, count: int, *, before: bool) -> tuple[Expr, Expr]:
    """The node before or behind one of two cells for each along an axis, at the rim the last one, and how near it is.

    Args:
        cell: its number, not negative.
        count: of nodes.
        before: which.
    """
    gap = (cell + whole(1)) >> whole(1)
    odd = (cell & whole(1)).astype("float32")
    # An even cell is three quarters of the way to the node behind it, an odd one a quarter.
    behind = real(0.75) - odd * real(0.5)
    found = tirx.max(gap - whole(1), whole(0)) if before else tirx.min(gap, whole(count - 1))
    return found, real(1.0) - behind if before else behind
