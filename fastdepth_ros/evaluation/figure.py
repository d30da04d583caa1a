"""Figures of matplotlib as files."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from fastdepth_ros.files.writing import write_named

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def save_figure(figure: Figure, path: Path, dpi: float | None = None) -> None:
    """Write a figure whole, or leave what was there; in the format of the path's suffix, PNG where it has none.

    Args:
        figure: to draw.
        path: of the file.
        dpi: pixels per inch; None takes the figure's.

    Raises:
        StorageError: the file cannot be written.
    """
    named = path if path.suffix else path.with_name(f"{path.name}.png")
    drawn = io.BytesIO()
    figure.savefig(drawn, format=named.suffix[1:].lower(), dpi=dpi or "figure")
    write_named(named, drawn.getvalue())
