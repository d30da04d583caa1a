"""Tables as Markdown and JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fastdepth_ros.estimate.latency import BOARDS, PUBLISHED, estimate
from fastdepth_ros.evaluation.benchmark.measure import OURS
from fastdepth_ros.evaluation.benchmark.network_rounds import OURS_INT8
from fastdepth_ros.evaluation.metrics import challenge_score
from fastdepth_ros.evaluation.tables import accuracy, power
from fastdepth_ros.evaluation.tables.accuracy import Learned
from fastdepth_ros.evaluation.tables.ledger import Ledger
from fastdepth_ros.evaluation.tables.measure import COST
from fastdepth_ros.evaluation.tables.rows import PaperTable, Row
from fastdepth_ros.files.writing import write_file
from fastdepth_ros.network import NETWORKS
from fastdepth_ros.runtime import processor

MARKDOWN, JSON, FIGURE, ACCURACY = "tables.md", "tables.json", "tables.png", "accuracy.png"

Reports = Mapping[str, Sequence[dict[str, Any]]]
"""Number of a table -> a report for each of its rows."""

NONE = "-"
"""Stands where nothing was measured."""

DIVERGED = "diverged"
"""Stands where a training ended with numbers that are none."""


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        head: its name, with its unit.
        cell: what stands in it, of a row and its report.
    """

    head: str
    cell: Callable[[Row, dict[str, Any]], str]


@dataclass(frozen=True)
class Findings:
    """All that stands in the documents.

    Attributes:
        tables: those that were measured.
        reports: of each of them.
        power: rows of table 2; None where it was left out.
        learned: accuracy of entries, as far as they were trained.
        target: what was compiled for.
        date: of the measurement.
        about: how it was measured, in words.
        ledger: what it took.
    """

    tables: Sequence[PaperTable]
    reports: Reports
    power: power.Rows | None
    learned: Learned
    target: str
    date: str
    about: str
    ledger: Ledger


def write(folder: Path, found: Findings) -> None:
    """Write ``tables.md`` and ``tables.json``.

    Raises:
        StorageError: the folder cannot be written.
    """
    name, cores = processor.name(), processor.cores()
    lines = [
        f"Measured {found.date} on {name}, {cores} cores, for {found.target}, {found.about}. Milliseconds are of"
        " weights of noise, which are as fast as any: on one thread the median of the processor time, which hardly"
        " changes when other programs run, on several the least time by the clock. Weights and multiply-accumulates"
        " are counted as the papers do, and printed beside what they print.",
        "",
        _about_cost(found),
        *_about_accuracy(found.learned),
    ]
    sections = {table.number: _section(table, found.reports[table.number], found.learned) for table in found.tables}
    if found.power is not None:
        sections[power.NUMBER] = ["", f"## Table {power.NUMBER}: {power.TITLE}", "", *power.markdown(found.power)]
    for number in sorted(sections, key=order):
        lines += sections[number]
    write_file(folder / MARKDOWN, "\n".join(lines) + "\n")
    numbers = {number: list(rows) for number, rows in found.reports.items()}
    told = {"date": found.date, "about": found.about, "tables": numbers, "power": found.power}
    cost = asdict(found.ledger.total())
    write_file(folder / JSON, json.dumps({**told, "learned": found.learned, "cost": cost}, indent=1) + "\n")


def order(number: str) -> tuple[bool, str]:
    """Numbers first, words behind them."""
    return (not number.isdigit(), number)


def _section(table: PaperTable, rows: Sequence[dict[str, Any]], learned: Learned) -> list[str]:
    notes = [table.note] if table.note else []
    versions = {each["runtime"]: each["version"] for row in rows for each in row["runtimes"]}
    peers = [f"{name} {version}" for name, version in versions.items() if name not in (OURS, OURS_INT8)]
    if peers:
        notes.append(f"Beside it: {', '.join(peers)}.")
    missing = {f"{row['network']} with {name}: {why}." for row in rows for name, why in row.get("missing", {}).items()}
    notes += [f"Not measured: {each}" for each in sorted(missing)]
    return ["", f"## {table.head}", "", *_markdown(table, rows, learned), *(["", " ".join(notes)] if notes else [])]


def _about_cost(found: Findings) -> str:
    """Time that all of it took, of this run and of those before that it goes on from."""
    every = found.ledger.total()
    parts = {"tables": COST, "rooms": accuracy.ROOMS_COST, f"{len(found.learned)} trainings": accuracy.COST}
    told = [f"{name} {found.ledger.total(first).processor_seconds / 60:.1f}" for name, first in parts.items()]
    return (
        f"All of it took {every.processor_seconds / 60:.1f} minutes of processor time, {every.seconds / 60:.1f} by the"
        f" clock: {', '.join(told)} (processor time). What was there already costs what it took when it was made;"
        " kernels that another command compiled are not counted."
    )


def _about_accuracy(learned: Learned) -> list[str]:
    if not learned:
        return ["", "Accuracy is left out: nothing was trained. That needs torch (`make train-env`)."]
    first = next(iter(learned.values()))
    return [
        "",
        f"Accuracy is that of a training far too short to judge a network by: {first['images']:.0f} views of"
        f" {first['size']:.0f}x{first['size']:.0f} of {first['learned']} computed rooms, from random weights, the same"
        f" views for all; delta1 and RMSE [m] of {first['held_out']} pictures of other rooms. The papers' networks saw"
        " ImageNet and NYU Depth v2, and none of their accuracies is told by these.",
    ]


def _markdown(table: PaperTable, rows: Sequence[dict[str, Any]], learned: Learned) -> list[str]:
    columns = _columns(table, rows, learned)
    lines = [_joined([""] + [column.head for column in columns]), "|---" * (1 + len(columns)) + "|"]
    for row, found in zip(table.rows, rows, strict=True):
        lines.append(_joined([row.label, *(column.cell(row, found) for column in columns)]))
    return lines


def _columns(table: PaperTable, rows: Sequence[dict[str, Any]], learned: Learned) -> list[Column]:
    threads = sorted({each["threads"] for row in rows for each in row["runtimes"]})
    runtimes = dict.fromkeys(each["runtime"] for row in rows for each in row["runtimes"])
    columns = [
        Column("picture", lambda _, found: "x".join(map(str, found["input_px"]))),
        Column("M weights (paper)", lambda row, found: _beside(f"{found['weights'] / 1e6:.3f}", row.weights)),
        Column("GMAC (paper)", lambda row, found: _beside(f"{found['macs'] / 1e9:.3f}", row.macs)),
    ]
    for runtime in runtimes:
        columns += [_time(runtime, count) for count in threads]
    columns.append(Column("maps [MB]", lambda _, found: f"{found['maps_mb']:.1f}"))
    if any(row.learns in learned for row in table.rows):
        columns += [_measure("delta1", "delta1", learned), _measure("RMSE [m]", "rmse_m", learned)]
        if table.scored:
            columns += [_measure("si-RMSE", "si_rmse", learned), _score(learned, threads[0])]
    if table.boards:
        columns += [_board(board) for board in BOARDS]
    for number, head in enumerate(table.columns):
        columns.append(Column(head, lambda row, _, number=number: row.printed[number]))  # type: ignore[misc]
    return columns


def _beside(counted: str, printed: str) -> str:
    return f"{counted} ({printed})" if printed else counted


def _time(runtime: str, threads: int) -> Column:
    """Kind of time that is printed: on one thread other programs are left out, on several that cannot be."""
    word, clock = ("processor_ms", "processor time") if threads == 1 else ("min_ms", "least")
    name = {OURS: "float32", OURS_INT8: "int8"}.get(runtime, runtime)

    def cell(_: Row, found: dict[str, Any]) -> str:
        times = [e[word] for e in found["runtimes"] if (e["runtime"], e["threads"]) == (runtime, threads)]
        return f"{times[0]:.2f}" if times else NONE

    return Column(f"{name}, {threads} thread{'s' * (threads > 1)}, {clock} [ms]", cell)


def _measure(head: str, word: str, learned: Learned) -> Column:
    def cell(row: Row, _: dict[str, Any]) -> str:
        if row.learns not in learned:
            return NONE
        value = learned[row.learns].get(word)
        return DIVERGED if value is None else f"{value:.3f}"

    return Column(head, cell)


def _score(learned: Learned, threads: int) -> Column:
    """The challenge's score with this machine's time and this training's error."""

    def cell(row: Row, found: dict[str, Any]) -> str:
        error = learned.get(row.learns, {}).get("si_rmse")
        times = [e for e in found["runtimes"] if (e["runtime"], e["threads"]) == (OURS, threads)]
        if error is None or not times:
            return NONE
        return f"{challenge_score(error, times[0]['processor_ms' if threads == 1 else 'min_ms'] / 1e3):.1f}"

    return Column("score here", cell)


def _board(board: str) -> Column:
    """Time on a board that is not at hand, and what the paper measured there."""

    def cell(row: Row, _: dict[str, Any]) -> str:
        printed = PUBLISHED[board].get(row.network)
        return NONE if printed is None else f"{estimate(NETWORKS[row.network], board).total:.1f} ({printed:g})"

    return Column(f"{board}, estimate (paper) [ms]", cell)


def _joined(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
