"""Findings and errors that users are told, each with its cause, its remedy, and how much it matters."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from reprlib import Repr

LONGEST = 500
"""Characters of a line that a user is shown."""

_REPR = Repr()
_REPR.maxstring = _REPR.maxother = _REPR.maxlong = 100


def brief(said: object, most: int = LONGEST) -> str:
    """Text that may come from outside, fit to be logged and published.

    Args:
        said: the text, or what can be made into one.
        most: characters that are left of it.

    Returns:
        Printable characters that any encoding of Unicode can carry; others are escaped as Python writes them.
    """
    text = str(said)
    return printable(f"{text[:most]}... ({len(text)} characters)" if len(text) > most else text)


def printable(text: str) -> str:
    """Text in which what cannot be printed, or would control a terminal, stands as Python writes it."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def shortened(name: object) -> str:
    """A name from outside, as an encoding or a frame_id, as a sentence can carry it."""
    return brief(name, 80)


def quoted(value: object) -> str:
    """A value from outside as Python writes it, however long it is or deep."""
    return brief(_REPR.repr(value))


class Level(Enum):
    """Weight of a finding: one table for diagnostics, doctor and power.

    Attributes:
        byte: level of a diagnostic_msgs/DiagnosticStatus.
        word: shown by commands, and written to their JSON.
        colour: of the word in a terminal, as rich names it.
    """

    OK = (0, "OK", "green")
    """All is as it should be."""
    NOTE = (0, "NOTE", "dim")
    """This machine never had it, and depth works without."""
    WARN = (1, "WARN", "yellow")
    """Depth works, but not as well as it could."""
    ERROR = (2, "FAIL", "bold red")
    """Depth does not work."""

    def __init__(self, byte: int, word: str, colour: str) -> None:
        self.byte, self.word, self.colour = byte, word, colour

    @classmethod
    def of(cls, byte: int) -> Level:
        """The level that a DiagnosticStatus carries; STALE, and whatever else there may be, is no better than ERROR."""
        return next((level for level in cls if level.byte == byte), cls.ERROR)


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: how it is, and what to do about it.

    Attributes:
        level: how much it matters.
        cause: one sentence that says how it is; where something is wrong, with the offending value or path.
        remedy: one sentence that says what to do; empty where nothing is to be done.
        about: the part, check or rail that was looked at; empty where the cause names it.
    """

    level: Level
    cause: str
    remedy: str = ""
    about: str = field(default="", kw_only=True)

    def __str__(self) -> str:
        return f"{self.cause.rstrip('.')}. {self.remedy}" if self.remedy else self.cause


class FastDepthError(Exception):
    """A finding that ends what was asked for.

    Args:
        cause: one sentence that names what is wrong, with the offending value or path. A long one is cut.
        remedy: one sentence that says what to do.

    Attributes:
        status: exit status of a command that fails with it.
        finding: cause and remedy, at :attr:`Level.ERROR`.
    """

    status = 2

    def __init__(self, cause: str, remedy: str) -> None:
        self.finding = Finding(Level.ERROR, _paragraphs(cause), _paragraphs(remedy))
        super().__init__(str(self.finding))

    @property
    def cause(self) -> str:
        """Cause of the finding."""
        return self.finding.cause

    @property
    def remedy(self) -> str:
        """Remedy of the finding."""
        return self.finding.remedy


def _paragraphs(said: str) -> str:
    """Text in which a program's last words may stand, line by line."""
    return "\n".join(brief(line) for line in said.splitlines()[:100]) + "\n" * said.endswith("\n")


class StorageError(FastDepthError):
    """A file or folder cannot be written: the disk is full or read-only, or this user may not."""

    status = 74


class BundleError(FastDepthError):
    """A model bundle is missing, incomplete or altered."""


class ModuleError(FastDepthError):
    """A compiled module is missing, altered, or made for another processor or runtime."""


class WeightsError(FastDepthError):
    """Weights do not fit the network table; the cause names the layer."""


class NetworkError(FastDepthError):
    """A graph of layers cannot be computed, or not at that size; the cause names the layer."""


class ImageError(FastDepthError):
    """An image message or file cannot be read as a picture."""


class CalibrationError(FastDepthError):
    """A camera matrix cannot be used: zero, not finite, or of another image size."""


class AnchorError(FastDepthError):
    """Measured depths, or where their sensor is, cannot be used: a message, a pose, a frame."""


class SettingError(FastDepthError):
    """A parameter or an argument is outside what is allowed."""


class RecordingError(FastDepthError):
    """A recording cannot be read, or lacks the topics that are needed."""
