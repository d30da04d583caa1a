"""The kernel that looks at an answer and its picture: logarithms, means of both, and all that the process compares.

:class:`fastdepth_ros.anchoring.field.Field` does the same in numpy and OpenCV.
"""

from __future__ import annotations

from fastdepth_ros.anchoring import layout
from fastdepth_ros.anchoring.layout import FEATURES, NODE, NUMBERS
from fastdepth_ros.compiler import ir
from fastdepth_ros.compiler.anchors.frame import Body
from fastdepth_ros.compiler.anchors.words import Cell, real, whole
from fastdepth_ros.compiler.ir import Buffer, Expr
from fastdepth_ros.compiler.mathematics import keep, logarithm, pick, splat

CHANNELS = 3
DEEP, COLOUR = 2, 3
"""Features: the logarithm of depth, and the first of colour."""


def look(rows: int, columns: int, lanes: int) -> Body:
    """The kernel for an answer of so many rows and columns, with vectors of so many numbers."""
    names = [each.name for each in layout.look(rows, columns)]

    def body(*buffers: Buffer) -> None:
        given = dict(zip(names, buffers, strict=True))
        _take_logarithms(given, rows * columns, lanes)
        _halve(given["answer"], given["log_halves"], rows // 2, columns // 2)
        _halve(given["log_halves"], given["log_nodes"], rows // NODE, columns // NODE)
        _compare(given, rows // NODE, columns // NODE, lanes)

    return body


def _take_logarithms(given: dict[str, Buffer], count: int, lanes: int) -> None:
    least = given["numbers"][NUMBERS.index("nearest")]

    def some(start: Expr, length: int) -> None:
        depth, nearest = keep(ir.load(given["metres"], start, length), length), ir.splat(least, length)
        # What is no number becomes the nearest, too.
        depth = keep(pick(depth > nearest, depth, nearest), length)
        ir.store(given["answer"], logarithm(depth, length), start, length)

    ir.along(count, lanes, some)


def _halve(cells: Buffer, out: Buffer, rows: int, columns: int) -> None:
    """Write means of 2x2."""
    with ir.serial(rows) as row, ir.serial(columns) as column:
        first = Cell(row * (4 * columns) + column * 2, "int32")
        above = cells[first.value] + cells[first.value + whole(1)]
        below = cells[first.value + whole(2 * columns)] + cells[first.value + whole(2 * columns + 1)]
        ir.put(out, (above + below) * real(0.25), row * columns + column)


def _compare(given: dict[str, Buffer], rows: int, columns: int, lanes: int) -> None:
    """Write the nodes' features that change from frame to frame, and half the squared length of all."""
    nodes, count, numbers = given["nodes"], rows * columns, given["numbers"]
    alike, by_colour = (numbers[NUMBERS.index(name)] for name in ("by_alike", "by_colour"))

    def deep(start: Expr, length: int) -> None:
        logs = ir.load(given["log_nodes"], start, length)
        ir.store(nodes, logs * ir.splat(alike, length), start + DEEP * count, length)

    def colourless(start: Expr, length: int) -> None:
        for channel in range(CHANNELS):
            ir.store(nodes, ir.splat(0.0, length), start + (COLOUR + channel) * count, length)

    def colours() -> None:
        _look_at(given["picture"], given["colours"], 2 * rows, 2 * columns)
        with ir.serial(rows) as row, ir.serial(columns) as column:
            first = Cell((row * (4 * columns) + column * 2) * CHANNELS, "int32")
            for channel in range(CHANNELS):
                steps = (0, CHANNELS, 2 * columns * CHANNELS, 2 * columns * CHANNELS + CHANNELS)
                mean = _mean([given["colours"][first.value + whole(channel + step)] for step in steps])
                value = mean.astype("float32") * by_colour
                ir.put(nodes, value, (COLOUR + channel) * count + row * columns + column)

    def lengths(start: Expr, length: int) -> None:
        total = splat(0.0, length)
        for feature in range(FEATURES):
            value = keep(ir.load(nodes, start + feature * count, length), length)
            total = total + value * value
        ir.store(nodes, total * splat(0.5, length), start + FEATURES * count, length)

    ir.along(count, lanes, deep)
    ir.choose(by_colour > real(0.0), colours, lambda: ir.along(count, lanes, colourless))
    ir.along(count, lanes, lengths)


def _look_at(picture: Buffer, out: Buffer, rows: int, columns: int) -> None:
    """Write the middle of each 4x4 pixels, as OpenCV's linear scaling by four has it."""
    line = 4 * columns * CHANNELS
    with ir.serial(rows) as row, ir.serial(columns) as column:
        first = Cell((row * 4 + whole(1)) * line + (column * 4 + whole(1)) * CHANNELS, "int32")
        for channel in range(CHANNELS):
            steps = (0, CHANNELS, line, line + CHANNELS)
            mean = _mean([picture[first.value + whole(channel + step)] for step in steps])
            ir.put(out, mean.astype("uint8"), (row * columns + column) * CHANNELS + channel)


def _mean(four: list[Expr]) -> Expr:
    """The mean of four bytes (int32), rounded, a half upwards."""
    total = whole(2)
    for each in four:
        total = total + each.astype("int32")
    return total >> whole(2)
