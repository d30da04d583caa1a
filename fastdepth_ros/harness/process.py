"""depth_node as a process of its own: started, watched, and ended whatever happens."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType

import yaml

from fastdepth_ros.errors import FastDepthError

PR_SET_PDEATHSIG = 1
"""prctl(2): which signal a child gets when its parent dies."""

LAST_LINES = 15
LOOK = 0.01
"""Time between two looks at what is waited for [s]."""

ENDINGS = ((signal.SIGINT, 5.0), (signal.SIGTERM, 2.0), (signal.SIGKILL, 5.0))
"""Signals that end a process, and the time that it is given for each [s], from Ctrl-C to force."""


class NodeError(FastDepthError):
    """depth_node ended, or does not answer; the cause quotes the end of its log."""


class NodeProcess:
    """depth_node, to be used in a ``with`` statement: it has ended when that ends.

    Args:
        folder: for the parameter file and the node's output.
        parameters: ROS parameters of the node.
        command: what to run; the parameter file's arguments follow.

    Attributes:
        started: when it was started, in the system's clock [ns].
        log: the file with all that it wrote.
    """

    def __init__(self, folder: Path, parameters: Mapping[str, object], command: list[str] | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "node.yaml"
        file.write_text(yaml.safe_dump({"/**": {"ros__parameters": dict(parameters)}}), encoding="utf-8")
        self.log = folder / "node.log"
        self._command = command or [sys.executable, "-m", "fastdepth_ros.node"]
        self._command = [*self._command, "--ros-args", "--params-file", str(file)]
        self._child: subprocess.Popen[bytes] | None = None
        self.started = 0

    def __enter__(self) -> NodeProcess:
        self.started = time.time_ns()
        with self.log.open("wb") as log:
            self._child = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Ctrl-C reaches the demo alone, which ends the node in order. If the demo is killed, the node goes too.
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._child is not None
        return self._child.pid

    def check(self) -> None:
        """Make sure that it runs.

        Raises:
            NodeError: it has ended.
        """
        if self._child is None or (status := self._child.poll()) is None:
            return
        reason = f"signal {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
        raise NodeError(f"depth_node ended ({reason}); its last words:\n{self.last_words()}\n", f"See {self.log}.")

    def wait_for(self, condition: Callable[[], bool], seconds: float) -> None:
        """Wait until a condition holds that depends on its depth.

        Raises:
            NodeError: it has ended, or the time has passed.
        """
        deadline = time.monotonic() + seconds
        while not condition():
            self.check()
            if time.monotonic() > deadline:
                raise NodeError(f"depth_node gives no depth:\n{self.last_words()}\n", f"See {self.log}.")
            time.sleep(LOOK)

    def last_words(self) -> str:
        """The end of its output."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(f"    {line}" for line in lines[-LAST_LINES:]) or "    (it said nothing)"

    def memory(self) -> tuple[float, float]:
        """Resident memory now, and its highest so far [MB of 10^6 bytes]; zeros where it has ended."""
        values = {"VmRSS": 0.0, "VmHWM": 0.0}
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{self.pid}/status").read_text(encoding="ascii", errors="replace").splitlines():
                name, _, rest = line.partition(":")
                if name in values:
                    values[name] = int(rest.split()[0]) * 1024 / 1e6
        return values["VmRSS"], values["VmHWM"]

    def processor_time(self) -> int:
        """Processor time of all its threads so far [ns].

        Raises:
            NodeError: it has ended.
        """
        clock = ctypes.c_int()
        if ctypes.CDLL(None).clock_getcpuclockid(self.pid, ctypes.byref(clock)):
            raise NodeError("depth_node has ended", f"See {self.log}.")
        return time.clock_gettime_ns(clock.value)

    def end(self) -> None:
        """End it as Ctrl-C does; with more force where that is not enough."""
        child, self._child = self._child, None
        if child is None:
            return
        for number, patience in ENDINGS:
            if child.poll() is not None:
                break
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(patience)


def _die_with_parent() -> None:
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
