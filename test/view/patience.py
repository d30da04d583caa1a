"""Waits for what another thread does, with an end."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 30.0


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)
