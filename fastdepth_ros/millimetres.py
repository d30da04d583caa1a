"""Depth in whole millimetres, as 16-bit images have it (REP-118): the one rule for files and recordings."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["FARTHEST", "millimetres"]

FARTHEST = 65.535
"""Depth of the largest number that fits [m]. A farther depth is unknown, and not near that number."""


def millimetres(depth: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.uint16]:
    """A depth map in whole millimetres.

    Args:
        depth: of any shape [m]; NaN and infinity are no depth.

    Returns:
        The same shape; 0 where there is no depth, or one of less than half a millimetre or more than :data:`FARTHEST`.
    """
    rounded = np.rint(np.where(np.isfinite(depth), depth, 0) * 1000)
    return np.where((rounded > 0) & (rounded <= np.iinfo(np.uint16).max), rounded, 0).astype(np.uint16)
