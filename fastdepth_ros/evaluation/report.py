"""The parts of a report: one HTML file that asks nothing of anybody else, with pictures and charts inside."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

import numpy as np

from fastdepth_ros.colours import Bgr
from fastdepth_ros.evaluation.pictures import data_uri

STYLE = Path(__file__).with_name("report.css")


def page(title: str, parts: Iterable[str]) -> str:
    """A whole HTML document. ``parts`` are HTML, from the functions below."""
    style = STYLE.read_text(encoding="utf-8")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(parts)
        + "\n</main>\n</body>\n</html>\n"
    )


def header(title: str, verdict: str, good: bool) -> str:
    """The title and a verdict beside it."""
    mark = "good" if good else "bad"
    return f'<header><h1>{escape(title)}</h1><span class="badge {mark}">{escape(verdict)}</span></header>'


def paragraph(words: str, style: str = "") -> str:
    """Words; ``style`` is ``soft`` or ``caption``."""
    return f'<p class="{style}">{escape(words)}</p>' if style else f"<p>{escape(words)}</p>"


def heading(words: str) -> str:
    """The heading of a section."""
    return f"<h2>{escape(words)}</h2>"


def figures(rows: Iterable[tuple[str, str, str, bool | None]]) -> str:
    """Figures that matter: name, value, target in words, and whether it is met (None: there is no target)."""
    parts = []
    for name, value, wish, good in rows:
        style = {True: " good", False: " bad", None: ""}[good]
        mark = {True: " ✓", False: " ✗", None: ""}[good]
        parts.append(
            f'<div><div class="what">{escape(name)}</div><div class="value{style}">{escape(value)}</div>'
            f'<div class="wish">{escape(wish) + mark if wish else "&nbsp;"}</div></div>'
        )
    return f'<div class="figures">{"".join(parts)}</div>'


def panel(title: str, content: str, caption: str = "") -> str:
    """A chart or a table in a frame of its own."""
    below = f'<p class="caption">{escape(caption)}</p>' if caption else ""
    return f'<div class="panel"><h3>{escape(title)}</h3>{content}{below}</div>'


def side_by_side(panels: Sequence[str]) -> str:
    """Panels in columns, as many as there is room for."""
    return f'<div class="pair">{"".join(panels)}</div>'


def key(entries: Iterable[tuple[str, str]]) -> str:
    """Meanings of the colours of a chart: (style, words)."""
    items = "".join(f'<span><i class="{style}"></i>{escape(words)}</span>' for style, words in entries)
    return f'<div class="key">{items}</div>'


def table(head: Sequence[str], rows: Iterable[Sequence[str]], numbers_from: int | None = None) -> str:
    """A table; columns from ``numbers_from`` on are numbers, to the right."""

    def cells(tag: str, row: Sequence[str]) -> str:
        return "".join(
            f"<{tag}{' class=n' if numbers_from is not None and i >= numbers_from else ''}>{escape(cell)}</{tag}>"
            for i, cell in enumerate(row)
        )

    top = f"<tr>{cells('th', head)}</tr>" if head else ""
    body = "".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    return f"<table>{top}{body}</table>"


def picture_rows(head: Sequence[str], rows: Iterable[tuple[str, Sequence[Bgr]]], scales: Sequence[str] = ()) -> str:
    """Rows of pictures under a common head, each row with a caption, and colour scales below."""
    words = "".join(f"<div>{escape(word)}</div>" for word in head)
    parts = [f'<div class="row head">{words}</div>']
    for caption, pictures in rows:
        images = "".join(
            f'<img src="{data_uri(picture)}" alt="{escape(f"{word}: {caption}")}">'
            for word, picture in zip(head, pictures, strict=True)
        )
        parts.append(f'<div class="row">{images}</div><p class="caption">{escape(caption)}</p>')
    if scales:
        parts.append(f'<div class="scales">{"".join(scales)}</div>')
    return f'<div class="frames" style="--columns:{len(head)}">{"".join(parts)}</div>'


def scale(words: str, colours: Bgr, numbers: Sequence[tuple[float, str]]) -> str:
    """A colour scale: what it shows, its colours (1, width, 3), and numbers at places 0..1."""
    marks = "".join(f'<span style="left:{100 * place:.1f}%">{escape(text)}</span>' for place, text in numbers)
    bar = f'<img src="{data_uri(np.repeat(colours, 12, axis=0), 95)}" alt="">'
    return f'<div class="scale">{escape(words)}{bar}<div class="numbers">{marks}</div></div>'
