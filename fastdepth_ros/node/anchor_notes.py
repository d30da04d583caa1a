"""Notes of corrections, and of what they rest on, beside those of each source."""

from __future__ import annotations

import math
from collections.abc import Sequence

from fastdepth_ros.anchoring.anchors import Report as Correction
from fastdepth_ros.anchoring.transforms import TransformBuffer
from fastdepth_ros.diagnostics.anchoring import Jumps, SourceState, anchoring_status, numbers
from fastdepth_ros.diagnostics.status import Status
from fastdepth_ros.diagnostics.windows import SPAN


class AnchorNotes:
    """Notes of corrections and of tf.

    Args:
        buffer: of tf.

    Attributes:
        correction: the latest frame's; None before the first.
    """

    def __init__(self, buffer: TransformBuffer) -> None:
        self.correction: Correction | None = None
        self._buffer = buffer
        self._jumps = Jumps()
        self._tf_problems, self._tf_noted = 0, -math.inf

    def corrected(self, correction: Correction, now: float) -> None:
        """Note a frame's correction; ``now`` [s] is in the node's clock. For the thread that answers images."""
        self.correction = correction
        if correction.new_place:
            self._jumps.note(now)

    def report(self, sources: Sequence[SourceState], now: float) -> tuple[Status, dict[str, float]]:
        """Report on the last seconds, in words and as plain numbers. For the executor's thread."""
        correction = self.correction
        status = anchoring_status(sources, correction, self._about_tf(now), jumps=self._jumps.count(now))
        return status, numbers(sources, correction)

    def _about_tf(self, now: float) -> str:
        """Say what was wrong with tf in the last seconds, or is; empty where nothing is."""
        buffer = self._buffer
        if buffer.problems != self._tf_problems:
            self._tf_problems, self._tf_noted = buffer.problems, now
        if 0 <= now - self._tf_noted < SPAN:
            return buffer.problem
        return next(iter(tuple(buffer.doubles.values())), "")
