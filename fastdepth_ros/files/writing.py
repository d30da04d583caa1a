"""Files and folders that are there whole or not at all: written aside, flushed to the disk, renamed."""

from __future__ import annotations

import contextlib
import ctypes
import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from fastdepth_ros.errors import SettingError, StorageError
from fastdepth_ros.files.scratch import remove, scratch

EXCHANGE, HERE = 2, -100
"""Linux' RENAME_EXCHANGE and AT_FDCWD."""

Ours = Callable[[Path], bool]


@contextmanager
def storing(path: Path | str, remedy: str = "Check the disk, or name another place.") -> Iterator[None]:
    """Tell what the system says of writing as an error with a remedy.

    Raises:
        StorageError: the system says that something cannot be written.
    """
    try:
        yield
    except OSError as error:
        raise StorageError(f"{path} cannot be written ({error.strerror or error})", remedy) from error


def write_file(path: Path, content: bytes | str, mode: int = 0o644) -> None:
    """Write a file that takes the place of an older one at once, or leave that as it was.

    Raises:
        StorageError: it cannot be written.
    """
    with storing(path):
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:32]}-", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content.encode("utf-8") if isinstance(content, str) else content)
                file.flush()
                os.fchmod(file.fileno(), mode)
                os.fsync(file.fileno())
            os.replace(name, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(name)
            raise
        sync(path.parent)


def write_output(path: Path, content: bytes | str) -> None:
    """Write a file that a user named: the one that a link leads to, and a pipe or a device as it is.

    Raises:
        StorageError: it cannot be written; a file that was there is there still.
    """
    try:
        plain = stat.S_ISREG(os.stat(path).st_mode) and path.parts[:2] not in (("/", "dev"), ("/", "proc"))
    except OSError:
        plain = True
    if plain:
        write_file(Path(os.path.realpath(path)), content)
        return
    with storing(path), open(path, "wb") as file:
        file.write(content.encode("utf-8") if isinstance(content, str) else content)


@contextmanager
def new_folder(out: Path, ours: Ours) -> Iterator[Path]:
    """A folder to be filled, which takes the place of ``out`` when all went well; else ``out`` stays as it was.

    Args:
        out: may exist if it is empty or one of ``ours``.
        ours: whether a folder may be replaced.

    Raises:
        SettingError: ``out`` is something else.
        StorageError: it cannot be written.
    """
    out = Path(os.path.realpath(out))
    check_replaceable(out, ours)
    with storing(out):
        make_parents(out.parent)
        with scratch(out.parent) as aside:
            draft = aside / "new"
            draft.mkdir()
            draft.chmod(0o755)
            yield draft
            sync_all(draft)
            put(draft, out)
            sync(out.parent)


def check_replaceable(out: Path, ours: Ours) -> None:
    """Refuse to replace what is not ours.

    Raises:
        SettingError: ``out`` is no folder, or holds something else.
    """
    if not os.path.lexists(out):
        return
    if not out.is_dir():
        raise SettingError(f"{out} is no folder", "Name a new folder.")
    with storing(out):
        if any(out.iterdir()) and not ours(out):
            raise SettingError(f"{out} holds something already", "Name a new folder.")


def make_parents(folder: Path) -> None:
    """Make a folder and those above it that are missing; nobody but their owner may write into them."""
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    for place in reversed(missing):
        with contextlib.suppress(FileExistsError):
            place.mkdir()
            place.chmod(0o755)


def put(draft: Path, out: Path) -> None:
    """Rename a folder to ``out``; what was there is where the draft was, or gone."""
    if not out.is_dir() or not any(out.iterdir()):
        os.rename(draft, out)
        return
    if exchange(draft, out):
        return
    # Between these two renames there is nothing at ``out``; but what was there is not lost.
    old = out.with_name(f".{out.name[:100]}.old-{os.getpid()}")
    os.rename(out, old)
    try:
        os.rename(draft, out)
    except OSError:
        os.rename(old, out)
        raise
    remove(old)


def exchange(one: Path, other: Path) -> bool:
    """Swap two folders at once; False where the system cannot."""
    function = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)  # glibc has it since 2.28
    if function is None:
        return False
    return bool(function(HERE, os.fsencode(one), HERE, os.fsencode(other), EXCHANGE) == 0)


def sync_all(folder: Path) -> None:
    """Have all that is in a folder written to the disk."""
    for place, _, names in os.walk(folder):
        for name in names:
            if not os.path.islink(os.path.join(place, name)) and os.path.isfile(os.path.join(place, name)):
                sync(Path(place, name))
        sync(Path(place))


def sync(path: Path) -> None:
    """Have a file, or the names in a folder, written to the disk."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except PermissionError:  # A file of another user that was kept; it was on the disk before.
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
