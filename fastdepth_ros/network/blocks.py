"""Blocks that rows of an entry can say, each a few layers that papers name as one.

A row is a block's name with its numbers and words, which are the arguments of its function here. A block's answer is
read by its name, whatever its last layer is called.
"""

from __future__ import annotations

from collections.abc import Callable

from fastdepth_ros.network.builder import GraphBuilder
from fastdepth_ros.network.kinds import (
    Activation,
    Add,
    Concatenate,
    Depthwise,
    Full,
    MaxPool,
    Mode,
    Offset,
    Transposed,
    Unpool,
    Upsample,
)


def conv(
    to: GraphBuilder,
    name: str,
    outputs: int,
    kernel: int = 1,
    stride: int = 1,
    activation: Activation = "relu",
    offset: Offset = "norm",
) -> None:
    """A full convolution; pointwise where nothing is said of its kernel."""
    to.add(name, Full(kernel, stride, activation, offset, outputs))


def depthwise(
    to: GraphBuilder,
    name: str,
    kernel: int = 3,
    stride: int = 1,
    activation: Activation = "relu",
    offset: Offset = "norm",
) -> None:
    """A depthwise convolution."""
    to.add(name, Depthwise(kernel, stride, activation, offset))


def separable(
    to: GraphBuilder, name: str, outputs: int, kernel: int = 3, stride: int = 1, activation: Activation = "relu"
) -> None:
    """A depthwise convolution and a pointwise one (Howard et al., "MobileNets", arXiv 1704.04861)."""
    to.add(f"{name}.dw", Depthwise(kernel, stride, activation))
    to.add(f"{name}.pw", Full(1, 1, activation, outputs=outputs))
    to.close(name)


def transposed(
    to: GraphBuilder,
    name: str,
    outputs: int,
    kernel: int = 4,
    stride: int = 2,
    activation: Activation = "relu",
    offset: Offset = "norm",
) -> None:
    """A transposed convolution: DeConv5 of FastDepth's paper with kernel 5, the slim ones of EfficientPose with 4."""
    to.add(name, Transposed(kernel, stride, activation, offset, outputs))


def unpool(to: GraphBuilder, name: str, factor: int = 2) -> None:
    """Zero-insertion."""
    to.add(name, Unpool(factor))


def upsample(to: GraphBuilder, name: str, mode: Mode = "nearest", factor: int = 2) -> None:
    """Nearest neighbour or bilinear upsampling."""
    to.add(name, Upsample(factor, mode))


def max_pool(to: GraphBuilder, name: str, kernel: int = 3, stride: int = 2) -> None:
    """Max-pooling."""
    to.add(name, MaxPool(kernel, stride))


def add(to: GraphBuilder, name: str, skip: str, activation: Activation = "none") -> None:
    """The sum of the map before and of another layer's or block's answer."""
    to.add(name, Add(activation), (to.here, skip))


def concatenate(to: GraphBuilder, name: str, skips: list[str]) -> None:
    """The map before, and behind its channels those of other layers' or blocks' answers."""
    to.add(name, Concatenate(), (to.here, *skips))


def basic(to: GraphBuilder, name: str, outputs: int, stride: int = 1, repeats: int = 1) -> None:
    """Residual blocks of two 3x3 convolutions (He et al., arXiv 1512.03385, figure 5 left), named as in torchvision."""
    for number in range(repeats):
        first, step = to.here, stride if number == 0 else 1
        to.add(f"{name}.{number}.conv1", Full(3, step, outputs=outputs))
        last = to.add(f"{name}.{number}.conv2", Full(3, 1, "none", outputs=outputs))
        _residual(to, f"{name}.{number}", first, last, step)
    to.close(name)


def bottleneck(to: GraphBuilder, name: str, width: int, stride: int = 1, repeats: int = 1) -> None:
    """Residual blocks of 1x1, 3x3 and 1x1 convolutions to four times ``width`` (figure 5 right); the 3x3 strides."""
    for number in range(repeats):
        first, step = to.here, stride if number == 0 else 1
        to.add(f"{name}.{number}.conv1", Full(1, outputs=width))
        to.add(f"{name}.{number}.conv2", Full(3, step, outputs=width))
        last = to.add(f"{name}.{number}.conv3", Full(1, 1, "none", outputs=4 * width))
        _residual(to, f"{name}.{number}", first, last, step)
    to.close(name)


def _residual(to: GraphBuilder, name: str, first: str, last: str, stride: int) -> None:
    """The sum of a block's answer and of what it read, brought to its size and channels where they differ."""
    outputs = to.channels
    to.here = first
    if stride != 1 or to.channels != outputs:
        first = to.add(f"{name}.downsample", Full(1, stride, "none", outputs=outputs))
    to.add(f"{name}.add", Add("relu"), (last, first))
    to.close(name)


def mbconv(
    to: GraphBuilder,
    name: str,
    outputs: int,
    kernel: int = 3,
    stride: int = 1,
    expansion: int = 0,
    expanded: int = 0,
    activation: Activation = "relu6",
    repeats: int = 1,
) -> None:
    """Inverted residuals (Sandler et al., "MobileNetV2", arXiv 1801.04381, section 3.4).

    A 1x1 expands, a depthwise convolution follows, a 1x1 projects; what the block read is added where shapes allow.

    Args:
        to: the network.
        name: of the block, or with ``.1``, ``.2``, ... of each where there are several.
        outputs: channels of its answer.
        kernel: of the depthwise convolution.
        stride: of the first block's depthwise convolution; the others have 1.
        expansion: channels between by those that it reads; 1 leaves the expansion out.
        expanded: channels between, where they are no multiple (MobileNetV3).
        activation: behind expansion and depthwise convolution; none follows the projection.
        repeats: blocks in a row.
    """
    for number in range(1, repeats + 1):
        own = name if repeats == 1 else f"{name}.{number}"
        first, step = to.here, stride if number == 1 else 1
        inputs, between = to.channels, expanded or to.channels * max(expansion, 1)
        if between != inputs:
            to.add(f"{own}.expand", Full(1, 1, activation, outputs=between))
        to.add(f"{own}.dw", Depthwise(kernel, step, activation))
        last = to.add(f"{own}.project", Full(1, 1, "none", outputs=outputs))
        if step == 1 and inputs == outputs:
            to.add(f"{own}.add", Add(), (first, last))
        to.close(own)
    to.close(name)


def upproj(to: GraphBuilder, name: str, outputs: int) -> None:
    """Up-projection (Laina et al., arXiv 1606.00373, figure 2): unpooling, a 5x5 and a 3x3 beside a 5x5, their sum."""
    start = to.add(f"{name}.unpool", Unpool())
    to.add(f"{name}.conv1", Full(5, outputs=outputs))
    long = to.add(f"{name}.conv2", Full(3, 1, "none", outputs=outputs))
    to.here = start
    short = to.add(f"{name}.conv3", Full(5, 1, "none", outputs=outputs))
    to.add(f"{name}.add", Add("relu"), (long, short))
    to.close(name)


def rfdb(to: GraphBuilder, name: str) -> None:
    """Residual feature distillation (Liu et al., "RFDN", arXiv 2009.11551), without its attention.

    Three times, half of the channels are kept by a 1x1 while a 3x3 with a shortcut refines the whole; what was kept and
    a last 3x3 are concatenated and mixed.
    """
    channels, kept = to.channels, []
    for number in (1, 2, 3):
        start = to.here
        kept.append(to.add(f"{name}.keep{number}", Full(1, 1, "relu", "bias", channels // 2)))
        to.here = start
        refined = to.add(f"{name}.refine{number}", Full(3, 1, "none", "bias", channels))
        to.add(f"{name}.add{number}", Add("relu"), (start, refined))
    kept.append(to.add(f"{name}.keep4", Full(3, 1, "relu", "bias", channels // 2)))
    to.add(f"{name}.join", Concatenate(), kept)
    to.add(f"{name}.mix", Full(1, 1, "none", "bias", channels))
    to.close(name)


BlockMaker = Callable[..., None]

BLOCKS: dict[str, BlockMaker] = {
    "conv": conv,
    "depthwise": depthwise,
    "separable": separable,
    "transposed": transposed,
    "unpool": unpool,
    "upsample": upsample,
    "max-pool": max_pool,
    "add": add,
    "concatenate": concatenate,
    "basic": basic,
    "bottleneck": bottleneck,
    "mbconv": mbconv,
    "upproj": upproj,
    "rfdb": rfdb,
}
"""Word that begins a row -> what it adds."""
