"""Trust in files: whether only this user or root can have put there what lies in a folder."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from functools import cache
from pathlib import Path

GROUP, OTHERS = stat.S_IWGRP, stat.S_IWOTH


def distrust(path: Path, root: Path) -> str:
    """Why somebody else may have put there what lies at ``path``; empty where nobody else can.

    Args:
        path: a file or folder at or below ``root``; what does not exist yet is not held against it.
        root: from here on nobody else may write; above it, he may where the sticky bit keeps names to their owners.
    """
    root = Path(os.path.abspath(root))
    places = _with_parents(Path(os.path.abspath(path)))
    real = Path(os.path.realpath(path))
    for place in (*places, *_with_parents(real)):
        inside = place == root or root in place.parents or Path(os.path.realpath(root)) in (place, *place.parents)
        if why := _why(place, inside):
            return why
    return ""


def _with_parents(path: Path) -> list[Path]:
    return [*reversed(path.parents), path]


def _why(place: Path, inside: bool) -> str:
    try:
        about = os.lstat(place)
    except OSError:
        return ""  # It is not there, or not to be seen: then nothing of it is read either.
    if about.st_uid not in (0, os.geteuid()):
        return f"{place} belongs to another user ({_name(about.st_uid)})"
    if stat.S_ISLNK(about.st_mode):
        return ""
    if not inside and about.st_mode & stat.S_ISVTX:
        return ""
    open_to = about.st_mode & (GROUP | OTHERS)
    if not inside and open_to == GROUP and _alone_in(about.st_gid):
        return ""
    return f"{place} can be written by other users" if open_to else ""


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)


@cache
def _alone_in(group: int) -> bool:
    """Whether a group is this user's own, as many systems make one for each."""
    try:
        user, found = pwd.getpwuid(os.geteuid()), grp.getgrgid(group)
    except KeyError:
        return False
    return group == user.pw_gid and found.gr_name == user.pw_name and set(found.gr_mem) <= {user.pw_name}
