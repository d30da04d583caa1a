"""Anchors that pass the gates of their sources: :func:`fastdepth_ros.anchoring.pool.let_in` as machine code."""

from __future__ import annotations

from fastdepth_ros.anchoring.layout import BASIS, FEATURES, FIRST, GATE, LINE, NUMBERS, POINTS, SOURCES
from fastdepth_ros.compiler import ir
from fastdepth_ros.compiler.anchors.frame import Frame
from fastdepth_ros.compiler.anchors.words import Cell, real, whole
from fastdepth_ros.compiler.ir import Buffer, Expr

JUDGING, HELD, SETTLED = range(3)
"""Means that anchors are seen from."""

SHUT = 1e9
"""The error of an anchor that did not pass."""

_RATIO, DEEP = 3, 2
"""Planes: of what is found, a point's distance from the answer; of features, the logarithm of depth."""


def off(numbers: Buffer, found: Buffer, mean: int, point: Expr) -> Expr:
    """Distance of a point from one of the means."""
    left = found[_RATIO * POINTS + point]
    start = len(NUMBERS) + LINE**2 + SOURCES + mean * LINE
    for part, feature in enumerate(BASIS):
        value = numbers[start + part]
        left = left - (value if feature is None else value * found[(FIRST + feature) * POINTS + point])
    return left


def let_in(frame: Frame) -> None:
    """Write the points that pass, side by side, and the errors of those that do not."""
    numbers, found = frame["numbers"], frame["found"]
    count = Cell(0, "int32")
    with ir.serial(frame.count("placed")) as i:
        source, sd = Cell(frame["source"][i], "int32"), Cell(frame["sds"][i])
        gate = {name: frame["gates"][source.value * len(GATE) + number] for number, name in enumerate(GATE)}
        away = Cell(off(numbers, found, JUDGING, i) - gate["centre"])
        turn = Cell(found[(FIRST + DEEP) * POINTS + i] - gate["slope"])
        variance = sd.value * sd.value + frame.number("variance") + gate["extra"]
        variance = (variance + gate["bend"] * turn.value * turn.value) * gate["factor"]
        ir.put(frame["errors"], real(SHUT), i)
        with ir.when(away.value * away.value < variance):
            at = Cell(count.value, "int32")
            for feature in range(FEATURES):
                ir.put(frame.points, found[(FIRST + feature) * POINTS + i], feature * POINTS + at.value)
            ir.put(frame.points, off(numbers, found, SETTLED, i), FEATURES * POINTS + at.value)
            ir.put(frame.points, sd.value, (FEATURES + 1) * POINTS + at.value)
            ir.put(frame.source_of, source.value, at.value)
            ir.put(frame.index, i, at.value)
            count.add(whole(1))
    frame.set_count("points", count.value)
