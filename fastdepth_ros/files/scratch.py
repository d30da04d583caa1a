"""Temporary folders that go when their maker ends, and at the latest when the next one is made.

Their maker holds a lock on them, which the kernel releases with its death, however it came. So a folder whose lock is
free was left behind: the next maker beside it removes it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = ".fastdepth-"
_NAME = re.compile(rf"{re.escape(PREFIX)}[a-z0-9_]{{8}}")
NEW = 10.0
"""Seconds in which a folder that is not locked may just have been made."""


@contextmanager
def scratch(parent: Path | str) -> Iterator[Path]:
    """A new folder that only this user may enter, inside ``parent``; gone afterwards.

    Raises:
        OSError: it cannot be made.
    """
    folder, handle = make_scratch(parent)
    try:
        yield folder
    finally:
        remove(folder)
        os.close(handle)


def make_scratch(parent: Path | str) -> tuple[Path, int]:
    """A new folder as :func:`scratch` gives it, and the handle that holds its lock until it is closed."""
    sweep(parent)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    with contextlib.suppress(OSError):  # Where a file system has no locks, nothing is swept either.
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return folder, handle


def sweep(parent: Path | str) -> None:
    """Remove what makers that are dead left in ``parent``: of our name, of this user, not locked by anybody."""
    try:
        names = [name for name in os.listdir(parent) if _NAME.fullmatch(name)]
    except OSError:
        return
    for name in names:
        with contextlib.suppress(OSError):
            _sweep_one(Path(parent, name))


def _sweep_one(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        about = os.fstat(handle)
        if about.st_uid != os.geteuid() or abs(time.time() - about.st_mtime) < NEW:
            return
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        remove(folder)
    finally:
        os.close(handle)


def remove(folder: Path) -> None:
    """Remove a folder of ours with all that is in it, as far as it can be."""
    shutil.rmtree(folder, ignore_errors=True)
    if folder.is_dir():  # Something in it may not be written: what a bundle's folder was before it was replaced.
        for place, folders, _ in os.walk(folder):
            for name in (".", *folders):
                with contextlib.suppress(OSError):
                    inner = os.path.join(place, name)
                    if not os.path.islink(inner):
                        os.chmod(inner, stat.S_IRWXU)
        shutil.rmtree(folder, ignore_errors=True)
