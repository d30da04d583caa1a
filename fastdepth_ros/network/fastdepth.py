"""FastDepth's table as a graph: the same layers by the same names, so that a bundle's weights are the graph's."""

from __future__ import annotations

from fastdepth_ros.network.builder import GraphBuilder
from fastdepth_ros.network.graph import Graph
from fastdepth_ros.network.kinds import Add, Depthwise, Full, Upsample
from fastdepth_ros.network.table import ENCODER_STRIDES, Network


def graph_of(network: Network, name: str = "") -> Graph:
    """The graph of a variant of FastDepth, as the paper has it: the last block's answer is doubled as well.

    Layers are called as in the table; ``decode_conv1.up`` doubles the answer of a block, ``decode_conv2.add`` adds
    the encoder's map to it.

    Args:
        network: the table.
        name: of the graph, where it is not the table's.
    """
    graph = GraphBuilder(name or network.name)
    for step in network.steps(repeated=True):
        graph.part = "decoder" if step.name.startswith("decode") else "encoder"
        for conv in step.convolutions:
            if conv.kind == "depthwise":
                graph.add(conv.name, Depthwise(conv.kernel, conv.stride, conv.activation))
            else:
                graph.add(conv.name, Full(conv.kernel, conv.stride, conv.activation, outputs=conv.outputs))
        graph.close(step.name)
        if step.doubled:
            graph.add(f"{step.name}.up", Upsample())
        if step.skip is not None:
            graph.add(f"{step.name}.add", Add(), (graph.here, step.skip))
    return graph.graph()


def table_of(graph: Graph, name: str) -> Network | None:
    """The variant of FastDepth that a graph is, which bundles and the node know; None where it is none."""
    try:
        encoder = (graph.channels["conv0"], *(graph.channels[f"conv{i}.pw"] for i in range(1, len(ENCODER_STRIDES))))
        decoder = tuple(graph.channels[f"decode_conv{i}.pw"] for i in range(1, 6))
    except KeyError:
        return None
    network = Network(name, encoder, decoder)
    return network if graph_of(network).nodes == graph.nodes else None
