"""Ledger of what the tables cost: time by the clock and of the processors, of this command and of those before it."""

from __future__ import annotations

import json
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from fastdepth_ros.files.writing import make_parents, write_file

FILE = "cost.json"


@dataclass(frozen=True)
class Cost:
    """Time that something took.

    Attributes:
        seconds: by the clock [s].
        processor_seconds: of all processors, child processes included [s].
    """

    seconds: float = 0.0
    processor_seconds: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.seconds + other.seconds, self.processor_seconds + other.processor_seconds)


class Ledger:
    """Costs by name in a folder's ``cost.json``. What was stopped and taken up again costs the sum of both.

    Args:
        folder: of the tables.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._used: list[str] = []
        try:
            found = json.loads((folder / FILE).read_text(encoding="utf-8"))
            self._costs = {str(name): Cost(**{k: float(v) for k, v in cost.items()}) for name, cost in found.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            self._costs = {}

    def use(self, name: str) -> None:
        """Count something that was done before."""
        if name not in self._used:
            self._used.append(name)

    @contextmanager
    def noting(self, name: str) -> Iterator[None]:
        """Add what the block takes, whether it ends or is stopped.

        Raises:
            StorageError: the file cannot be written.
        """
        self.use(name)
        since, before = time.monotonic(), _processor_seconds()
        try:
            yield
        finally:
            took = Cost(time.monotonic() - since, _processor_seconds() - before)
            self._costs[name] = self._costs.get(name, Cost()) + took
            make_parents(self.folder)
            costs = {each: asdict(cost) for each, cost in self._costs.items()}
            write_file(self.folder / FILE, json.dumps(costs, indent=1) + "\n")

    def total(self, first: str = "") -> Cost:
        """Sum of what was used or noted since this ledger was opened and whose name begins with ``first``."""
        return sum((self._costs.get(name, Cost()) for name in self._used if name.startswith(first)), Cost())


def _processor_seconds() -> float:
    every = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in every)
