"""Asking a Jetson's own nvpmodel, which may be absent, slow, or ask a question back: it is never waited for."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO

from fastdepth_ros.errors import SettingError, quoted

PATIENCE = 5.0
"""Seconds after which nvpmodel counts as hanging, and is ended."""

RAISERS = frozenset({"sudo", "su", "doas", "pkexec", "run0"})
SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh", "fish"})


@dataclass(frozen=True)
class Answer:
    """Outcome of a call of nvpmodel.

    Attributes:
        name, id: the mode that it named; None where it named none.
        fault: what went wrong, in words that follow its command; empty where nothing did.
        fate: ``done``, ``absent`` (there is no such program), ``hung``, ``question`` or ``failed``.
    """

    fate: str
    name: str | None = None
    id: int | None = None
    fault: str = ""


class Nvpmodel:
    """One call at a time of nvpmodel, started with :meth:`start` and collected with :meth:`poll`.

    Args:
        command: program and arguments that go before ``-q`` or ``-m ID``; run as it is, by no shell, with no input.

    Raises:
        SettingError: the command is empty, or would raise privileges, or would start a shell.
    """

    def __init__(self, command: Sequence[str] = ("nvpmodel",), patience: float = PATIENCE) -> None:
        self.command = check_command(command)
        self.patience = patience
        self._process: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None
        self._since = 0.0

    @property
    def busy(self) -> bool:
        """Whether a call is under way."""
        return self._process is not None

    def words(self, *arguments: str) -> str:
        """The whole command as one would type it."""
        return " ".join([*self.command, *arguments])

    def start(self, now: float, *arguments: str) -> Answer | None:
        """Start ``nvpmodel ARGUMENTS``.

        Args:
            now: the time [s], of the clock that :meth:`poll` is given.

        Returns:
            None where it runs, the answer where it could not even start.
        """
        # A file, not a pipe: a program that talks without end cannot fill it up and wait for us.
        output = tempfile.TemporaryFile()  # noqa: SIM115 -- closed when the answer is collected
        try:
            self._process = subprocess.Popen(
                [*self.command, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # Its own session: it has no terminal to ask at, and its children end with it.
                start_new_session=True,
            )
        except OSError as error:
            output.close()
            absent = isinstance(error, FileNotFoundError)
            return Answer("absent" if absent else "failed", fault=f"cannot be started ({error.strerror})")
        self._output = output
        self._since = now
        return None

    def poll(self, now: float) -> Answer | None:
        """The answer of the call that was started; None while it runs. A call that takes too long is ended."""
        process, output = self._process, self._output
        if process is None or output is None:
            return None
        code = process.poll()
        hung = code is None and now - self._since > self.patience
        if code is None and not hung:
            return None
        if hung:
            self._end(process)
        output.seek(0)
        text = output.read(65536).decode("utf-8", "replace")
        output.close()
        self._process = self._output = None
        return _understand(text, code, self.patience)

    def close(self) -> None:
        """End what still runs."""
        if self._process is not None:
            self._end(self._process)
        if self._output is not None:
            self._output.close()
        self._process = self._output = None

    @staticmethod
    def _end(process: subprocess.Popen[bytes]) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        # Stuck in the kernel, it stays: Popen remembers it, and collects it when it ends.
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.2)


def parse_command(text: str) -> tuple[str, ...]:
    """The words of a command, as a shell would part them.

    Raises:
        SettingError: they cannot be parted, or as :func:`check_command`.
    """
    try:
        return check_command(shlex.split(text))
    except ValueError as error:
        cause = f"nvpmodel_command cannot be {quoted(text)} ({error})"
        raise SettingError(cause, "Quote its words as a shell would.") from None


def check_command(command: Sequence[str]) -> tuple[str, ...]:
    """The command, as words.

    Raises:
        SettingError: it is empty, or would raise privileges, or would start a shell.
    """
    words = tuple(command)
    if not words or not all(isinstance(word, str) and word and "\0" not in word for word in words):
        raise SettingError(f"nvpmodel_command cannot be {list(command)}", "Give a list of words, as ['nvpmodel'].")
    names = {os.path.basename(word) for word in words}
    if names & (RAISERS | SHELLS):
        raise SettingError(
            f"nvpmodel_command cannot use {', '.join(sorted(names & (RAISERS | SHELLS)))}",
            "Name a program that this user may run by itself, without a shell and without raised privileges.",
        )
    return words


def _understand(text: str, code: int | None, patience: float) -> Answer:
    if re.search(r"YES/yes|yes/no|\[y/n\]|REBOOT NOW", text, re.IGNORECASE):
        return Answer("question", fault="asks for a confirmation (this mode needs a reboot), which is never given")
    if code is None:
        return Answer("hung", fault=f"did not answer within {patience:g} s and was ended")
    lines = [line.strip() for line in text.splitlines()]
    if code != 0:
        last = next((line for line in reversed(lines) if line), "")
        return Answer("failed", fault=f"ended with status {code}" + (f" ({last[:100]})" if last else ""))
    named = re.search(r"NV Power Mode:\s*(\S+)", text)
    number = next((int(line) for line in lines if re.fullmatch(r"[0-9]{1,3}", line)), None)
    return Answer("done", named[1] if named else None, number)
