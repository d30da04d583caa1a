"""Shares out parameters between `make test`, which is to be quick, and `make test-all`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def mostly_slow(values: Iterable[Any], quick: int = 1) -> list[Any]:
    """Parameters of which the first few are always tested, and the others by `make test-all` alone."""
    listed = list(values)
    late = [each if isinstance(each, tuple) else (each,) for each in listed[quick:]]
    return [*listed[:quick], *(pytest.param(*each, marks=pytest.mark.slow) for each in late)]
