"""Cells of the answer that a measurement means: of a zone what is near in it, of an edge the side that it fits."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fastdepth_ros.anchoring.fit import middle

Floats = npt.NDArray[np.float32]

SAMPLES = 7
"""Cells that are looked at along each side of a zone."""

NEAR = 0.3
"""Share of a zone that is nearer than what its sensor answers with, about."""

ALIKE = 1.05
"""Cells within this factor of that depth are meant."""


def aim(pixels: Floats, zone: tuple[float, float], metres: Floats) -> Floats:
    """Move pixels from the middle of their zones to the middle of what is meant there.

    Args:
        pixels: (n, 2), in the view [px of the network's input].
        zone: half width and half height [px].
        metres: (rows, columns) the answer [m].

    Returns:
        (n, 2) pixels, each in a cell whose answer is the zone's near one.
    """
    rows, columns = metres.shape
    steps = np.linspace(-1, 1, SAMPLES, dtype=np.float32) * np.float32((SAMPLES - 1) / SAMPLES)
    across, down = np.meshgrid(steps * np.float32(zone[0]), steps * np.float32(zone[1]))
    column = ((pixels[:, :1] + across.ravel() + 0.5) * 0.5).astype(np.intp).clip(0, columns - 1)
    row = ((pixels[:, 1:] + down.ravel() + 0.5) * 0.5).astype(np.intp).clip(0, rows - 1)
    seen = metres[row, column]
    rank = int(NEAR * seen.shape[1])
    near = np.partition(seen, rank, axis=1)[:, rank, None]
    meant = (seen >= near / ALIKE) & (seen <= near * ALIKE)
    count = meant.sum(1)
    middle = np.stack(((column * meant).sum(1) / count, (row * meant).sum(1) / count), axis=1)
    away = np.square(column - middle[:, :1]) + np.square(row - middle[:, 1:])
    best = np.where(meant, away, np.inf).argmin(1)
    index = np.arange(len(pixels))
    return (np.stack((column[index, best], row[index, best]), axis=1) * 2 + 0.5).astype(np.float32)


STEP = 0.06
"""Neighbouring cells whose answers differ by more than this [log m] are an edge, or a steep surface."""

STAY = 0.02
"""Gain by which a cell beside the measured pixel has to fit better, per cell of distance [log m]."""

ENOUGH = 8
"""Points from which on their own median says what depth is expected to be."""

_ACROSS, _DOWN = (axis.reshape(9, 1) for axis in np.meshgrid((0, -1, 1), (0, -1, 1)))
_COST = (STAY * np.hypot(_ACROSS, _DOWN)).astype(np.float32)


def side(pixels: Floats, log_depths: Floats, log_answer: Floats) -> Floats:
    """Move points at edges into the cell beside them that they fit best.

    Corners that a camera tracks lie on edges, where the network's answer is soft and a pixel may be of either side.

    Args:
        pixels: (n, 2), in the view [px of the network's input].
        log_depths: (n,) logarithms of what was measured there.
        log_answer: (rows, columns) logarithm of the answer.
    """
    if len(pixels) < ENOUGH:
        return pixels
    rows, columns = log_answer.shape
    # Column and row of the cell that has all its neighbours and is nearest.
    inner = np.array((columns - 2, rows - 2))
    cells = np.minimum(np.maximum(((pixels + np.float32(0.5)) * np.float32(0.5)).astype(np.intp), 1), inner)
    around = (cells[:, 1] * columns + cells[:, 0]) + (_DOWN * columns + _ACROSS)
    away = log_depths - log_answer.ravel().take(around)
    index = np.flatnonzero(away.max(0) - away.min(0) > STEP)
    if not len(index):
        return pixels
    expected = np.float32(middle(away[0]))
    # The rim's cells count as those beside them.
    best, cells = (np.abs(away[:, index] - expected) + _COST).argmin(0), cells[index]
    moved = pixels.copy()
    moved[index, 0] = (cells[:, 0] + _ACROSS[best, 0]) * 2 + 0.5
    moved[index, 1] = (cells[:, 1] + _DOWN[best, 0]) * 2 + 0.5
    return moved
