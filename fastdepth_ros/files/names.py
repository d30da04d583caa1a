"""Words that become names of files and folders: one list of characters, one length, for all of them."""

from __future__ import annotations

import re

from fastdepth_ros.errors import SettingError, quoted

LONGEST = 64
_NAME = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._+-]{{0,{LONGEST - 1}}}", re.ASCII)
LONGEST_TEXT = 4096
"""Longest path or sentence: what Linux allows for a path."""

RULE = f"Use letters, digits and . _ + -, at most {LONGEST}, a letter or digit first."


def is_name(value: object) -> bool:
    """Whether a value may become the name of a file, a folder or an option of a program."""
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def check_name(what: str, value: object) -> str:
    """The value, if it may become the name of a file.

    Args:
        what: the thing that the value names, for the error.
        value: the value to be checked.

    Raises:
        SettingError: it is too long, or holds what no name should hold: slashes, spaces, line ends, NUL.
    """
    if not is_name(value):
        raise SettingError(f"{what} cannot be {quoted(value)}", RULE)
    assert isinstance(value, str)
    return value


def check_text(what: str, value: object) -> str:
    """The value, if it is one line of text that can be shown, or a path.

    Raises:
        SettingError: it is too long, or holds line ends, NUL or other characters that control a terminal.
    """
    if not isinstance(value, str) or len(value) > LONGEST_TEXT or not value.isprintable():
        remedy = f"Use one line of printable characters, at most {LONGEST_TEXT}."
        raise SettingError(f"{what} cannot be {quoted(value)}", remedy)
    return value
