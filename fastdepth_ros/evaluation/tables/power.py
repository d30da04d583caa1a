"""Table 2, which ``fastdepth bench --power`` measures: run time, watts and energy of a frame in each power profile."""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from fastdepth_ros.evaluation import power_table
from fastdepth_ros.evaluation.benchmark.processes import run_module
from fastdepth_ros.evaluation.tables.budget import Budget, Progress
from fastdepth_ros.evaluation.tables.ledger import Ledger
from fastdepth_ros.evaluation.tables.measure import COST
from fastdepth_ros.files.writing import make_parents, write_file
from fastdepth_ros.runtime import processor

NUMBER, TITLE = "2", "Run time, power and energy"

REMEDY = "`fastdepth bench --power` alone says more; --tables leaves table 2 out."

UNMETERED = (
    "Nothing tells this machine's power: no INA3221, no RAPL that this user may read, no battery that discharges"
    " (`fastdepth doctor`, docs/power.md). The paper's watts stand alone."
)

NOTE = (
    "Run times are medians of the network that ships, alone, in the precision that `auto` takes here; power and energy"
    " are of the whole machine."
)

Rows = list[dict[str, Any]]
"""The fields of a ``power_table.Row`` for each profile."""


def measured(folder: Path, target: str, budget: Budget, ledger: Ledger, progress: Progress) -> Rows:
    """Measure by ``fastdepth bench --power``, in a process of its own; what was measured before is read again.

    Args:
        folder: where it is kept.
        target: what is compiled for.
        budget: how long to measure.
        ledger: is told what it took.
        progress: told what is being done.

    Raises:
        SettingError: the measurement failed.
        StorageError: the folder cannot be written.
    """
    about = {"target": target, "rounds": budget.rounds, "seconds": budget.seconds, "processor": processor.name()}
    name = f"{NUMBER}-{hashlib.sha256(json.dumps(about).encode()).hexdigest()[:8]}"
    file = folder / f"table-{name}.json"
    if found := _before(file):
        ledger.use(COST + name)
        return found
    progress(f"Table {NUMBER}: power")
    make_parents(folder)
    lengths = ["--rounds", str(budget.rounds), "--seconds", str(budget.seconds)]
    with ledger.noting(COST + name), tempfile.TemporaryDirectory() as scratch:
        written = Path(scratch, "power.json")
        arguments = ["bench", "--power", "--target", target, *lengths, "--json", str(written)]
        run_module(Path(sys.executable), "fastdepth_ros.cli", arguments, remedy=REMEDY)
        rows: Rows = json.loads(written.read_text(encoding="utf-8"))
    write_file(file, json.dumps({"key": about, "rows": rows}, indent=1) + "\n")
    return rows


def _before(file: Path) -> Rows | None:
    try:
        return list(json.loads(file.read_text(encoding="utf-8"))["rows"])
    except (OSError, ValueError, LookupError, TypeError):
        return None


def markdown(rows: Rows) -> list[str]:
    """Lines of the table, this machine's rows above the paper's, and what is to be said of them."""
    every = [*(power_table.Row(**row) for row in rows), *power_table.PAPER]
    lines = ["| " + " | ".join(power_table.HEADS) + " |", "|---" * len(power_table.HEADS) + "|"]
    lines += ["| " + " | ".join(power_table.cells(row)) + " |" for row in every]
    unmetered = all(row["watts"] is None for row in rows)
    return [*lines, "", f"{NOTE} {UNMETERED}" if unmetered else NOTE]
