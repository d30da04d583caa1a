"""The process that ``nursery.py`` has copies made by: ``nursery_process.py SOCKET MODULE...``."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import inspect
import json
import os
import runpy
import selectors
import signal
import socket
import struct
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

GUARD = "_ROS_WHEELS_BOOTSTRAP_COMPLETE"
OF_PYTHON = ("LD_LIBRARY_PATH", GUARD)
"""Variables that the start of Python sets where ROS comes as wheels; a copy does not start Python."""

STATUS = struct.Struct("i")
LARGEST = 1 << 20
SIGNAL_SETS = 1024
"""Bytes, more than a set of signals has."""

SET_DEATH_SIGNAL = 1
"""Linux' PR_SET_PDEATHSIG."""


def main(channel: socket.socket, modules: Sequence[str]) -> None:
    """Make a copy for each request, and tell how each ended."""
    # Ctrl-C is for the tests, and they end what they started.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for module in modules:
        importlib.import_module(module)
    # For the first line of its log rclpy has Python look through the files of all modules: a sixth of a copy's start.
    inspect.getmodule(main.__code__)
    gc.collect()
    gc.freeze()  # or a collection in a copy would copy every page that holds an object
    tracers = loaded_tracers()
    own = set(open_files()) - {channel.fileno()}
    channel.send(b"ready")
    waited = selectors.DefaultSelector()
    waited.register(channel, selectors.EVENT_READ)
    while True:
        for key, _ in waited.select():
            if key.fileobj is not channel:
                waited.unregister(key.fileobj)
                os.close(key.fd)
                tell_the_end(*key.data)
                continue
            said, descriptors, _, _ = socket.recv_fds(channel, LARGEST, 4)
            if not said:
                return
            *streams, status = descriptors
            pid = fork(tracers)
            if not pid:
                waited.close()
                channel.close()
                become(own, streams, **json.loads(said))
                return
            for descriptor in streams:
                os.close(descriptor)
            handle = os.pidfd_open(pid)
            waited.register(handle, selectors.EVENT_READ, (pid, status))
            socket.send_fds(channel, [str(pid).encode()], [handle])


def fork(tracers: list[ctypes.CDLL]) -> int:
    """Fork, as libraries want it that have threads of their own.

    rclpy's wheels load LTTng, which listens for whoever traces: in a copy its threads are started anew, or the end of
    the process would look for those of the nursery.
    """
    mask = ctypes.create_string_buffer(SIGNAL_SETS)
    for tracer in tracers:
        hook(tracer, "before_fork")(mask)
    pid = os.fork()
    for tracer in tracers:
        hook(tracer, "after_fork_parent" if pid else "after_fork_child")(mask)
    return pid


def loaded_tracers() -> list[ctypes.CDLL]:
    """LTTng, where this process has loaded it."""
    lines = Path("/proc/self/maps").read_text(encoding="utf-8").splitlines()
    files = {line.split(maxsplit=5)[5] for line in lines if "liblttng-ust" in line}
    return [library for library in map(ctypes.CDLL, sorted(files)) if hook(library, "before_fork")]


def hook(library: ctypes.CDLL, what: str) -> Any:
    """A function of LTTng's for those that fork; its name depends on its version."""
    names = (f"lttng_ust_{what}", f"ust_{what}")
    return next((getattr(library, name) for name in names if hasattr(library, name)), None)


def tell_the_end(pid: int, status: int) -> None:
    """Tell whoever asked for a copy how it ended."""
    _, how = os.waitpid(pid, 0)
    with contextlib.suppress(BrokenPipeError):  # nobody asks any more
        os.write(status, STATUS.pack(os.waitstatus_to_exitcode(how)))
    os.close(status)


def open_files() -> list[int]:
    """Descriptors of this process; not that of the list itself."""
    return [int(name) for name in os.listdir("/proc/self/fd") if os.path.lexists(f"/proc/self/fd/{name}")]


def become(own: set[int], streams: list[int], order: list[str], environment: dict[str, str], folder: str) -> None:
    """Be, from here on, what Python would be with such a command line; in a copy.

    Args:
        own: open files that libraries have; all others are the nursery's.
        streams: input, output and errors.
        order: the command line behind the interpreter.
        environment, folder: of the process.
    """
    ctypes.CDLL(None).prctl(SET_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
    for descriptor in set(open_files()) - own:
        with contextlib.suppress(OSError):  # of an object that was collected meanwhile
            os.close(descriptor)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    inherited = {name: os.environ[name] for name in OF_PYTHON if name in os.environ}
    os.environ.clear()
    os.environ.update(environment | inherited)
    os.chdir(folder)
    if order[0] == "-m":
        sys.argv[:], sys.path[0] = order[1:], folder
        runpy.run_module(order[1], run_name="__main__", alter_sys=True)
    elif order[0] == "-c":
        sys.argv[:], sys.path[0] = ["-c", *order[2:]], ""
        exec(compile(order[1], "<string>", "exec"), vars(sys.modules["__main__"]))
    else:
        sys.argv[:], sys.path[0] = order, str(Path(order[0]).parent)
        runpy.run_path(order[0], run_name="__main__")


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])), sys.argv[2:])
