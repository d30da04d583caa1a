"""Parameter files of the command line that hold nothing for the node: rcl leaves them aside without a word."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from fastdepth_ros.files.yaml_text import read_yaml

PARAMETERS = "ros__parameters"
OPTION = "--params-file"
WILD = {"*": r"/\w+", "**": r"(/\w+)*"}


def unheard(arguments: Sequence[str], node: str) -> dict[str, list[str]]:
    """Files that name other nodes alone.

    Args:
        arguments: of the command line, for ROS between ``--ros-args`` and ``--``.
        node: full name of the node.

    Returns:
        Path of a file -> the names in it. What cannot be read here is rcl's to complain of.
    """
    found: dict[str, list[str]] = {}
    for path in _files(arguments):
        try:
            tree = read_yaml(Path(path))
        except (OSError, ValueError):
            continue
        names = list(_names(tree, ""))
        if names and not any(matches(name, node) for name in names):
            found[path] = names
    return found


def matches(pattern: str, node: str) -> bool:
    """Whether a name in a parameter file, in which ``*`` is a part of a name and ``**`` any number, is a node's."""
    parts = pattern.strip("/").split("/")
    return re.fullmatch("".join(WILD.get(part, f"/{re.escape(part)}") for part in parts), node) is not None


def _files(arguments: Sequence[str]) -> Iterator[str]:
    ros = False
    for argument, following in zip(arguments, [*arguments[1:], ""], strict=True):
        if argument in ("--ros-args", "--"):
            ros = argument == "--ros-args"
        elif ros and argument == OPTION and following:
            yield following


def _names(tree: Any, above: str) -> Iterator[str]:
    """Names of nodes, whose parts may be tables in each other."""
    for key, value in tree.items() if isinstance(tree, Mapping) else ():
        if key == PARAMETERS:
            yield above or "/"
        elif isinstance(key, str):
            yield from _names(value, f"{above}/{key.strip('/')}")
