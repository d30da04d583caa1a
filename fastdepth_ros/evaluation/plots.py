"""Small charts as inline SVG: sharp at every size, and coloured by the page's style sheet, light or dark."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape

Point = tuple[float, float]

LEFT, RIGHT, TOP, BOTTOM = 46, 14, 12, 38
"""Room around the plotted area for ticks and labels [units of the SVG]."""


def nice_ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers from ``low`` to ``high``: steps of 1, 2 or 5 times a power of ten, about so many."""
    span = high - low
    if not (span > 0 and math.isfinite(span)):
        return [low]
    raw = span / max(1, about)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [round(step * i, 10) for i in range(first, math.floor(high / step + 1e-9) + 1)]


def round_up(value: float) -> float:
    """The next tick above a value: a good end for an axis that starts at 0."""
    if value <= 0:
        return 1.0
    ticks = nice_ticks(0, value)
    step = ticks[1] - ticks[0] if len(ticks) > 1 else value
    return step * math.ceil(value / step - 1e-9)


@dataclass
class Chart:
    """Axes from ``x`` = (low, high) and ``y`` = (low, high), onto which marks are put.

    Attributes:
        x, y: what the axes span.
        x_label, y_label: what they are, with the unit.
        title: for who cannot see the chart.
        width, height: units of the SVG; it is scaled to the width of its place on the page.
    """

    x: tuple[float, float]
    y: tuple[float, float]
    x_label: str
    y_label: str
    title: str
    width: int = 560
    height: int = 240
    _marks: list[str] = field(default_factory=list)

    def line(self, points: Sequence[Point], style: str) -> Chart:
        """A line through the points."""
        if points:
            path = " ".join(f"{'L' if i else 'M'}{self._x(a):.1f} {self._y(b):.1f}" for i, (a, b) in enumerate(points))
            self._marks.append(f'<path class="line {style}" d="{path}"/>')
        return self

    def dots(self, points: Iterable[Point], style: str, radius: float = 2.6) -> Chart:
        """A dot at every point."""
        for a, b in points:
            self._marks.append(
                f'<circle class="dot {style}" cx="{self._x(a):.1f}" cy="{self._y(b):.1f}" r="{radius}"/>'
            )
        return self

    def level(self, value: float, words: str, style: str) -> Chart:
        """A level line with its words at the right end."""
        y = self._y(value)
        right = self.width - RIGHT
        self._marks.append(f'<line class="level {style}" x1="{LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>')
        self._marks.append(
            f'<text class="note {style}" x="{right - 3}" y="{y - 4:.1f}" text-anchor="end">{escape(words)}</text>'
        )
        return self

    def ticks(self, values: Iterable[float], style: str) -> Chart:
        """Short strokes that stand on the x axis."""
        bottom = self.height - BOTTOM
        for value in values:
            x = self._x(value)
            self._marks.append(
                f'<line class="tick {style}" x1="{x:.1f}" x2="{x:.1f}" y1="{bottom}" y2="{bottom - 14}"/>'
            )
        return self

    def bar(self, low: float, high: float, start: float, end: float, style: str, title: str = "") -> Chart:
        """A bar from ``low`` to ``high`` on the x axis and from ``start`` to ``end`` on the y axis."""
        left, right = self._x(low), self._x(high)
        top, bottom = sorted((self._y(start), self._y(end)))
        hint = f"<title>{escape(title)}</title>" if title else ""
        self._marks.append(
            f'<rect class="bar {style}" x="{left:.1f}" y="{top:.1f}" width="{max(0.5, right - left):.1f}"'
            f' height="{max(0.5, bottom - top):.1f}">{hint}</rect>'
        )
        return self

    def words(self, x: float, y: float, text: str) -> Chart:
        """Words just above a point."""
        place = f'x="{self._x(x):.1f}" y="{self._y(y) - 4:.1f}"'
        self._marks.append(f'<text class="number" {place} text-anchor="middle">{escape(text)}</text>')
        return self

    def svg(self) -> str:
        """The chart as an SVG element."""
        bottom, right = self.height - BOTTOM, self.width - RIGHT
        frame = []
        for value in nice_ticks(*self.y):
            y = self._y(value)
            frame.append(f'<line class="grid" x1="{LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>')
            frame.append(f'<text class="number" x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>')
        for value in nice_ticks(*self.x, about=7):
            frame.append(
                f'<text class="number" x="{self._x(value):.1f}" y="{bottom + 16}" text-anchor="middle">{value:g}</text>'
            )
        frame.append(f'<line class="axis" x1="{LEFT}" x2="{right}" y1="{bottom}" y2="{bottom}"/>')
        frame.append(
            f'<text class="label" x="{(LEFT + right) / 2}" y="{self.height - 4}" text-anchor="middle">'
            f"{escape(self.x_label)}</text>"
        )
        middle = (TOP + bottom) / 2
        frame.append(
            f'<text class="label" transform="translate(11 {middle}) rotate(-90)" text-anchor="middle">'
            f"{escape(self.y_label)}</text>"
        )
        return (
            f'<svg class="chart" viewBox="0 0 {self.width} {self.height}" role="img" aria-label="{escape(self.title)}">'
            + "".join(frame + self._marks)
            + "</svg>"
        )

    def _x(self, value: float) -> float:
        low, high = self.x
        return LEFT + (self.width - LEFT - RIGHT) * (value - low) / ((high - low) or 1)

    def _y(self, value: float) -> float:
        low, high = self.y
        share = (min(max(value, low), high) - low) / ((high - low) or 1)
        return self.height - BOTTOM - (self.height - BOTTOM - TOP) * share


def spread_bars(rows: Sequence[tuple[str, float, float, float]], unit: str, title: str) -> str:
    """Horizontal bars, one a row: name, median, 95 % and highest. The bar ends at the median, a stroke spans to 95 %.

    Returns:
        An SVG element.
    """
    row, left, width = 34, 88, 560
    top = max([p95 for _, _, p95, _ in rows], default=1.0) or 1.0
    scale = (width - left - 190) / top
    parts = []
    for index, (name, p50, p95, highest) in enumerate(rows):
        y = index * row + 6
        middle, end, far = y + row / 2 - 5, left + p50 * scale, left + p95 * scale
        words = f'<tspan class="strong">{p50:.1f}</tspan> / {p95:.1f} / {highest:.1f} {escape(unit)}'
        parts += [
            f'<text class="name" x="{left - 10}" y="{middle + 5}" text-anchor="end">{escape(name)}</text>',
            f'<rect class="bar s0" x="{left}" y="{y}" width="{max(1, end - left):.1f}" height="{row - 12}" rx="2"/>',
            f'<path class="whisker" d="M{end:.1f} {middle}H{far:.1f}M{far:.1f} {y + 5}v{row - 22}"/>',
            f'<text class="value" x="{far + 10:.1f}" y="{middle + 5}">{words}</text>',
        ]
    head = f'<svg class="chart" viewBox="0 0 {width} {len(rows) * row + 8}" role="img" aria-label="{escape(title)}">'
    return f"{head}{''.join(parts)}</svg>"
