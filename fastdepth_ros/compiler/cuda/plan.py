"""From the network table to the launches of a GPU: which kernel reads what, with which weights, and writes what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

import numpy as np

from fastdepth_ros.compiler.cuda import layout, separable, tiles
from fastdepth_ros.compiler.cuda.first import first, outputs_at_once
from fastdepth_ros.compiler.cuda.gpus import Gpu
from fastdepth_ros.compiler.cuda.grid import Kernel
from fastdepth_ros.compiler.cuda.layout import Flat, Floats, Map
from fastdepth_ros.compiler.cuda.sources import Plain, Source, Upsampled
from fastdepth_ros.compiler.cuda.tile import Tile
from fastdepth_ros.compiler.first import PIXEL_SCALE
from fastdepth_ros.compiler.plan import PICTURE, border_of, kernel_name, turns
from fastdepth_ros.network import Block, Network

SMALL_MAP = 400
"""Pixels of a map up to which a block is two kernels: one block of threads per 64 pixels would leave a GPU idle."""

BLOCKS_EACH = 4
"""Blocks of threads that every streaming multiprocessor should get."""


@dataclass(frozen=True)
class Launch:
    """One kernel and its place in the network.

    Attributes:
        name: of the kernel.
        kernel: what is launched.
        reads: names of the launches whose answers it reads, or PICTURE; they are its first arguments.
        answer: the map that it writes, or the shape of the depth map; its last argument.
        arrays: its weights, packed; the arguments between.
        macs: multiply-adds of the layers in it.
    """

    name: str
    kernel: Kernel
    reads: tuple[str, ...]
    answer: Map | Flat | tuple[int, int]
    arrays: tuple[Floats, ...]
    macs: int

    @property
    def size(self) -> int:
        """Numbers in its answer's memory."""
        return self.answer[0] * self.answer[1] if isinstance(self.answer, tuple) else self.answer.size


class CudaPlanner:
    """Makes the launches of a network.

    Args:
        network, weights: as checked by ``network.check_weights``.
        gpu: whose number of streaming multiprocessors the tiles suit.
    """

    def __init__(self, network: Network, weights: Mapping[str, Floats], gpu: Gpu) -> None:
        self.network, self.weights, self.gpu = network, weights, gpu

    def plan(self, height: int, width: int) -> list[Launch]:
        """The launches for pictures of that size, multiples of 32, in order."""
        launches = [self.first(height // 2, width // 2)]
        answers = {self.network.first.name: launches[0]}
        for turn in turns(self.network):
            before, skip = launches[-1], answers[turn.skip] if turn.skip else None
            reads = (before, skip) if skip else (before,)
            whole, added = map_of(before), map_of(skip) if skip else None
            source = Upsampled(whole, added) if turn.doubled else Plain(whole)
            launches += self.block(turn.block, source, reads, turn.border, turn.is_last)
            answers[turn.name] = launches[-1]
        return launches

    def first(self, height: int, width: int) -> Launch:
        conv = self.network.first
        target, outputs = Map(height, width, conv.outputs, border_of(self.network, conv.name)), outputs_at_once(conv)
        scaled = self.weights[f"{conv.name}.weight"] * np.float32(PIXEL_SCALE)
        arrays = layout.pack_first(scaled, outputs), layout.pack_vector(self.weights[f"{conv.name}.bias"], outputs)
        name, macs = kernel_name(conv.name), conv.macs(height * conv.stride, width * conv.stride)
        return Launch(name, first(name, conv, target), (PICTURE,), target, arrays, macs)

    def block(
        self, block: Block, source: Source, reads: tuple[Launch, ...], border: int, is_last: bool = False
    ) -> list[Launch]:
        """A depthwise-separable block; the last one of the network gives the depth map."""
        _, in_height, in_width = source.size
        height, width = in_height // block.depthwise.stride, in_width // block.depthwise.stride
        target = Map(height, width, block.pointwise.outputs, border)
        names = tuple(launch.name for launch in reads)
        macs = block.depthwise.macs(in_height, in_width), block.pointwise.macs(height, width)
        if not is_last and height * width <= SMALL_MAP:
            dw, pw = kernel_name(block.depthwise.name), kernel_name(block.pointwise.name)
            between = Flat(height, width, block.depthwise.outputs)
            spatial, mixing = tiles.depthwise(between, block.depthwise), self.pointwise_tile(target)
            first_half = separable.depthwise(dw, block.depthwise, source, between, spatial)
            second_half = separable.pointwise(pw, block.pointwise, between, target, mixing)
            return [
                Launch(dw, first_half, names, between, self.depthwise(block, spatial), macs[0]),
                Launch(pw, second_half, (dw,), target, self.pointwise(block, mixing), macs[1]),
            ]
        tile = tiles.fused(target, block.depthwise)
        name = kernel_name(block.pointwise.name.removesuffix(".pw"))
        arrays = self.depthwise(block, tile) + self.pointwise(block, tile)
        last = self.network.last if is_last else None
        if last:
            weight, bias = (self.weights[f"{last.name}.{word}"] for word in ("weight", "bias"))
            arrays += layout.pack_vector(weight.ravel(), tile.outputs), bias
        kernel = separable.fused(name, block, source, target, tile, last)
        total = sum(macs) + (last.macs(height, width) if last else 0)
        return [Launch(name, kernel, names, (height, width) if last else target, arrays, total)]

    def pointwise_tile(self, target: Map) -> Tile:
        """Even parts of the pixels, by as many outputs as leave every multiprocessor enough blocks."""
        pixels = target.height * target.width
        columns = tiles.even_part(pixels, tiles.POINTWISE_PIXELS)
        parts, enough = ceil(pixels / columns), BLOCKS_EACH * self.gpu.processors
        sizes = (size for size in tiles.POINTWISE_OUTPUTS if parts * ceil(target.channels / size) >= enough)
        return Tile(1, columns, next(sizes, tiles.POINTWISE_OUTPUTS[-1]), tiles.POINTWISE_CHUNK)

    def depthwise(self, block: Block, tile: Tile) -> tuple[Floats, ...]:
        weight, bias = (self.weights[f"{block.depthwise.name}.{word}"] for word in ("weight", "bias"))
        return layout.pack_depthwise(weight, tile.chunk), layout.pack_vector(bias, tile.chunk)

    def pointwise(self, block: Block, tile: Tile) -> tuple[Floats, ...]:
        weight, bias = (self.weights[f"{block.pointwise.name}.{word}"] for word in ("weight", "bias"))
        return layout.pack_pointwise(weight, tile.chunk, tile.outputs), layout.pack_vector(bias, tile.outputs)


def map_of(launch: Launch) -> Map:
    """The map that a launch writes."""
    assert isinstance(launch.answer, Map), f"{launch.name} gives no map that a block reads"
    return launch.answer
