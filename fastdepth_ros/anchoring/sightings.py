"""Measured points, cones and the floor, brought into the picture: anchors, and why the rest are none.

What a sensor measured is brought into the camera's optical frame once, and into its view once: that may be done before
there is an answer. Which of it is an anchor is found out with each answer: whether a point is hidden, which surface of
a cone is the nearest, and where the floor is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from fastdepth_ros.anchoring.anchors import Anchors, Known, nothing_of
from fastdepth_ros.anchoring.in_view import HIDDEN, NO_NUMBER, InView, Map, hidden_points, in_view, kept_of
from fastdepth_ros.anchoring.poses import Pose
from fastdepth_ros.anchoring.selection import RELATIVE, VAGUE
from fastdepth_ros.camera import Intrinsics

Floats = npt.NDArray[np.float64]

ANYWHERE = 1e7
"""Metres beyond which a coordinate is an error: more than any of UTM."""

CELL_HALF = 1.0
"""Half a cell of the answer: what is no wider is a point [px]."""

SPEED = 0.5
"""Speed of things between a measurement and the image, at most [m/s]."""

STILL, WALKED = 0.005, 0.05
"""Movements below are none, and those beyond are told even of a source that gives no sigma [m]."""


class Sighting(NamedTuple):
    """The use of one measurement in one picture.

    Attributes:
        anchors: of it.
        left_out: cause -> how many of its points are none.
    """

    anchors: Anchors
    left_out: Mapping[str, int]


class Measurement(Protocol):
    """Something measured, in the camera's optical frame."""

    @property
    def source(self) -> str:
        """Name of the source."""

    def look(self, seen: Intrinsics) -> object:
        """Find what is in the view of a camera of the network's input, whatever will be answered."""

    def sight(self, metres: Map, seen: Intrinsics, lag: float) -> Sighting:
        """Its anchors in a picture.

        Args:
            metres: the answer, (rows, columns) of cells [m]; 0 or not finite is "no answer".
            seen: the camera of the network's input, of twice as many rows and columns.
            lag: time between the measurement and the picture [s].
        """


def lagged(sigmas: Map, depths: Map, lag: float, unsure: float = VAGUE, told: bool | None = None) -> Map:
    """Standard deviations [m] of depths that are so old [s]: things and the camera may have moved meanwhile.

    Args:
        sigmas, depths: (n,) [m]; a sigma of NaN is not known.
        lag: from measurement to image [s].
        unsure: share of a depth by which it is off where its source says nothing. As long as movements are small beside
            that, it goes on saying nothing.
        told: whether all sigmas are known, or none is; None where that is to be looked at.

    Returns:
        (n,), of such movements the same array.
    """
    moved = SPEED * abs(lag)
    if moved < STILL or (told is False and moved < WALKED):
        return sigmas
    if told:
        return np.hypot(sigmas, np.float32(moved))
    unknown = np.isnan(sigmas)
    if not np.count_nonzero(unknown):
        return np.hypot(sigmas, np.float32(moved))
    assumed = np.where(unknown, np.float32(unsure) * depths, sigmas)
    total: Map = np.hypot(assumed, np.float32(moved))
    if moved < WALKED:
        total[unknown] = np.nan
    return total


def unsure(source: str) -> float:
    """Share of a depth by which a source that gives no sigma is assumed to be off."""
    return RELATIVE.get(source, VAGUE)


@dataclass
class PointMeasurement:
    """Points.

    Attributes:
        source: its name.
        xyz: (n, 3) in the camera's optical frame, finite [m].
        sigmas: (n,) standard deviations of the depths [m], NaN where they are not known.
        relative: whether they are known up to one common factor only.
        spread: half the width and height of what each point is the depth of, as slopes of rays: 0 for a point.
    """

    source: str
    xyz: Floats
    sigmas: Floats
    relative: bool = False
    spread: tuple[float, float] = (0.0, 0.0)
    _known: tuple[Intrinsics, InView] | None = field(default=None, repr=False)

    def look(self, seen: Intrinsics) -> InView:
        """See :class:`Measurement`."""
        known = self._known
        if known is None or (known[0] is not seen and known[0] != seen):
            known = self._known = (seen, in_view(self.xyz, self.sigmas, seen))
        return known[1]

    def sight(self, metres: Map, seen: Intrinsics, lag: float) -> Sighting:
        """See :class:`Measurement`."""
        pixels, depths, sigmas, (cells, logs, told), behind, left_out = self.look(seen)
        hidden = None if behind is None else hidden_points(behind, metres)
        if hidden is not None:
            left_out = {**left_out, HIDDEN: len(hidden)}
            kept = np.ones(len(depths), np.bool_)
            kept[hidden] = False
            shown = np.flatnonzero(kept)
            pixels, cells, logs = pixels.take(shown, 0), cells.take(shown), logs.take(shown)
            depths, sigmas = depths.take(shown), sigmas.take(shown)
        before = sigmas
        sigmas = lagged(sigmas, depths, lag, unsure(self.source), told)
        if not told and sigmas is not before:
            told = None
        known = Known(cells, logs, told)
        return Sighting(Anchors(self.source, pixels, depths, sigmas, self.relative, self._zone(seen), known), left_out)

    def _zone(self, seen: Intrinsics) -> tuple[float, float]:
        across, down = self.spread[0] * seen.fx, self.spread[1] * seen.fy
        return (across, down) if max(across, down) > CELL_HALF else (0.0, 0.0)


@dataclass
class TakenBack:
    """No measurement: what its source has said before was wrong.

    Attributes:
        source: its name.
    """

    source: str

    def look(self, seen: Intrinsics) -> None:
        """See :class:`Measurement`."""

    def sight(self, metres: Map, seen: Intrinsics, lag: float) -> Sighting:  # noqa: ARG002
        """See :class:`Measurement`."""
        return Sighting(nothing_of(self.source, taken_back=True), {})


def placed(
    source: str,
    xyz: Floats,
    variances: Floats | None,
    pose: Pose,
    relative: bool = False,
    spread: tuple[float, float] = (0.0, 0.0),
) -> tuple[PointMeasurement, dict[str, int]]:
    """Points of a sensor, brought into the camera's optical frame, and how many are no numbers.

    Args:
        source: its name.
        xyz: (n, 3) in the sensor's frame [m]; any number may be in it.
        variances: (n,) of each coordinate, or (n, 3, 3) covariances [m2], of which that along the optical axis counts;
            None where they are not known.
        pose: of the sensor in the camera's optical frame.
        relative: whether they are known up to one common factor only.
        spread: half the width and height of what each point is the depth of, as slopes of rays.
    """
    sigmas = np.full(len(xyz), np.nan) if variances is None else _along(pose.rotation[2], variances)
    sizes = np.abs(xyz)
    numbers = np.maximum(np.maximum(sizes[:, 0], sizes[:, 1]), sizes[:, 2]) < ANYWHERE  # false for NaN, too
    if variances is not None:
        numbers &= ~(sigmas > ANYWHERE)
    left_out: dict[str, int] = {}
    xyz, sigmas = kept_of(numbers, NO_NUMBER, left_out, xyz, sigmas)
    return PointMeasurement(source, pose.apply(xyz), sigmas, relative, spread), left_out


def _along(axis: Floats, variances: Floats) -> Floats:
    """Standard deviations [m] along an axis of the sensor's frame: 0 is not known, and infinite is worth nothing."""
    with np.errstate(invalid="ignore", over="ignore"):
        if variances.ndim > 1:
            variances = np.einsum("i,nij,j->n", axis, variances, axis)
        sigmas: Floats = np.sqrt(np.where(variances > 0, variances, np.nan))
    return sigmas
