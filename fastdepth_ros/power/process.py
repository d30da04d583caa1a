"""Niceness and affinity of this process, every thread of it: those of the TVM runtime and of the middleware too."""

from __future__ import annotations

import ctypes
import os
import platform
from collections.abc import Callable
from pathlib import Path

from fastdepth_ros.power.files import as_list
from fastdepth_ros.power.findings import Finding

TASKS = Path("/proc/self/task")
_AT_START = frozenset(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else frozenset()


def threads() -> list[int]:
    """Thread ids of this process."""
    return sorted(int(task.name) for task in TASKS.iterdir())


def set_cores(cores: tuple[int, ...] | None) -> list[Finding]:
    """Let every thread run on these cores only; None gives back those that the process had at its start.

    A new thread inherits the cores of the one that starts it, but the TVM runtime pins its workers itself when their
    number changes: call this again afterwards.
    """
    wanted = frozenset(cores) if cores is not None else _AT_START
    usable = wanted & _AT_START
    findings = []
    if usable != wanted:
        here = as_list(tuple(_AT_START))
        cause = f"cores {as_list(tuple(wanted - usable))} are not there, or not for this process, which may use {here}"
        remedy = f"Name cores out of {here} in cpu_affinity or in the profile."
        findings.append(Finding("warn", cause, remedy))
    if usable:
        _each(lambda thread: os.sched_setaffinity(thread, usable), "its cores", findings)
    return findings


def set_niceness(niceness: int) -> list[Finding]:
    """Give every thread this niceness, -20 to 19: the higher, the more it leaves to others."""
    findings: list[Finding] = []
    _each(lambda thread: os.setpriority(os.PRIO_PROCESS, thread, niceness), f"niceness {niceness}", findings)
    return findings


class _Attributes(ctypes.Structure):
    """Linux' struct sched_attr, in its first version."""

    _fields_ = (
        ("size", ctypes.c_uint32),
        ("policy", ctypes.c_uint32),
        ("flags", ctypes.c_uint64),
        ("nice", ctypes.c_int32),
        ("priority", ctypes.c_uint32),
        ("runtime", ctypes.c_uint64),
        ("deadline", ctypes.c_uint64),
        ("period", ctypes.c_uint64),
    )


def set_slice(milliseconds: float) -> None:
    """Ask the scheduler for longer turns, 0.1 to 100 ms, for every thread; 0 for its own choice.

    Linux 6.12 and later lets a thread that wakes up go before one with longer turns at once, where otherwise it waits
    for the end of the turn: a control loop beside a node with long turns wakes up in time. It costs the node nothing
    where no one else wants the core. Older kernels know no turns and go on as before, which is no fault.
    """
    calls = {"x86_64": (314, 315), "aarch64": (274, 275)}.get(platform.machine())
    if calls is None:
        return
    system = ctypes.CDLL(None, use_errno=True).syscall
    attributes = _Attributes()
    size = ctypes.sizeof(attributes)
    for thread in threads():
        if system(calls[1], thread, ctypes.byref(attributes), size, 0) == 0:
            attributes.runtime = int(milliseconds * 1e6)
            system(calls[0], thread, ctypes.byref(attributes), 0)


def niceness() -> int:
    """The niceness of the calling thread."""
    return os.getpriority(os.PRIO_PROCESS, 0)


def _each(change: Callable[[int], None], what: str, findings: list[Finding]) -> None:
    for thread in threads():
        try:
            change(thread)
        except ProcessLookupError:
            continue  # it ended meanwhile
        except OSError as error:
            remedy = "A lower niceness than the process has needs CAP_SYS_NICE, or a `nice` limit for this user."
            findings.append(Finding("warn", f"this process may not set {what} ({error.strerror})", remedy))
            return
