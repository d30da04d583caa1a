"""Layout of activations and weights in memory.

Activations are NCHW{lanes}c: channels in groups of one vector, so that a vector holds the same pixel's neighbouring
channels. Channels are filled up with zeros to whole vectors, and a map carries the border of zeros that the convolution
behind it needs, so that no kernel asks in its inner loop whether it is at an edge.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

BYTES_A_LANE = 4
FLOAT32, FLOAT16 = "float32", "float16"
"""Types of a map's numbers."""

LARGEST_HALF = 65504.0
"""Largest number of float16; what is above it is kept as this."""

LARGEST_WEIGHT = 127
"""Largest number of a signed byte; -128 is left out, so that the scale is the same on both sides of zero."""

LARGEST_BYTE = 255
SMALLEST_RANGE = 1e-12
"""Range that inputs have at least, so that all zeros have a scale."""
LARGEST_SHARED = 128
"""Sum of weights of one sign in a sum of 16 bits: times 255, the largest input, it is less than 2**15."""


def vectors(channels: int, lanes: int) -> int:
    """Number of vectors of ``lanes`` that hold ``channels``."""
    return -(-channels // lanes)


def last_lanes(channels: int, lanes: int, is_short: bool) -> int:
    """Lanes in which the last vector of ``channels`` is computed: half of ``lanes`` where that is enough, if wanted."""
    return lanes // 2 if is_short and 0 < channels % lanes <= lanes // 2 else lanes


@dataclass(frozen=True)
class Map:
    """One activation: ``channels`` maps of ``height`` x ``width`` with ``border`` zeros on every side.

    Lengths and offsets count numbers, of the type ``dtype``: float32, or float16 where memory is what takes the time.
    """

    height: int
    width: int
    channels: int
    border: int
    lanes: int
    dtype: str = FLOAT32

    @property
    def vectors(self) -> int:
        return vectors(self.channels, self.lanes)

    @property
    def row(self) -> int:
        """Length of a stored row of one vector of channels."""
        return (self.width + 2 * self.border) * self.lanes

    @property
    def plane(self) -> int:
        """Length of all rows of one vector of channels."""
        return (self.height + 2 * self.border) * self.row

    @property
    def size(self) -> int:
        return self.vectors * self.plane

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return self.size * np.dtype(self.dtype).itemsize

    def offset(self, vector: Any, row: Any, column: Any) -> Any:
        """Offset of a pixel's vector of channels; -border is the first row and column."""
        return vector * self.plane + (row + self.border) * self.row + (column + self.border) * self.lanes

    def pack(self, picture: Floats) -> npt.NDArray[Any]:
        """(channels, height, width) as this map stores it."""
        planes: npt.NDArray[Any] = np.zeros((self.vectors * self.lanes, self.height, self.width), self.dtype)
        planes[: self.channels] = picture
        planes = np.pad(planes, ((0, 0), (self.border, self.border), (self.border, self.border)))
        return np.ascontiguousarray(planes.reshape(self.vectors, self.lanes, *planes.shape[1:]).transpose(0, 2, 3, 1))

    def unpack(self, stored: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The inverse of :meth:`pack`: (channels, height, width) without border."""
        padded = (self.height + 2 * self.border, self.width + 2 * self.border)
        planes = stored.reshape(self.vectors, *padded, self.lanes).transpose(0, 3, 1, 2).reshape(-1, *padded)
        inner = slice(self.border, self.border + self.height), slice(self.border, self.border + self.width)
        return np.ascontiguousarray(planes[: self.channels, inner[0], inner[1]])


def pack_vector(bias: Floats, lanes: int) -> Floats:
    """(channels,) filled up with zeros to whole vectors."""
    return np.pad(bias, (0, vectors(len(bias), lanes) * lanes - len(bias)))


def pack_depthwise(weight: Floats, lanes: int) -> Floats:
    """(channels, 1, k, k) as [vector][tap][lane]."""
    channels, _, rows, columns = weight.shape
    packed = np.zeros((vectors(channels, lanes) * lanes, rows * columns), np.float32)
    packed[:channels] = weight.reshape(channels, -1)
    return np.ascontiguousarray(packed.reshape(-1, lanes, rows * columns).transpose(0, 2, 1)).ravel()


def pack_pointwise(weight: Floats, lanes: int, panel: int) -> Floats:
    """(outputs, inputs, 1, 1) as panels of ``panel`` vectors of outputs, each [input][vector][lane].

    A panel is what the matrix product holds in one row of registers; it reads it front to back. The last panel is
    narrower where ``panel`` does not divide the vectors. The panel of output vector ``v`` begins at
    ``v * lanes * inputs``.
    """
    outputs, inputs = weight.shape[:2]
    count = vectors(outputs, lanes)
    packed = np.zeros((count * lanes, inputs), np.float32)
    packed[:outputs] = weight[:, :, 0, 0]
    starts = range(0, count, panel)
    return np.concatenate([packed[start * lanes : (start + panel) * lanes].T.ravel() for start in starts])


def quantised(weight: Floats, lanes: int, sharing: int = 0) -> tuple[npt.NDArray[np.int64], Floats]:
    """(outputs, inputs, 1, 1) as signed bytes, and what one step of them is worth in each output channel.

    Both channels are filled up with zeros to whole vectors of ``lanes``; the worth is of the ``outputs`` alone.

    With ``sharing`` the products of so many words, of four inputs each, share two sums of 16 bits: that of the first
    two inputs of each word, and that of the last two. An output's step is as large as it takes that neither its
    positive nor its negative weights of one such sum add up to more than :data:`LARGEST_SHARED`, so that no unsigned
    bytes overflow it, in whatever order they are added: 128 x 255 < 2**15. Each weight is rounded by half a step at
    most, which is left free.
    """
    outputs, inputs = weight.shape[:2]
    matrix = weight[:, :, 0, 0]
    scale: Floats = np.abs(matrix).max(axis=1) / np.float32(LARGEST_WEIGHT)
    if sharing:
        free = LARGEST_SHARED - sharing  # Weights of a sum are twice as many, each rounded by a half.
        scale = np.maximum(scale, (_most_shared(matrix, sharing) / free).astype(np.float32))
    scale[scale == 0] = 1
    steps = np.zeros((vectors(outputs, lanes) * lanes, vectors(inputs, lanes) * lanes), np.int64)
    steps[:outputs, :inputs] = np.rint(matrix / scale[:, None])
    return steps, scale


def _most_shared(matrix: Floats, sharing: int) -> npt.NDArray[np.float64]:
    """For each output the most that its weights of one sign add up to in a sum of ``sharing`` words' pairs."""
    outputs, inputs = matrix.shape
    filled = np.pad(matrix.astype(np.float64), ((0, 0), (0, -inputs % (4 * sharing))))
    pairs = filled.reshape(outputs, -1, sharing, 2, 2)
    either = [part.clip(0).sum(axis=(2, 4)).max(axis=(1, 2)) for part in (pairs, -pairs)]
    most: npt.NDArray[np.float64] = np.maximum(*either)
    return most


def pack_panels(words: npt.NDArray[np.int32], lanes: int, panel: int) -> npt.NDArray[np.int32]:
    """(outputs, words of inputs) in the panels of :func:`pack_pointwise`, each [word][vector][lane]."""
    starts = range(0, len(words), panel * lanes)
    return np.concatenate([words[start : start + panel * lanes].T.ravel() for start in starts])


def pack_first(weight: Floats, lanes: int) -> Floats:
    """(outputs, 3, k, k) as [row][column][colour][output], the order in which a picture's bytes arrive."""
    outputs = weight.shape[0]
    packed = np.zeros((*weight.transpose(2, 3, 1, 0).shape[:3], vectors(outputs, lanes) * lanes), np.float32)
    packed[..., :outputs] = weight.transpose(2, 3, 1, 0)
    return packed.ravel()
