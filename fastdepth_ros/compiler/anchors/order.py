"""Anchors in the order of the Z curve, and its runs: :mod:`fastdepth_ros.anchoring.thinning` as machine code."""

from __future__ import annotations

from tvm import tirx
from tvm.tirx.script import builder as T  # noqa: N812 - TVM's own documentation calls it T

from fastdepth_ros.anchoring.layout import FEATURES, POINTS
from fastdepth_ros.compiler import ir
from fastdepth_ros.compiler.anchors.frame import Frame
from fastdepth_ros.compiler.anchors.words import Cell, ordered, ranked, real, square_root, whole
from fastdepth_ros.compiler.ir import Buffer, Expr
from fastdepth_ros.compiler.mathematics import pick

BITS = 9
SPREAD = ((16, 0x030000FF), (8, 0x0300F00F), (4, 0x030C30C3), (2, 0x09249249))
"""Shifts and masks that put two zeros between a number's bits."""

PLACE_BITS = 16
"""Bits of a point's number below its place on the curve."""


def order_points(frame: Frame) -> None:
    """Write the planes in the order of the curve, and the gaps; few points keep their order and have none."""
    count = frame.count("points")
    with ir.serial(count) as i:
        ir.put(frame.order, i, i)
    with ir.when(count >= frame.count("heap")):
        _sort(frame, count)
    with ir.serial(count) as i:
        point = Cell(frame.order[i], "int32")
        ir.put(frame.source, frame.source_of[point.value], i)
        for plane in range(FEATURES + 2):
            ir.put(frame.sorted, frame.points[plane * POINTS + point.value], plane * POINTS + i)
    with ir.when(count >= frame.count("heap")), ir.serial(count - whole(1)) as i:
        ir.put(frame.gaps, _gap(frame, i), i)


def _sort(frame: Frame, count: Expr) -> None:
    """Shell's sort, whose steps shrink by 11 / 5 (Gonnet and Baeza-Yates, 1991)."""
    keys = frame.work["places_and_numbers"]
    with ir.serial(count) as i:
        place = Cell(frame.source_of[i] << whole(3 * BITS), "int32")
        for axis, scale in enumerate(("across", "down", "deep")):
            cell = Cell(_cell(frame.points[axis * POINTS + i] * frame.number(scale)), "int32")
            for shift, mask in SPREAD:
                cell.set((cell.value | (cell.value << whole(shift))) & whole(mask))
            place.set(place.value | (cell.value << whole(axis)))
        ir.put(frame.keys, place.value, i)
        number = tirx.shift_left(place.value.astype("int64"), tirx.const(PLACE_BITS, "int64"))
        ir.put(keys, number + i.astype("int64"), i)
    step = Cell(count, "int32")
    with T.While(step.value > whole(1)):
        step.set(tirx.max(tirx.truncdiv(step.value * whole(5) - whole(1), whole(11)), whole(1)))
        with ir.serial(tirx.max(count - step.value, whole(0))) as shifted:
            at, held = Cell(shifted + step.value, "int32"), Cell(keys[shifted + step.value], "int64")
            with T.While(tirx.all(at.value >= step.value, keys[_behind(at, step)] > held.value)):
                ir.put(keys, keys[_behind(at, step)], at.value)
                at.add(whole(0) - step.value)
            ir.put(keys, held.value, at.value)
    with ir.serial(count) as i:
        low = keys[i] & tirx.const((1 << PLACE_BITS) - 1, "int64")
        ir.put(frame.order, low.astype("int32"), i)


def _behind(at: Cell, step: Cell) -> Expr:
    """The place that much before; never before the first, as both parts of a condition are computed."""
    return tirx.max(at.value - step.value, whole(0))


def _cell(place: Expr) -> Expr:
    """The cell of the curve along an axis: no sum that might be rounded otherwise than numpy's."""
    towards_zero = place.astype("int32")
    below = (place < towards_zero.astype("float32")).astype("int32")
    cell = towards_zero - below + whole(1 << BITS - 1)
    return tirx.max(tirx.min(cell, whole((1 << BITS) - 1)), whole(0))


def _gap(frame: Frame, i: Expr) -> Expr:
    """The highest bit in which two neighbours differ, and a fraction by their distance."""
    one, other = frame.order[i], frame.order[i + whole(1)]
    differing = Cell(frame.keys[one] ^ frame.keys[other], "int32")
    high = differing.value >> whole(16)
    bits = pick(differing.value >= whole(1 << 16), whole(16) + _bits(high), _bits(differing.value))
    far = Cell(0.0)
    for axis, scale in enumerate(("across", "down", "deep")):
        step = Cell((frame.plane(axis, i + whole(1)) - frame.plane(axis, i)) * frame.number(scale))
        far.add(step.value * step.value)
    return bits.astype("float32") + far.value / (far.value + real(1.0))


def _bits(number: Expr) -> Expr:
    """Bits of a number below 2^24: its exponent as a real number."""
    exponent = (T.reinterpret("int32", number.astype("float32")) >> whole(23)) - whole(126)
    return tirx.max(exponent, whole(0))


def split(frame: Frame, limit: Expr, starts: Buffer, run_of: Buffer) -> Expr:
    """At most so many runs: where each begins, behind the last the count of points, and each point's run.

    Returns:
        how many there are.
    """
    count = frame.count("points")
    threshold = Cell(-1.0)
    with ir.when(count > limit):
        threshold.set(ranked(count - whole(1), lambda i: ordered(frame.gaps[i]), count - whole(1) - limit))
    runs = Cell(0, "int32")
    with ir.serial(count) as i:
        # Few points have no gaps: each is a run.
        begins = tirx.any(i < whole(1), count <= limit, frame.gaps[tirx.max(i - whole(1), whole(0))] > threshold.value)
        with ir.when(begins):
            ir.put(starts, i, runs.value)
            runs.add(whole(1))
        ir.put(run_of, runs.value - whole(1), i)
    ir.put(starts, count, runs.value)
    return runs.value


def crowd(frame: Frame) -> None:
    """Write each point's standard deviation with the answer's noise, larger where others are close."""
    count, deviation = frame.count("points"), (FEATURES + 1) * POINTS
    start = Cell(0, "int32")
    with ir.serial(count) as i:
        last = Cell((i + whole(1) >= count).astype("int32"), "int32")
        gap = frame.gaps[i] > frame.number("crowd")
        with ir.when(tirx.any(last.value > whole(0), gap)):
            others = (i - start.value).astype("float32")
            # As many gaps as are a heap: with fewer points nothing is a crowd.
            growth = Cell(real(1.0))
            with ir.when(count > frame.count("heap")):
                growth.set(real(1.0) + frame.number("shared") * others)
            with ir.serial(start.value, i + whole(1)) as j:
                sd = frame.sorted[deviation + j]
                ir.put(frame.sorted, square_root((sd * sd + frame.number("cell")) * growth.value), deviation + j)
            start.set(i + whole(1))
