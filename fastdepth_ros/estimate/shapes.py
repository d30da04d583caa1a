"""Convolutions by their shape alone, which is what decides how long they take."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from fastdepth_ros.network import Kind, Network
from fastdepth_ros.network.graph import Graph, Node
from fastdepth_ros.network.kinds import Depthwise, Full


@dataclass(frozen=True)
class Shape:
    """A convolution's channels, kernel, stride, and the size of the map that it reads [px]."""

    kind: Kind
    inputs: int
    outputs: int
    height: int
    width: int
    kernel: int
    stride: int

    @property
    def pixels(self) -> int:
        """Pixels of the map that it writes."""
        return (self.height // self.stride) * (self.width // self.stride)

    @property
    def read_pixels(self) -> int:
        """Pixels of the map that it reads."""
        return self.height * self.width

    @property
    def weights(self) -> int:
        return self.outputs * (1 if self.kind == "depthwise" else self.inputs) * self.kernel**2

    @property
    def macs(self) -> int:
        """Multiply-accumulates."""
        return self.weights * self.pixels

    @property
    def values(self) -> int:
        """Numbers that it has to read and write at least once: both maps and the weights."""
        return self.read_pixels * self.inputs + self.pixels * self.outputs + self.weights


@dataclass(frozen=True)
class Anatomy:
    """A network as a board sees it.

    Attributes:
        convolutions: name and shape of each, in the order in which they are computed.
        upsampled: numbers that the upsamplings write.
    """

    convolutions: tuple[tuple[str, Shape], ...]
    upsampled: int


def anatomy(network: Network, height: int = 224, width: int = 224) -> Anatomy:
    """The shapes of a network for a picture of ``height`` x ``width`` pixels, each a multiple of 32."""
    found = [
        (conv.name, Shape(conv.kind, conv.inputs, conv.outputs, rows, columns, conv.kernel, conv.stride))
        for conv, rows, columns in network.inputs(height, width, repeated=True)
    ]
    shapes = dict(found)
    # What is doubled is what the next step reads.
    doubled = [(step, after) for step, after in pairwise(network.steps(repeated=True)) if step.doubled]
    upsampled = sum(step.outputs * shapes[after.convolutions[0].name].read_pixels for step, after in doubled)
    return Anatomy(tuple(found), upsampled)


def shape_of(graph: Graph, node: Node, inputs: int, outputs: int, height: int, width: int) -> Shape:
    """The shape of a graph's convolution where it has other channels.

    Args:
        graph: the network.
        node: the convolution.
        inputs, outputs: channels that it reads and answers.
        height, width: of the map that it reads [px].

    Raises:
        NetworkError: it is of a kind that no board was measured with.
    """
    layer = node.layer
    if not isinstance(layer, Full | Depthwise):
        graph.refuse(node.name, f"no board was measured with a {layer.word} layer", "Measure this machine instead.")
    kind: Kind = "depthwise" if isinstance(layer, Depthwise) else "pointwise" if layer.kernel == 1 else "full"
    return Shape(kind, inputs, outputs, height, width, layer.kernel, layer.stride)
