"""The zeros around a map. They are written with every picture, because maps share memory one after the other."""

from __future__ import annotations

from tvm import tirx

from fastdepth_ros.compiler import ir
from fastdepth_ros.compiler.ir import Buffer, Expr
from fastdepth_ros.compiler.layout import Map


def clear(out: Buffer, layout: Map, vector: Expr, row: Expr, rows: int) -> None:
    """Write the border beside ``rows`` rows of one vector of channels, and above or below where they are at an end."""
    if not layout.border:
        return
    side = layout.border * layout.lanes
    with ir.serial(rows) as r:
        ir.zero(out, layout.offset(vector, row + r, -layout.border), side, layout.lanes)
        ir.zero(out, layout.offset(vector, row + r, layout.width), side, layout.lanes)
    with ir.when(tirx.EQ(ir.integer(row), ir.integer(0))):
        ir.zero(out, layout.offset(vector, -layout.border, -layout.border), layout.border * layout.row, layout.lanes)
    with ir.when(tirx.EQ(ir.integer(row + rows), ir.integer(layout.height))):
        ir.zero(out, layout.offset(vector, layout.height, -layout.border), layout.border * layout.row, layout.lanes)
