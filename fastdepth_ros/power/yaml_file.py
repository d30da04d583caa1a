"""Reading a YAML file that somebody names: whatever it is, there is a table, or an error that says why not."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import yaml

LARGEST = 64 << 10
"""Bytes; profiles take two thousand. PyYAML reads a megabyte in seconds."""

DEEPEST = 20
"""Levels of tables and lists in each other: PyYAML calls itself for each."""


def read_yaml(path: Path) -> Any:
    """What a YAML file holds, as plain values.

    Raises:
        ValueError: it is no regular file, or too large, too deep, or no YAML; or it has aliases, by which a small file
            may grow without bound.
        OSError: it cannot be read.
    """
    text = _text(path)
    try:
        _check(text)
        return yaml.safe_load(text)
    except Exception as error:  # PyYAML has many: of a date that is none, of numbers too long, of nesting
        raise ValueError(" ".join(str(error).split()) or type(error).__name__) from None


def _text(path: Path) -> str:
    # A FIFO would hold us up for ever, and opening some devices does something.
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise ValueError("it is no regular file")
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    with open(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise ValueError("it is no regular file")
        read = file.read(LARGEST + 1)
    if len(read) > LARGEST:
        raise ValueError(f"it is larger than {LARGEST >> 10} KiB")
    return read.decode("utf-8")


def _check(text: str) -> None:
    """Look at the file's structure before anything is built of it."""
    depth = 0
    for event in yaml.parse(text, yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise ValueError(f"it has an alias, *{event.anchor}, which is not read here")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEEPEST:
            raise ValueError(f"it is more than {DEEPEST} levels deep")
