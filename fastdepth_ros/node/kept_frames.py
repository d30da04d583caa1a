"""Makers of answers to the images of one frame, kept while images of another come in between.

Whoever publishes one image of a frame of his own on the camera's topic would else have all forgotten that was learned
of the place, and a pipeline made anew for each image.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fastdepth_ros.filters.gate import Gate
from fastdepth_ros.messages.outputs import OutputMessages
from fastdepth_ros.pipeline import Pipeline

PATIENCE = 300
"""Images of one frame after which another is given up: its buffers are as large as those of all answers."""


@dataclass
class Framed:
    """Makers of answers to the images of one frame.

    Attributes:
        messages: of the answers.
        pipeline: writes into them.
        gate: looks at the pictures.
        answered: images so far.
    """

    messages: OutputMessages
    pipeline: Pipeline
    gate: Gate
    answered: int = 0


class KeptFrames:
    """Keeps what was made for the frame at hand, and for the one beside it that had the most images.

    Args:
        make: makes it for a frame's name.

    Attributes:
        current: that of the frame at hand.
    """

    def __init__(self, make: Callable[[str], Framed]) -> None:
        self.current = make("")
        self._make = make
        self._other: Framed | None = None
        self._since = 0

    def turn_to(self, frame_id: str) -> Framed:
        """Have another frame at hand, as it was where it is known."""
        before, other = self.current, self._other
        if other is not None and other.messages.frame_id == frame_id:
            self.current, other = other, None
        else:
            self.current = self._make(frame_id)
        known = [each for each in (before, other) if each is not None and each.answered]
        self._other = max(known, key=lambda each: each.answered, default=None)
        self._since = self.current.answered
        return self.current

    def answered(self) -> None:
        """Count an image of the frame at hand."""
        current = self.current
        current.answered += 1
        if self._other is not None and current.answered - self._since > PATIENCE:
            self._other = None
