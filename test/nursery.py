"""Processes of Python that begin where others have got to: copies of one that has imported what all of them import.

Most of what a node costs the machine at its start is imports, and the tests start hundreds. A copy is a process of its
own for all that matters here: it has its own memory, files, environment, threads and end. What it does not show is that
the imports themselves work, and what they read of the environment: tests of those start Python, as users do.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from subprocess import DEVNULL, PIPE, STDOUT, CompletedProcess
from typing import IO, Any

from nursery_process import GUARD, LARGEST, STATUS

MODULES = ("fastdepth_ros.node.run", "tvm_ffi", "fastdepth_ros.recording", "fastdepth_ros.demo.run")
"""What a node imports, and what is played to it."""

COMPILER = ("fastdepth_ros.commands.compile", "fastdepth_ros.compiler.export", "fastdepth_ros.lowering.bundles")
"""What a compilation imports, which is most of what a small one costs."""

IMPORTING = ("fastdepth_ros.importing.apart",)
"""What the process imports that reads weights of strangers."""

OF_PARENT = ("FASTDEPTH_PARENT", "FASTDEPTH_LAUNCH")
"""Variables with the process that a copy is to end with: that is the nursery, which ends with who asked for it."""


PATIENCE = 30.0
"""Time that a nursery may take to end [s]."""


class Copy:
    """A process that :class:`Nursery` started, with the part of ``subprocess.Popen`` that tests use."""

    def __init__(self, order: list[str], pid: int, handle: int, status: int, streams: _Streams) -> None:
        self.args, self.pid, self.stdin = order, pid, streams.given
        self.returncode: int | None = None
        self._handle, self._status, self._streams = handle, status, streams

    def poll(self) -> int | None:
        """Status of its end as Popen tells it; None while it runs."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end, and tell its status."""
        if self.returncode is None:
            with selectors.DefaultSelector() as selector:
                selector.register(self._status, selectors.EVENT_READ)
                if not selector.select(timeout):
                    raise subprocess.TimeoutExpired(self.args, timeout or 0)
            said = os.read(self._status, STATUS.size)
            # Nothing is said where the nursery itself was ended, and its copies with it.
            self.returncode = STATUS.unpack(said)[0] if said else -signal.SIGKILL
            for descriptor in (self._status, self._handle):
                os.close(descriptor)
            if self.stdin:
                with contextlib.suppress(BrokenPipeError):  # what it did not read any more
                    self.stdin.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, number)

    def kill(self) -> None:
        """End it by force."""
        self.send_signal(signal.SIGKILL)

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Wait for its end, and tell what it said and what it complained of, as far as that was piped."""
        self.wait(timeout)
        said, errors = map(_told, self._streams.kept)
        return said, errors


class _Streams:
    """Files for the input, output and errors of a copy, by the arguments of Popen's."""

    def __init__(self, stdin: int, stdout: IO[Any] | int | None, stderr: IO[Any] | int | None) -> None:
        self.given: IO[str] | None = None
        if stdin == PIPE:
            source, ours = os.pipe()
            self.given = os.fdopen(ours, "w")
        else:
            source = os.open(os.devnull, os.O_RDONLY)
        self._theirs = [source]
        self.kept = [tempfile.TemporaryFile("w+") if one == PIPE else None for one in (stdout, stderr)]  # noqa: SIM115
        self.descriptors = [source]
        for number, (stream, kept) in enumerate(zip((stdout, stderr), self.kept, strict=True), start=1):
            self.descriptors.append(self._descriptor(number, kept or stream))

    def _descriptor(self, number: int, stream: IO[Any] | int | None) -> int:
        if stream is None:
            return number
        if stream == STDOUT:
            return self.descriptors[1]
        if stream == DEVNULL:
            self._theirs.append(os.open(os.devnull, os.O_WRONLY))
            return self._theirs[-1]
        return stream.fileno()  # type: ignore[union-attr]

    def close_theirs(self) -> None:
        """Close what only the copy needs."""
        for descriptor in self._theirs:
            os.close(descriptor)


def _told(kept: IO[str] | None) -> str:
    if kept is None:
        return ""
    kept.seek(0)
    return kept.read()


class Nursery:
    """Starts copies. It ends with the process that made it, and its copies with it.

    Args:
        modules: what a copy has imported. None may start a thread that anybody needs: a copy has none.
        before: a command that runs it, as one that makes it another user's.
    """

    def __init__(self, modules: Sequence[str] = MODULES, before: Sequence[str] = ()) -> None:
        self._ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        environment = {name: value for name, value in os.environ.items() if name != GUARD}
        environment["OPENBLAS_NUM_THREADS"] = "1"
        script = Path(__file__).with_name("nursery_process.py")
        with theirs:
            self._process = subprocess.Popen(
                [*before, sys.executable, str(script), str(theirs.fileno()), *modules],
                env=environment,
                stdin=DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        if self._ours.recv(LARGEST) != b"ready":
            raise RuntimeError("the nursery did not start; what it said is above")

    def start(
        self,
        order: Sequence[object],
        *,
        stdin: int = DEVNULL,
        stdout: IO[Any] | int | None = None,
        stderr: IO[Any] | int | None = None,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
    ) -> Copy:
        """Start ``python -m MODULE ...``, ``python -c PROGRAM ...`` or ``python SCRIPT ...``, as Popen would.

        What it says into a PIPE can be read when it has ended: ``communicate``.
        """
        words = list(map(str, order[1:]))
        if words[0].startswith("-") and words[0] not in ("-m", "-c"):
            raise ValueError(f"a copy cannot be started with {words[0]}: start Python")
        environment = dict(env or os.environ)
        for name in OF_PARENT:
            if environment.get(name) == str(os.getpid()):
                environment[name] = str(self._process.pid)
        request = json.dumps({"order": words, "environment": environment, "folder": cwd or os.getcwd()}).encode()
        streams = _Streams(stdin, stdout, stderr)
        status, theirs = os.pipe()
        try:
            socket.send_fds(self._ours, [request], [*streams.descriptors, theirs])
            pid, (handle,), _, _ = socket.recv_fds(self._ours, LARGEST, 1)
        finally:
            os.close(theirs)
            streams.close_theirs()
        return Copy(words, int(pid), handle, status, streams)

    def run(
        self, order: Sequence[object], *, timeout: float | None = None, check: bool = False, **options: Any
    ) -> CompletedProcess[str]:
        """Start a copy, wait for its end, and tell what it said."""
        copy = self.start(order, stdout=PIPE, stderr=PIPE, **options)
        try:
            done = CompletedProcess(copy.args, copy.wait(timeout), *copy.communicate())
        finally:
            copy.kill()
        if check:
            done.check_returncode()
        return done

    def end(self) -> None:
        """End it, and what is left of its copies."""
        self._ours.close()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class InCopies:
    """Stands for the module ``subprocess`` in one that starts a module of this package: what that starts is a copy.

    Args:
        modules: what the copies have imported. The nursery is made when it is first needed.
    """

    DEVNULL, PIPE = DEVNULL, PIPE

    def __init__(self, *modules: str) -> None:
        self._modules = modules
        self._nursery: Nursery | None = None

    def run(self, command: list[str], *, stdout: IO[Any] | int, **options: Any) -> CompletedProcess[str]:
        """Run a command as ``subprocess.run`` does, with what of its arguments this package uses."""
        self._nursery = self._nursery or Nursery(self._modules)
        wanted = {name: options[name] for name in ("env", "stderr") if name in options}
        copy = self._nursery.start(command, stdout=stdout, **wanted)
        return CompletedProcess(command, copy.wait(), *copy.communicate())

    def end(self) -> None:
        """End the nursery, if there is one."""
        if self._nursery:
            self._nursery.end()
