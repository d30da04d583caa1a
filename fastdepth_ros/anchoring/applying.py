"""From a correction to depth: noise is taken out of it, by planes and by earlier frames, and each cell gets its own."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from fastdepth_ros.anchoring.field import Field
from fastdepth_ros.anchoring.memory import Memory
from fastdepth_ros.anchoring.planes import LOUD, Kept, Noise, Planes

Floats = npt.NDArray[np.float32]

LARGEST = np.float32(4.0)
"""No correction is larger than a factor of e^4."""


class Straight(NamedTuple):
    """A correction that is a line over the logarithm of depth, and tilts [log m].

    Attributes:
        start: in the picture's middle at 1 m.
        slope: over the logarithm of depth.
        across, down: growth with u and v.
    """

    start: np.float32
    slope: float
    across: np.float32
    down: np.float32


class Traces(NamedTuple):
    """Traces of a correction that matter to its doubt.

    Attributes:
        planar: (rows, columns) of the grid, how far each node is on a plane; None where that was not asked.
        kept: (2 rows, 2 columns) how much of the last frame is still true; None where nothing is known.
    """

    planar: Floats | None
    kept: Floats | None


class Applier:
    """Applies corrections in numpy and OpenCV; its buffers are made once.

    Args:
        field: of the frame.
        memory: of corrections at every 2x2 cells; None makes one.

    Attributes:
        depth: (rows, columns) the corrected depth [m]; each call writes it.
        holds: whether the last correction is one to recall while anchors are silent.
    """

    def __init__(self, field: Field, memory: Memory | None = None) -> None:
        halves = field.log_halves.shape
        self.depth: Floats = np.zeros(field.shape, np.float32)
        self._field = field
        self._log, self._share = np.zeros(field.shape, np.float32), np.zeros(field.shape, np.float32)
        self._left, self._axes = np.zeros(halves, np.float32), field.axes((halves[0], halves[1]))
        self._planes = Planes(field.grid)
        self._memory = memory or Memory((halves[0], halves[1]))
        self._slope, self.holds = 0.0, True

    def forget(self) -> None:
        """Drop earlier frames' corrections."""
        self._memory.forget()

    def succeed(self, other: Applier) -> None:
        """Go on with the corrections that one in numpy remembers, instead of it."""
        self._memory.succeed(other._memory)
        self._slope, self.holds = other._slope, other.holds

    def rescale(self, step: float) -> None:
        """Have all answers be e^step times as far from now on: what they were corrected to stays."""
        self._memory.rescale(step)

    def leave(self, metres: Floats) -> None:
        """Leave an answer (rows, columns) [m] as it is."""
        np.copyto(self.depth, metres)

    def recall(self, metres: Floats, line: Straight, now: float) -> Floats | None:
        """Correct an answer while anchors are silent: as they last did where it is what it was then, else by a line.

        Args:
            metres: (rows, columns) the answer, that the field has looked at [m].
            line: that is remembered.
            now: time of the frame [s].

        Returns:
            (rows / 2, columns / 2) the share of the last correction, until the next call; None where nothing is known.
        """
        field, log, left, memory = self._field, self._log, self._left, self._memory
        np.multiply(field.log_depth, np.float32(line.slope), out=log)
        log += line.start + line.across * field.u
        log += line.down * field.v
        kept = memory.recall(field.log_halves, now) if self.holds else None
        if kept is not None:
            # What depth's slope does keeps to the cells' own depth, as in `apply`: interpolated it would cross edges.
            np.multiply(memory.answer, np.float32(-self._slope), out=left)
            left += memory.correction
            left -= line.start + line.across * self._axes[0]
            left -= line.down * self._axes[1]
            left *= kept
            log += cv2.resize(left, log.shape[::-1], self._share, 0, 0, cv2.INTER_LINEAR)
            share = cv2.resize(kept, log.shape[::-1], self._share, 0, 0, cv2.INTER_LINEAR)
            share *= np.float32(self._slope - line.slope)
            log += np.multiply(share, field.log_depth, out=share)
        self._multiply(metres)
        return kept

    def apply(self, metres: Floats, halves: Floats, slope: float, noise: Noise, now: float) -> Traces:
        """Correct the answer that the field has looked at.

        Args:
            metres: (rows, columns) the answer [m].
            halves: (rows / 2, columns / 2) the correction, but for what depth's slope does [log m]; it is changed.
            slope: of the correction over the logarithm of depth.
            noise: of the anchors.
            now: time of the frame [s].
        """
        field, log, self._slope = self._field, self._log, slope
        planes = self._keep_planes(halves, slope, noise.seen)
        by_depth = np.multiply(field.log_halves, np.float32(slope))
        halves += by_depth
        kept = self._memory.blend(halves, field.log_halves, now, noise.assumed)
        halves -= by_depth
        cv2.resize(halves, log.shape[::-1], log, 0, 0, cv2.INTER_LINEAR)
        log += np.multiply(field.log_depth, np.float32(slope), out=self.depth)
        self._multiply(metres)
        return Traces(planes.share if planes else None, kept)

    def _keep_planes(self, halves: Floats, slope: float, noise: float) -> Kept | None:
        """Change the correction, but for what depth's slope does, so that planes of the answer stay planes."""
        if noise < LOUD:
            return None
        field, grid = self._field, self._field.grid[::-1]
        nodes = cv2.resize(halves, grid, interpolation=cv2.INTER_AREA)
        nodes += np.float32(slope) * field.log_nodes
        kept = self._planes.keep(field.log_nodes, nodes, noise)
        if kept is not None:
            halves += cv2.resize(kept.change, halves.shape[::-1], interpolation=cv2.INTER_LINEAR)
        return kept

    def _multiply(self, metres: Floats) -> None:
        log = self._log
        np.maximum(np.minimum(log, LARGEST, out=log), -LARGEST, out=log)
        cv2.exp(log, log)
        np.multiply(metres, log, out=self.depth)
