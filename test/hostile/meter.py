"""Cost of a case: time that it used or waited, and memory, whatever else the machine does."""

from __future__ import annotations

import contextlib
import os
import resource
import sys
import time
from pathlib import Path

STEP = 8 << 20
"""Growth of the peak that is worth a closer look [bytes]."""

_PAGE = os.sysconf("SC_PAGE_SIZE")


def run_delay(process: int | str = "self") -> float:
    """Time that a process' first thread has waited for a processor [s]; 0 where the kernel does not say."""
    try:
        return int(Path(f"/proc/{process}/schedstat").read_text().split()[1]) * 1e-9
    except (OSError, IndexError, ValueError):
        return 0.0


def resident(process: int | str = "self") -> int:
    """Memory of a process [bytes]; 0 where it is gone."""
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * _PAGE
    except (OSError, IndexError, ValueError):
        return 0


def owned(process: int | str = "self") -> int:
    """Memory of a process that is of no file and shared with nobody [bytes]; 0 where it is gone.

    A kernel that looks for idle pages takes those of files back whenever it likes, so that resident memory falls by
    itself. Without swap it can take none of these.
    """
    try:
        _, resident_pages, shared, *_ = Path(f"/proc/{process}/statm").read_text().split()
        return (int(resident_pages) - int(shared)) * _PAGE
    except (OSError, ValueError):
        return 0


def limit_memory(more: int) -> None:
    """Have this process fail where it would take ``more`` bytes than it has, before the machine does."""
    size = int(Path("/proc/self/statm").read_text().split()[0]) * _PAGE
    resource.setrlimit(resource.RLIMIT_AS, (size + more, size + more))


class Time:
    """Seconds of one case: ``busy`` that it computed, ``held`` all in all, but for its wait for a processor.

    Other processes on the machine make neither longer; a case that sleeps, or waits for a file, shows in ``held``.
    """

    def __init__(self) -> None:
        self._schedstat = os.open("/proc/self/schedstat", os.O_RDONLY) if Path("/proc/self/schedstat").exists() else -1

    def delay(self) -> float:
        """As :func:`run_delay`, of this process, quickly."""
        return int(os.pread(self._schedstat, 64, 0).split()[1]) * 1e-9 if self._schedstat >= 0 else 0.0

    def start(self) -> tuple[float, float, float]:
        """Wall time, delay and processor time of now [s]."""
        return time.monotonic(), self.delay(), self._used()

    def since(self, start: tuple[float, float, float]) -> tuple[float, float]:
        """``busy`` and ``held``."""
        wall, delay, cpu = start
        return self._used() - cpu, time.monotonic() - wall - (self.delay() - delay)

    @staticmethod
    def _used() -> float:
        """Processor time of this process and of those that it started and saw end [s]."""
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        return time.process_time() + ended.ru_utime + ended.ru_stime


class Peak:
    """The most memory that a case added: the kernel's high-water mark, which can be put back (proc(5), clear_refs)."""

    def __init__(self) -> None:
        self._base = self._mark = 0
        self.reset()

    def reset(self) -> None:
        """Put the mark back to what is used now."""
        with contextlib.suppress(OSError):  # where that is not allowed, the mark only rises
            Path("/proc/self/clear_refs").write_text("5")
        self._base = resident() if sys.platform == "linux" else 0
        self._mark = max(self._base, self._high())

    def added(self) -> int:
        """Bytes that were used at most beyond those at the last reset; 0 if hardly any."""
        high = self._high()
        if high < self._mark + STEP:
            return 0
        found = high - self._base
        self.reset()
        return found

    @staticmethod
    def _high() -> int:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
