"""Accuracy of networks that learned the same for the same time: views of computed rooms, from random weights.

Each is trained by `fastdepth train --network` in a process of its own, with an interpreter that has torch. A run that
was stopped goes on where it was, and one that is done is read again.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import fastdepth_ros
from fastdepth_ros.errors import SettingError
from fastdepth_ros.evaluation.benchmark.processes import run_module
from fastdepth_ros.evaluation.tables.budget import Budget, Progress
from fastdepth_ros.evaluation.tables.ledger import Ledger
from fastdepth_ros.files.writing import make_parents, write_file
from fastdepth_ros.network.entries import entry
from fastdepth_ros.network.stored import to_json
from fastdepth_ros.scene.rooms.writer import write_rooms

METHOD = "short"
SEED = 1
"""Number by which rooms, views and weights are made: the same for all networks."""

ROOMS_COST, COST = "rooms ", "training "
"""First words of their names in the ledger."""

REMEDY = "`make train-env` installs torch in .venv-train; or name an interpreter that has it with --train-python."

Learned = dict[str, dict[str, Any]]
"""Entry -> the last report of its training, as `fastdepth train --json` prints it."""


def learned(
    networks: Iterable[str], folder: Path, python: Path | None, budget: Budget, ledger: Ledger, progress: Progress
) -> Learned:
    """Train each network, and return what it reached on rooms that none of them learned from.

    Args:
        networks: entries.
        folder: where rooms, runs and reports are kept.
        python: an interpreter with torch; None trains nothing, and gives what was trained before.
        budget: pictures, views and size.
        ledger: is told what it took.
        progress: told what is being done.

    Raises:
        SettingError: the interpreter lacks torch.
        StorageError: the folder cannot be written.
    """
    found, rooms = {}, folder / f"rooms-{SEED}-{budget.pictures}"
    every = list(dict.fromkeys(networks))
    for number, name in enumerate(every, start=1):
        run = folder / "training" / f"{name}-{_key(name, budget)}"
        report = _before(run / "report.json")
        if report is None and python is not None:
            with ledger.noting(ROOMS_COST + rooms.name):
                progress(f"Rooms to learn from: {budget.pictures}")
                write_rooms(rooms, budget.pictures, SEED)
            with ledger.noting(COST + run.name):
                words = f"{budget.images} views of {budget.side}x{budget.side}"
                progress(f"Training {number} of {len(every)}, {name}: {words}")
                report = _train(name, rooms, run, python, budget)
            write_file(run / "report.json", json.dumps(report, indent=1) + "\n")
        if report is not None:
            ledger.use(ROOMS_COST + rooms.name)
            ledger.use(COST + run.name)
            found[name] = report
    return found


def _train(name: str, rooms: Path, run: Path, python: Path, budget: Budget) -> dict[str, Any]:
    make_parents(run)
    arguments = [
        *("train", "--network", name, "--method", METHOD, "--seed", str(SEED), "--json", "--save", "30"),
        *("--data", str(rooms), "--out", str(run), "--images", str(budget.images)),
        *("--size", f"{budget.side}x{budget.side}", "--report", str(budget.images)),
    ]
    text = run_module(python, "fastdepth_ros.cli", arguments, remedy=REMEDY)
    report: dict[str, Any] = json.loads(text.splitlines()[-1])
    if not report["finished"]:
        raise SettingError(f"the training of {name} was stopped", "The same command goes on.")
    return report


def _key(name: str, budget: Budget) -> str:
    """Digest of all that a training depends on, but for the program."""
    method = Path(fastdepth_ros.__file__).parent / "training" / "methods" / f"{METHOD}.yaml"
    about = [to_json(entry(name).graph), budget.pictures, budget.images, budget.side, SEED, method.read_text("utf-8")]
    return hashlib.sha256(json.dumps(about).encode()).hexdigest()[:12]


def _before(file: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def usual_python() -> Path | None:
    """The interpreter of `make train-env`, or this one if it has torch; None where there is neither."""
    usual = Path(".venv-train/bin/python")
    if usual.exists():
        return usual.absolute()
    from importlib.util import find_spec

    return Path(sys.executable) if find_spec("torch") else None
