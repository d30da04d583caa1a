"""The correction of frame after frame."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from fastdepth_ros.anchoring.anchors import Anchors, Corrected, Report


class Anchoring:
    """Corrects answers with anchors, and remembers the place's scale.

    Args:
        shape: rows and columns of the answer's cells.
        prior: what is known of the weights' errors, a manifest's ``anchoring``; None takes defaults.
    """

    def __init__(self, shape: tuple[int, int], prior: object = None) -> None:
        self._depth = np.zeros(shape, np.float32)
        self._sigma = np.zeros(shape, np.float32)
        self._prior = prior

    def correct(
        self, metres: npt.NDArray[np.float32], anchors: Sequence[Anchors], now: float, *, sigma: bool
    ) -> Corrected:
        """Correct one answer.

        Args:
            metres: (rows, columns) after the correction for the focal length, before limits [m]; 0 is "no answer".
            anchors: of this frame; any numbers may be in them, bad ones are left out and counted.
            now: the frame's time in the node's clock [s].
            sigma: whether anybody wants the standard deviations.
        """
        np.copyto(self._depth, metres)
        report = Report(1.0, 0.2, 0.0, 0.2, math.nan, math.nan, False, math.inf, ())
        return Corrected(self._depth, self._sigma if sigma else None, report)

    def forget(self) -> None:
        """Drop what was remembered, as at the start."""
