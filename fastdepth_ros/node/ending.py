"""Being told to end, by SIGINT or SIGTERM.

rclpy's own handlers shut the context down at once, under the feet of whoever is about to publish, or to make the node:
depth of the frame at hand is lost, nobody is told that the node ends, and the log is full of contexts that are invalid.
Here a signal is only noted, and the node ends by itself, with its context whole. What it leaves behind is no reason to
wait: see :func:`leave`.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import os
import signal
import sys
import threading
from collections.abc import Callable

from fastdepth_ros.node.worker import Worker

ENDS = (signal.SIGINT, signal.SIGTERM)


class Ending:
    """Notes the signals that tell this process to end, from now on. To be made in the main thread, once."""

    def __init__(self) -> None:
        self._told = threading.Event()
        self._lock = threading.Lock()
        self._then: list[Callable[[], object]] = []
        # Python handles a signal when the main thread comes back from what it waits for, which may be never; this pipe
        # is written to at once.
        self._reader, self._writer = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self._writer, False)
        threading.Thread(target=self._wait, name="ending", daemon=True).start()
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        for number in ENDS:
            signal.signal(number, lambda *_: None)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDS)

    @property
    def told(self) -> bool:
        """Whether the process is to end."""
        return self._told.is_set()

    def then(self, do: Callable[[], object]) -> None:
        """Have something done in another thread once the process is to end; at once, and here, where it is already."""
        with self._lock:
            self._then.append(do)
            told = self.told
        if told:
            do()

    def _wait(self) -> None:
        while not any(number in ENDS for number in os.read(self._reader, 64)):
            pass
        with self._lock:
            self._told.set()
            then = list(self._then)
        for do in then:
            do()


def left_behind() -> bool:
    """Whether a worker goes on: nobody waits for a model that is being loaded or compiled."""
    return any(isinstance(thread, Worker) for thread in threading.enumerate())


def leave(status: int) -> None:
    """End the process here and now, after what else is done at its end.

    While Python ends, it ends threads wherever they ask for its lock. One that does so in a library in C++, as TVM's or
    rclpy's, takes the whole process along: "terminate called without an active exception".
    """
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # nobody reads it any more
            stream.flush()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).fflush(None)  # ROS' log
    os._exit(status)
