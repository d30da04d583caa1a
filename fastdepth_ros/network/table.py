"""FastDepth as a table: what is computed, layer by layer, as data.

The compiler makes kernels of this table, training makes a torch module of it, and every importer checks weights
against it, so that they cannot disagree. It knows nothing of any of them.

The network (Wofk et al., "FastDepth", ICRA 2019, arXiv 1903.03273) is MobileNet followed by NNConv5: a 3x3 convolution
and thirteen depthwise-separable blocks halve the map five times; five depthwise-separable 5x5 blocks, each followed by
nearest-neighbour upsampling, bring it back; a pointwise convolution gives metres. Encoder maps are added after the
first three upsamplings. Batch normalisation is folded into weights and biases throughout.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy.typing as npt

from fastdepth_ros.errors import SettingError, WeightsError, brief
from fastdepth_ros.files.names import check_name
from fastdepth_ros.files.reading import whole
from fastdepth_ros.network.arrays import hold

Kind = Literal["full", "depthwise", "pointwise"]
Activation = Literal["relu6", "relu"]

INPUT_CHANNELS = 3
ENCODER_STRIDES = (2, 1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)
DECODER_KERNEL = 5
MOST_CHANNELS = 4096
"""Most channels of a layer; the widest of the paper's has 1024."""


@dataclass(frozen=True)
class Convolution:
    """One convolution with its folded bias and activation. Padding is ``kernel // 2`` on every side.

    Weights are stored in the order (output, input / groups, row, column).
    """

    name: str
    kind: Kind
    kernel: int
    stride: int
    inputs: int
    outputs: int
    activation: Activation

    @property
    def weight_shape(self) -> tuple[int, int, int, int]:
        per_group = 1 if self.kind == "depthwise" else self.inputs
        return (self.outputs, per_group, self.kernel, self.kernel)

    def macs(self, height: int, width: int) -> int:
        """Multiply-accumulates for an input map of ``height`` x ``width``."""
        outputs, per_group, kernel_h, kernel_w = self.weight_shape
        return outputs * per_group * kernel_h * kernel_w * (height // self.stride) * (width // self.stride)


@dataclass(frozen=True)
class Block:
    """A depthwise convolution and the pointwise convolution behind it, and what becomes of their answer.

    Attributes:
        upsample: whether the answer is doubled in size by nearest neighbour.
        skip: number of the encoder block whose answer is added after the upsampling (0 is the first convolution).
    """

    depthwise: Convolution
    pointwise: Convolution
    upsample: bool = False
    skip: int | None = None


@dataclass(frozen=True)
class Step:
    """One step of the way through a network: the first convolution, a block, or the last convolution.

    Attributes:
        name: that of its convolutions without ``.dw`` and ``.pw``.
        convolutions: in the order in which they are computed.
        doubled: whether the next step reads its answer doubled in size, by nearest neighbour.
        skip: name of the step whose answer is added to what the next one reads; None where nothing is.
    """

    name: str
    convolutions: tuple[Convolution, ...]
    doubled: bool = False
    skip: str | None = None

    @property
    def outputs(self) -> int:
        """Channels of its answer."""
        return self.convolutions[-1].outputs


@dataclass(frozen=True)
class Network:
    """A variant of FastDepth: three rows of numbers.

    Attributes:
        name: what manifests call it.
        encoder: output channels of the first convolution and of the thirteen blocks behind it.
        decoder: output channels of the five decoder blocks.
        skips: decoder block (1 is the first) -> encoder block whose answer is added to its upsampled answer.
    """

    name: str
    encoder: tuple[int, ...]
    decoder: tuple[int, ...]
    skips: tuple[tuple[int, int], ...] = ((2, 5), (3, 3), (4, 1))

    @property
    def first(self) -> Convolution:
        return Convolution("conv0", "full", 3, ENCODER_STRIDES[0], INPUT_CHANNELS, self.encoder[0], "relu6")

    @property
    def encoder_blocks(self) -> tuple[Block, ...]:
        return tuple(
            Block(
                Convolution(f"conv{i}.dw", "depthwise", 3, ENCODER_STRIDES[i], before, before, "relu6"),
                Convolution(f"conv{i}.pw", "pointwise", 1, 1, before, after, "relu6"),
            )
            for i, (before, after) in enumerate(zip(self.encoder, self.encoder[1:], strict=False), start=1)
        )

    @property
    def decoder_blocks(self) -> tuple[Block, ...]:
        skips = dict(self.skips)
        channels = (self.encoder[-1], *self.decoder)
        return tuple(
            Block(
                Convolution(f"decode_conv{i}.dw", "depthwise", DECODER_KERNEL, 1, before, before, "relu"),
                Convolution(f"decode_conv{i}.pw", "pointwise", 1, 1, before, after, "relu"),
                upsample=True,
                skip=skips.get(i),
            )
            for i, (before, after) in enumerate(itertools.pairwise(channels), start=1)
        )

    @property
    def last(self) -> Convolution:
        return Convolution("decode_conv6", "pointwise", 1, 1, self.decoder[-1], 1, "relu")

    def steps(self, *, repeated: bool = False) -> tuple[Step, ...]:
        """The way through the network, which whoever computes, compiles or counts it follows.

        Args:
            repeated: as the paper has it, the last block's answer is doubled as well. Nobody needs to compute that: the
                last convolution is pointwise, so its answer to four equal pixels is four times the same.
        """
        steps = [Step(self.first.name, (self.first,))]
        for block in (*self.encoder_blocks, *self.decoder_blocks):
            name = block.pointwise.name.removesuffix(".pw")
            skip = None if block.skip is None else steps[block.skip].name
            steps.append(Step(name, (block.depthwise, block.pointwise), block.upsample, skip))
        steps[-1] = replace(steps[-1], doubled=repeated)
        return (*steps, Step(self.last.name, (self.last,)))

    def inputs(self, height: int, width: int, *, repeated: bool = False) -> Iterator[tuple[Convolution, int, int]]:
        """Each convolution with height and width of the map that it reads.

        Args:
            height, width: of the picture [px], each a multiple of 32.
            repeated: see :meth:`steps`.
        """
        for step in self.steps(repeated=repeated):
            for conv in step.convolutions:
                yield conv, height, width
                height, width = height // conv.stride, width // conv.stride
            if step.doubled:
                height, width = height * 2, width * 2

    @property
    def convolutions(self) -> tuple[Convolution, ...]:
        """All convolutions, in the order in which they are computed."""
        return tuple(conv for step in self.steps() for conv in step.convolutions)

    def macs(self, height: int = 224, width: int = 224) -> int:
        """Multiply-accumulates of one picture of ``height`` x ``width`` pixels as the paper counts them."""
        return sum(conv.macs(rows, columns) for conv, rows, columns in self.inputs(height, width, repeated=True))

    def to_json(self) -> dict[str, Any]:
        """The table as a manifest stores it."""
        return {
            "name": self.name,
            "encoder": list(self.encoder),
            "decoder": list(self.decoder),
            "skips": {str(decoder): encoder for decoder, encoder in self.skips},
        }

    @classmethod
    def from_json(cls, table: Mapping[str, Any]) -> Network:
        """The inverse of :meth:`to_json`.

        Raises:
            WeightsError: a row is missing or is not made of positive whole numbers.
        """
        try:
            network = cls(
                check_name("the network's name", table["name"]),
                tuple(whole(channels) for channels in table["encoder"]),
                tuple(whole(channels) for channels in table["decoder"]),
                tuple((int(decoder), whole(encoder)) for decoder, encoder in table["skips"].items()),
            )
        except SettingError as error:
            raise WeightsError(error.cause, error.remedy) from error
        except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
            cause = f"the network table cannot be read ({brief(repr(error), 300)})"
            raise WeightsError(cause, "Import the bundle again.") from error
        network.check()
        return network

    def check(self) -> None:
        """Hold the table against itself.

        Raises:
            WeightsError: a row has the wrong length, or a skip adds maps of different channels.
        """
        remedy = f"A FastDepth table has {len(ENCODER_STRIDES)} encoder and 5 decoder rows, as in network/table.py."
        if len(self.encoder) != len(ENCODER_STRIDES) or len(self.decoder) != 5:
            raise WeightsError(
                f"{self.name} has {len(self.encoder)} encoder and {len(self.decoder)} decoder rows", remedy
            )
        if min(*self.encoder, *self.decoder) < 1:
            raise WeightsError(f"{self.name} has a layer without channels", remedy)
        if max(*self.encoder, *self.decoder) > MOST_CHANNELS:
            raise WeightsError(f"{self.name} has a layer of more than {MOST_CHANNELS} channels", remedy)
        for decoder, encoder in self.skips:
            if not (1 <= decoder <= 5 and 0 <= encoder <= 13):
                raise WeightsError(f"{self.name} has a skip from {encoder} to {decoder}, which are not layers", remedy)
            if self.decoder[decoder - 1] != self.encoder[encoder]:
                cause = (
                    f"{self.name}: the skip adds conv{encoder} ({self.encoder[encoder]} channels)"
                    f" to decode_conv{decoder} ({self.decoder[decoder - 1]} channels)"
                )
                raise WeightsError(cause, "Both ends of a skip need the same number of channels.")


PRUNED = Network(
    "fastdepth-pruned",
    encoder=(16, 56, 88, 120, 144, 256, 408, 376, 272, 288, 296, 328, 480, 512),
    decoder=(200, 256, 120, 56, 16),
)
"""The authors' network after NetAdapt: 1.34 M weights, 0.37 GMAC."""

FULL = Network(
    "fastdepth-full",
    encoder=(32, 64, 128, 128, 256, 256, 512, 512, 512, 512, 512, 512, 1024, 1024),
    decoder=(512, 256, 128, 64, 32),
)
"""MobileNet-NNConv5 before pruning: 3.93 M weights, 0.74 GMAC."""

NETWORKS = {network.name: network for network in (PRUNED, FULL)}


def check_weights(network: Network, weights: Mapping[str, npt.NDArray[Any]]) -> None:
    """Hold ``weights`` against the table: every array there, of the right shape, finite, and none besides.

    Raises:
        WeightsError: names the first layer that does not fit.
    """
    expected: dict[str, tuple[int, ...]] = {}
    for conv in network.convolutions:
        expected[f"{conv.name}.weight"] = conv.weight_shape
        expected[f"{conv.name}.bias"] = (conv.outputs,)
    hold(network.name, expected, weights)
