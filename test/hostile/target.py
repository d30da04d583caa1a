"""Targets of hostile inputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Literal

Kind = Literal["message", "file", "setting"]


class FooledError(AssertionError):
    """An input was believed, or changed something, and must not."""


@dataclass(frozen=True)
class Target:
    """One way into the project.

    Attributes:
        name: of it, and of its folder in ``kept``.
        kind: what its cases are.
        make: makes a case.
        prepare: of a folder that the target may use -> what takes a case. That returns if the case is accepted, raises
            a FastDepthError if it is refused, and :class:`FooledError` if it did what it must not.
        share: of the time, against that of others.
        apart: its cases run in processes of their own, whose wait for a processor nobody can tell from their work.
    """

    name: str
    kind: Kind
    make: Callable[[Random], bytes]
    prepare: Callable[[Path], Callable[[bytes], object]]
    share: float = 1.0
    apart: bool = False
