"""YAML of anybody, looked through before anything is built of it: there is a table, or an error that says why not."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import yaml

LARGEST = 64 << 10
"""Bytes; profiles take two thousand. PyYAML reads a megabyte in seconds."""

DEEPEST = 20
"""Levels of tables and lists in each other: parsers call themselves for each, and some go back over all of them."""

MERGE = "<<"
"""Key under which PyYAML merges tables into the one that it stands in."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml where PyYAML was built with it, which is ten times as fast; either builds plain values alone."""


def read_yaml(path: Path, aliases: bool = False) -> Any:
    """Contents of a YAML file, as plain values.

    Args:
        path: of the file.
        aliases: whether they are allowed, by which a small file may grow without bound as it is walked through.

    Raises:
        ValueError: it is no regular file, or too large, too deep, or no YAML; or it has aliases that are not allowed,
            or merges tables where they are.
        OSError: it cannot be read.
    """
    text = _text(path)
    try:
        check_depth(text, aliases)
        return load_yaml(text)
    except Exception as error:  # PyYAML has many: of a date that is none, of numbers too long, of nesting
        raise ValueError(" ".join(str(error).split()) or type(error).__name__) from None


def load_yaml(text: str) -> Any:
    """Values of YAML that :func:`check_depth` looked at.

    Raises:
        yaml.YAMLError: it is no YAML. Of numbers and dates that are none, PyYAML raises other errors.
    """
    return yaml.load(text, _LOADER)


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


def check_depth(text: str, aliases: bool) -> None:
    """Look at the structure of YAML before anything is built of it.

    Args:
        text: of the file.
        aliases: whether they are allowed.

    Raises:
        ValueError: it is too deep, or has an alias that is not allowed; or it merges tables, by which a small file may
            grow without bound as well.
        yaml.YAMLError: it is no YAML.
    """
    depth = 0
    for event in yaml.parse(text, _LOADER):
        if isinstance(event, yaml.AliasEvent) and not aliases:
            raise ValueError(f"it has an alias, *{event.anchor}, which is not read here")
        if aliases and isinstance(event, yaml.ScalarEvent) and event.value == MERGE:
            raise ValueError("it merges tables, which is not read here")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEEPEST:
            raise ValueError(f"it is more than {DEEPEST} levels deep")
