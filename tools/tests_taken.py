"""pytest's side of tests_side_by_side.py: takes one file after another that no other worker took, and runs its tests.

Files are collected as they are taken, so that no worker imports all of them. Those that take longest come first, so
that all workers are done at about the same time: tests_seconds.json has how long each took when that was written down.
"""

from __future__ import annotations

import json
import os
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

OUTCOMES = ("passed", "failed", "error", "skipped")
FOLDER = Path(os.environ.get("TESTS_TAKEN", ""))
WORKER = int(os.environ.get("TESTS_WORKER", "0"))
ROOT = Path(__file__).resolve().parent.parent
SECONDS = Path(__file__).with_name("tests_seconds.json")
UNKNOWN = 10.0
"""Seconds that a file is taken for that nobody wrote down."""

spent: defaultdict[str, float] = defaultdict(float)
"""Seconds of each file that this worker has run."""


def files(arguments: list[str]) -> list[str]:
    """Tests that pytest was asked for, a file at a time."""
    found: list[str] = []
    for argument in arguments:
        path = Path(argument)
        found += map(str, sorted(path.rglob("test_*.py"))) if path.is_dir() else [argument]
    return list(dict.fromkeys(found))


def in_order(names: list[str], seconds: dict[str, float]) -> list[str]:
    """The files in the order in which they are taken, the longest first."""
    return sorted(names, key=lambda name: -seconds.get(key_of(name), UNKNOWN))


def key_of(name: str) -> str:
    """Name of a file in the table of seconds: that below the checkout."""
    path = Path(name).resolve()
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else path.name


def taken(names: list[str]) -> Iterator[str]:
    """The files that this worker is the first to take."""
    seconds = json.loads(SECONDS.read_text(encoding="utf-8")) if SECONDS.is_file() else {}
    for number, name in enumerate(in_order(names, seconds)):
        try:
            (FOLDER / f"{number}.taken").touch(exist_ok=False)
        except FileExistsError:
            continue
        yield name


def pytest_collection(session: pytest.Session) -> bool:  # noqa: ARG001
    """Nothing is collected yet."""
    return True


def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Collect and run file by file: pytest wants to know the next test before it runs one."""
    if session.config.option.collectonly:
        return None
    count = 0
    items = tests(session)
    item = next(items, None)
    while item is not None:
        following = next(items, None)
        began = time.monotonic()
        session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        spent[key_of(str(item.path))] += time.monotonic() - began
        count += 1
        if session.shouldfail:
            raise session.Failed(session.shouldfail)
        if session.shouldstop:
            raise session.Interrupted(session.shouldstop)
        item = following
    session.testscollected = count
    return True


def tests(session: pytest.Session) -> Iterator[pytest.Item]:
    """The tests of every file that this worker takes."""
    for name in taken(files(session.config.args)):
        session.perform_collect([name])
        yield from session.items


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Leave the sums for the last line, and the names of what failed."""
    reporter: Any = session.config.pluginmanager.get_plugin("terminalreporter")
    stats = reporter.stats
    sums = {outcome: len(stats.get(outcome, ())) for outcome in OUTCOMES}
    root = session.config.rootpath
    bad = [str(root / report.nodeid) for outcome in ("failed", "error") for report in stats.get(outcome, ())]
    (FOLDER / f"{WORKER}.json").write_text(json.dumps({"sums": sums, "bad": bad, "spent": spent}), encoding="utf-8")
