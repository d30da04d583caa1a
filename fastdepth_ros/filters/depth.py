"""From the network's answer to the depth map in one pass: metres, limits, and cells as pixels.

It is what the pipeline does with an answer that nothing else joins, and OpenCV and numpy do in three passes; a compiled
function that is called right behind the network has its program near.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from fastdepth_ros.arguments import Bind, Call, bound
from fastdepth_ros.filters.functions import CELL, DEPTH, functions

__all__ = ["DepthPass"]

Map = npt.NDArray[np.float32]


class DepthPass:
    """The compiled function, bound to the maps that it writes.

    Args:
        call: the function.
        outside: where it says whether any of the metres is outside.
    """

    def __init__(self, call: Call, outside: npt.NDArray[np.int32]) -> None:
        self._call = call
        self._outside = outside.data  # a number of it comes sooner than one of an array

    @classmethod
    def find(
        cls, cells: Map, pixels: Map, numbers: Mapping[str, float | np.floating[Any]], bind: Bind | None
    ) -> DepthPass | None:
        """The function for these maps; None where there is none.

        Args:
            cells: (rows, columns) [m], to be written; it begins at a multiple of 64 bytes.
            pixels: (2 * rows, 2 * columns) [m], to be written.
            numbers: those of :data:`~fastdepth_ros.filters.functions.DEPTH`, by name.
            bind: of the module.
        """
        known = functions(*(CELL * side for side in cells.shape)).get("depth")
        if known is None:
            return None
        made = bound(bind, *known, {"metres": cells, "depth": pixels})
        if made is None:
            return None
        call, arrays = made
        arrays["numbers"][:] = [numbers[name] for name in DEPTH]
        return cls(call, arrays["outside"])

    def write(self) -> bool:
        """Write both maps from the engine's latest answer.

        Returns:
            Whether all metres are between the limits; one at a limit is not, nor is what is no number.
        """
        self._call()
        return not self._outside[0]
