"""Being told to end, by SIGINT or SIGTERM.

rclpy's own handlers shut the context down at once, under the feet of whoever is about to publish, or to make the node:
depth of the frame at hand is lost, nobody is told that the node ends, and the log is full of contexts that are invalid.
Here a signal is only noted, and the node ends by itself, with its context whole.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable

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
