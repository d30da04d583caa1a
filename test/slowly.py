"""Shares out the tests between `make test`, continuous integration and `make test-all`.

A test marked `again` looks a second time at what a quicker one has seen: another target, precision or size, or the same
way with another fault. `make test` leaves it out. One marked `slow` takes too long for continuous integration, too.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import settings


def mostly_slow(values: Iterable[Any], quick: int = 1) -> list[Any]:
    """Parameters of which the first few are always tested, and the others by `make test-all` alone."""
    return _mostly(pytest.mark.slow, values, quick)


def mostly_again(values: Iterable[Any], quick: int = 1) -> list[Any]:
    """Parameters of which the first few are always tested, and the others not by `make test`."""
    return _mostly(pytest.mark.again, values, quick)


def again(*values: Any, **named: Any) -> Any:
    """A parameter that `make test` leaves out."""
    return pytest.param(*values, marks=pytest.mark.again, **named)


def examples(number: int) -> int:
    """So many examples of a property where all is tested, and as much fewer in `make test` as of other properties."""
    return number * settings.default.max_examples // settings.get_profile("whole").max_examples


def _mostly(mark: pytest.MarkDecorator, values: Iterable[Any], quick: int) -> list[Any]:
    listed = list(values)
    late = [each if isinstance(each, tuple) else (each,) for each in listed[quick:]]
    return [*listed[:quick], *(pytest.param(*each, marks=mark) for each in late)]
