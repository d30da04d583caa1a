"""Decoder blocks: nearest-neighbour upsampling, the skip that is added to it, a 5x5 depthwise convolution and the
matrix product behind it, in one kernel. Parallel over rows.

The upsampled map is never stored. Each task makes the rows of it that its own rows need, skip added, in a small window
with a border of zeros, and convolves that.
"""

from __future__ import annotations

from typing import Any

from tvm import tirx

from fastdepth_ros.compiler import head, ir
from fastdepth_ros.compiler.encoder import divisor, weight_arguments
from fastdepth_ros.compiler.ir import Buffer
from fastdepth_ros.compiler.layout import Map
from fastdepth_ros.compiler.tile import Layer, Tiling, depthwise, product
from fastdepth_ros.network import Block, Convolution


def upsampled_block(
    name: str, block: Block, source: Map, skip: Map | None, target: Map, tiling: Tiling, last: Convolution | None = None
) -> Any:
    """One kernel of (map, skip, depthwise weight and bias, pointwise weight and bias, last weight and bias, answer).

    Args:
        block: its depthwise convolution reads the upsampled map, twice as large as ``source``.
        source: the map before the upsampling.
        skip: the encoder's map that is added after it, or None.
        target: the map that leaves; as large as the upsampled one, without border.
        last: the network's last convolution; where it is given, the answer is its depth map (height, width) instead.
    """
    lanes, height, width = source.lanes, target.height, target.width
    rows = divisor(height, tiling.rows)
    slab = divisor(rows, tiling.slab)
    strip, pixels = ir.even_step(width, tiling.strip), ir.even_step(width, tiling.pixels)
    reach = block.depthwise.kernel // 2
    window = Map(rows, width, source.channels, reach, lanes)
    plane = slab * width * lanes

    def fill(x: Buffer, added: Buffer | None, upsampled: Buffer, top: Any) -> None:
        """Make the window: ``rows`` rows of the upsampled map from ``top``, and ``reach`` more above and below."""
        with ir.serial(source.vectors) as vector, ir.serial(rows + 2 * reach) as r:
            row = top + r - reach
            start = window.offset(vector, r - reach, -reach)
            ir.zero(upsampled, start, reach * lanes, lanes)
            ir.zero(upsampled, start + (reach + width) * lanes, reach * lanes, lanes)

            def copy() -> None:
                with ir.serial(source.width) as column:
                    value = ir.load(x, source.offset(vector, tirx.floordiv(row, 2), column), lanes)
                    for twin in range(2):
                        both = value
                        if added is not None and skip is not None:
                            both = value + ir.load(added, skip.offset(vector, row, 2 * column + twin), lanes)
                        ir.store(upsampled, both, start + (reach + 2 * column + twin) * lanes, lanes)

            ir.choose(
                tirx.all(row >= 0, row < height),
                copy,
                lambda: ir.zero(upsampled, start + reach * lanes, width * lanes, lanes),
            )

    def body(x: Buffer, *rest: Buffer) -> None:
        added, (dw, dw_bias, pw, pw_bias, *more) = (rest[0], rest[1:]) if skip else (None, rest)
        out = more.pop()
        spatial = Layer(block.depthwise, dw, dw_bias, lanes)
        mixing = Layer(block.pointwise, pw, pw_bias, lanes)
        final = Layer(last, more[0], more[1], lanes) if last else None
        with ir.parallel(height // rows) as task:
            upsampled = ir.scratch(window.size)
            between = ir.scratch(source.vectors * plane)
            parts = ir.scratch(width * lanes) if final else None
            fill(x, added, upsampled, task * rows)

            with ir.serial(rows // slab) as turn:
                with ir.serial(source.vectors) as vector, ir.serial(slab) as r:

                    def convolve(column: Any, length: int) -> None:
                        def put(pixel: int, value: Any) -> None:
                            ir.store(between, value, vector * plane + (r * width + column + pixel) * lanes, lanes)

                        depthwise(spatial, upsampled, window, vector, turn * slab + r, column, length, put)

                    ir.along(width, strip, convolve)

                def tile(first: Any, panel: int, r: Any, column: Any, length: int) -> None:
                    def put(pixel: int, n: int, value: Any) -> None:
                        at = target.offset(first + n, task * rows + turn * slab + r, column + pixel)
                        ir.store(out, value, at, lanes)

                    def put_part(pixel: int, n: int, value: Any) -> None:
                        assert final is not None
                        at = (column + pixel) * lanes
                        part = head.weigh(final, value, first + n)
                        alone = n == 0 and panel == target.vectors
                        ir.store(parts, part if alone else part + ir.load(parts, at, lanes), at, lanes)

                    start = (r * width + column) * lanes
                    store = put_part if final else put
                    product(mixing, between, start, plane, first, panel, length, tiling.unroll, store)

                def multiply(first: Any, panel: int, r: Any) -> None:
                    ir.along(width, pixels, lambda column, length: tile(first, panel, r, column, length))

                if final:
                    with ir.serial(slab) as r:
                        if target.vectors > tiling.panel:
                            ir.zero(parts, 0, width * lanes, lanes)
                        ir.along(target.vectors, tiling.panel, lambda first, panel: multiply(first, panel, r))
                        head.answer(final, parts, width, out, task * rows + turn * slab + r)
                else:

                    def multiply_rows(first: Any, panel: int) -> None:
                        with ir.serial(slab) as r:
                            multiply(first, panel, r)

                    ir.along(target.vectors, tiling.panel, multiply_rows)

    arguments: list[ir.Argument] = [("x", (source.size,), "float32")]
    if skip:
        arguments.append(("skip", (skip.size,), "float32"))
    arguments += weight_arguments(block.depthwise, lanes) + weight_arguments(block.pointwise, lanes)
    if last:
        arguments += [("last_weight", (target.vectors * lanes,), "float32"), ("last_bias", (1,), "float32")]
        arguments.append(("out", (height, width), "float32"))
    else:
        arguments.append(("out", (target.size,), "float32"))
    return ir.kernel(name, arguments, body)
