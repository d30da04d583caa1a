"""The kernel from an answer to the depth map: each cell in metres, and as 2 x 2 pixels, while it is looked for limits.

The pipeline's grid does the same in numpy and OpenCV.
"""

from __future__ import annotations

from tvm import tirx

from fastdepth_ros.arguments import ANSWER
from fastdepth_ros.compiler import ir
from fastdepth_ros.compiler.anchors.words import Vector
from fastdepth_ros.compiler.filters.words import Body, named
from fastdepth_ros.compiler.ir import Buffer
from fastdepth_ros.compiler.mathematics import keep, pick, splat
from fastdepth_ros.filters import functions
from fastdepth_ros.filters.functions import CELL, DEPTH


def depth(rows: int, columns: int, lanes: int) -> Body:
    """The kernel for a picture of so many pixels, with vectors of so many numbers."""
    down, across = rows // CELL, columns // CELL
    names = [each.name for each in functions.depth(down, across)]

    def body(*buffers: Buffer) -> None:
        given = named(names, buffers)
        factor, nearest, farthest = (keep(splat(given["numbers"][DEPTH.index(name)], lanes), lanes) for name in DEPTH)
        outside, twice = Vector(lanes), [lane // CELL for lane in range(CELL * lanes)]
        with ir.serial(down) as y, ir.serial(across // lanes) as i:
            x = i * lanes
            metres = keep(given[ANSWER][y, tirx.Ramp(ir.integer(x), 1, lanes)] * factor, lanes)
            ir.store(given["metres"], metres, y * across + x, lanes)
            lies = tirx.all(metres > nearest, metres < farthest)  # no number does not
            outside.set(pick(lies, outside.value, splat(1.0, lanes)))
            wide = keep(tirx.Shuffle([metres, metres], twice), CELL * lanes)
            for row in range(CELL):
                ir.store(given["depth"], wide, (y * CELL + row) * columns + x * CELL, CELL * lanes)
        ir.put(given["outside"], (outside.sum() > tirx.const(0.0, "float32")).astype("int32"), 0)

    return body
