"""Ages of images, and what is none: a stamp of another clock makes a number, and no age."""

from __future__ import annotations

ANOTHER_CLOCK = 600.0
"""An image that is older than this, or as far in the future, was stamped by another clock [s]."""


def of_another_clock(age: float) -> bool:
    """Whether an age [s] is none, because the image was stamped by a clock that has nothing to do with ours."""
    return not abs(age) < ANOTHER_CLOCK


def milliseconds(age: float, digits: int = 1) -> str:
    """An age [s] in words."""
    return "from another clock" if of_another_clock(age) else f"{age * 1e3:.{digits}f} ms"
