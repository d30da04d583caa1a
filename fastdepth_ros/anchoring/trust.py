"""Trust in sources, over more than one frame: whether they follow the picture, and agree with one another.

What one frame tells is judged with it (:mod:`~fastdepth_ros.anchoring.judging`). Here is what it takes several views to
know; it holds from the next frame on.
"""

from __future__ import annotations

from collections.abc import Sequence

from fastdepth_ros.anchoring.agreement import Agreement
from fastdepth_ros.anchoring.field import Field
from fastdepth_ros.anchoring.following import Following
from fastdepth_ros.anchoring.judging import close_ups
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
        """Why a source is perhaps not to be believed, in words; empty where it is."""
        return self._following.doubt(source) or self._agreement.doubt(source)

    def _leaves_out(self, source: str) -> bool:
        return bool(self._following.doubt(source)) or self._agreement.leaves_out(source)

    def close(self, gates: list[Gate], chosen: Sequence[Chosen]) -> list[Gate]:
        """Gates of which those of sources that are not to be used are closed."""
        return [
            gate._replace(is_open=False) if self._leaves_out(own.source) else gate
            for gate, own in zip(gates, chosen, strict=True)
        ]

    def hear(self, field: Field, placed: Placed, chosen: Sequence[Chosen]) -> list[str]:
        """Take in a frame's anchors.

        Args:
            field: of the frame.
            placed: all anchors, those of doubtful sources as well.
            chosen: the same by source.

        Returns:
            Sources that are left out and were not: what they have taught is wrong, perhaps.
        """
        names = [own.source for own in chosen]
        before = [self._leaves_out(name) for name in names]
        self._following.hear(names, close_ups(placed, chosen), placed, field)
        aside = [own.relative or bool(self._following.doubt(own.source)) for own in chosen]
        self._agreement.hear(names, aside, placed)
        return [name for was, name in zip(before, names, strict=True) if self._leaves_out(name) and not was]
