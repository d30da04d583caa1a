"""Depthwise-separable blocks: a depthwise convolution and the matrix product (pointwise convolution) behind it.

Large maps: one kernel, parallel over rows. The depthwise convolution's answer for a few rows stays in the cache and is
used up at once. Small maps of many channels: two kernels, the first parallel over channels, the second over panels of
weights, because rows are too few to share and each weight would be read for too few pixels.

Blocks of the encoder and of the decoder differ in what they read (see ``sources``), and the last one of the decoder in
what it writes (see ``head``). Where a precision has it, depthwise convolutions of large maps are in bytes, too (see
``byte_spatial``).
"""

from __future__ import annotations

import itertools
from functools import partial
from typing import Any

from tvm import tirx

from fastdepth_ros.compiler import border, head, ir, layout
from fastdepth_ros.compiler.byte_spatial import spatial_of
from fastdepth_ros.compiler.ir import Buffer, Panel
from fastdepth_ros.compiler.layout import FLOAT16, LARGEST_HALF, Map
from fastdepth_ros.compiler.pointwise import FLOAT32, Precision, Product
from fastdepth_ros.compiler.sources import Plain, Source
from fastdepth_ros.compiler.spatial import Rows, Work, depthwise_arguments
from fastdepth_ros.compiler.tile import PackedLayer, Tiling, depthwise
from fastdepth_ros.network import Block, Convolution

MOST_BESIDE_SHORT = 16
"""Vectors of a depthwise convolution of which the last may be a short one: of more it slowed the kernel (measured)."""


def block_by_rows(
    name: str,
    block: Block,
    source: Source,
    target: Map,
    tiling: Tiling,
    last: Convolution | None = None,
    precision: Precision = FLOAT32,
) -> Any:
    """One kernel of (source, depthwise weights, pointwise weights, [last weight and bias], answer).

    Args:
        name: of the kernel.
        block: the two convolutions.
        source: what the depthwise one reads.
        target: the map that the pointwise one gives.
        tiling: ``rows`` is lowered as :func:`task_rows` says, the others to even parts of the width.
        last: the network's last convolution; with it the answer is not ``target`` but its depths (height, width).
        precision: of the pointwise one, and where it says so of the depthwise one, too.
    """
    lanes, height, width = target.lanes, target.height, target.width
    spatial = spatial_of(precision, block.depthwise, source)
    is_short = precision.short and source.vectors <= MOST_BESIDE_SHORT
    last_read = layout.last_lanes(block.depthwise.outputs, lanes, is_short)
    last_written = layout.last_lanes(block.pointwise.outputs, lanes, precision.short)
    rows = spatial.step * task_rows(height // spatial.step, max(1, tiling.rows // spatial.step))
    strip = source.step * ir.even_step(width // source.step, max(1, tiling.strip // source.step))
    pixels = ir.even_step(width, tiling.pixels)
    part_rows = spatial.part(rows)
    plane = part_rows * width * lanes
    every_panel = partial(ir.panels, target.vectors, tiling.panel, last_written, lanes)
    weights = spatial.arguments(block.depthwise, lanes), precision.arguments(block.pointwise, lanes)
    ends = list(itertools.accumulate((len(source.arguments), *map(len, weights))))

    def body(*buffers: Buffer) -> None:
        x, own, mixes, more = (list(buffers[start:end]) for start, end in itertools.pairwise((0, *ends, len(buffers))))
        out, mixing = more[-1], precision.product(block.pointwise, mixes, lanes)
        final = PackedLayer(last, more[0], more[1], lanes) if last else None

        with ir.parallel(height // rows) as task:
            between = ir.scratch(source.vectors * plane)
            parts = head.Parts(final, ir.scratch(width * lanes), single=target.vectors <= 1) if final else None
            work = Work(block.depthwise, source, x, own, lanes, last_read, task, rows, width, strip)
            convolve = spatial.begin(work)
            ir.turns(rows // part_rows, lambda part: compute(task, part, between, convolve, mixing, out, parts))

    def compute(
        task: Any, part: Any, between: Buffer, convolve: Rows, mixing: Product, out: Buffer, parts: head.Parts | None
    ) -> None:
        """One part of a task's rows."""
        first_row = task * rows + part * part_rows
        mixing.begin()

        def convolve_vector(vector: Any, own: int) -> None:
            def keep(r: Any, column: Any, value: Any) -> None:
                mixing.see(value)
                ir.store(between, value, vector * plane + (r * width + column) * lanes, lanes)

            convolve(part, vector, own, keep)

        ir.vectors(source.vectors, last_read, lanes, convolve_vector)
        mixing.read(between, source.vectors * plane)

        def multiply(panel: Panel, r: Any, put: Any) -> None:
            """One row of one panel; ``put(column, vector, value)`` takes the answer."""

            def tile(column: Any, length: int) -> None:
                start = (r * width + column) * lanes

                def place(pixel: int, n: int, value: Any) -> None:
                    put(column + pixel, panel.first + n, value)

                mixing.tile(start, plane, panel, length, tiling.unroll, place)

            ir.along(width, pixels, tile)

        if parts:
            with ir.serial(part_rows) as r:
                parts.clear(width)
                every_panel(lambda panel: multiply(panel, r, parts.add))
                parts.answer(width, out, first_row + r)
            return

        def multiply_rows(panel: Panel) -> None:
            with ir.serial(part_rows) as r:

                def put(column: Any, vector: Any, value: Any) -> None:
                    if target.dtype == FLOAT16 and block.pointwise.activation != "relu6":
                        value = tirx.min(value, ir.splat(LARGEST_HALF, lanes))
                    ir.give(out, value, target.offset(vector, first_row + r, column), lanes)

                multiply(panel, r, put)

        every_panel(multiply_rows)
        with ir.serial(target.vectors) as vector:
            border.clear(out, target, vector, first_row, part_rows)

    arguments = [*source.arguments, *weights[0], *weights[1]]
    if last:
        arguments += head.arguments(target.vectors, lanes)
    arguments.append(("out", (height, width), "float32") if last else ("out", (target.size,), target.dtype))
    return ir.kernel(name, arguments, body)


def depthwise_by_channels(name: str, conv: Convolution, source: Map, target: Map) -> Any:
    """A kernel of (map, weight, bias, map without border): the first half of a block with a small map."""
    lanes = source.lanes

    def body(x: Buffer, weight: Buffer, bias: Buffer, out: Buffer) -> None:
        with ir.parallel(source.vectors) as vector, ir.serial(target.height) as row:

            def convolve(column: Any, length: int) -> None:
                def put(pixel: int, value: Any) -> None:
                    ir.store(out, value, target.offset(vector, row, column + pixel), lanes)

                depthwise(PackedLayer(conv, weight, bias, lanes), Plain(source), [x], vector, row, column, length, put)

            ir.along(target.width, ir.even_step(target.width, 14), convolve)

    arguments: list[ir.Argument] = [
        ("x", (source.size,), "float32"),
        *depthwise_arguments(conv, lanes),
        ("out", (target.size,), "float32"),
    ]
    return ir.kernel(name, arguments, body)


def pointwise_by_panels(
    name: str, conv: Convolution, source: Map, target: Map, tiling: Tiling, precision: Precision = FLOAT32
) -> Any:
    """A kernel of (map without border, weights, map): the second half of a block with a small map."""
    lanes, height, width = source.lanes, target.height, target.width
    pixels = ir.even_step(width, tiling.pixels)
    own = layout.last_lanes(conv.outputs, lanes, precision.short)
    full, rest = divmod(target.vectors, tiling.panel)
    if own < lanes and not rest:
        full, rest = full - 1, tiling.panel

    def body(x: Buffer, *buffers: Buffer) -> None:
        out, mixing = buffers[-1], precision.product(conv, buffers[:-1], lanes)

        def multiply(panel: Panel) -> None:
            first = panel.first

            def tile(column: Any, length: int) -> None:
                def put(pixel: int, n: int, value: Any) -> None:
                    ir.store(out, value, target.offset(first + n, row, column + pixel), lanes)

                start = (row * width + column) * lanes
                mixing.tile(start, source.plane, panel, length, tiling.unroll, put)

            with ir.serial(height) as row:
                ir.along(width, pixels, tile)
            for n in range(panel.vectors):
                border.clear(out, target, first + n, 0, height)

        # Once, not in every task: a panel of weights is short beside what it would have to read anew.
        mixing.read(x, source.size)
        with ir.parallel(full + bool(rest)) as task:
            whole = Panel(task * tiling.panel, tiling.panel, lanes)
            end = Panel(ir.integer(full * tiling.panel), rest, own)
            if not rest:
                multiply(whole)
            elif not full:
                multiply(end)
            else:
                ir.choose(task < full, lambda: multiply(whole), lambda: multiply(end))

    arguments: list[ir.Argument] = [
        ("x", (source.size,), "float32"),
        *precision.arguments(conv, lanes),
        ("out", (target.size,), "float32"),
    ]
    return ir.kernel(name, arguments, body)


def task_rows(height: int, most: int) -> int:
    """Rows that a task computes: at most ``most``, and so that two threads have as many tasks each.

    Three tasks take two threads as long as four. Fewer than half of the rows would cost more than that: the weights
    are read anew for each task.
    """
    largest = divisor(height, most)
    even = (rows for rows in range(largest, 0, -1) if height % (2 * rows) == 0)
    return next((rows for rows in even if 2 * rows >= largest), largest)


def divisor(number: int, most: int) -> int:
    """The largest divisor of ``number`` that is not above ``most``."""
    return next(d for d in range(min(number, most), 0, -1) if number % d == 0)
