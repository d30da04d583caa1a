"""Inputs that are worth keeping: made smaller, and written down."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable
from pathlib import Path

KEPT = Path(__file__).with_name("kept")
PATIENCE = 2.0
"""Time in which an input may be made smaller [s]."""


def minimise(run: Callable[[bytes], tuple[str, str]], data: bytes, verdict: tuple[str, str]) -> bytes:
    """The input without the pieces that the verdict does not need, as far as that is cheap (ddmin, Zeller 2002)."""
    until, size = time.monotonic() + PATIENCE, max(1, len(data) // 2)
    if run(data) != verdict:  # it needs what came before it
        return data
    while size >= 1 and time.monotonic() < until:
        at = 0
        while at < len(data) and time.monotonic() < until:
            smaller = data[:at] + data[at + size :]
            if run(smaller) == verdict:
                data = smaller
            else:
                at += size
        size //= 2
    return data


def keep(folder: Path, target: str, verdict: str, words: str, data: bytes) -> Path:
    """Write an input to ``folder/target/``; its name says what it did."""
    name = re.sub(r"[^a-zA-Z0-9]+", "-", f"{verdict}-{words}").strip("-").lower()[:60]
    path = folder / target / f"{name}-{hashlib.sha256(data).hexdigest()[:8]}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path
