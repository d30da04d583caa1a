"""Answers to pictures, and what the pipeline asks of others to make them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from fastdepth_ros.anchoring import Anchors, Report
from fastdepth_ros.camera import Intrinsics, View
from fastdepth_ros.filters.halves import Halves
from fastdepth_ros.lens.lens import Lens

__all__ = ["OUTPUTS", "Ahead", "Allocate", "Cells", "DepthEngine", "DepthFrame", "Look", "Sight"]

Allocate = Callable[[str, tuple[int, ...], npt.DTypeLike, tuple[str, ...]], npt.NDArray[Any]]
"""Makes the C-contiguous buffer of an output: (one of :data:`OUTPUTS`, shape, dtype, fields of a point) -> array."""

Look = Callable[[Halves], bool]
"""Looks at the network's input, RGB, and says whether it shall be answered."""

Sight = Callable[[npt.NDArray[np.float32], Intrinsics], Sequence[Anchors]]
"""Finds anchors in an answer, which says where the floor is and what is hidden: (metres of the cells, the camera of the
network's input) -> anchors."""

OUTPUTS = ("depth", "uncertainty", "cloud")
"""Buffers whose bytes others may own: names of the arguments of :meth:`fastdepth_ros.pipeline.Pipeline.run`, and of
:class:`DepthFrame`'s fields."""


class DepthEngine(Protocol):
    """Engine as the pipeline needs it; :class:`fastdepth_ros.runtime.engine.Engine` is one.

    One that has ``bind``, too, gives compiled functions beside the network; where it has ``late``, some of them come
    once they were asked for.
    """

    @property
    def input(self) -> npt.NDArray[np.uint8]:
        """RGB, (height, width, 3), to be written into."""

    def run(self) -> npt.NDArray[np.float32]:
        """Depth of the input, (height / 2, width / 2) [m]; 0 is "no answer"."""


class Cells(NamedTuple):
    """The answer in the network's own resolution.

    Attributes:
        metres: (rows, columns) float32 [m], with REP-117's marks.
        view: part of the picture that they are of.
        seen: the camera of the network's input; None where the picture's is not known.
    """

    metres: npt.NDArray[np.float32]
    view: View
    seen: Intrinsics | None


class DepthFrame(NamedTuple):
    """The answer to one picture, valid until the next one's and to be read alone.

    Attributes:
        depth: (height, width), float32 [m] or uint16 [mm] as the settings say; None where it was not wanted.
            By REP-117 NaN is "no answer", -Inf too close and +Inf out of range.
        intrinsics: the camera of that depth map; None where the picture's own camera is not known.
        cloud: (rows, columns, 3 to 5) float32, see :class:`~fastdepth_ros.cloud.CloudMaker`; None where it was not
            wanted or the camera is not known.
        stages: stage -> its duration [s], for the stages that ran.
        uncertainty: (height, width) float32, standard deviation of depth [m], NaN where depth is not finite; None where
            it was not wanted.
        finish_anchoring: says how anchors corrected the answer, and has what they said remembered, which depth did not
            wait for; None where none came, none are remembered and nobody asks how sure it is.
        cells: the answer in the network's own resolution; None where it was not wanted.
        refused: whether whoever looked at the picture did not want it answered.
        lens: of the raw picture whose grid the depth map has; None where the grid is a pinhole's.
    """

    depth: npt.NDArray[Any] | None
    intrinsics: Intrinsics | None
    cloud: npt.NDArray[np.float32] | None
    stages: dict[str, float]
    uncertainty: npt.NDArray[np.float32] | None = None
    finish_anchoring: Callable[[], Report] | None = None
    cells: Cells | None = None
    refused: bool = False
    lens: Lens | None = None

    @property
    def anchoring(self) -> Report | None:
        """Report of how anchors corrected the answer; asks :attr:`finish_anchoring`. None where there is none."""
        return self.finish_anchoring() if self.finish_anchoring is not None else None


Ahead = Callable[[DepthFrame], None]
"""Is given an answer before its points are made, where they are."""
