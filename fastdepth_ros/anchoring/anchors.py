"""The input of anchoring, and its output: measured depths, a corrected map, and a report.

Convention:
    Pixels are those of the network's input, whole numbers at pixel centres. A cell of the answer is 2x2 of them: cell
    (row, column) is centred at x = 2 column + 0.5, y = 2 row + 0.5. Depth is z, not the length of the ray [m].
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class Known(NamedTuple):
    """Facts about anchors, from whoever made sure of all numbers: pixels in the view, depths from 0.02 to 500 m, and no
    infinite sigma.

    Attributes:
        cells: (n,) numbers of the answer's cells, row by row, in which the pixels lie.
        logs: (n,) float32, logarithms of the depths.
        told: True where every sigma is given (positive), False where none is (NaN), None where that is not known.
    """

    cells: npt.NDArray[np.intp]
    logs: npt.NDArray[np.float32]
    told: bool | None


class Anchors(NamedTuple):
    """Depths that one source measured.

    Attributes:
        source: its name: ``anchors``, ``scan``, ``range``, ``anchor_depth`` or ``floor``.
        pixels: (n, 2) float32, x and y in the network's input [px].
        depths: (n,) float32 [m].
        sigmas: (n,) float32, standard deviations [m]; NaN where the source gives none.
        relative: whether depths are known up to one common factor only.
        zone: half the width and height of what each anchor looked at [px of the network's input]: a sensor with a cone
            answers with what is near in it. (0, 0) is a point.
        known: what is known of them; None where nobody made sure of anything.
        taken_back: whether what this source said before was wrong, as turns out now: it is forgotten.
    """

    source: str
    pixels: npt.NDArray[np.float32]
    depths: npt.NDArray[np.float32]
    sigmas: npt.NDArray[np.float32]
    relative: bool = False
    zone: tuple[float, float] = (0.0, 0.0)
    known: Known | None = None
    taken_back: bool = False


def nothing_of(source: str, *, taken_back: bool = False) -> Anchors:
    """No anchors, of a source."""
    none = np.empty(0, np.float32)
    return Anchors(source, np.empty((0, 2), np.float32), none, none, taken_back=taken_back)


CAUSES = ("not a depth", "outside the view", "no answer there", "disagrees")
"""Why an anchor is left out: its depth, pixel or sigma is no usable number; its pixel is not in the view; the network
has no answer where it is; it disagrees with the answer and with other anchors by more than errors can explain."""


class SourceReport(NamedTuple):
    """The use of one source's anchors in one frame.

    Attributes:
        source: its name.
        given: how many anchors came.
        used: how many had a say.
        rejected: cause of :data:`CAUSES` -> how many; causes of no anchor are left out.
        ratio: how many times as far as the answer the source says things are, its median; NaN without anchors. 1 for
            relative sources, whose factor is unknown.
        believed: False where the source as a whole disagrees with what is known from others or remembered, so that
            none of it was used.
        doubt: why it has not been believed for some time, as a sentence about it; empty where that is not so.
    """

    source: str
    given: int
    used: int
    rejected: Mapping[str, int]
    ratio: float
    believed: bool
    doubt: str = ""


class Report(NamedTuple):
    """The correction of one frame.

    Attributes:
        scale: factor on depths at 3 m, as the filter holds it.
        scale_sd: standard deviation of its logarithm.
        slope: of the correction over the logarithm of depth: 0 is the network's own.
        slope_sd: its standard deviation.
        innovation: what anchors said of the scale before they were used: the logarithm of measured over expected,
            their median; NaN without anchors.
        innovation_sd: what it was expected to be within (one standard deviation); NaN without anchors.
        new_place: whether the innovation was so large that what was remembered was dropped.
        age: time since anchors were used last [s]; 0 in a frame that uses some, infinite before the first.
        sources: one report per source, in the order given.
        compiled: whether a module's functions computed it, or numpy.
    """

    scale: float
    scale_sd: float
    slope: float
    slope_sd: float
    innovation: float
    innovation_sd: float
    new_place: bool
    age: float
    sources: tuple[SourceReport, ...]
    compiled: bool = False


class Rest:
    """Work of a frame that its depth does not wait for: what anchors said is remembered for the frames to come.

    It is done when it is first called, once; the next frame has it done where nobody did.

    Args:
        work: to be done; gives the report.
    """

    def __init__(self, work: Callable[[], Report]) -> None:
        self._work: Callable[[], Report] | None = work
        self._report: Report | None = None

    def __call__(self) -> Report:
        """Have the work done, and say how the frame was corrected."""
        work, self._work = self._work, None
        if work is not None:
            self._report = work()
        assert self._report is not None
        return self._report


class Corrected(NamedTuple):
    """One frame's answer after anchoring.

    Attributes:
        depth: as the answer that came in (rows, columns) float32 [m]; 0 where that was 0, "no answer". A buffer that
            is written again with the next frame.
        sigma: standard deviation of each cell [m], NaN where there is no answer; None where it was not wanted. A
            buffer too.
        finish: does what depth did not wait for, and says how it came to this.
    """

    depth: npt.NDArray[np.float32]
    sigma: npt.NDArray[np.float32] | None
    finish: Rest

    @property
    def report(self) -> Report:
        """Words on how it came to this; :attr:`finish` is called for them."""
        return self.finish()
