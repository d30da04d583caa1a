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

    Attributes:
        depth: (rows, columns) the corrected depth [m]; each call writes it.
    """

    def __init__(self, field: Field) -> None:
        rows, columns = field.shape
        self.depth: Floats = np.zeros(field.shape, np.float32)
        self._field = field
        self._log = np.zeros(field.shape, np.float32)
        self._planes = Planes(field.grid)
        self._memory = Memory((rows // 2, columns // 2))

    def forget(self) -> None:
        """Drop earlier frames' corrections."""
        self._memory.forget()

    def succeed(self, other: Applier) -> None:
        """Go on with the corrections that one in numpy remembers, instead of it."""
        self._memory.succeed(other._memory)

    def leave(self, metres: Floats) -> None:
        """Leave an answer (rows, columns) [m] as it is."""
        np.copyto(self.depth, metres)

    def straighten(self, metres: Floats, line: Straight, now: float) -> Floats | None:
        """Correct an answer while anchors are silent: by a line, and as last by them wherever it is what it was then.

        Args:
            metres: (rows, columns) the answer, that the field has looked at [m].
            line: that is remembered.
            now: time of the frame [s].

        Returns:
            (rows / 2, columns / 2) how much of the last correction holds, until the next call; None where none does.
        """
        field, log = self._field, self._log
        _along(line, field.log_depth, field.u, field.v, out=log)
        kept = self._memory.recall(field.log_halves, now)
        if kept is not None:
            halves = np.empty_like(kept)
            _along(line, field.log_halves, *field.axes((len(kept), kept.shape[1])), out=halves)
            np.subtract(self._memory.correction, halves, out=halves)
            halves *= kept
            log += cv2.resize(halves, log.shape[::-1], interpolation=cv2.INTER_LINEAR)
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
        field, log = self._field, self._log
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


def _along(line: Straight, log_depth: Floats, u: Floats, v: Floats, out: Floats) -> None:
    """Write the correction by a line at cells (rows, columns), of which u and v are a row and a column."""
    np.multiply(log_depth, np.float32(line.slope), out=out)
    out += line.start + line.across * u
    out += line.down * v
