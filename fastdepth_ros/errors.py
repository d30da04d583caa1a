"""The errors that a user can do something about: each names its cause and its remedy."""

from __future__ import annotations

LONGEST = 80
"""Characters of a name from outside that a sentence can carry."""


def shortened(text: object, longest: int = LONGEST) -> str:
    """What came from outside, as a sentence can carry it: printable, and no longer than that.

    Args:
        text: of anybody: an encoding, a frame_id, a path, the words of another library.
        longest: characters that are kept; it says how many there were.
    """
    words = str(text)
    kept = words[:longest].encode("unicode_escape").decode() if not words[:longest].isprintable() else words[:longest]
    return kept if len(words) <= longest else f"{kept[:longest]}... ({len(words)} characters)"


class FastDepthError(Exception):
    """What went wrong, and what to do about it.

    Args:
        cause: one sentence that names what is wrong, with the offending value or path.
        remedy: one sentence that says what to do.
    """

    def __init__(self, cause: str, remedy: str) -> None:
        super().__init__(f"{cause.rstrip('.')}. {remedy}")
        self.cause = cause
        self.remedy = remedy


class BundleError(FastDepthError):
    """A model bundle is missing, incomplete or altered."""


class ModuleError(FastDepthError):
    """A compiled module is missing, altered, or made for another processor or runtime."""


class WeightsError(FastDepthError):
    """Weights do not fit the network table; the cause names the layer."""


class ImageError(FastDepthError):
    """An image message or file cannot be read as a picture."""


class CalibrationError(FastDepthError):
    """A camera matrix cannot be used: zero, not finite, or of another image size."""


class SettingError(FastDepthError):
    """A parameter or an argument is outside what is allowed."""


class RecordingError(FastDepthError):
    """A recording cannot be read, or lacks the topics that are needed."""
