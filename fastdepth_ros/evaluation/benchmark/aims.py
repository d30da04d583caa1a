"""Start-up, memory and the cost of a frame, each beside what the project aims at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

AIMED_SIZE = (640, 480)
"""The pictures for which the cost of a frame has an aim; larger ones are measured without."""


def rows(engine: Mapping[str, Any], cases: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Lines of (``what``, ``value``, ``unit``, ``aim``, ``ok``); without an aim the last two are None.

    Args:
        engine: as ``start`` measures it, in several processes: figure -> ``median``.
        cases: as :mod:`fastdepth_ros.evaluation.benchmark.frame_cost` measures them, a node for each.
    """
    first_depth = float(np.median([case["first_depth_s"] for case in cases]))
    found = [
        _row("engine alone: ready", engine["ready_s"]["median"], "s", 0.35),
        _row("engine alone: resident", engine["resident_mb"]["median"], "MB", 90),
        _row("depth_node: start to first depth", first_depth, "s", 2.0),
        _row("depth_node: resident, at most", max(case["resident_mb"] for case in cases), "MB", 400),
    ]
    for key, what, aim in (("depth_ms", "depth", 2.0), ("cloud_ms", "depth and xyzrgb cloud", 3.0)):
        for case in cases:
            size = case["width"], case["height"]
            name = f"{size[0]}x{size[1]} {'JPEG' if case['jpeg'] else 'raw'}: {what}"
            found.append(_row(name, case[key], "ms", aim if size == AIMED_SIZE else None))
    for key, what, aim in (("sigma_ms", "of that, uncertainty", 0.3), ("anchors_ms", "of that, 300 points", 1.0)):
        for case in cases:
            if key in case:
                found.append(_row(f"{case['width']}x{case['height']} raw: {what}", case[key], "ms", aim))
    return found


def _row(what: str, value: float, unit: str, aim: float | None) -> dict[str, Any]:
    ok = None if aim is None else value <= aim
    return {"what": what, "value": round(value, 3), "unit": unit, "aim": aim, "ok": ok}


def show(console: Console, found: Sequence[Mapping[str, Any]]) -> None:
    """Print the lines."""
    table = Table(title="Medians from process start; processor time of a frame beside the network, at 30 Hz over DDS")
    table.add_column("", no_wrap=True)
    for name in ("measured", "aim", ""):
        table.add_column(name, justify="right", no_wrap=True)
    for row in found:
        digits = 0 if row["unit"] == "MB" else 2
        aim = "" if row["aim"] is None else f"{row['aim']:.{digits}f} {row['unit']}"
        verdict = {None: "", True: "OK", False: "not"}[row["ok"]]
        table.add_row(row["what"], f"{row['value']:.{digits}f} {row['unit']}", aim, verdict)
    console.print(table)
