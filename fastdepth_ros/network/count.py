"""Weights, multiply-accumulates and receptive fields of a graph, layer by layer.

Convention of the papers, found by fitting their tables: weights are those of convolutions, without bias and batch
normalisation; multiply-accumulates are counted at the answer's pixels, a transposed convolution's and those behind
an unpooling with the inserted zeros. :attr:`LayerCount.macs_without_zeros` counts what has to be multiplied.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from fastdepth_ros.network.graph import PICTURE, Graph, Node
from fastdepth_ros.network.kinds import Full, Transposed, Unpool, Weighted
from fastdepth_ros.network.sizes import sizes


@dataclass(frozen=True)
class LayerCount:
    """A layer, or several together, in numbers.

    Attributes:
        name: of the layer.
        kind: its word; ``pointwise`` for a full convolution whose kernel is 1.
        part: ``encoder``, ``decoder`` or empty.
        reads: names of what it reads.
        channels, height, width: of its answer.
        weights: numbers in its kernel.
        parameters: numbers that training finds: weights, biases, factors and offsets of batch normalisation.
        macs: multiply-accumulates of one picture.
        macs_without_zeros: the same without products with inserted zeros (away from the map's edge).
        field: receptive field, the pixels of the picture on one axis that a pixel of its answer depends on, without
            regard to the picture's edge. Rule: a layer of reach r that reads pixels j apart adds r j (as Araujo et al.,
            "Computing Receptive Fields of Convolutional Neural Networks", Distill 2019, for layers in a chain; where
            maps are joined, the largest).
    """

    name: str
    kind: str
    part: str
    reads: tuple[str, ...]
    channels: int
    height: int
    width: int
    weights: int
    parameters: int
    macs: int
    macs_without_zeros: int
    field: int


@dataclass(frozen=True)
class Totals:
    """Sums over layers; see :class:`LayerCount`."""

    weights: int
    parameters: int
    macs: int
    macs_without_zeros: int


def count(graph: Graph, height: int = 224, width: int = 224) -> tuple[LayerCount, ...]:
    """A row for each layer, in the order in which they are computed.

    Args:
        graph: the network.
        height, width: of the picture [px].

    Raises:
        NetworkError: the network cannot take a picture of that size.
    """
    found, fields = sizes(graph, height, width), _fields(graph)
    rows = []
    for node in graph.nodes:
        inputs, (high, wide) = graph.input_channels(node), found[node.name]
        macs, without = _macs(graph, node, high * wide)
        parameters = node.layer.parameters(inputs) if isinstance(node.layer, Weighted) else 0
        rows.append(
            LayerCount(
                *(node.name, kind(node), node.part, node.reads, graph.channels[node.name], high, wide),
                *(node.layer.weights(inputs), parameters, macs, without, -(-fields[node.name] // 1)),
            )
        )
    return tuple(rows)


def total(rows: Iterable[LayerCount], part: str | None = None) -> Totals:
    """Sums over all rows, or over those of one part of the network."""
    own = [row for row in rows if part in (None, row.part)]
    return Totals(
        sum(row.weights for row in own),
        sum(row.parameters for row in own),
        sum(row.macs for row in own),
        sum(row.macs_without_zeros for row in own),
    )


def peak_values(graph: Graph, height: int = 224, width: int = 224) -> int:
    """Numbers that the maps hold at once at most, beside the picture, where each goes when its last reader has read it.

    That is the way of ``graph.follow``, layer by layer: what a layer reads, its answer, and what waits for later ones.
    Whoever computes several layers at once needs less.

    Args:
        graph: the network.
        height, width: of the picture [px].

    Raises:
        NetworkError: the network cannot take a picture of that size.
    """
    values = {name: graph.channels[name] * high * wide for name, (high, wide) in sizes(graph, height, width).items()}
    last_reader = {name: node.name for node in graph.nodes for name in node.reads}
    values[PICTURE] = alive = peak = 0
    for node in graph.nodes:
        alive += values[node.name]
        peak = max(peak, alive)
        alive -= sum(values[name] for name in set(node.reads) if last_reader[name] == node.name)
    return peak


def kind(node: Node) -> str:
    """Word for a layer as people say it."""
    pointwise = isinstance(node.layer, Full) and node.layer.kernel == 1
    return "pointwise" if pointwise else node.layer.word


def _macs(graph: Graph, node: Node, pixels: int) -> tuple[int, int]:
    macs, zeros = node.layer.macs(graph.input_channels(node), pixels), 1
    above = graph.by_name.get(node.reads[0])
    if isinstance(node.layer, Transposed):
        zeros = node.layer.stride**2
    elif isinstance(node.layer, Weighted) and above and type(above.layer) is Unpool:
        zeros = above.layer.factor**2
    return macs, macs // zeros


def _fields(graph: Graph) -> dict[str, Fraction]:
    found = {PICTURE: Fraction(1)}
    for node in graph.nodes:
        apart = 1 / graph.scales[node.reads[0]]
        found[node.name] = max(found[name] for name in node.reads) + node.layer.reach * apart
    return found
