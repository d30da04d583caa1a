"""The input of anchoring, and its output: measured depths, a corrected map, and a report.

Convention:
    Pixels are those of the network's input, whole numbers at pixel centres. A cell of the answer is 2x2 of them: cell
    (row, column) is centred at x = 2 column + 0.5, y = 2 row + 0.5. Depth is z, not the length of the ray [m].
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt


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
        cells: (n,) numbers of the answer's cells, row by row, in which the pixels lie, from whoever made sure of all
            numbers: of pixels in the view, depths from 0.02 to 500 m, and no infinite sigma. None where nobody did.
        taken_back: whether what this source said before was wrong, as turns out now: it is forgotten.
    """

    source: str
    pixels: npt.NDArray[np.float32]
    depths: npt.NDArray[np.float32]
    sigmas: npt.NDArray[np.float32]
    relative: bool = False
    zone: tuple[float, float] = (0.0, 0.0)
    cells: npt.NDArray[np.intp] | None = None
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
        scale: factor on depths at 2 m, as the filter holds it.
        scale_sd: standard deviation of its logarithm.
        slope: of the correction over the logarithm of depth: 0 is the network's own.
        slope_sd: its standard deviation.
        innovation: what anchors said of the scale before they were used: the logarithm of measured over expected,
            their median; NaN without anchors.
        innovation_sd: what it was expected to be within (one standard deviation); NaN without anchors.
        new_place: whether the innovation was so large that what was remembered was dropped.
        age: time since anchors were used last [s]; 0 in a frame that uses some, infinite before the first.
        sources: one report per source, in the order given.
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


class Corrected(NamedTuple):
    """One frame's answer after anchoring.

    Attributes:
        depth: as the answer that came in (rows, columns) float32 [m]; 0 where that was 0, "no answer". A buffer that
            is written again with the next frame.
        sigma: standard deviation of each cell [m], NaN where there is no answer; None where it was not wanted. A
            buffer too.
        report: how it came to this.
    """

    depth: npt.NDArray[np.float32]
    sigma: npt.NDArray[np.float32] | None
    report: Report
