"""Reading files that anybody may have made: regular ones only, no more than a bound, each byte once."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

CHUNK = 2**20
LARGEST = 2**31
"""Bytes of the largest file that is looked into; weights and modules are a hundredth of it."""

LARGEST_TEXT = 2**20
"""Bytes of a manifest, a description or a table."""


def user_path(text: str) -> Path:
    """The path that a user wrote, with his home in the place of ``~``, or another user's of ``~NAME``.

    Raises:
        OSError: nobody knows that home.
    """
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise OSError(errno.ENOENT, "nobody knows that home", text) from None


@contextmanager
def opened(path: Path | str, most: int = LARGEST) -> Iterator[BinaryIO]:
    """A regular file, open for reading. A pipe or device is refused, and does not hold anybody up.

    Raises:
        OSError: it cannot be opened, is no regular file, or is larger than ``most`` bytes.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    with os.fdopen(handle, "rb") as file:
        about = os.fstat(handle)
        if not stat.S_ISREG(about.st_mode):
            raise OSError(errno.EINVAL, "it is no regular file", str(path))
        if about.st_size > most:
            raise OSError(errno.EFBIG, f"it has {about.st_size} bytes, more than {most}", str(path))
        yield file


def read(path: Path | str, most: int = LARGEST) -> bytes:
    """Contents of a regular file.

    Raises:
        OSError: as :func:`opened`.
    """
    with opened(path, most) as file:
        size = os.fstat(file.fileno()).st_size
        data = file.read(size + 1)  # `read` makes room for so many at once.
    if len(data) != size:
        raise OSError(errno.EBUSY, "it changes while it is read", str(path))
    return data


def sha256(path: Path | str) -> str:
    """The sha256 of a regular file, as 64 hexadecimal digits; it is never in memory as a whole.

    Raises:
        OSError: as :func:`opened`.
    """
    digest = hashlib.sha256()
    with opened(path) as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def parse_json(data: bytes | str) -> Any:
    """JSON without what leaves open what is meant: a key twice, NaN, nesting without end.

    Raises:
        ValueError: it is no such JSON.
    """
    try:
        return json.loads(data, object_pairs_hook=_unique, parse_constant=_refuse)
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is there twice")
    return found


def _refuse(word: str) -> float:
    raise ValueError(f"{word} is no number")


def whole(value: object) -> int:
    """A whole number as JSON has it; no text, no fraction, no truth.

    Raises:
        ValueError: it is something else.
    """
    if type(value) is not int:
        raise ValueError(f"{value!r:.80} is no whole number")
    return value


def real(value: object) -> float:
    """A number as JSON has it.

    Raises:
        ValueError: it is something else.
        OverflowError: it is too large.
    """
    if type(value) not in (int, float):
        raise ValueError(f"{value!r:.80} is no number")
    return float(value)  # type: ignore[arg-type]
