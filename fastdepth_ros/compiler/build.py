"""From the network table to a program: a kernel per block, and the main function that calls them in turn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from tvm import relax

from fastdepth_ros.compiler import decoder, encoder, layout, tiling
from fastdepth_ros.compiler.first import PIXEL_SCALE, first
from fastdepth_ros.compiler.layout import Floats, Map
from fastdepth_ros.compiler.targets import Target
from fastdepth_ros.compiler.tile import Tiling
from fastdepth_ros.network import INPUT_CHANNELS, Block, Network

SMALL_MAP = 128
"""Pixels of a map up to which a block is shared by channels, not by rows (see encoder.py)."""


@dataclass(frozen=True)
class Program:
    """What is compiled.

    Attributes:
        main: Relax module: ``main(picture (height, width * 3) uint8) -> depth (height / 2, width / 2) float32``. It
            holds the weights and calls the kernels by name.
        kernels: name -> TensorIR function, in the order in which they are called.
    """

    main: Any
    kernels: dict[str, Any]


class Builder:
    """Collects kernels and the calls of them.

    Args:
        network: the table.
        weights: as checked by ``network.check_weights``.
        target: for its lanes and family.
        table: tile choices by block name; blocks that are not in it get the rule's.
    """

    def __init__(
        self, network: Network, weights: Mapping[str, Floats], target: Target, table: Mapping[str, Tiling]
    ) -> None:
        self.network, self.weights, self.target, self.table = network, weights, target, table
        self.lanes = target.lanes
        self.blocks = relax.BlockBuilder()
        self.kernels: dict[str, Any] = {}

    def build(self, height: int, width: int) -> Program:
        """The program for pictures of that size, multiples of 32."""
        picture = relax.Var("picture", relax.TensorType((height, width * INPUT_CHANNELS), "uint8"))
        with self.blocks.function("main", [picture]):
            with self.blocks.dataflow():
                maps = [self.first(picture, Map(height // 2, width // 2, self.network.encoder[0], 1, self.lanes))]
                for block in self.network.encoder_blocks:
                    maps.append(self.separable(*maps[-1], block))
                deep, *others = self.network.decoder_blocks
                answer = self.separable(*maps[-1], deep)
                before = deep
                for block in others:
                    skip = maps[before.skip] if before.skip is not None else None
                    answer = self.upsampled(*answer, block, skip, is_last=block is others[-1])
                    before = block
                depth = self.blocks.emit_output(answer[0])
            self.blocks.emit_func_output(depth)
        return Program(self.blocks.get(), self.kernels)

    def first(self, picture: Any, target: Map) -> tuple[Any, Map]:
        conv = self.network.first
        choice = tiling.choose(self.table, conv.name, self.target.family, self.lanes, conv.outputs, target.width)
        scaled = self.weights[f"{conv.name}.weight"] * np.float32(PIXEL_SCALE)
        arrays = [layout.pack_first(scaled, self.lanes), self.bias(conv.name)]
        return self.call(first(kernel_name(conv.name), conv, target, choice), [picture], arrays, target), target

    def separable(self, value: Any, source: Map, block: Block) -> tuple[Any, Map]:
        """A block that reads its map as it is: all encoder blocks, and the first of the decoder."""
        stride = block.depthwise.stride
        height, width = source.height // stride, source.width // stride
        target = Map(height, width, block.pointwise.outputs, self.border_behind(block), self.lanes)
        choice = self.choice(block, width)
        name = block.pointwise.name.removesuffix(".pw")
        if height * width > SMALL_MAP:
            kernel = encoder.block_by_rows(kernel_name(name), block, source, target, choice)
            arrays = self.depthwise(block) + self.pointwise(block, choice)
            return self.call(kernel, [value], arrays, target), target
        between = Map(height, width, block.depthwise.outputs, 0, self.lanes)
        kernel = encoder.depthwise_by_channels(kernel_name(f"{name}.dw"), block.depthwise, source, between)
        value = self.call(kernel, [value], self.depthwise(block), between)
        kernel = encoder.pointwise_by_panels(kernel_name(f"{name}.pw"), block.pointwise, between, target, choice)
        return self.call(kernel, [value], self.pointwise(block, choice), target), target

    def upsampled(
        self, value: Any, source: Map, block: Block, skip: tuple[Any, Map] | None, is_last: bool
    ) -> tuple[Any, Map]:
        """A decoder block that reads an upsampled map; the last one gives the depth map."""
        height, width = source.height * 2, source.width * 2
        target = Map(height, width, block.pointwise.outputs, 0, self.lanes)
        choice = self.choice(block, width)
        name = kernel_name(block.pointwise.name.removesuffix(".pw"))
        last = self.network.last if is_last else None
        kernel = decoder.upsampled_block(name, block, source, skip[1] if skip else None, target, choice, last)
        arrays = self.depthwise(block) + self.pointwise(block, choice)
        if last:
            weight = self.weights[f"{last.name}.weight"].ravel()
            arrays += [layout.pack_vector(weight, self.lanes), self.weights[f"{last.name}.bias"]]
        values = [value, skip[0]] if skip else [value]
        return self.call(kernel, values, arrays, (height, width) if is_last else target), target

    def border_behind(self, block: Block) -> int:
        """The border that a block's answer needs: the next one's, where that reads the map as it is."""
        if block.upsample:
            return 0
        following = [*self.network.encoder_blocks, self.network.decoder_blocks[0]]
        return following[following.index(block) + 1].depthwise.kernel // 2

    def choice(self, block: Block, width: int) -> Tiling:
        name, channels = block.pointwise.name.removesuffix(".pw"), block.depthwise.outputs
        return tiling.choose(self.table, name, self.target.family, self.lanes, channels, width)

    def bias(self, name: str) -> Floats:
        return layout.pack_vector(self.weights[f"{name}.bias"], self.lanes)

    def depthwise(self, block: Block) -> list[Floats]:
        name = block.depthwise.name
        return [layout.pack_depthwise(self.weights[f"{name}.weight"], self.lanes), self.bias(name)]

    def pointwise(self, block: Block, choice: Tiling) -> list[Floats]:
        name = block.pointwise.name
        return [layout.pack_pointwise(self.weights[f"{name}.weight"], self.lanes, choice.panel), self.bias(name)]

    def call(self, kernel: Any, values: list[Any], arrays: list[Floats], answer: Map | tuple[int, ...]) -> Any:
        """Emit the call of a kernel on values and constants; ``answer`` says what it gives."""
        name = str(kernel.attrs["global_symbol"])
        self.kernels[name] = kernel
        constants = [relax.const(np.ascontiguousarray(array, np.float32)) for array in arrays]
        shape = (answer.size,) if isinstance(answer, Map) else answer
        call = relax.call_dps_packed(name, [*values, *constants], relax.TensorType(shape, "float32"))
        return self.blocks.emit(call)


def kernel_name(layer: str) -> str:
    """A layer's name as a C identifier."""
    return layer.replace(".", "_")
