"""Figures as files that are there whole or not at all."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastdepth_ros.files.writing import write_output

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def save(figure: Figure, path: Path, **options: Any) -> None:
    """Write a figure in the format of the suffix (PNG without one); ``options`` are those of ``savefig``.

    Raises:
        StorageError: it cannot be written; what was there is there still.
    """
    drawn = io.BytesIO()
    figure.savefig(drawn, format=path.suffix.lower().removeprefix(".") or "png", **options)
    write_output(path, drawn.getvalue())
