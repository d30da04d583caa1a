"""From the network table to a list of stages: which kernel reads what, with which weights, and writes what."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from fastdepth_ros.compiler import layout
from fastdepth_ros.compiler.ahead import NEAR_BYTES
from fastdepth_ros.compiler.byte_spatial import spatial_of
from fastdepth_ros.compiler.first import PIXEL_SCALE
from fastdepth_ros.compiler.layout import Floats, Map
from fastdepth_ros.compiler.means import COLOURS, Means, input_means, sum_read_after
from fastdepth_ros.compiler.pointwise import FLOAT32, Precision
from fastdepth_ros.compiler.separable import block_by_rows, depthwise_by_channels, pointwise_by_panels
from fastdepth_ros.compiler.sources import Plain, Upsampled
from fastdepth_ros.compiler.spatial import FLOAT32 as FLOAT32_SPATIAL
from fastdepth_ros.compiler.spatial import Spatial
from fastdepth_ros.compiler.tile import Tiling
from fastdepth_ros.network import Block, Convolution, Network, Step

PICTURE = "picture"

FIRST_BLOCKS = 2
"""Blocks of the encoder whose pointwise convolutions are computed in float32, but by a precision that is ``whole``.

What they are off by goes through all the others (docs/int8.md).
"""

SMALL_MAP = 128
"""Pixels of a map up to which a block is shared by channels, not by rows (see separable.py)."""


@dataclass(frozen=True)
class Turn:
    """A depthwise-separable block, and how it stands in the network; the same on every processor.

    Attributes:
        name, before: of the step, and of that before it.
        block: its convolutions.
        doubled: whether it reads the answer of the step before doubled in size.
        skip: name of the step whose answer is added to what it reads; None where nothing is.
        border: that those who read its answer need around it.
        is_last: whether the last convolution is computed with it.
    """

    name: str
    before: str
    block: Block
    doubled: bool
    skip: str | None
    border: int
    is_last: bool


def turns(network: Network) -> list[Turn]:
    """The blocks of a network in the order in which they are computed."""
    *steps, _ = network.steps()
    return [
        Turn(
            step.name,
            before.name,
            Block(*pair(step)),
            before.doubled,
            before.skip,
            border_of(network, step.name),
            step is steps[-1],
        )
        for before, step in pairwise(steps)
    ]


def pair(step: Step) -> tuple[Convolution, Convolution]:
    """The depthwise and the pointwise convolution of a block."""
    depthwise, pointwise = step.convolutions
    return depthwise, pointwise


def border_of(network: Network, name: str) -> int:
    """The border that a step's answer needs: the widest of those who read it. Who reads it doubled needs half."""
    widest = 0
    for before, reader in pairwise(network.steps()):
        reach = reader.convolutions[0].kernel // 2
        if before.name == name:
            widest = max(widest, reach // 2 if before.doubled else reach)
        if before.skip == name:
            widest = max(widest, reach)
    return widest


@dataclass(frozen=True)
class Stage:
    """One kernel and its place in the network.

    Attributes:
        name: a C identifier, by which tile choices are kept.
        reads: stages whose answers it reads, or PICTURE.
        answer: the map that it writes, or the shape of the depth map.
        channels: of what lies between its two convolutions, or of its answer where it has one.
        kernel: makes it for a choice of tiles.
        arrays: its weights, packed for a choice of tiles.
        by_rows: whether it is shared by rows, so that ``Tiling.rows`` means something.
    """

    name: str
    reads: tuple[str, ...]
    answer: Map | tuple[int, int]
    channels: int
    kernel: Callable[[Tiling], Any]
    arrays: Callable[[Tiling], list[Any]]
    by_rows: bool = True

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the answer's memory."""
        return (self.answer.size,) if isinstance(self.answer, Map) else self.answer

    @property
    def dtype(self) -> str:
        """Type of the answer's numbers."""
        return self.answer.dtype if isinstance(self.answer, Map) else layout.FLOAT32

    @property
    def rows_and_columns(self) -> tuple[int, int]:
        """Size of the answer."""
        return (self.answer.height, self.answer.width) if isinstance(self.answer, Map) else self.answer


class Planner:
    """Makes the stages of a network.

    Args:
        network, weights: as checked by ``network.check_weights``.
        lanes: float32 numbers in a vector.
        precision: of the pointwise convolutions.
    """

    def __init__(
        self, network: Network, weights: Mapping[str, Floats], lanes: int, precision: Precision = FLOAT32
    ) -> None:
        self.network, self.weights, self.lanes, self.precision = network, weights, lanes, precision

    def plan(self, height: int, width: int) -> list[Stage]:
        """The stages for pictures of that size, multiples of 32, in the order in which they run."""
        stages = [self.first(height // 2, width // 2)]
        answers = {self.network.first.name: stages[0]}
        for turn in turns(self.network):
            if turn.doubled:
                skip = answers[turn.skip] if turn.skip else None
                stages.append(self.upsampled(stages[-1], turn, skip))
            else:
                stages += self.separable(stages[-1], turn.block, turn.border)
            answers[turn.name] = stages[-1]
        return stages

    def first(self, height: int, width: int) -> Stage:
        conv = self.network.first
        target = self.map(height, width, conv.outputs, border_of(self.network, conv.name))
        name = kernel_name(conv.name)

        way = self.precision.first()

        def arrays(_tiling: Tiling) -> list[Any]:
            scaled = self.weights[f"{conv.name}.weight"] * np.float32(PIXEL_SCALE)
            bias = self.weights[f"{conv.name}.bias"]
            if way.lost is not None:
                bias = (bias + way.lost(scaled) @ self.means[COLOURS]).astype(np.float32)
            return way.pack(scaled, bias, self.lanes)

        return Stage(name, (PICTURE,), target, conv.outputs, lambda t: way.kernel(name, conv, target, t), arrays)

    def map(self, height: int, width: int, channels: int, border: int) -> Map:
        """The answer of a stage: of float16 where all is in bytes, and memory is what takes the time of a large map."""
        whole = Map(height, width, channels, border, self.lanes)
        is_half = self.precision.doubled and whole.nbytes > NEAR_BYTES
        return replace(whole, dtype=layout.FLOAT16) if is_half else whole

    def separable(self, before: Stage, block: Block, border: int) -> list[Stage]:
        """A block that reads its map as it is: all encoder blocks, and the first of the decoder."""
        source = map_of(before)
        height, width = source.height // block.depthwise.stride, source.width // block.depthwise.stride
        target = self.map(height, width, block.pointwise.outputs, border)
        if height * width > SMALL_MAP:
            return [self.by_rows(block, Plain(source), target, (before.name,))]
        between = Map(height, width, block.depthwise.outputs, 0, self.lanes)
        dw, pw = kernel_name(block.depthwise.name), kernel_name(block.pointwise.name)
        channels = block.depthwise.outputs
        return [
            Stage(
                dw,
                (before.name,),
                between,
                channels,
                lambda _: depthwise_by_channels(dw, block.depthwise, source, between),
                lambda _: self.depthwise(block),
                by_rows=False,
            ),
            Stage(
                pw,
                (dw,),
                target,
                channels,
                lambda t: pointwise_by_panels(pw, block.pointwise, between, target, t, self.precision_of(block)),
                lambda t: self.pointwise(block, t),
                by_rows=False,
            ),
        ]

    def upsampled(self, before: Stage, turn: Turn, skip: Stage | None) -> Stage:
        """A decoder block that reads an upsampled map; the last one gives the depth map."""
        source, block = map_of(before), turn.block
        target = self.map(source.height * 2, source.width * 2, block.pointwise.outputs, turn.border)
        reads = (before.name, skip.name) if skip else (before.name,)
        return self.by_rows(block, Upsampled(source, map_of(skip) if skip else None), target, reads, turn)

    def by_rows(
        self,
        block: Block,
        source: Plain | Upsampled,
        target: Map,
        reads: tuple[str, ...],
        turn: Turn | None = None,
    ) -> Stage:
        """A block as one kernel; ``turn`` is that of a decoder block."""
        name = kernel_name(block.pointwise.name.removesuffix(".pw"))
        last = self.network.last if turn and turn.is_last else None
        spatial = spatial_of(self.precision_of(block), block.depthwise, source)

        def arrays(tiling: Tiling) -> list[Any]:
            found = self.depthwise(block, spatial, turn) + self.pointwise(block, tiling)
            if last:
                weight = self.weights[f"{last.name}.weight"].ravel()
                found += [layout.pack_vector(weight, self.lanes), self.weights[f"{last.name}.bias"]]
            return found

        return Stage(
            name,
            reads,
            (target.height, target.width) if last else target,
            block.depthwise.outputs,
            lambda t: block_by_rows(name, block, source, target, t, last, self.precision_of(block)),
            arrays,
        )

    def depthwise(self, block: Block, spatial: Spatial = FLOAT32_SPATIAL, turn: Turn | None = None) -> list[Any]:
        name = block.depthwise.name
        weight, bias = self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]
        if turn and (lost := spatial.lost(weight)) is not None:
            bias = (bias + lost * self.means[sum_read_after(turn.before)]).astype(np.float32)
        return spatial.pack(weight, bias, self.lanes)

    def pointwise(self, block: Block, tiling: Tiling) -> list[Any]:
        name = block.pointwise.name
        weight, bias = self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]
        precision = self.precision_of(block)
        if (lost := precision.lost(weight, self.lanes)) is not None:
            bias = (bias + lost @ self.means[block.depthwise.name]).astype(np.float32)
        return precision.pack(weight, bias, self.lanes, tiling.panel)

    @cached_property
    def means(self) -> Means:
        """Mean inputs of the pointwise convolutions, of the first, and of the blocks that read a sum."""
        return input_means(self.network, self.weights)

    def precision_of(self, block: Block) -> Precision:
        """Precision of a block's pointwise convolution."""
        apart = () if self.precision.whole else self.network.encoder_blocks[:FIRST_BLOCKS]
        return FLOAT32 if block in apart else self.precision


def map_of(stage: Stage) -> Map:
    """The map that a stage writes."""
    assert isinstance(stage.answer, Map), f"{stage.name} gives depths, which no stage reads"
    return stage.answer


def kernel_name(layer: str) -> str:
    """A layer's name as a C identifier."""
    return layer.replace(".", "_")
