"""The 5x5 depthwise convolution of a map that was doubled, in bytes, with VNNI.

A block of 2x2 pixels of a channel is a word of four bytes, so a vector of words holds a block of as many channels. Any
5x5 pixels lie in 3x3 such blocks, and each block of the answer reads the same nine: nine products of words (vpdpbusd)
are a pixel of the answer, where float32 takes 25 multiply-adds. The four pixels of an answer's block have weights of
their own, zero for what lies in a block and beside the 5x5 pixels. A block is one pixel of the small map, plus four of
the skip, so the doubled map is made where it becomes bytes.

Inputs are sums of answers of ReLUs, so they are unsigned. Each channel has a scale of its own for all that a task
reads: that of its largest input, found when the task runs. Weights are signed bytes with a scale for each channel. Sums
are exact; scales, bias and activation are float32.

All that a task reads becomes words first. Then the answer is computed and used up row of blocks by row of blocks, so
that a task may have many rows, of which few are read twice, while what is between the two convolutions stays near.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from tvm import tirx
from tvm.tirx.script import builder as T  # noqa: N812 - TVM's own documentation calls it T

from fastdepth_ros.compiler import ahead, ir, layout
from fastdepth_ros.compiler.ir import Expr
from fastdepth_ros.compiler.layout import LARGEST_BYTE, LARGEST_WEIGHT, SMALLEST_RANGE, Floats
from fastdepth_ros.compiler.pointwise import Precision
from fastdepth_ros.compiler.sources import Source, Upsampled, prefetch
from fastdepth_ros.compiler.spatial import FLOAT32, Put, Rows, Spatial, Work
from fastdepth_ros.network import Convolution

KERNEL, SIDE, REACH = 5, 2, 3
"""Pixels of the kernel, of a block, and blocks that an answer's block reads, in each direction."""

WORDS = SIDE * REACH * REACH * SIDE
"""Words of weights of a channel: by row in the answer's block, row and column of the block that is read, and column."""

ROUND = 2.0**23
"""Added to a smaller number, leaves it rounded in the lowest bits of the sum."""

ROUND_BITS = 0x4B000000
"""Bits of ROUND as float32."""


def spatial_of(precision: Precision, conv: Convolution, source: Source) -> Spatial:
    """Arithmetic of a block's depthwise convolution of ``source``."""
    is_sum = isinstance(source, Upsampled) and source.skip is not None
    return BYTES if precision.doubled and is_sum and (conv.kernel, conv.stride) == (KERNEL, 1) else FLOAT32


def quantised(weight: Floats) -> tuple[npt.NDArray[np.int64], Floats]:
    """(channels, 1, 5, 5) as signed bytes (channels, 5, 5), and what one step of them is worth in each channel."""
    scale: Floats = np.abs(weight).max(axis=(1, 2, 3)) / np.float32(LARGEST_WEIGHT)
    scale[scale == 0] = 1
    return np.rint(weight[:, 0] / scale[:, None, None]).astype(np.int64), scale


class ByteSpatial:
    """In bytes; ``work.source`` is an :class:`Upsampled` map with a skip."""

    step = SIDE

    def part(self, _rows: int) -> int:
        return SIDE

    def arguments(self, conv: Convolution, lanes: int) -> list[ir.Argument]:
        channels = layout.vectors(conv.outputs, lanes) * lanes
        return [
            ("depthwise_weight", (channels * WORDS,), "int32"),
            ("depthwise_scale", (channels,), "float32"),
            ("depthwise_bias", (channels,), "float32"),
        ]

    def pack(self, weight: Floats, bias: Floats, lanes: int) -> list[Any]:
        steps, scale = quantised(weight)
        shape = SIDE, REACH, REACH, SIDE, SIDE, SIDE
        taps = np.zeros((*shape, layout.vectors(len(steps), lanes) * lanes), np.int8)
        for at in np.ndindex(*shape):
            own_row, block_row, block_column, own_column, row, column = at
            tap_row, tap_column = SIDE * block_row + row - own_row, SIDE * block_column + column - own_column
            if 0 <= tap_row < KERNEL and 0 <= tap_column < KERNEL:
                taps[at][: len(steps)] = steps[:, tap_row, tap_column]
        words = np.ascontiguousarray(taps.reshape(WORDS, SIDE * SIDE, -1).transpose(2, 0, 1)).view(np.int32)
        packed = words.reshape(-1, lanes, WORDS).transpose(0, 2, 1)
        return [np.ascontiguousarray(packed).ravel(), layout.pack_vector(scale, lanes), layout.pack_vector(bias, lanes)]

    def lost(self, weight: Floats) -> npt.NDArray[np.float64]:
        steps, scale = quantised(weight)
        rounded = steps.sum(axis=(1, 2)) * scale.astype(np.float64)
        difference: npt.NDArray[np.float64] = weight.sum(axis=(1, 2, 3), dtype=np.float64) - rounded
        return difference

    def begin(self, work: Work) -> Rows:
        task = _Task(work)
        task.begin()
        return task.rows


class _Task:
    """A task of a kernel, while it is written."""

    def __init__(self, work: Work) -> None:
        assert isinstance(work.source, Upsampled)
        assert work.source.skip is not None
        self.work, self.lanes, self.source, self.skip = work, work.lanes, work.source, work.source.skip
        self.block_rows, self.blocks = work.rows // SIDE, work.width // SIDE
        self.is_far = ahead.is_far(work.source, work.conv)
        self.row_of_words = (self.blocks + REACH - 1) * work.lanes
        self.plane = (self.block_rows + REACH - 1) * self.row_of_words
        self.words = ir.scratch(self.source.vectors * self.plane, "int32")
        self.worth = ir.scratch(self.source.vectors * self.lanes)
        """Worth of a step of each channel's sums."""

    def begin(self) -> None:
        ir.vectors(self.source.vectors, self.work.last, self.lanes, self.read)

    def read(self, vector: Expr, own: int) -> None:
        """All that the task reads of a vector, of which ``own`` lanes count: its scale, and words."""
        lanes, (_, scale, _) = self.lanes, self.work.weights
        top = self.largest(vector, own)
        step, factor = ir.registers(own), ir.registers(own)
        ir.store(step, top / ir.splat(float(LARGEST_BYTE), own), 0, own)
        ir.store(factor, ir.splat(1.0, own) / ir.load(step, 0, own), 0, own)
        worth = ir.load(scale, vector * lanes, own) * ir.load(step, 0, own)
        ir.store(self.worth, worth, vector * lanes, own)
        self.make_words(vector, ir.load(factor, 0, own), own)

    def rows(self, part: Expr, vector: Expr, own: int, put: Put) -> None:
        lanes, (_, _, bias) = self.lanes, self.work.weights
        at_once = ir.even_step(self.blocks, max(1, self.work.strip // SIDE))
        for own_row in range(SIDE):

            def convolve(column: Expr, length: int, own_row: int = own_row) -> None:
                sums = self.sums(vector, own, own_row, part, column, length)
                for at in range(SIDE * length):
                    total = ir.load(sums, at * own, own).astype(f"float32x{own}")
                    value = total * ir.load(self.worth, vector * lanes, own) + ir.load(bias, vector * lanes, own)
                    value = ir.activate(value, self.work.conv.activation, own)
                    put(own_row, column * SIDE + at, ir.filled(value, own, lanes))

            ir.along(self.blocks, at_once, convolve)

    def largest(self, vector: Expr, own: int) -> Expr:
        """The largest input of each channel of a vector.

        Bits of numbers from zero on are ordered as the numbers are. So pixels of the skip are compared as integers, two
        neighbours at once and before they become float32, by instructions that every unit of the processor has.
        """
        several = next(n for n in (4, 2, 1) if self.blocks % n == 0)
        top = ir.registers(several * own, "int32")
        smallest = tirx.Broadcast(tirx.const(int(np.float32(SMALLEST_RANGE).view(np.int32)), "int32"), own)
        for n in range(several):
            ir.store(top, smallest, n * own, own)
        with ir.serial(self.block_rows + REACH - 1) as row, ir.serial(self.blocks // several) as turn:
            if self.is_far:
                self.ask(vector, row + 1, turn * several, several)
            for n in range(several):
                most = T.reinterpret(f"int32x{own}", self.largest_of_block(vector, row, turn * several + n, own))
                ir.store(top, tirx.max(ir.load(top, n * own, own), most), n * own, own)
        each = [ir.load(top, n * own, own) for n in range(several)]
        while len(each) > 1:
            each = [tirx.max(one, other) for one, other in zip(each[::2], each[1::2], strict=True)]
        return T.reinterpret(f"float32x{own}", each[0])

    def largest_of_block(self, vector: Expr, row: Expr, column: Expr, own: int) -> Expr:
        """The largest of the four sums of a block; its place is that of :meth:`places`."""
        lanes, both, kind = self.lanes, SIDE * self.lanes, self.skip.dtype
        small, places = self.places(vector, row, column)
        bits = kind.replace("float", "int")
        pairs = [T.reinterpret(f"{bits}x{both}", ir.load(self.work.inputs[1], at, both)) for at in places[::SIDE]]
        held = ir.registers(both, bits)
        ir.store(held, tirx.max(*pairs), 0, both)
        most = tirx.max(ir.load(held, 0, own), ir.load(held, lanes, own))
        return T.reinterpret(f"{kind}x{own}", most).astype(f"float32x{own}") + ir.get(self.work.inputs[0], small, own)

    def places(self, vector: Expr, row: Expr, column: Expr) -> tuple[Expr, list[Expr]]:
        """Place of a pixel of the small map, and of the four of the skip that it is added to.

        ``row`` is 0 above the task's own.
        """
        row = self.work.task * self.block_rows + row - 1
        places = [self.skip.offset(vector, row * SIDE + r, column * SIDE + c) for r in (0, 1) for c in (0, 1)]
        return self.source.layout.offset(vector, row, column), places

    def ask(self, vector: Expr, row: Expr, column: Expr, blocks: int) -> None:
        """Ask for so many blocks, a row before their turn; ``row`` is that of :meth:`places`."""
        first, column = (self.work.task * self.block_rows + row - 1) * SIDE, column * SIDE
        self.source.prefetch(self.work.inputs, vector, first, column, blocks * SIDE)
        prefetch(self.work.inputs[1], self.skip, vector, first + 1, column, blocks * SIDE)

    def make_words(self, vector: Expr, factor: Expr, own: int) -> None:
        """All that the task reads of a vector, as words."""
        (of_small, of_skip), kind = self.work.inputs, f"int32x{own}"
        with ir.serial(self.block_rows + REACH - 1) as row, ir.serial(self.blocks + REACH - 1) as column:
            at, places = self.places(vector, row, column - 1)
            small = ir.get(of_small, at, own)
            sums = [ir.get(of_skip, place, own) + small for place in places]
            rounded = [T.reinterpret(kind, each * factor + ir.splat(ROUND, own)) for each in sums]
            word = rounded[0] ^ tirx.Broadcast(tirx.const(ROUND_BITS, "int32"), own)
            for n, each in enumerate(rounded[1:], start=1):
                word = word | (each << tirx.Broadcast(tirx.const(8 * n, "int32"), own))
            place = vector * self.plane + row * self.row_of_words + column * self.lanes
            ir.store(self.words, word, place, own)

    def sums(self, vector: Expr, own: int, own_row: int, block_row: Expr, column: Expr, length: int) -> Any:
        """The sums of a row of so many blocks, as [column][own lane]."""
        lanes, (weight, _, _) = self.lanes, self.work.weights
        sums = ir.registers(SIDE * length * own, "int32")
        for at in range(SIDE * length):
            ir.store(sums, tirx.Broadcast(tirx.const(0, "int32"), own), at * own, own)
        for row in range(REACH):
            start = vector * self.plane + (block_row + row) * self.row_of_words + column * lanes
            words = [ir.load(self.words, start + n * lanes, own) for n in range(length + REACH - 1)]
            for reach in range(REACH):
                for own_column in range(SIDE):
                    number = ((own_row * REACH + row) * REACH + reach) * SIDE + own_column
                    taps = ir.load(weight, (vector * WORDS + number) * lanes, own)
                    for block in range(length):
                        at = (SIDE * block + own_column) * own
                        total = ir.dot_bytes(ir.load(sums, at, own), words[block + reach], taps, own)
                        ir.store(sums, total, at, own)
        return sums


BYTES: Spatial = ByteSpatial()
