"""Numbers of a command line: argparse's own floats may be nan, and nobody waits or measures so long."""

from __future__ import annotations

import argparse
import math

LONGEST = 1e6
"""Seconds that anybody is waited for: eleven days."""


def finite(text: str) -> float:
    """A finite number.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not math.isfinite(found):
        raise argparse.ArgumentTypeError(f"{text!r:.60} is no number")
    return found


def seconds(text: str) -> float:
    """A time, of 0 to :data:`LONGEST` seconds.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    found = finite(text)
    if not 0 <= found <= LONGEST:
        raise argparse.ArgumentTypeError(f"{text!r:.60} is no time: use 0 to {LONGEST:g} seconds")
    return found
