"""Long work that Ctrl-C and SIGTERM end after its current step, so that the same command goes on later."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def stopping() -> Iterator[Callable[[], bool]]:
    """Have both signals only noted meanwhile; gives a function that says whether one came."""
    came = False

    def note(*_: Any) -> None:
        nonlocal came
        came = True

    before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield lambda: came
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
