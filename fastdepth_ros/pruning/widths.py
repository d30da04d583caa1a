"""Channels of a graph that may be cut, and which layers lose them together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from fastdepth_ros.network.graph import PICTURE, Graph, Node
from fastdepth_ros.network.kinds import Add, Concatenate, Full, Transposed

Widths = dict[str, int]
"""Name of a group -> its channels."""


@dataclass(frozen=True)
class Group:
    """Channels that are cut together.

    Attributes:
        name: of the first of its makers.
        makers: convolutions whose answers have these channels. There are several where sums tie them: the same
            channels go everywhere, or the sum would add what does not belong together.
        channels: how many there are.
    """

    name: str
    makers: tuple[str, ...]
    channels: int


@dataclass(frozen=True)
class Channels:
    """Channels of every map of a graph, by the groups that they belong to.

    Attributes:
        groups: those that may be cut, by name, in the order in which they are computed. The picture's and the answer's
            channels are not among them.
        parts: layer, or the picture -> groups that make up its answer, one after another; a name that is not in
            ``groups`` stands for channels that stay.
        counts: every group, cut or not -> its channels.
    """

    groups: dict[str, Group]
    parts: dict[str, tuple[str, ...]]
    counts: Widths

    @property
    def widths(self) -> Widths:
        """Channels of the groups that may be cut."""
        return {name: group.channels for name, group in self.groups.items()}

    def of(self, layer: str, widths: Mapping[str, int]) -> int:
        """Channels of a layer's answer where groups have ``widths``."""
        return sum(widths.get(part, self.counts[part]) for part in self.parts[layer])

    def touched(self, node: Node) -> tuple[str, ...]:
        """Groups that may be cut on which a layer's work depends."""
        names = (*node.reads, node.name)
        found = dict.fromkeys(part for name in names for part in self.parts[name])
        return tuple(part for part in found if part in self.groups)


def channels_of(graph: Graph) -> Channels:
    """The groups of a graph.

    A convolution of all channels makes new ones; all other layers hand on what they read. A sum ties its maps; where
    they are made up of unlike parts (of concatenations), their channels stay as they are.
    """
    above: dict[str, str] = {PICTURE: PICTURE}
    fixed = {PICTURE}
    parts: dict[str, tuple[str, ...]] = {PICTURE: (PICTURE,)}
    counts = {PICTURE: graph.inputs}
    order = [PICTURE, *(node.name for node in graph.nodes)]

    def root(name: str) -> str:
        while above[name] != name:
            name = above[name]
        return name

    for node in graph.nodes:
        reads = [parts[name] for name in node.reads]
        if isinstance(node.layer, Full | Transposed):
            above[node.name], counts[node.name] = node.name, node.layer.outputs
            parts[node.name] = (node.name,)
        elif isinstance(node.layer, Concatenate):
            parts[node.name] = tuple(part for read in reads for part in read)
        else:
            parts[node.name] = reads[0]
            if isinstance(node.layer, Add):
                if len({tuple(counts[root(part)] for part in read) for read in reads}) > 1:
                    fixed.update(part for read in reads for part in read)
                else:
                    for tied in zip(*reads, strict=True):
                        first, *others = sorted(set(map(root, tied)), key=order.index)
                        above.update(dict.fromkeys(others, first))
    fixed.update(parts[graph.answer.name])
    found = {name: tuple(root(part) for part in own) for name, own in parts.items()}
    stay = {root(name) for name in fixed}
    makers: dict[str, list[str]] = {}
    for node in graph.nodes:
        if node.name in above:
            makers.setdefault(root(node.name), []).append(node.name)
    groups = {name: Group(name, tuple(own), counts[name]) for name, own in makers.items() if name not in stay}
    return Channels(groups, found, {name: counts[name] for name in {PICTURE, *makers}})


def resized(graph: Graph, channels: Channels, widths: Mapping[str, int], name: str = "") -> Graph:
    """The graph with other widths.

    Args:
        graph: the network.
        channels: its groups.
        widths: of groups; those that are not named stay.
        name: of the answer; that of the graph where it is empty.
    """
    width_of = {
        maker: widths[group.name]
        for group in channels.groups.values()
        if group.name in widths
        for maker in group.makers
    }
    nodes = []
    for node in graph.nodes:
        layer = node.layer
        if node.name in width_of and isinstance(layer, Full | Transposed):
            node = replace(node, layer=replace(layer, outputs=width_of[node.name]))
        nodes.append(node)
    return replace(graph, name=name or graph.name, nodes=tuple(nodes))
