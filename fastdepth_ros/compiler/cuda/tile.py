"""Work of a block of threads: copy what it needs, convolve it channel by channel, multiply, write.

A block owns a tile of output pixels and a tile of output channels. It goes through the input channels in chunks:

1. ``stage``: the chunk's input pixels go from memory to the shared ``window``, each once, with their halo;
2. ``depthwise``: every thread convolves strips of four pixels and writes them to the shared ``matrix``;
3. ``multiply``: every thread adds the chunk's products to its 4 pixels x 8 channels of sums, which stay in registers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tvm import tirx

from fastdepth_ros.compiler import ir
from fastdepth_ros.compiler.cuda import grid
from fastdepth_ros.compiler.cuda.grid import VECTOR, round_up
from fastdepth_ros.compiler.cuda.layout import taps
from fastdepth_ros.compiler.cuda.sources import Source
from fastdepth_ros.compiler.ir import Buffer, Expr
from fastdepth_ros.network import Activation, Convolution

PIXELS = VECTOR
"""Neighbouring pixels of a thread."""

OUTPUTS = 2 * VECTOR
"""Neighbouring output channels of a thread: 12 numbers are loaded for 32 multiply-adds."""


@dataclass(frozen=True)
class Tile:
    """Part of a map that one block of threads computes.

    Attributes:
        rows, columns: of the output pixels; columns are a multiple of VECTOR.
        outputs: output channels, a multiple of OUTPUTS.
        chunk: input channels at a time, a multiple of VECTOR.
    """

    rows: int
    columns: int
    outputs: int
    chunk: int

    @property
    def pixels(self) -> int:
        return self.rows * self.columns

    @property
    def groups(self) -> int:
        """Threads side by side along the pixels."""
        return self.pixels // PIXELS

    @property
    def threads(self) -> int:
        return self.groups * (self.outputs // OUTPUTS)


@dataclass(frozen=True)
class Window:
    """The input pixels that a tile of a depthwise convolution reads, in shared memory.

    Attributes:
        conv: the convolution.
        tile: its output pixels and channels.
    """

    conv: Convolution
    tile: Tile

    @property
    def rows(self) -> int:
        return (self.tile.rows - 1) * self.conv.stride + self.conv.kernel

    @property
    def columns(self) -> int:
        return (self.tile.columns - 1) * self.conv.stride + self.conv.kernel

    @property
    def row(self) -> int:
        """Length of a stored row: whole vectors, because that is how it is read."""
        return round_up(self.columns, VECTOR)

    @property
    def size(self) -> int:
        return self.tile.chunk * self.rows * self.row

    def stage(
        self,
        source: Source,
        buffers: list[Buffer],
        window: Buffer,
        corner: tuple[Expr, Expr, Expr],
        threads: int,
        thread: Expr,
    ) -> None:
        """Fill the window for the output pixel and first channel at ``corner`` (channel, row, column)."""
        channels, height, width = source.size
        before = self.conv.kernel // 2
        with grid.dealt(self.tile.chunk * self.rows * self.columns, threads, thread) as number:
            c, r, column = grid.split(number, self.rows, self.columns)
            # Where tiles stick out of the map or of its channels, something is read that no answer depends on.
            channel = tirx.min(corner[0] + c, channels - 1)
            from_row = tirx.min(corner[1] * self.conv.stride + r - before, height + source.border - 1)
            from_column = tirx.min(corner[2] * self.conv.stride + column - before, width + source.border - 1)
            value = source.read(buffers, channel, from_row, from_column)
            ir.put(window, value, (c * self.rows + r) * self.row + column)

    def depthwise(
        self,
        window: Buffer,
        filters: Buffer,
        biases: Buffer,
        first: Expr,
        threads: int,
        thread: Expr,
        put: Callable[[Expr, Expr, Expr, Buffer], None],
    ) -> None:
        """Convolve the chunk that begins at channel ``first``.

        Args:
            window: as staged.
            filters: the chunk's, in shared memory, packed by ``pack_depthwise``.
            biases: of all channels.
            first: the chunk's first channel.
            threads, thread: of the block.
            put: called with (channel in the chunk, row, column, 4 numbers) for every 4 pixels.
        """
        kernel, stride, strips = self.conv.kernel, self.conv.stride, self.tile.columns // PIXELS
        with grid.dealt(self.tile.chunk * self.tile.rows * strips, threads, thread) as number:
            c, row, strip = grid.split(number, self.tile.rows, strips)
            weights, sums = ir.registers(kernel**2), ir.registers(PIXELS)
            grid.fetch(filters, c * taps(kernel), kernel**2, weights)
            for pixel in range(PIXELS):
                ir.put(sums, biases[first + c], pixel)
            length = (PIXELS - 1) * stride + kernel
            inputs = ir.registers(length)
            for r in range(kernel):
                start = (c * self.rows + row * stride + r) * self.row + strip * (PIXELS * stride)
                grid.fetch(window, start, length, inputs)
                for column in range(kernel):
                    for pixel in range(PIXELS):
                        term = inputs[pixel * stride + column] * weights[r * kernel + column]
                        ir.put(sums, sums[pixel] + term, pixel)
            for pixel in range(PIXELS):
                ir.put(sums, activate(sums[pixel], self.conv.activation), pixel)
            put(c, row, strip * PIXELS, sums)


@dataclass(frozen=True)
class Sums:
    """The sums of one thread: PIXELS neighbouring pixels of OUTPUTS neighbouring channels, in registers.

    Attributes:
        tile: what the block computes.
        buffer: [output][pixel].
        group, column: place of the thread's pixels and of its outputs in the tile, in groups of so many.
    """

    tile: Tile
    buffer: Buffer
    group: Expr
    column: Expr

    @classmethod
    def begin(cls, tile: Tile, thread: Expr, biases: Buffer, first: Expr) -> Sums:
        """Sums that are the biases of the tile's outputs, of which the first is ``first``."""
        column, group = grid.split(thread, tile.groups)
        sums = cls(tile, ir.registers(PIXELS * OUTPUTS), group, column)
        for output in range(OUTPUTS):
            for pixel in range(PIXELS):
                ir.put(sums.buffer, biases[first + column * OUTPUTS + output], output * PIXELS + pixel)
        return sums

    def multiply(self, matrix: Buffer, weights: Buffer) -> None:
        """Add a chunk: ``matrix`` is [input][pixel of the tile], ``weights`` is [input][output of the tile]."""
        pixels, outputs = ir.registers(PIXELS), ir.registers(OUTPUTS)
        with ir.serial(self.tile.chunk) as k:
            ir.store(pixels, ir.load(matrix, k * self.tile.pixels + self.group * PIXELS, PIXELS), 0, PIXELS)
            for at in range(0, OUTPUTS, VECTOR):
                start = k * self.tile.outputs + self.column * OUTPUTS + at
                ir.store(outputs, ir.load(weights, start, VECTOR), at, VECTOR)
            for output in range(OUTPUTS):
                for pixel in range(PIXELS):
                    at = output * PIXELS + pixel
                    ir.put(self.buffer, self.buffer[at] + pixels[pixel] * outputs[output], at)

    def value(self, output: int, pixel: int, activation: Activation) -> Expr:
        """One of the answers."""
        return activate(self.buffer[output * PIXELS + pixel], activation)


def activate(value: Expr, activation: Activation) -> Expr:
    """ReLU, or ReLU6, which also cuts off above 6."""
    if activation == "relu6":
        value = tirx.min(value, tirx.const(6.0, "float32"))
    return tirx.max(value, tirx.const(0.0, "float32"))
