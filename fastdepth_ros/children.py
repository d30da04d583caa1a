"""Processes of ours that import what their parent imports, and do not outlive it.

``python -m fastdepth_ros.children COMMAND ...`` becomes a program that knows nothing of that: it ends with launch, too.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

SET_DEATH_SIGNAL = 1
"""Linux' PR_SET_PDEATHSIG."""

PARENT = "FASTDEPTH_PARENT"
LAUNCH = "FASTDEPTH_LAUNCH"
ROOT = str(Path(__file__).resolve().parent.parent)

# `python -m` would look for modules in the current folder first, which may be anybody's.
_START = (
    "import sys; sys.path = [place for place in sys.path if place]; sys.path.append({root!r}); import runpy;"
    " runpy.run_module({module!r}, run_name='__main__', alter_sys=True)"
)


def python(module: str, *arguments: str) -> list[str]:
    """The command that runs a module as ``python -m`` does, but never imports anything from the current folder."""
    return [sys.executable, "-c", _START.format(module=module, root=ROOT), *arguments]


def environment(**more: str) -> Mapping[str, str]:
    """The environment of a child that calls :func:`end_with_parent`."""
    return {**os.environ, **more, PARENT: str(os.getpid())}


def end_with_parent(by: signal.Signals = signal.SIGKILL) -> None:
    """Have this process get a signal when the parent that made :func:`environment` ends; without one, do nothing.

    The kernel means the thread that started this process, so that one has to wait for it.
    """
    parent = os.environ.pop(PARENT, "")
    if parent.isdigit():
        end_with(int(parent), by)


def end_with_launch() -> None:
    """Have this process get SIGTERM when the launch that started it ends, however that ends; else do nothing.

    depth.launch.py says in :data:`LAUNCH` which process it is. One between it and this one, as a debugger of
    ``--launch-prefix``, is left to end this one itself.
    """
    parent = os.environ.pop(LAUNCH, "")
    if parent == str(os.getppid()):
        end_with(int(parent), signal.SIGTERM)
    elif parent.isdigit() and not os.path.exists(f"/proc/{parent}"):
        os._exit(128 + signal.SIGTERM)


def end_with(parent: int, by: signal.Signals = signal.SIGKILL) -> None:
    """Have this process get a signal when the process ``parent`` ends, and at once where it is gone already."""
    ctypes.CDLL(None).prctl(SET_DEATH_SIGNAL, int(by), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(128 + by)


def exit_on(*signals: signal.Signals) -> None:
    """Have signals end this process as an exit does, so that it tidies up behind itself."""

    def leave(number: int, _frame: object) -> None:
        sys.exit(128 + number)

    for each in signals:
        signal.signal(each, leave)


def main(command: list[str]) -> int:
    """Become another program, which ends when the launch that started this process does.

    Returns:
        127, as a shell does, where the program cannot be started.
    """
    end_with_launch()
    try:
        os.execvp(command[0], command)  # the kernel keeps in mind with whom the process ends
    except OSError as error:
        sys.stderr.write(f"{command[0]} cannot be started: {error.strerror}\n")
        return 127


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
