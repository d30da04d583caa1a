"""Sensors that say the same again and again, while the picture changes: a driver that hangs sends what it has.

A sensor with noise never says the same twice, but a simulated one may, in a scene that stands still. So what it says
is held against the network's answer at the same places: the sensor is at a fixed place on the camera, and sees what
that sees.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fastdepth_ros.anchoring.anchors import Anchors
from fastdepth_ros.anchoring.fit import middle
from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.messages.clouds import Points
from fastdepth_ros.messages.depth_images import Depths

Map = npt.NDArray[np.float32]

FEWEST, LASTS = 4, 3.0
"""Messages that say the same, and the time from the first to the last of them [s], before they are looked at."""

OFTEN = 0.25
"""Time from one look at such a sensor to the next [s]: each takes as long as a tenth of the correction."""

MANY = 5
"""Anchors of a frame from which on they are many."""

CHANGED, CHANGED_FEW = 0.25, 0.7
"""Change of the answer [log m], median over many anchors or few, that a sensor cannot have missed. One reading of a
ranger is a round number, and may be the same by chance."""


class Repeats:
    """Repetitions of one sensor, as seen from the camera. For the thread that answers images."""

    def __init__(self) -> None:
        self._numbers: npt.NDArray[np.float64] | float | None = None
        self._first = self._last = self._looked = 0.0
        self._count = 0
        self._then: Map | None = None
        self._seen: Intrinsics | None = None
        self._frozen = False

    @property
    def lasts(self) -> float:
        """Time from the first message that said the same to the last [s]."""
        return self._last - self._first

    def hear(self, message: Any, *, moved: bool) -> None:
        """Take the next message; ``moved`` says that the sensor is elsewhere than for the last."""
        numbers, stamp = _numbers(message), message.header.seconds
        if moved or stamp < self._last or not _same(numbers, self._numbers):
            self._numbers, self._first, self._count = numbers, stamp, 0
            self._looked = stamp
            self._then, self._frozen = None, False
        self._last = stamp
        self._count += 1

    @property
    def frozen(self) -> bool:
        """Whether the sensor was found to say the same while it should not."""
        return self._frozen

    def contradicted(self, anchors: Anchors, metres: Map, seen: Intrinsics | None = None, scale: float = 1.0) -> bool:
        """Whether the answer has changed where the sensor says the same; once it has, until the sensor says other.

        Args:
            anchors: of the message.
            metres: the answer, (rows, columns) of cells [m].
            seen: the camera of the network's input; answers of another one are not compared.
            scale: factor on the network's metres that is in them: somebody sets it, and nothing has changed.
        """
        if self._frozen or self._count < FEWEST:
            return self._frozen
        if self._then is None or self._seen != seen:
            self._then, self._seen = metres / np.float32(scale), seen
            return False
        if self.lasts < LASTS or self._last - self._looked < OFTEN or self._then.shape != metres.shape:
            return False
        self._looked = self._last
        if anchors.known is not None:
            cells = anchors.known.cells
        else:
            column, row = ((anchors.pixels + np.float32(0.5)) * np.float32(0.5)).astype(np.intp).T
            cells = row * metres.shape[1] + column
        before, after = self._then.ravel().take(cells), metres.ravel().take(cells) / np.float32(scale)
        known = (before > 0) & (after > 0)
        count = int(np.count_nonzero(known))
        if count:
            change = middle(np.abs(np.log(after[known] / before[known])))
            self._frozen = change > (CHANGED if count >= MANY else CHANGED_FEW)
        return self._frozen

    def __str__(self) -> str:
        words = f"it has said the same for {self.lasts:.0f} s, while the picture changed"
        return f"{words}. Look whether its driver hangs, or somebody repeats its last message."


def _numbers(message: Any) -> npt.NDArray[np.float64] | float:
    if isinstance(message, Points):
        return message.xyz
    return message.metres if isinstance(message, Depths) else float(message.range)


def _same(one: npt.NDArray[np.float64] | float, other: npt.NDArray[np.float64] | float | None) -> bool:
    """Whether numbers are the same to the last bit."""
    if isinstance(one, float) or isinstance(other, float) or other is None:
        return one is other or (isinstance(one, float) and one == other)
    return one.shape == other.shape and bool(np.array_equal(one.view(np.int64), other.view(np.int64)))
