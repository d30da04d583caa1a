"""Corrections applied by functions of the bundle's compiled module; :mod:`~.applying` is the same in numpy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from fastdepth_ros.anchoring import layout, planes
from fastdepth_ros.anchoring.applying import LARGEST, Applier, Traces
from fastdepth_ros.anchoring.field import Field
from fastdepth_ros.anchoring.layout import NUMBERS
from fastdepth_ros.anchoring.memory import CHANGED, Memory, used
from fastdepth_ros.anchoring.plain import plain_opencv
from fastdepth_ros.anchoring.planes import Noise
from fastdepth_ros.arguments import Call

Floats = npt.NDArray[np.float32]

_FINITE = layout.COUNTS.index("finite")


class CompiledApplier(Applier):
    """Applies corrections by compiled functions.

    Args:
        field: of the frame.
        arrays: by name, of all functions.
        functions: by what they do, bound to them: ``apply``, and ``keep`` where the grid has planes.
    """

    def __init__(self, field: Field, arrays: Mapping[str, npt.NDArray[Any]], functions: Mapping[str, Call]) -> None:
        rows, columns = field.grid
        held = [arrays[f"held_{what}"].reshape(2 * rows, 2 * columns) for what in ("correction", "answer")]
        super().__init__(field, Memory((2 * rows, 2 * columns), *held))  # which the function writes
        self._numbers, self._counts = arrays["numbers"], arrays["counts"]
        self._apply = functions["apply"]
        self._keep = functions.get("keep") if self._planes.are_sought else None
        self.depth = arrays["depth"].reshape(field.shape)
        self._halves = arrays["halves"].reshape(2 * rows, 2 * columns)
        self._kept = arrays["kept"].reshape(2 * rows, 2 * columns)
        self._bent = slice(NUMBERS.index("by_bent"), NUMBERS.index("by_farthest") + 1)
        self._asked = slice(NUMBERS.index("slope"), NUMBERS.index("used") + 1)
        for name, value in self._constants().items():
            self._numbers[NUMBERS.index(name)] = value
        if self._keep is not None:
            self._planar = arrays["planar"].reshape(rows, columns)
            arrays["fine"][:], arrays["coarse"][:] = self._planes.fine.ravel(), self._planes.coarse.ravel()
            arrays["seeds"][:] = self._planes.seeds

    def _constants(self) -> dict[str, float]:
        return {
            "by_fits": 1 / planes.FITS,
            "members": planes.MEMBERS,
            "most_gap": planes.LARGEST,
            "little": planes.LITTLE,
            "nearly_none": planes.NEARLY_NONE,
            "least_nearness": planes.NEARNESS[0],
            "most_nearness": planes.NEARNESS[1],
            "by_changed": 1 / CHANGED,
            "largest": LARGEST,
        }

    def apply(self, metres: Floats, halves: Floats, slope: float, noise: Noise, now: float) -> Traces:  # noqa: ARG002
        """See :meth:`Applier.apply`; ``metres`` are those that were looked at."""
        self._slope = slope
        if halves is not self._halves:
            np.copyto(self._halves, halves)
        planar, bends = None, 0
        if noise.seen >= planes.LOUD:
            planar, bends = self._planar_nodes(slope, noise.seen)
        decay = self._memory.decay(now)
        self._numbers[self._asked] = slope, bends, decay, used(noise.assumed)
        self._apply()
        if not self._counts[_FINITE]:
            self._memory.forget()
            decay = 0.0
        return Traces(planar, self._kept if decay > 0 else None)

    def _planar_nodes(self, slope: float, noise: float) -> tuple[Floats | None, int]:
        """Shares of nodes on planes, None where that cannot be asked, and whether ``change`` is to be added."""
        if self._keep is None:
            with plain_opencv():
                kept = self._keep_planes(self._halves, slope, noise)
            return (kept.share if kept else None), 0
        self._numbers[self._asked.start] = slope
        self._numbers[self._bent] = planes.limits(noise)
        self._keep()
        return (self._planar, 1) if self._counts[_FINITE] else (None, 0)
