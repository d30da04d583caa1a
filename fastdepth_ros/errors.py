"""The errors that a user can do something about: each names its cause and its remedy."""

from __future__ import annotations


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


class AnchorError(FastDepthError):
    """Measured depths, or where their sensor is, cannot be used: a message, a pose, a frame."""


class SettingError(FastDepthError):
    """A parameter or an argument is outside what is allowed."""


class RecordingError(FastDepthError):
    """A recording cannot be read, or lacks the topics that are needed."""
