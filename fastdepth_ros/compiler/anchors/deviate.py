"""The kernel from variances at the grid's nodes to standard deviations at every 2x2 cells.

:meth:`fastdepth_ros.anchoring.fitter.Fitter.deviations` is the same in numpy.
"""

from __future__ import annotations

from tvm import tirx

from fastdepth_ros.anchoring import layout
from fastdepth_ros.anchoring.layout import NUMBERS
from fastdepth_ros.arguments import WORK
from fastdepth_ros.compiler import ir
from fastdepth_ros.compiler.anchors.frame import Body
from fastdepth_ros.compiler.anchors.grid import node
from fastdepth_ros.compiler.anchors.words import Cell, real, square_root, whole
from fastdepth_ros.compiler.ir import Buffer, Expr


def deviate(rows: int, columns: int) -> Body:
    """The kernel for a grid of so many nodes."""
    names = [each.name for each in layout.deviate(rows, columns)]

    def body(*buffers: Buffer) -> None:
        given = dict(zip(names, buffers, strict=True))
        variances, count = given[WORK + "variances"], rows * columns

        def number(name: str) -> Expr:
            return given["numbers"][NUMBERS.index(name)]

        with ir.serial(rows) as row, ir.serial(columns) as column:
            place = row * columns + column
            range_ = _range(given["log_nodes"], row, column, rows, columns)
            spread = Cell(given["growth"][place] * (real(1.0) + number("spread_edge") * range_))
            local = (given["doubts"][count + place] + number("cell")) * (spread.value * spread.value)
            ir.put(variances, (given["doubts"][place] + local) * number("factor"), place)
        with ir.serial(2 * rows) as row, ir.serial(2 * columns) as column:
            range_ = _range(given["log_halves"], row, column, 2 * rows, 2 * columns)
            edge = Cell(range_ * number("edge_share"))
            total = Cell(edge.value * edge.value)
            for upper in (True, False):
                line, tall = node(row, rows, before=upper)
                for left in (True, False):
                    across, wide = node(column, columns, before=left)
                    total.add(variances[line * columns + across] * (tall * wide))
            ir.put(given["deviations"], square_root(total.value), row * (2 * columns) + column)

    return body


def _range(cells: Buffer, row: Expr, column: Expr, rows: int, columns: int) -> Expr:
    """Largest less smallest of a cell and those beside it."""
    low, high = Cell(cells[row * columns + column]), Cell(cells[row * columns + column])
    for down in (-1, 0, 1):
        line = Cell(_inside(row + whole(down), rows) * columns, "int32")
        for across in (-1, 0, 1):
            beside = Cell(cells[line.value + _inside(column + whole(across), columns)])
            low.set(tirx.min(low.value, beside.value))
            high.set(tirx.max(high.value, beside.value))
    return high.value - low.value


def _inside(index: Expr, count: int) -> Expr:
    return tirx.max(tirx.min(index, whole(count - 1)), whole(0))
