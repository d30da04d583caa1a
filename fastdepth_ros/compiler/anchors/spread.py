"""The kernel from knots to the grid, and between its nodes: the local part and the line at every 2x2 cells.

:meth:`fastdepth_ros.anchoring.field.Field.spread` and :mod:`fastdepth_ros.anchoring.enlarging` are the same in numpy.
"""

from __future__ import annotations

from fastdepth_ros.anchoring import layout
from fastdepth_ros.anchoring.layout import COUNTS, FEATURES, KNOTS, NUMBERS
from fastdepth_ros.arguments import WORK
from fastdepth_ros.compiler import ir
from fastdepth_ros.compiler.anchors.frame import Body
from fastdepth_ros.compiler.anchors.grid import node
from fastdepth_ros.compiler.anchors.words import Cell, Vector, real
from fastdepth_ros.compiler.ir import Buffer, Expr

Buffers = dict[str, Buffer]


def spread(rows: int, columns: int, lanes: int) -> Body:
    """The kernel for a grid of so many nodes, with vectors of so many numbers."""
    names = [each.name for each in layout.spread(rows, columns)]

    def body(*buffers: Buffer) -> None:
        given = dict(zip(names, buffers, strict=True))
        values = given[WORK + "values"]
        _to_nodes(given, values, rows, columns, lanes)
        _between(given, values, rows, columns)

    return body


def _number(given: Buffers, name: str) -> Expr:
    return given["numbers"][NUMBERS.index(name)]


def _to_nodes(given: Buffers, values: Buffer, rows: int, columns: int, lanes: int) -> None:
    """Write the correction at the nodes."""
    knots, nodes, count = given["knots"], given["nodes"], rows * columns
    many = given["counts"][COUNTS.index("knots")]
    halves, weights = given[WORK + "lengths"], given[WORK + "shares"]
    with ir.serial(many) as k:
        length = Cell(0.0)
        for feature in range(FEATURES):
            length.add(knots[feature * KNOTS + k] * knots[feature * KNOTS + k])
        ir.put(halves, length.value * real(0.5) + real(1.0), k)
        ir.put(weights, given["weights"][k] * _number(given, "variance"), k)

    def some(start: Expr, length: int) -> None:
        """The sum over knots at so many nodes: weight over 1 + q^2 / 2, where q is the distance."""
        own = [ir.load(nodes, feature * count + start, length) for feature in range(FEATURES + 1)]
        held = [Vector(length) for _ in own]
        for vector, value in zip(held, own, strict=True):
            vector.set(value)
        total = Vector(length)
        with ir.serial(many) as k:
            q = held[FEATURES].value + ir.splat(halves[k], length)
            for feature in range(FEATURES):
                q = q - held[feature].value * ir.splat(knots[feature * KNOTS + k], length)
            total.add(ir.splat(weights[k], length) / q)
        ir.store(values, total.value, start, length)

    ir.along(count, lanes, some)
    with ir.serial(rows) as row:
        start = Cell(_number(given, "line_start") + _number(given, "line_down") * given["v"][row])
        with ir.serial(columns) as column:
            place = row * columns + column
            across = _number(given, "line_across") * given["u"][column]
            ir.put(values, values[place] + (start.value + across), place)


def _between(given: Buffers, values: Buffer, rows: int, columns: int) -> None:
    """Write what is between nodes: of the four around, by how near each is and how much its depth is alike."""
    logs, cells, square = given["log_nodes"], given["log_halves"], _number(given, "square")
    with ir.serial(2 * rows) as row, ir.serial(2 * columns) as column:
        own = Cell(cells[row * (2 * columns) + column])
        said, near, unlike = [], [], []
        for upper in (True, False):
            line, tall = node(row, rows, before=upper)
            for left in (True, False):
                place, wide = node(column, columns, before=left)
                number = Cell(line * columns + place, "int32")
                away = Cell(own.value - logs[number.value])
                said.append(Cell(values[number.value]))
                near.append(tall * wide)
                unlike.append(Cell(away.value * away.value + square))
        # Over one divisor: near / unlike of each, times the product of all.
        top, bottom = unlike[0].value * unlike[1].value, unlike[2].value * unlike[3].value
        shares = (
            near[0] * unlike[1].value * bottom,
            near[1] * unlike[0].value * bottom,
            near[2] * unlike[3].value * top,
            near[3] * unlike[2].value * top,
        )
        weighed = [share * each.value for share, each in zip(shares, said, strict=True)]
        ir.put(given["halves"], sum(weighed[1:], weighed[0]) / sum(shares[1:], shares[0]), row * (2 * columns) + column)
