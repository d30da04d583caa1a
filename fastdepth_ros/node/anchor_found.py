"""The measurements of one image, and what became of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fastdepth_ros.anchoring.anchors import Anchors, Known, nothing_of
from fastdepth_ros.anchoring.anchors import Report as Correction
from fastdepth_ros.anchoring.changes import SOON, Changes, doubted
from fastdepth_ros.anchoring.sightings import Measurement, Sighting, unsure
from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.diagnostics.anchoring import SourceNotes, Used
from fastdepth_ros.node.anchor_repeats import Repeats


class Sensed(NamedTuple):
    """A measurement for one image.

    Attributes:
        notes: of its source.
        measurement: in the camera's frame.
        lost: cause -> points that are no numbers.
        lag: from measurement to image [s].
        repeats: how long its sensor has said the same; None of what is no sensor.
    """

    notes: SourceNotes
    measurement: Measurement
    lost: Mapping[str, int]
    lag: float
    repeats: Repeats | None = None


class Found:
    """The measurements of one image, and what became of them.

    Args:
        sensed: all of them.
        now: the time in the node's clock [s].
        stamp: of the image [s].
        changes: of the answers to this image and those before it; by default none is known.
        scale: depth_scale of this image.

    Attributes:
        seen: the camera of the network's input, once they were asked for; None before.
    """

    def __init__(
        self,
        sensed: Sequence[Sensed],
        now: float,
        stamp: float = 0.0,
        changes: Changes | None = None,
        scale: float = 1.0,
    ) -> None:
        self.seen: Intrinsics | None = None
        self._sensed = sensed
        self._now, self._stamp, self._scale = now, stamp, scale
        self._changes = Changes() if changes is None else changes
        self._left_out: list[list[Mapping[str, int]]] = []
        self._of: list[tuple[SourceNotes, float]] = []

    def __call__(self, metres: npt.NDArray[np.float32], seen: Intrinsics) -> list[Anchors]:
        """The anchors, of each source together.

        Args:
            metres: the answer, (rows, columns) of cells [m].
            seen: the camera of the network's input.
        """
        anchors: list[Anchors] = []
        self.seen = seen
        self._left_out, self._of = [], []
        self._changes.put(self._stamp, metres)
        for notes, measurement, lost, lag, repeats in self._sensed:
            try:
                sighting = measurement.sight(metres, seen, lag)
            except Exception as error:  # depth goes on without it, and the fault is named
                notes.problem(self._now, f"{error!r}. Please report this.")
                continue
            known = repeats is not None and repeats.frozen
            if repeats is not None and repeats.contradicted(sighting.anchors, metres, seen, self._scale):
                notes.problem(self._now, str(repeats))
                if known:
                    continue
                sighting, lost = Sighting(nothing_of(sighting.anchors.source, taken_back=True), {}), {}
            if lag > SOON:
                sighting = Sighting(self._aged(sighting.anchors, lag, metres.shape), sighting.left_out)
            left_out = [lost, sighting.left_out]
            if anchors and anchors[-1].source == sighting.anchors.source:
                anchors[-1] = _both(anchors[-1], sighting.anchors)
                self._left_out[-1] += left_out
                continue
            anchors.append(sighting.anchors)
            self._left_out.append(left_out)
            self._of.append((notes, lag))
        return anchors

    def _aged(self, anchors: Anchors, lag: float, cells: tuple[int, ...]) -> Anchors:
        """Anchors that were measured so long ago [s]: less sure where the answer has changed since."""
        change = self._changes.since(self._stamp - lag)
        return anchors if change is None else doubted(anchors, change, unsure(anchors.source), cells)

    def note(self, correction: Correction) -> None:
        """Take notes of what became of them."""
        for (notes, lag), left_out, said in zip(self._of, self._left_out, correction.sources, strict=False):
            causes: Counter[str] = Counter()
            for each in (*left_out, said.rejected):
                causes.update(each)
            notes.used(self._now, Used(said.used, causes, lag, said.ratio, said.believed))
            if said.doubt:
                notes.doubt(self._now, said.doubt)


def _both(one: Anchors, other: Anchors) -> Anchors:
    known = None
    if one.known is not None and other.known is not None:
        told = one.known.told if one.known.told is other.known.told else None
        cells = np.concatenate((one.known.cells, other.known.cells))
        known = Known(cells, np.concatenate((one.known.logs, other.known.logs)), told)
    return one._replace(
        known=known,
        pixels=np.concatenate((one.pixels, other.pixels)),
        depths=np.concatenate((one.depths, other.depths)),
        sigmas=np.concatenate((one.sigmas, other.sigmas)),
        taken_back=one.taken_back or other.taken_back,
    )
