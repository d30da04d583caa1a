"""Whether a source follows the picture: far where that is far, in several views.

A sensor that looks elsewhere than its pose says (a lidar that is mounted backwards or upside down, the frame of another
robot, another camera's points) measures depths that can be, and that have nothing to do with the picture. One view
tells little of that: what is answered may be flat, or wrong. So the logarithms of measured and of answered depth are
correlated within each view, and over views. In rooms things get farther upwards, whichever way one looks, so they are
also compared without what grows with the row.

Correlations of honest and of wrong sensors over eight views of real rooms are in docs/log/2026-11-trust.md.
"""

from __future__ import annotations

from collections import deque

import numpy as np
import numpy.typing as npt

from fastdepth_ros.anchoring.field import Field
from fastdepth_ros.anchoring.layout import NODE
from fastdepth_ros.anchoring.pool import Placed

Floats = npt.NDArray[np.float32]
Array = npt.NDArray[np.float64]

ANOTHER, RECENT = 0.2, 8
"""Change of the answer's form (root mean square, [log m]) that makes a view another one than each of so many before."""

FEWEST, MOST = 16, 256
"""Anchors of a view by which a source can be told to follow it; of more, every n-th is looked at."""

LOOKS, KEPT = 8, 24
"""Views that decide, at least, and that are remembered."""

FLAT, FLAT_IN_ROWS = 0.15, 0.12
"""Spread of the answer at a source's anchors [log m] below which a view says nothing; the same without its rows."""

STEEP = 0.3
"""Spread beyond which a view says no more than one of this spread: none is to outweigh all others."""

UNLIKE, UNLIKE_IN_ROWS = 0.2, 0.15
"""Correlations over so few views below which a source does not follow the picture; the same without rows."""

SURER = 0.008
"""Growth of both with each view more: over 24 views honest sensors have 0.53 and 0.41 at least (1 of 100)."""

AGAIN = 0.2
"""By how much the correlation over the last views has to be above that for a source to be trusted again."""

LIKE, MORE = 0.4, 0.3
"""Correlation with the picture turned over from which on a sensor is upside down, and by how much that is more."""

WILD = np.float32(0.7)
"""Distance from their median beyond which measured depths count as there [log m]: one wrong point is no view."""

PER_ROW, RIDGE = np.float32(1 / 50), np.float32(0.05)
"""Scale of rows for the regression, and what keeps it from being one where all anchors are in few rows."""

PLAIN, TURNED, IN_ROWS, MIRRORED = range(4)
"""Pairs that are correlated: as they are; with the picture upside down; without rows; the same with it mirrored."""


class Following:
    """Evidence of each source over the last views."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Drop all evidence."""
        self._views: deque[Floats] = deque(maxlen=RECENT)
        self._said: dict[str, deque[Array]] = {}
        self._doubts: dict[str, str] = {}

    def doubt(self, source: str) -> str:
        """Why a source is not to be believed, in words; empty where it is, or little is known."""
        return self._doubts.get(source, "")

    def hear(self, sources: list[str], close: list[bool], placed: Placed, field: Field) -> None:
        """Take in a frame's anchors, if it shows another view than the last ones.

        Args:
            sources: their names.
            close: whether each says that this is a close-up, of which the answer's form tells nothing.
            placed: their anchors.
            field: of the frame.
        """
        nodes = field.log_nodes
        if not self._is_another(nodes):
            return
        cells = field.cells(placed.place)
        for source, is_close, mine in zip(sources, close, placed.parts, strict=True):
            count = mine.stop - mine.start
            if count < FEWEST or is_close:
                continue
            some = slice(mine.start, mine.stop, -(-count // MOST))
            place = placed.place
            log_depth = place.log_depth[some]
            row, column = (each[some] // NODE for each in cells)
            mirrored, turned = (nodes[at, -1 - column] for at in (row, -1 - row))
            said = self._said.setdefault(source, deque(maxlen=KEPT))
            said.append(_sums(placed.ratios[some] + log_depth, log_depth, mirrored, turned, place.v[some]))
            self._judge(source, said)

    def _is_another(self, nodes: Floats) -> bool:
        view = nodes - nodes.mean()
        for other in reversed(self._views):
            if float(np.square(view - other).mean()) < ANOTHER**2:
                return False
        self._views.append(view)
        return True

    def _judge(self, source: str, said: deque[Array]) -> None:
        again = source in self._doubts
        looks = np.array(list(said)[-LOOKS:] if again else list(said))
        plain, turned, in_rows, mirrored = _correlations(looks)
        count = np.count_nonzero(looks[:, :, 0], axis=0)
        enough = count >= (1 if again else LOOKS)
        limits = np.full(len(count), AGAIN) if again else SURER * (count - LOOKS)
        wrong = enough[PLAIN] and plain < UNLIKE + limits[PLAIN]
        if wrong or (enough[IN_ROWS] and in_rows < UNLIKE_IN_ROWS + limits[IN_ROWS]):
            hint = ""
            if mirrored > max(LIKE, in_rows + MORE):
                hint = ", but its mirror image: it may be mounted upside down, or mirrored"
            elif turned > max(LIKE, plain + MORE):
                hint = ", but that upside down: it may be mounted upside down"
            self._doubts[source] = f"does not follow the picture{hint}. Check its frame and extrinsics: where it looks"
        elif enough[PLAIN] or enough[IN_ROWS]:
            self._doubts.pop(source, None)


def _sums(measured: Floats, answered: Floats, mirrored: Floats, turned: Floats, v: Floats) -> Array:
    """Means of squares and products of one view (4, 3): answered, measured, both; 0 where that is flat."""
    middle = np.median(measured)
    columns = np.empty((4, len(measured)), np.float32)
    np.clip(measured, middle - WILD, middle + WILD, out=columns[0])
    columns[1], columns[2], columns[3] = answered, turned, mirrored
    columns -= columns.mean(1, keepdims=True)
    row = (v - v.mean()) * PER_ROW
    across = columns @ row / (row @ row + RIDGE * len(row))
    level = columns - across[:, None] * row
    pairs = (columns[1], columns[0]), (columns[2], columns[0]), (level[1], level[0]), (level[3], level[0])
    sums = np.array([(one @ one, other @ other, one @ other) for one, other in pairs], np.float64) / len(row)
    flat = np.array((FLAT, FLAT, FLAT_IN_ROWS, FLAT_IN_ROWS))
    sums[sums[:, 0] < flat**2] = 0.0
    sums /= np.maximum(sums[:, :1] / STEEP**2, 1)
    return sums


def _correlations(looks: Array) -> list[float]:
    """Correlations (4,) over views (k, 4, 3)."""
    squares, others, products = looks.sum(0).T
    return [float(each) for each in products / np.sqrt(squares * others + 1e-12)]
