"""Convolutions by their shape alone, which is what decides how long they take."""

from __future__ import annotations

from dataclasses import dataclass

from fastdepth_ros.network import Convolution, Kind, Network


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
        """Of the map that it writes."""
        return (self.height // self.stride) * (self.width // self.stride)

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
        return self.height * self.width * self.inputs + self.pixels * self.outputs + self.weights


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
    found: list[tuple[str, Shape]] = []
    upsampled = 0

    def pass_through(conv: Convolution) -> None:
        nonlocal height, width
        shape = Shape(conv.kind, conv.inputs, conv.outputs, height, width, conv.kernel, conv.stride)
        found.append((conv.name, shape))
        height, width = height // conv.stride, width // conv.stride

    pass_through(network.first)
    for block in (*network.encoder_blocks, *network.decoder_blocks):
        pass_through(block.depthwise)
        pass_through(block.pointwise)
        if block.upsample:
            height, width = height * 2, width * 2
            upsampled += block.pointwise.outputs * height * width
    pass_through(network.last)
    return Anatomy(tuple(found), upsampled)
