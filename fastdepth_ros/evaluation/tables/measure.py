"""Measures a table at a time: its networks take turns. A table that was measured before is read again."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastdepth_ros.evaluation.benchmark import network_report
from fastdepth_ros.evaluation.benchmark.network_rounds import NetworkBench, measure
from fastdepth_ros.evaluation.tables.budget import Budget, Progress
from fastdepth_ros.evaluation.tables.ledger import Ledger
from fastdepth_ros.evaluation.tables.rows import PaperTable
from fastdepth_ros.files.writing import make_parents, write_file
from fastdepth_ros.runtime import processor

COST = "table "
"""First word of a table's name in the ledger."""


@dataclass(frozen=True)
class Setting:
    """Manner of a measurement.

    Attributes:
        target: what is compiled for.
        budget: how long to measure.
        threads: numbers of threads.
        pythons: another runtime -> the interpreter that has it.
        int8: whether networks are measured in int8, too.
    """

    target: str
    budget: Budget
    threads: Sequence[int]
    pythons: Mapping[str, Path] = field(default_factory=dict)
    int8: bool = False


def key(table: PaperTable, setting: Setting) -> dict[str, Any]:
    """Everything that a measurement depends on: one of another key is not taken for it."""
    from fastdepth_ros.lowering.build import sources_version

    return {
        "table": table.number,
        "networks": [row.network for row in table.rows],
        "target": setting.target,
        "rounds": setting.budget.rounds,
        "seconds": setting.budget.seconds,
        "threads": list(setting.threads),
        "peers": sorted(setting.pythons),
        "int8": setting.int8,
        "processor": processor.name(),
        "kernels": sources_version(),
    }


def measured(
    table: PaperTable, folder: Path, setting: Setting, ledger: Ledger, progress: Progress
) -> list[dict[str, Any]]:
    """A report for each row of a table, as ``network_report`` makes it.

    Args:
        table: which.
        folder: where the reports are written, and read again if they are of the same key; compiled kernels are kept
            there.
        setting: how to measure.
        ledger: is told what it took.
        progress: told what is being done.

    Raises:
        StorageError: the folder cannot be written.
    """
    about = key(table, setting)
    name = f"{table.number}-{hashlib.sha256(json.dumps(about).encode()).hexdigest()[:8]}"
    file = folder / f"table-{name}.json"
    if found := _before(file, about):
        ledger.use(COST + name)
        return found
    make_parents(folder)
    said: Progress = lambda words: progress(f"Table {table.number}: {words}")  # noqa: E731
    with ledger.noting(COST + name), tempfile.TemporaryDirectory() as scratch:
        benches = [
            NetworkBench(
                row.job(),
                setting.target,
                setting.pythons,
                Path(scratch, str(number)),
                folder / "objects",
                int8=setting.int8,
                progress=said,
            )
            for number, row in enumerate(table.rows)
        ]
        measure(benches, setting.threads, setting.budget.rounds, setting.budget.seconds, said)
    reports = [network_report.report(bench, setting.target) for bench in benches]
    write_file(file, json.dumps({"key": about, "rows": reports}, indent=1) + "\n")
    return reports


def _before(file: Path, about: dict[str, Any]) -> list[dict[str, Any]] | None:
    """Rows that were measured before with the same key; None where none were."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        return list(found["rows"]) if found["key"] == about else None
    except (OSError, ValueError, LookupError, TypeError):
        return None
