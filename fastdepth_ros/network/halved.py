"""A graph as a bundle needs it: one channel of depth, with half of the picture's height and width.

FastDepth doubles its last map by nearest neighbour and then adds up its channels for each pixel, so that every 2x2
pixels have one answer. It is given out once, and whoever wants the other three repeats it. A network that answers more
coarsely has its answer repeated, too.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from fastdepth_ros.errors import NetworkError
from fastdepth_ros.network.graph import Graph, Node
from fastdepth_ros.network.kinds import Full, Upsample
from fastdepth_ros.network.table import INPUT_CHANNELS

REMEDY = "docs/networks.md says which a bundle may hold; `fastdepth bench --network` takes any."


def halved(graph: Graph) -> Graph:
    """The graph that gives one answer for every 2x2 pixels; names of layers and weights stay.

    Args:
        graph: it answers in half of the picture's size, or in a whole fraction of that; or it doubles a map of that
            size by nearest neighbour and has only pointwise convolutions behind.

    Raises:
        NetworkError: its answer is not one channel of such a size, or it does not read RGB.
    """
    answer = graph.answer
    channels, scale = graph.channels[answer.name], graph.scales[answer.name]
    if graph.inputs != INPUT_CHANNELS or channels != 1:
        cause = f"{graph.name} reads {graph.inputs} channels and gives {channels}"
        raise NetworkError(f"{cause}; a bundle's network reads {INPUT_CHANNELS} and gives 1", REMEDY)
    if (factor := Fraction(1, 2) / scale).denominator == 1 and not graph.loose:
        if factor == 1:
            return graph
        repeated = Node(f"{answer.name}.repeated", Upsample(int(factor)), (answer.name,), answer.part)
        return replace(graph, nodes=(*graph.nodes, repeated))
    doubling = _before_pointwise(graph)
    if scale != 1 or graph.loose or doubling.layer != Upsample(2) or len(_readers(graph, doubling)) > 1:
        size = "beside the picture's pixels" if graph.loose else f"in {scale} of the picture's height and width"
        also = "or double a map of that size by nearest neighbour and have pointwise convolutions behind"
        cause = f"{graph.name} answers {size}; a bundle's network has to answer in 1/2 of it or less, {also}"
        raise NetworkError(cause, REMEDY)
    others = [_past(node, doubling) for node in graph.nodes if node is not doubling]
    new = doubling.reads[0] if doubling is answer else answer.name
    return replace(graph, nodes=tuple(sorted(others, key=lambda node: node.name == new)))  # the answer is the last


def _before_pointwise(graph: Graph) -> Node:
    """The last layer that is no pointwise convolution, or the first of those where the picture is read by it."""
    node = graph.answer
    while isinstance(node.layer, Full) and (node.layer.kernel, node.layer.stride) == (1, 1):
        before = graph.by_name.get(node.reads[0])
        if before is None:
            break
        node = before
    return node


def _readers(graph: Graph, read: Node) -> list[Node]:
    return [node for node in graph.nodes if read.name in node.reads]


def _past(node: Node, left_out: Node) -> Node:
    return replace(node, reads=tuple(left_out.reads[0] if name == left_out.name else name for name in node.reads))
