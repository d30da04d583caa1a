"""What an examination finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Level(str, Enum):
    """How much a finding matters."""

    OK = "OK"
    """It is as it should be."""
    WARN = "WARN"
    """Depth works, but not as well as it could."""
    FAIL = "FAIL"
    """Depth does not work."""


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: what was looked at.
        level: what came of it.
        fact: what was seen.
        remedy: what to do about it; empty where nothing is to be done.
    """

    name: str
    level: Level
    fact: str
    remedy: str = ""


def ok(name: str, fact: str) -> Check:
    """What is as it should be."""
    return Check(name, Level.OK, fact)


def warn(name: str, fact: str, remedy: str) -> Check:
    """What should be better."""
    return Check(name, Level.WARN, fact, remedy)


def fail(name: str, fact: str, remedy: str) -> Check:
    """What keeps depth from working."""
    return Check(name, Level.FAIL, fact, remedy)
