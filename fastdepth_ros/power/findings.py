"""What the power room has to tell its user: a cause, a remedy, and how much it matters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from fastdepth_ros.power.files import Unreadable

Level = Literal["note", "warn"]


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be, or that is missing.

    Attributes:
        level: ``warn`` where something that should work does not; ``note`` where this machine never had it.
        cause: one sentence that names the file, the command or the setting, and what is wrong with it.
        remedy: one sentence that says what to do.
    """

    level: Level
    cause: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.cause.rstrip('.')}. {self.remedy}"


def missing(error: Unreadable, remedy: str, level: Level = "warn") -> Finding:
    """The finding that a file is not as it should be."""
    return Finding(level, str(error), remedy)
