"""Weights of a graph's layers as kernels read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fastdepth_ros.compiler import layout
from fastdepth_ros.compiler.byte_products import BYTE_KERNELS, WORD, ByteProducts
from fastdepth_ros.compiler.layout import Floats
from fastdepth_ros.lowering.storage import places
from fastdepth_ros.lowering.taps import Phase, phase_weights
from fastdepth_ros.network.graph import Node
from fastdepth_ros.network.kinds import Transposed, Upsample, Weighted

Weights = Mapping[str, npt.NDArray[Any]]


class Bytes(NamedTuple):
    """Manner in which bytes are multiplied.

    Attributes:
        products: name of the instructions.
        panel: vectors of a panel of weights.
    """

    products: str
    panel: int

    @property
    def kernels(self) -> ByteProducts:
        """The instructions."""
        return BYTE_KERNELS[self.products]


def kernel_of(node: Node, weights: Weights) -> Floats:
    """A layer's weights as (outputs, inputs, rows, columns), whatever its kind stores."""
    weight = np.asarray(weights[f"{node.name}.weight"], np.float32)
    return weight.transpose(1, 0, 2, 3) if isinstance(node.layer, Transposed) else weight


def bias_of(node: Node, weights: Weights, outputs: int) -> Floats:
    """A layer's bias; zeros where it has none."""
    assert isinstance(node.layer, Weighted)
    if node.layer.offset == "none":
        return np.zeros(outputs, np.float32)
    return np.asarray(weights[f"{node.name}.bias"], np.float32)


def full(
    node: Node, weights: Weights, phase: tuple[Phase, Phase], parts: Sequence[int], lanes: int, panel: int
) -> list[Any]:
    """Weights of a full convolution in panels, each [tap][input][vector][lane], and its bias.

    Args:
        node: the layer.
        weights: of the network.
        phase: taps of rows and columns.
        parts: channels of the parts of the map that it reads; the gaps between them get zeros.
        lanes: of a vector.
        panel: vectors of a panel.
    """
    weight = phase_weights(kernel_of(node, weights), *phase)
    if len(parts) > 1:
        weight = _with_gaps(weight, parts, lanes)
    matrix = weight.transpose(0, 2, 3, 1).reshape(len(weight), -1, 1, 1)
    bias = layout.pack_vector(bias_of(node, weights, len(weight)), lanes)
    return [layout.pack_pointwise(matrix, lanes, panel), bias]


def of_bytes(
    node: Node, weights: Weights, phase: tuple[Phase, Phase], parts: Sequence[int], lanes: int, how: Bytes
) -> list[Any]:
    """Weights as :func:`full`, as words of bytes in panels, with what their steps are worth, bias, and their sums.

    Where products share sums of 16 bits, those of one tap do: each is filled up to as many inputs as share one.
    """
    weight = _with_gaps(phase_weights(kernel_of(node, weights), *phase), parts, lanes)
    outputs, inputs, rows, columns = weight.shape
    filled = -inputs % max(lanes, WORD * how.kernels.sharing)
    taps = np.pad(weight.transpose(0, 2, 3, 1), ((0, 0), (0, 0), (0, 0), (0, filled)))
    steps, scale = layout.quantised(taps.reshape(outputs, -1, 1, 1), lanes, how.kernels.sharing)
    steps = steps.reshape(len(steps), rows * columns, -1)[:, :, :inputs].reshape(len(steps), -1)
    words = layout.pack_panels(how.kernels.pack(steps, lanes), lanes, how.panel)
    vectors = [layout.pack_vector(each, lanes) for each in (scale, bias_of(node, weights, outputs))]
    return [words, *vectors, steps.sum(1).astype(np.int32)]


def _with_gaps(weight: Floats, parts: Sequence[int], lanes: int) -> Floats:
    """Weights of all channels that a map of these parts stores: zeros for the gaps."""
    stored: Floats = np.zeros((len(weight), stored_channels(parts, lanes), *weight.shape[2:]), np.float32)
    stored[:, places(parts, lanes)] = weight
    return stored


def depthwise(node: Node, weights: Weights, phase: tuple[Phase, Phase], parts: Sequence[int], lanes: int) -> list[Any]:
    """Weights of a depthwise convolution as [vector][tap][lane], and its bias; arguments as of :func:`full`."""
    weight = phase_weights(kernel_of(node, weights), *phase)
    where, count = places(parts, lanes), stored_channels(parts, lanes)
    stored, bias = np.zeros((count, *weight.shape[1:]), np.float32), np.zeros(count, np.float32)
    stored[where], bias[where] = weight, bias_of(node, weights, len(weight))
    return [layout.pack_depthwise(stored, lanes), bias]


def gather(parts: Sequence[int], lanes: int, panel: int) -> list[Any]:
    """Weights of a full convolution that brings the parts of a map together, without gaps."""
    where = places(parts, lanes)
    matrix = np.zeros((len(where), stored_channels(parts, lanes), 1, 1), np.float32)
    matrix[np.arange(len(where)), where] = 1
    return [layout.pack_pointwise(matrix, lanes, panel), layout.pack_vector(np.zeros(len(where), np.float32), lanes)]


def stored_channels(parts: Sequence[int], lanes: int) -> int:
    """Channels that a map of these parts stores."""
    return sum(layout.vectors(channels, lanes) for channels in parts) * lanes


def interpolation(layer: Upsample, side: int) -> list[Any]:
    """For each pixel of an axis of the large map, which of the small one is before it, and how far the way goes on.

    Args:
        layer: its factor, and whether it keeps the pixels' areas or the centres of the corner pixels.
        side: pixels of the small map.
    """
    new = np.arange(side * layer.factor, dtype=np.float64)
    if layer.mode == "bilinear-corners":
        found = new * ((side - 1) / max(side * layer.factor - 1, 1))
    else:
        found = np.clip((new + 0.5) / layer.factor - 0.5, 0, side - 1)
    before = np.minimum(np.floor(found), side - 1)
    return [before.astype(np.int32), (found - before).astype(np.float32)]
