"""Trust in sources, over more than one frame: whether they follow the picture, and agree with one another.

What one frame tells is judged with it (:mod:`~fastdepth_ros.anchoring.pool`). Here is what it takes several views to
know; it holds from the next frame on.
"""

from __future__ import annotations

from collections.abc import Sequence

from fastdepth_ros.anchoring.agreement import Agreement
from fastdepth_ros.anchoring.field import Field
from fastdepth_ros.anchoring.following import Following
from fastdepth_ros.anchoring.pool import Gate, Placed
from fastdepth_ros.anchoring.selection import Chosen


class Trust:
    """Evidence on sources, by their names."""

    def __init__(self) -> None:
        self._following, self._agreement = Following(), Agreement()

    @property
    def spread(self) -> float:
        """Doubt of the logarithm of depth because sources contradict each other (standard deviation)."""
        return self._agreement.spread

    def forget(self) -> None:
        """Drop all evidence."""
        self._following.forget()
        self._agreement.forget()

    def doubt(self, source: str) -> str:
        """Why a source is not to be believed, in words; empty where it is."""
        return self._following.doubt(source) or self._agreement.doubt(source)

    def close(self, gates: list[Gate], chosen: Sequence[Chosen]) -> list[Gate]:
        """Gates of which those of doubtful sources are closed."""
        return [
            gate._replace(is_open=False) if self.doubt(own.source) else gate
            for gate, own in zip(gates, chosen, strict=True)
        ]

    def hear(self, field: Field, placed: Placed, chosen: Sequence[Chosen]) -> bool:
        """Take in a frame's anchors.

        Args:
            field: of the frame.
            placed: all anchors, those of doubtful sources as well.
            chosen: the same by source.

        Returns:
            Whether a source is doubted that was not: what it has taught is wrong, perhaps.
        """
        names = [own.source for own in chosen]
        before = [bool(self.doubt(name)) for name in names]
        self._following.hear(names, placed, field)
        aside = [own.relative or bool(self._following.doubt(own.source)) for own in chosen]
        self._agreement.hear(names, aside, placed)
        return any(not was and self.doubt(name) for was, name in zip(before, names, strict=True))
