"""Milliseconds on a board that is not at hand, by ``estimate``'s measurements of single convolutions."""

from __future__ import annotations

from collections.abc import Callable

from fastdepth_ros.estimate.latency import BOARDS, PUBLISHED, interpolate, measured, upsampling_cost
from fastdepth_ros.estimate.shapes import Shape, shape_of
from fastdepth_ros.network.graph import Graph, Node
from fastdepth_ros.network.kinds import Upsample, Weighted
from fastdepth_ros.network.sizes import sizes
from fastdepth_ros.pruning.latency import Latency, Unit
from fastdepth_ros.pruning.widths import Channels

__all__ = ["BOARDS", "board_latency"]


def board_latency(graph: Graph, channels: Channels, board: str, height: int, width: int) -> Latency:
    """The table of a board, in max-N: a unit for each convolution, and one for each upsampling.

    Args:
        graph: the network.
        channels: its groups.
        board: one of :data:`BOARDS`.
        height, width: of the picture [px].

    Raises:
        NetworkError: a layer is of a kind that nobody measured there, or the picture does not suit the network.
    """
    times, found = measured(board), sizes(graph, height, width)
    price = upsampling_cost(board, tuple(PUBLISHED[board]))

    def convolution(node: Node, groups: tuple[str, ...]) -> Callable[[tuple[int, ...]], float]:
        rows, columns = found[node.reads[0]]

        def cost(widths: tuple[int, ...]) -> float:
            given = dict(zip(groups, widths, strict=True))
            inputs, outputs = channels.of(node.reads[0], given), channels.of(node.name, given)
            shape: Shape = shape_of(graph, node, inputs, outputs, rows, columns)
            return times[shape] if shape in times else interpolate(shape, times)

        return cost

    def upsampling(node: Node, groups: tuple[str, ...]) -> Callable[[tuple[int, ...]], float]:
        rows, columns = found[node.name]
        return lambda widths: price * rows * columns * channels.of(node.name, dict(zip(groups, widths, strict=True)))

    units = []
    for node in graph.nodes:
        groups = channels.touched(node)
        if isinstance(node.layer, Weighted):
            units.append(Unit(node.name, groups, convolution(node, groups)))
        elif isinstance(node.layer, Upsample):
            units.append(Unit(node.name, groups, upsampling(node, groups)))
    return Latency(f"{board}, max-N, float32, MIT's kernels of 2019", units)
