"""Places for what can be made again: the cache, as far as it can be trusted and written, or a temporary folder."""

from __future__ import annotations

import atexit
import contextlib
import errno
import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from fastdepth_ros.errors import StorageError
from fastdepth_ros.files.scratch import make_scratch, remove
from fastdepth_ros.files.trust import distrust

ROOM = 32 * 2**20
"""Bytes that have to be free: a module takes 5 MB, and as much again while it is being made."""

REMEDY = "Set FASTDEPTH_CACHE to a folder that this user alone may write."


def cache_dir() -> Path | None:
    """The cache: $FASTDEPTH_CACHE, $XDG_CACHE_HOME/fastdepth_ros or ~/.cache/fastdepth_ros; None without a home.

    An $XDG_CACHE_HOME that is no absolute path is ignored, as the XDG Base Directory Specification has it.
    """
    if own := os.environ.get("FASTDEPTH_CACHE"):
        return Path(os.path.abspath(os.path.expanduser(own)))
    base = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(base):
        return Path(base) / "fastdepth_ros"
    home = os.path.expanduser("~")
    return Path(home) / ".cache" / "fastdepth_ros" if os.path.isabs(home) and os.path.isdir(home) else None


def trusted(path: Path | None) -> bool:
    """Whether something is there, in the cache, and only this user and root can have put it there."""
    root = cache_dir()
    return path is not None and root is not None and os.path.exists(path) and not distrust(path, root)


def obstacle(below: str = "") -> str:
    """Why nothing can be kept in the cache, in words; empty where it can. It is tried, and nothing stays of that.

    Args:
        below: the folder in the cache where it is to be kept.
    """
    root = cache_dir()
    if root is None:
        return "this user has no home folder for a cache"
    try:
        folder = root / below
        if why := distrust(folder, root):
            return why
        place = next(place for place in (folder, *folder.parents) if os.path.lexists(place))
        with tempfile.TemporaryDirectory(dir=place, prefix=".fastdepth-try-"):
            return f"the disk of {root} is full" if is_full(place) else ""
    except OSError as error:
        return f"{root} cannot be written ({error.strerror or error})"


def is_full(folder: Path) -> bool:
    """Whether a disk has less room than a module needs while it is being made."""
    try:
        free = os.statvfs(folder)
    except OSError:
        return False
    blocks = free.f_bavail if os.geteuid() else free.f_bfree
    return bool(free.f_blocks) and blocks * free.f_frsize < ROOM


def writable_cache(below: str) -> Path:
    """A folder of the cache where that can be trusted and written, else one in a temporary folder of this process.

    Raises:
        StorageError: there is no temporary folder either.
    """
    root = cache_dir()
    return make_private((private_folder() if root is None or obstacle(below) else root) / below)


def make_private(folder: Path) -> Path:
    """Make a folder and those above it that are missing, for this user alone, whatever the umask.

    Raises:
        StorageError: it cannot be made.
    """
    try:
        for place in [place for place in reversed((folder, *folder.parents)) if not place.is_dir()]:
            with contextlib.suppress(FileExistsError):
                os.mkdir(place, stat.S_IRWXU)
                os.chmod(place, stat.S_IRWXU)
    except OSError as error:
        raise StorageError(f"{folder} cannot be made ({error.strerror or error})", REMEDY) from error
    return folder


@cache
def private_folder() -> Path:
    """A temporary folder of this process, which nobody else may enter; gone with the process.

    Raises:
        StorageError: there is no place for one.
    """
    why = "no folder for temporary files can be written"
    for place in _temporary():
        try:
            folder, _ = make_scratch(place)
        except OSError as error:
            why = f"{place} cannot be written ({error.strerror or error})"
            continue
        atexit.register(_leave, folder, os.getpid())
        return folder
    raise StorageError(why, REMEDY)


def _temporary() -> Iterator[str]:
    with contextlib.suppress(OSError):
        yield tempfile.gettempdir()
    yield from (
        place for place in (os.environ.get("XDG_RUNTIME_DIR", ""), "/dev/shm", "/run/shm") if os.path.isdir(place)
    )


def _leave(folder: Path, maker: int) -> None:
    if os.getpid() == maker:
        remove(folder)


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold a lock file; its holder's death releases it. The target of a link of that name is not touched.

    Raises:
        StorageError: it cannot be made, or is something else than a file.
    """
    make_private(file.parent)
    try:
        handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise OSError(errno.EINVAL, "it is no regular file")
    except OSError as error:
        raise StorageError(f"{file} cannot be locked ({error.strerror or error})", f"Remove it. {REMEDY}") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
