"""Names of several cameras that one node answers: they become topics, parameters and parts of /diagnostics."""

from __future__ import annotations

import re

from fastdepth_ros.errors import SettingError, quoted

NONE = "none"
"""The word for a node of one camera, whose topics and parameters have plain names."""

MOST = 16
"""Cameras of one node."""

LONGEST = 32
"""Characters of a name."""

IMAGE = "image_raw"
"""Topic of the images of one of several cameras, below its name, as most drivers call it."""

RULE = (
    f"Use 1 to {MOST} different names, by comma or as a list, each of letters, digits and single _, a letter first,"
    f" at most {LONGEST}: front,rear; or {NONE}."
)

_NAME = re.compile(r"[A-Za-z](?:_?[A-Za-z0-9])*", re.ASCII)
_TAKEN = {NONE, "qos_overrides"}
"""Names that parameters have already."""


def meant(value: object) -> object:
    """The words that stand for a list of names, or for nothing; any other value as it is."""
    if isinstance(value, list | tuple) and all(isinstance(each, str) for each in value):
        return ",".join(value) or NONE
    return NONE if value == "" else value


def parse_cameras(cameras: str) -> tuple[str, ...]:
    """The names in ``front,rear``; none where there is one camera without a name.

    Raises:
        SettingError: they cannot be names of topics, or one stands there twice, or there are too many.

    Example:
        >>> parse_cameras("front, rear"), parse_cameras("none")
        (('front', 'rear'), ())
    """
    if cameras == NONE:
        return ()
    names = tuple(each.strip() for each in cameras.split(","))
    for place, name in enumerate(names):
        if why := _wrong(name, names[:place]):
            raise SettingError(f"cameras cannot be {quoted(cameras)}: {why}", RULE)
    if len(names) > MOST:
        raise SettingError(f"cameras cannot be {len(names)}", RULE)
    return names


def _wrong(name: str, before: tuple[str, ...]) -> str:
    """Why a name cannot be one; empty where it can."""
    if not name:
        return "a name is empty"
    if name in before:
        return f"{name} stands there twice"
    if name in _TAKEN:
        return f"no camera can be called {name}"
    if len(name) > LONGEST or not _NAME.fullmatch(name):
        return f"{quoted(name)} is no name of a topic"
    return ""
