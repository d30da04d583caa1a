"""Niceness and affinity of this process, every thread of it: those of the TVM runtime and of the middleware too."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable
from functools import cache
from pathlib import Path

from fastdepth_ros.errors import Finding, Level
from fastdepth_ros.power.files import as_list

TASKS = Path("/proc/self/task")
STATUS = Path("/proc/self/status")
CAP_SYS_NICE = 23
IDLE = 19
"""The niceness that also brings the scheduler's idle policy: whoever else wants the processor then has it at once, and
not when the turn of some milliseconds is over. A control loop beside the node feels the difference (docs/power.md)."""


@cache
def _at_start() -> frozenset[int]:
    """The cores that this process had before the first call of :func:`set_cores`."""
    return frozenset(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else frozenset()


def threads() -> list[int]:
    """Thread ids of this process."""
    return sorted(int(task.name) for task in TASKS.iterdir())


def set_cores(cores: tuple[int, ...] | None) -> list[Finding]:
    """Let every thread run on these cores only; None gives back those that the process had at its start.

    A new thread inherits the cores of the one that starts it, but the TVM runtime pins its workers itself when their
    number changes: call this again afterwards.
    """
    wanted = frozenset(cores) if cores is not None else _at_start()
    usable = wanted & _at_start()
    findings = []
    if usable != wanted:
        here = as_list(tuple(_at_start()))
        cause = f"cores {as_list(tuple(wanted - usable))} are not there, or not for this process, which may use {here}"
        remedy = f"Name cores out of {here} in cpu_affinity or in the profile."
        findings.append(Finding(Level.WARN, cause, remedy))
    if usable:
        _each(lambda thread: os.sched_setaffinity(thread, usable), "its cores", findings)
    return findings


def set_niceness(niceness: int) -> list[Finding]:
    """Give every thread this niceness, -20 to 19: the higher, the more it leaves to others; 19 also is :data:`IDLE`."""
    findings: list[Finding] = []
    _each(lambda thread: _be_nice(thread, niceness), f"niceness {niceness}", findings)
    return findings


def niceness() -> int:
    """The niceness of the calling thread."""
    return os.getpriority(os.PRIO_PROCESS, 0)


@cache
def may_return_to(least: int) -> bool:
    """Whether a thread that was given a higher niceness may have this one again: few users may lower theirs.

    Found out once: what a process may do stays, and diagnostics ask every second.
    """
    allowed = resource.getrlimit(resource.RLIMIT_NICE)[0]
    if allowed == resource.RLIM_INFINITY or least >= 20 - allowed:
        return True
    try:
        held = next(line for line in STATUS.read_text().splitlines() if line.startswith("CapEff:"))
    except (OSError, StopIteration):
        return False
    return bool(int(held.split()[1], 16) >> CAP_SYS_NICE & 1)


def raise_niceness(least: int) -> None:
    """Give the calling thread at least this niceness, and with it the threads that it starts from now on."""
    if niceness() < least:
        _be_nice(0, least)


def _be_nice(thread: int, niceness: int) -> None:
    """Niceness of a thread, 0 for the caller's; policies that somebody else chose, as SCHED_FIFO, stay."""
    os.setpriority(os.PRIO_PROCESS, thread, niceness)
    ours, policy = (os.SCHED_OTHER, os.SCHED_IDLE), os.SCHED_IDLE if niceness >= IDLE else os.SCHED_OTHER
    if os.sched_getscheduler(thread) in ours:
        os.sched_setscheduler(thread, policy, os.sched_param(0))


def _each(change: Callable[[int], None], what: str, findings: list[Finding]) -> None:
    # A thread that starts meanwhile may be the child of one that was not changed yet: looked for until there is none.
    changed: set[int] = set()
    while new := [thread for thread in threads() if thread not in changed]:
        for thread in new:
            try:
                change(thread)
            except ProcessLookupError:
                pass  # it ended meanwhile
            except OSError as error:
                remedy = "A lower niceness than the process has needs CAP_SYS_NICE, or a `nice` limit for this user."
                findings.append(Finding(Level.WARN, f"this process may not set {what} ({error.strerror})", remedy))
                return
        changed.update(new)
