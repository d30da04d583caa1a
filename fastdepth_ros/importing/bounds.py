"""Bounds of what a file of a stranger may cost: what it asks for is held against its own size before it is given.

A parser of such bytes can fail in any way; all of them are one error here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fastdepth_ros.errors import WeightsError, brief
from fastdepth_ros.files.reading import read

LARGEST_FILE = 2**30
"""Bytes; the widest FastDepth with its optimiser's state has 50 MB."""

SMALL_FILE = 64 * 2**20
"""Bytes that any file may unpack to."""

RATIO = 8
"""Times its own size that a larger file may unpack to; weights hardly shrink."""

MOST_LAYERS = 256
"""Convolutions, or what else is gone through one by one; FastDepth has 38."""


def budget(size: int) -> int:
    """Bytes that a file of ``size`` bytes may unpack to."""
    return max(SMALL_FILE, RATIO * size)


def read_file(path: Path) -> bytes:
    """The bytes of a file of bearable size.

    Raises:
        OSError: it cannot be read, or is too large.
    """
    return read(path, LARGEST_FILE)


def check_count(count: int, what: str) -> None:
    """Refuse more than a network can have.

    Raises:
        ValueError: there are more.
    """
    if count > MOST_LAYERS:
        raise ValueError(f"it has more than {MOST_LAYERS} {what}")


@contextmanager
def foreign(path: Path, what: str, remedy: str) -> Iterator[None]:
    """Tell whatever a parser raises as one kind of error.

    Args:
        path: of the file.
        what: it is read as, with its article.
        remedy: where it cannot be.

    Raises:
        WeightsError: something was raised.
    """
    try:
        yield
    except WeightsError:
        raise
    except Exception as error:
        words = f"{type(error).__name__}: {brief(error, 200)}"
        raise WeightsError(f"{path} cannot be read as {what} ({words})", remedy) from error
