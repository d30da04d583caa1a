"""Tables as Markdown and JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fastdepth_ros.evaluation.benchmark.measure import OURS
from fastdepth_ros.evaluation.tables.rows import LEFT_OUT, TABLES, PaperTable, Row
from fastdepth_ros.files.writing import write_file

MARKDOWN, JSON, FIGURE = "tables.md", "tables.json", "tables.png"

Reports = Mapping[int, Sequence[dict[str, Any]]]
"""Number of a table -> a report for each of its rows."""


def write(folder: Path, reports: Reports, date: str, about: str) -> None:
    """Write ``tables.md`` and ``tables.json``.

    Args:
        folder: where.
        reports: of the tables that were measured.
        date: of the measurement.
        about: how it was measured, in words.

    Raises:
        StorageError: the folder cannot be written.
    """
    found = [table for table in TABLES if table.number in reports]
    first = reports[found[0].number][0]
    lines = [
        f"Measured {date} on {first['processor']}, {first['cores']} cores, for {first['target']}, {about}. Milliseconds"
        " are of float32: on one thread the median of the processor time, which hardly changes when other programs"
        " run, on several the least time by the clock. Weights and multiply-accumulates are counted as the paper does,"
        f" and printed beside what it prints. {LEFT_OUT}",
    ]
    for table in found:
        lines += ["", f"## Table {table.number}: {table.title}", "", *_markdown(table, reports[table.number])]
        lines += ["", table.note] * bool(table.note)
    write_file(folder / MARKDOWN, "\n".join(lines) + "\n")
    numbers = {str(number): list(rows) for number, rows in reports.items()}
    write_file(folder / JSON, json.dumps({"date": date, "about": about, "tables": numbers}, indent=1) + "\n")


def _markdown(table: PaperTable, rows: Sequence[dict[str, Any]]) -> list[str]:
    threads = sorted({each["threads"] for row in rows for each in row["runtimes"]})
    peers = sorted({each["runtime"] for row in rows for each in row["runtimes"]} - {OURS})
    runtimes = [(runtime, count) for runtime in (OURS, *peers) for count in threads]
    heads = [f"{_name(runtime)}{count} thread{'s' * (count > 1)}, {_clock(count)} [ms]" for runtime, count in runtimes]
    lines = [
        "| | picture | M weights (paper) | GMAC (paper) | " + " | ".join(heads) + " | maps [MB] |",
        "|---" * (5 + len(heads)) + "|",
    ]
    return [*lines, *(_line(row, found, runtimes) for row, found in zip(table.rows, rows, strict=True))]


def _clock(threads: int) -> str:
    """Kind of time that is printed: on one thread other programs are left out, on several that cannot be."""
    return "processor time" if threads == 1 else "least"


def _name(runtime: str) -> str:
    return "" if runtime == OURS else f"{runtime}, "


def _line(row: Row, found: dict[str, Any], runtimes: Sequence[tuple[str, int]]) -> str:
    times = {
        (each["runtime"], each["threads"]): f"{each['processor_ms' if each['threads'] == 1 else 'min_ms']:.2f}"
        for each in found["runtimes"]
    }
    width, height = found["input_px"]
    cells = [
        row.label,
        f"{width}x{height}",
        f"{found['weights'] / 1e6:.3f} ({row.weights})",
        f"{found['macs'] / 1e9:.3f} ({row.macs})",
        *(times.get(runtime, "-") for runtime in runtimes),
        f"{found['maps_mb']:.1f}",
    ]
    return "| " + " | ".join(cells) + " |"
