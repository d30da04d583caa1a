"""Numbers of a command line: argparse's own floats may be nan, and nobody waits or measures so long."""

from __future__ import annotations

import argparse
import math
import re

from fastdepth_ros.errors import SettingError

LONGEST = 1e6
"""Seconds that anybody is waited for: eleven days."""

DIGITS = 18
"""Digits of a whole number; so many fit into 64 bits."""


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


def natural(text: str) -> int:
    """A whole number, 0 or more.

    Raises:
        argparse.ArgumentTypeError: it is none.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= DIGITS):
        raise argparse.ArgumentTypeError(f"{text!r:.60} is no whole number of 0 or more")
    return int(text)


def sides(size: str) -> tuple[int, int]:
    """Width and height [px] of what ``--size`` says, as 160x128.

    Raises:
        SettingError: it says none.
    """
    if not (found := re.fullmatch(r"([0-9]{2,4})x([0-9]{2,4})", size)):
        raise SettingError(f"--size is {size!r:.60}", "Write width and height, as 160x128.")
    return int(found[1]), int(found[2])
