"""Both ends of a network: the picture becomes a map, and a map the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tvm import tirx

from fastdepth_ros.compiler import ir
from fastdepth_ros.compiler.first import PIXEL_SCALE
from fastdepth_ros.compiler.ir import Buffer, Expr
from fastdepth_ros.compiler.layout import Map
from fastdepth_ros.lowering.kernels.base import whole_rows


@dataclass(frozen=True)
class Take:
    """A kernel of (picture, map).

    Attributes:
        target: the map.
        as_bytes: whether the picture is (height, width * channels) of bytes, which are divided by 255; else it is
            (channels, height, width) of float32.
    """

    target: Map
    as_bytes: bool

    def make(self, name: str) -> Any:
        target, lanes = self.target, self.target.lanes

        def body(buffers: tuple[Buffer, ...], vector: Expr, row: Expr) -> None:
            picture, out = buffers
            with ir.serial(target.width) as column:
                start = target.offset(vector, row, column)
                ir.store(out, ir.splat(0.0, lanes), start, lanes)

                def copy(lane: int) -> None:
                    channel = vector * lanes + lane
                    if self.as_bytes:
                        number = picture[row, column * target.channels + channel].astype("float32")
                        ir.put(out, number * tirx.const(PIXEL_SCALE, "float32"), start + lane)
                    else:
                        ir.put(out, picture[channel, row, column], start + lane)

                for lane in range(min(lanes, target.channels)):
                    if target.channels % lanes in (0, target.channels):  # Each vector is as full as the others.
                        copy(lane)
                    else:
                        with ir.when(vector * lanes + lane < target.channels):
                            copy(lane)

        height, width, channels = target.height, target.width, target.channels
        picture: ir.Argument = ("picture", (channels, height, width), "float32")
        if self.as_bytes:
            picture = ("picture", (height, width * channels), "uint8")
        return whole_rows(name, [picture, ("out", (target.size,), "float32")], target, body)


@dataclass(frozen=True)
class Give:
    """A kernel of (map, answer (channels, height, width)), enlarged ``factor`` times by nearest neighbour."""

    source: Map
    channels: int
    factor: int

    def make(self, name: str) -> Any:
        source, factor, lanes = self.source, self.factor, self.source.lanes
        height, width = source.height * factor, source.width * factor

        def body(x: Buffer, out: Buffer) -> None:
            with ir.parallel(self.channels * height) as task, ir.serial(width) as column:
                channel, row = tirx.floordiv(task, height), tirx.floormod(task, height)
                vector, lane = tirx.floordiv(channel, lanes), tirx.floormod(channel, lanes)
                start = source.offset(vector, tirx.floordiv(row, factor), tirx.floordiv(column, factor))
                ir.put(out, x[start + lane], channel, row, column)

        arguments: list[ir.Argument] = [
            ("x", (source.size,), "float32"),
            ("out", (self.channels, height, width), "float32"),
        ]
        return ir.kernel(name, arguments, body)
