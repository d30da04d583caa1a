"""Processes that a process has started, and those that they have."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path


def children(pid: int) -> list[int]:
    """All that any thread of a process has started, and theirs."""
    found: list[int] = []
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += map(int, tasks.read_text().split())
        except OSError:  # the thread ended
            continue
    return found + [inner for child in found for inner in children(child)]


def named(processes: Iterable[int], word: str) -> list[int]:
    """Those that have a word in their command lines."""
    return [pid for pid in processes if word in _command(pid)]


def alive(processes: Iterable[int]) -> list[int]:
    """Those that run, or can."""
    return [pid for pid in processes if _state(pid) not in ("Z", "X", "")]


def wait_until(true: Callable[[], object]) -> None:
    """Wait; the test's own limit of time ends it."""
    while not true():
        time.sleep(0.05)


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""
