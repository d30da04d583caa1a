"""Names beside the points of a figure, none of which lies on another or on a point."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

INK, LINE = "#22272b", "#a9b1b7"

GAP = 4.0
"""Points between a dot's middle and its name."""

RINGS, ROW = 12, 4.0
"""Distances at which a place for a name is looked for, and the points between two of them."""

DOT = 3.0
"""Points around a dot's middle that no name may cover."""

Box = tuple[float, float, float, float]
"""Left, bottom, right and top of a part of the figure [px]."""


Point = tuple[float, float, str]
"""x and y in the axes' numbers, and a name."""


def label(axes: Any, points: Sequence[Point], size: float = 7.0, free: Sequence[Point] = ()) -> list[Box]:
    """Write each point's name where it covers nothing, as near as there is room; a far one gets a line to its point.

    Limits and scales of the axes have to be set before. Names of points in one place become one name.

    Args:
        axes: of a matplotlib figure.
        points: to be named.
        size: of the letters [pt].
        free: more points, without names, that are not covered either.

    Returns:
        Boxes of the names, from left to right of their points.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure = axes.figure
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw_without_rendering()  # Only now the layout has a place for the axes.
    pixel = figure.dpi / 72
    named = _named(points)
    middles = axes.transData.transform(np.array([(x, y) for x, y, _ in (*named, *free)]))
    dots = [_around(x, y, DOT * pixel) for x, y in middles]
    frame = axes.get_window_extent(renderer)
    inside = (frame.x0, frame.y0, frame.x1, frame.y1)
    found: list[Box] = []
    for (x, y, name), middle in zip(named, middles, strict=False):
        text = axes.annotate(
            name, (x, y), (0, 0), textcoords="offset points", fontsize=size, color=INK, zorder=4, annotation_clip=False
        )
        text.set_in_layout(False)  # Else a long name would move the axes, and all that was placed.
        extent = text.get_window_extent(renderer)
        width, height = extent.width / pixel, extent.height / pixel
        tried = [(at, _box(middle, at, (width, height), pixel)) for at in _places(width, height)]
        at, box = min(tried, key=lambda each: _covered(each[1], [*found, *dots], inside))
        text.set_position(at)
        if max(abs(at[1]), abs(at[0]) - width) > height + GAP:
            _line(axes, (x, y), middle, box)
        found.append(box)
    return found


def _named(points: Sequence[Point]) -> list[Point]:
    """Points from left to right; those in one place have their names together."""
    found: dict[tuple[float, float], list[str]] = {}
    for x, y, name in sorted(points):
        found.setdefault((x, y), []).append(name)
    return [(x, y, ", ".join(names)) for (x, y), names in found.items()]


def _places(width: float, height: float) -> Iterator[tuple[float, float]]:
    """Offsets of a name's lower left corner from its point [pt], the best first: right of it, left, above, below."""
    for ring in range(RINGS):
        away = ring * ROW
        for up in (GAP - 1 + away, -GAP - height + 1 - away):
            yield GAP, up
            yield -GAP - width, up
            yield -width / 2, up
        for across in (GAP + away, -GAP - width - away):
            yield across, -height / 2


def _box(middle: Any, at: tuple[float, float], size: tuple[float, float], pixel: float) -> Box:
    left, bottom = middle[0] + at[0] * pixel, middle[1] + at[1] * pixel
    return (left, bottom, left + size[0] * pixel, bottom + size[1] * pixel)


def _around(x: float, y: float, half: float) -> Box:
    return (x - half, y - half, x + half, y + half)


def shared(one: Box, other: Box) -> float:
    """Area that two boxes share [px^2]."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(width, 0.0) * max(height, 0.0)


def _covered(box: Box, others: Sequence[Box], inside: Box) -> float:
    """Area of a box that lies on others or outside [px^2]; ``min`` takes the first, and nearest, of equals."""
    area = (box[2] - box[0]) * (box[3] - box[1])
    return sum(shared(box, other) for other in others) + area - shared(box, inside)


def _line(axes: Any, point: tuple[float, float], middle: Any, box: Box) -> None:
    """A thin line from a point to the nearest place of its name's box."""
    near = (min(max(middle[0], box[0]), box[2]), min(max(middle[1], box[1]), box[3]))
    end = axes.transData.inverted().transform(near)
    axes.plot([point[0], end[0]], [point[1], end[1]], color=LINE, linewidth=0.6, zorder=2)
