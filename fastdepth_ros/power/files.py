"""Reading small kernel files that may be missing, forbidden, slow or wrong. Nothing here can write one."""

from __future__ import annotations

import errno
import os
import re
import time
from pathlib import Path

from fastdepth_ros.errors import Finding, Level

CHUNK = 4096
"""Bytes that are read at once; only an nvpmodel.conf is longer."""

LONGEST = 64 * CHUNK

_WORDS = {
    errno.ENOENT: "is missing",
    errno.ENOTDIR: "is missing",
    errno.EACCES: "may not be read by this user",
    errno.EPERM: "may not be read by this user",
    errno.EAGAIN: "has no value right now (EAGAIN)",
    errno.ENODEV: "is missing: its device is gone",
    errno.ENXIO: "is missing: its device is gone",
}
LARGEST_CORE = 8191
"""Number of the last processor core that a Linux kernel can be built for."""

_SPACES = str.maketrans("\n\t", "  ")
_NEGATIVE = re.compile(rb"-[0-9]{1,30}\s*\Z")
_DIGITS = 30


class Unreadable(Exception):  # noqa: N818 -- caught where it is raised, turned into a Finding
    """A file that did not give what it should.

    Attributes:
        path: of the file.
        why: what is wrong with it, to follow its name: ``is missing``.
        code: errno of the system's error; 0 where the file was read and holds nonsense.
        fault: False where all is well and it just has nothing to say.
    """

    def __init__(self, path: str, why: str, code: int = 0, *, fault: bool = True) -> None:
        super().__init__(f"{path} {why}")
        self.path = path
        self.why = why
        self.code = code
        self.fault = fault

    def finding(self, remedy: str, level: Level = Level.WARN) -> Finding:
        """A finding for a user, with what to do about it or what comes of it."""
        return Finding(level, str(self), remedy)


class Abandoned(Exception):  # noqa: N818 -- no error: the thread that gets it is to end
    """The file that held this thread has let it go, and another thread has long taken over."""


def _device(path: str) -> int | None:
    try:
        return os.stat(path).st_dev
    except OSError:
        return None


SYSFS = _device("/sys/kernel")
"""The file system of the kernel's own files."""


class Reader:
    """Reads files; keeps those open that are read again and again, for opening costs more than reading."""

    def __init__(self) -> None:
        self._handles: dict[str, int] = {}
        self._replaceable: set[int] = set()

    def __call__(self, path: str, keep: bool = False) -> bytes:
        """Contents of a file, at most :data:`LONGEST` bytes. A pipe that has nothing to say does not hold us up.

        Args:
            keep: whether to keep it open for the next time; then at most :data:`CHUNK` bytes.

        Raises:
            OSError: as the system says.
        """
        handle = self._handles.get(path)
        if handle is not None:
            # A kernel file gives its value anew at every read from its start, and ENODEV when its device is gone. Of
            # other files, one without a name was deleted or replaced.
            if handle not in self._replaceable or os.fstat(handle).st_nlink:
                return os.pread(handle, CHUNK, 0)
            self._replaceable.discard(handle)
            os.close(self._handles.pop(path))
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
        try:
            read = os.read(handle, CHUNK)
            while not keep and len(read) % CHUNK == 0 and 0 < len(read) < LONGEST and (more := os.read(handle, CHUNK)):
                read += more
        except OSError:
            os.close(handle)
            raise
        if keep and read:
            self._handles[path] = handle
            if os.fstat(handle).st_dev != SYSFS:
                self._replaceable.add(handle)
        else:
            os.close(handle)
        return read

    def close(self) -> None:
        """Close what is open."""
        self._replaceable.clear()
        while self._handles:
            os.close(self._handles.popitem()[1])


class Files:
    """The files of ``/sys`` and ``/proc`` under a root, read one after the other by one thread.

    A driver that hangs holds the reader inside the kernel, where nothing can wake it; :attr:`inside` then tells
    another thread which file it is, and :attr:`avoided` makes the next reader stay away from it.
    """

    def __init__(self, root: str | Path = "/", reader: type[Reader] = Reader) -> None:
        self.root = str(root).rstrip("/")
        self.inside: tuple[str, float] | None = None
        """The file that is being read, and since when [s, monotonic]."""
        self.avoided: set[str] = set()
        self.abandoned = False
        """Set by another thread: a read that comes back ends its thread with :class:`Abandoned`."""
        self._reader = reader
        self._read = reader()

    def fresh(self) -> Files:
        """A second reader of these files, which stays away from the same ones."""
        twin = Files(self.root or "/", self._reader)
        twin.avoided = self.avoided
        return twin

    def close(self) -> None:
        """Close what was kept open."""
        self._read.close()

    def path(self, name: str) -> str:
        """Path of a file: its name below the root, with the root."""
        return f"{self.root}/{name}"

    def text(self, name: str) -> str:
        """The one line that a file holds, stripped; NUL bytes, as the device tree ends its strings, become commas.

        Args:
            name: of the file below the root: ``sys/devices/system/cpu/online``.

        Raises:
            Unreadable: it is missing, forbidden, empty, hangs, or holds what is no text.
            Abandoned: this thread is no longer wanted.
        """
        raw = self._bytes(name, keep=False)
        try:
            text = raw.decode("ascii").strip("\0 \t\n").replace("\0", ",")
        except UnicodeDecodeError:
            raise Unreadable(self.path(name), "holds what is no text") from None
        if not text:
            raise Unreadable(self.path(name), "is empty")
        if not text.isprintable() and not text.translate(_SPACES).isprintable():
            raise Unreadable(self.path(name), "holds what is no text")
        return text

    def _bytes(self, name: str, keep: bool) -> bytes:
        path = self.path(name)
        if path in self.avoided:
            raise Unreadable(path, "hangs: its driver does not answer")
        self.inside = (path, time.monotonic())
        try:
            return self._read(path, keep)
        except OSError as error:
            code = error.errno or 0
            raise Unreadable(path, _WORDS.get(code, f"cannot be read ({error.strerror})"), code) from None
        finally:
            self.inside = None
            if self.abandoned:
                self.avoided.discard(path)
                self._read.close()
                raise Abandoned

    def number(self, name: str, low: int = 0, high: int = 10**15) -> int:
        """The whole number that a file holds.

        Raises:
            Unreadable: as :meth:`text`, or it holds no number, or one outside ``low`` to ``high``.
        """
        raw = self._bytes(name, keep=True)
        digits = raw.rstrip()
        # Nearly always it is one, and this runs ten times a second on a cold processor: no regular expression.
        if not (digits.isdigit() and len(digits) <= _DIGITS) and not _NEGATIVE.match(raw):
            found = raw[:20].decode("ascii", "replace").strip()
            why = f"holds {found!r} where a number belongs" if found else "is empty"
            raise Unreadable(self.path(name), why)
        value = int(digits)
        if not low <= value <= high:
            raise Unreadable(self.path(name), f"holds {value:.6g}, which cannot be: {low} to {high} can")
        return value

    def names(self, folder: str, pattern: str = "") -> list[str]:
        """The entries of a folder that match a regular expression, as paths below the root, in order of name."""
        try:
            found = os.listdir(self.path(folder))
        except OSError:
            return []
        return [f"{folder}/{name}" for name in sorted(found, key=_natural) if re.match(pattern, name)]

    def has(self, name: str) -> bool:
        """Whether there is such a file or folder."""
        return os.path.lexists(self.path(name))


def _natural(name: str) -> list[tuple[int, str]]:
    """``cpu10`` after ``cpu9``."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def parse_list(text: str) -> tuple[int, ...]:
    """Numbers of a kernel list: ``0,3-5`` is 0, 3, 4, 5.

    Raises:
        ValueError: it is no such list.
    """
    numbers: list[int] = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        start, end = int(first), int(last if dash else first)
        if not 0 <= start <= end <= LARGEST_CORE:
            raise ValueError(f"{part!r:.80} is no range of cores")
        numbers += range(start, end + 1)
    return tuple(dict.fromkeys(numbers))


def as_list(numbers: tuple[int, ...]) -> str:
    """The kernel's way to write numbers: 0, 3, 4, 5 is ``0,3-5``."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
