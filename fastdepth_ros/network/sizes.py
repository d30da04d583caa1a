"""Sizes of a graph's maps for a picture, and the nearest picture that it can take."""

from __future__ import annotations

from fastdepth_ros.errors import NetworkError
from fastdepth_ros.network.graph import MOST_SIDE, PICTURE, Graph

Sizes = dict[str, tuple[int, int]]
"""Name of a layer -> height and width of its answer [px]; the picture's, too."""


class _UnequalError(Exception):
    def __init__(self, name: str, cause: str) -> None:
        super().__init__(f"layer {name}: {cause}")


def sizes(graph: Graph, height: int, width: int) -> Sizes:
    """Height and width of every layer's answer.

    Args:
        graph: the network.
        height, width: of the picture [px].

    Raises:
        NetworkError: the network cannot take such a picture, for maps that it joins would not meet, or its answer would
            not lie on the picture's pixels. The cause names the layer, the remedy the nearest size that it can take.
    """
    try:
        rows, columns = _sides(graph, height, "high"), _sides(graph, width, "wide")
    except _UnequalError as unequal:
        cause = f"{graph.name} cannot take a picture of {width}x{height}: {unequal}"
        raise NetworkError(
            cause, f"The nearest that it can take is {nearest(graph, width)}x{nearest(graph, height)}."
        ) from None
    return {name: (rows[name], columns[name]) for name in rows}


def nearest(graph: Graph, side: int) -> int:
    """Height or width [px] nearest to ``side`` that the network can take; the larger of two that are as near."""
    side = min(max(side, 1), MOST_SIDE)
    for away in range(graph.multiple + 1):
        for found in (side + away, side - away):
            if 1 <= found <= MOST_SIDE and _takes(graph, found):
                return found
    return graph.multiple  # All its maps are whole.


def _takes(graph: Graph, side: int) -> bool:
    try:
        _sides(graph, side, "high")
    except _UnequalError:
        return False
    return True


def _sides(graph: Graph, side: int, way: str) -> dict[str, int]:
    """Name -> side of its answer, for one side of the picture: both follow the same rules."""
    if not 1 <= side <= MOST_SIDE:
        raise _UnequalError(graph.nodes[0].name, f"its picture is {side} px {way}, and 1 to {MOST_SIDE} are allowed")
    found = {PICTURE: side}
    for node in graph.nodes:
        read = {name: found[name] for name in node.reads}
        if len(set(read.values())) > 1:
            maps = " and ".join(f"{name} ({pixels} px {way})" for name, pixels in read.items())
            raise _UnequalError(node.name, f"its maps {maps} do not meet")
        found[node.name] = node.layer.side(read[node.reads[0]])
    answer, scale = graph.answer.name, graph.scales[graph.answer.name]
    if not graph.loose and found[answer] != side * scale:
        raise _UnequalError(
            answer, f"its answer is {found[answer]} px {way} for a picture of {side} px, of which it is {scale}"
        )
    return found
