"""The depthwise convolution of a block that is shared by rows, in float32; ``byte_spatial`` has it in bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from fastdepth_ros.compiler import ahead, ir, layout
from fastdepth_ros.compiler.ir import Buffer, Expr
from fastdepth_ros.compiler.layout import Floats
from fastdepth_ros.compiler.sources import Source
from fastdepth_ros.compiler.tile import PackedLayer, depthwise
from fastdepth_ros.network import Convolution

Put = Callable[[Expr, Expr, Expr], None]
"""Takes a vector of the answer: (row of the part, column, value after the activation)."""

Rows = Callable[[Expr, Expr, int, Put], None]
"""Computes one part of a task's rows, by its number, of one vector of channels and so many of its lanes."""


@dataclass(frozen=True)
class Work:
    """A task of a kernel, as its depthwise convolution needs to know it.

    Attributes:
        conv: the convolution.
        source, inputs: the map that it reads, and the buffers that hold it.
        weights: the buffers of :meth:`Spatial.arguments`.
        lanes, last: numbers in a vector, and those of the last vector of channels that are computed.
        task, rows: the task's number, and rows of the answer that each computes.
        width: columns of the answer.
        strip: columns at a time.
    """

    conv: Convolution
    source: Source
    inputs: list[Buffer]
    weights: list[Buffer]
    lanes: int
    last: int
    task: Expr
    rows: int
    width: int
    strip: int


class Spatial(Protocol):
    """Arithmetic of such a depthwise convolution."""

    step: int
    """Rows of a task are a multiple of this."""

    def part(self, rows: int) -> int:
        """Rows of a task that are computed before they are used up, of so many."""

    def arguments(self, conv: Convolution, lanes: int) -> list[ir.Argument]:
        """The arguments of a kernel that hold the weights."""

    def pack(self, weight: Floats, bias: Floats, lanes: int) -> list[Any]:
        """The arrays for them."""

    def lost(self, weight: Floats) -> npt.NDArray[np.float64] | None:
        """(channels,) that rounding takes from the sum of a channel's weights; None for nothing."""

    def begin(self, work: Work) -> Rows:
        """Write what is done once in a task."""


class Float32Spatial:
    """All in float32."""

    step = 1

    def part(self, rows: int) -> int:
        return rows

    def arguments(self, conv: Convolution, lanes: int) -> list[ir.Argument]:
        return depthwise_arguments(conv, lanes)

    def pack(self, weight: Floats, bias: Floats, lanes: int) -> list[Any]:
        return [layout.pack_depthwise(weight, lanes), layout.pack_vector(bias, lanes)]

    def lost(self, _weight: Floats) -> None:
        return None

    def begin(self, work: Work) -> Rows:
        weight, bias = work.weights
        layer, source, first_row = PackedLayer(work.conv, weight, bias, work.lanes), work.source, work.task * work.rows
        is_far = ahead.is_far(source, work.conv)

        def rows(_part: Expr, vector: Expr, own: int, put: Put) -> None:
            with ir.serial(work.rows) as r:

                def convolve(column: Expr, length: int) -> None:
                    if is_far:
                        ahead.ask(source, work.inputs, work.conv, work.rows, work.task, vector, r, column, length)

                    def place(pixel: int, value: Expr) -> None:
                        put(r, column + pixel, value)

                    depthwise(layer, source, work.inputs, vector, first_row + r, column, length, place, own)

                ir.along(work.width, work.strip, convolve)

        return rows


def depthwise_arguments(conv: Convolution, lanes: int) -> list[ir.Argument]:
    """The weights and biases of a depthwise convolution, packed."""
    channels = layout.vectors(conv.outputs, lanes) * lanes
    return [("depthwise_weight", (channels * conv.kernel**2,), "float32"), ("depthwise_bias", (channels,), "float32")]


FLOAT32: Spatial = Float32Spatial()
