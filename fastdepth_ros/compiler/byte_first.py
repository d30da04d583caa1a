"""The first convolution of bytes: a picture's bytes are what is multiplied, so only weights are rounded.

The nine bytes that an output pixel needs of one row of the picture (three pixels of three colours) are neighbours. They
are read as three words of four; the last three bytes are others', and meet weights of zero. With AVX2 products of a row
share sums of 16 bits, and the rows are added in 32. The division of the pixels by 255 is in the weights.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from tvm import tirx
from tvm.tirx.script import builder as T  # noqa: N812 - TVM's own documentation calls it T

from fastdepth_ros.compiler import border, ir, layout
from fastdepth_ros.compiler.byte_products import WORD, ByteProducts, Word
from fastdepth_ros.compiler.first import First
from fastdepth_ros.compiler.ir import Buffer, Expr
from fastdepth_ros.compiler.layout import LARGEST_SHARED, LARGEST_WEIGHT, Floats, Map
from fastdepth_ros.compiler.tile import Tiling
from fastdepth_ros.network import INPUT_CHANNELS, Convolution


def words_of_a_row(conv: Convolution) -> int:
    """Words that hold what an output pixel needs of one row."""
    return -(-conv.kernel * INPUT_CHANNELS // WORD)


def quantised(weight: Floats, sharing: int = 0) -> tuple[npt.NDArray[np.int64], Floats]:
    """(outputs, 3, k, k) as signed bytes (outputs, rows, words, 4), and what one step of them is worth.

    The bytes of a word are colours of neighbouring pixels, as they lie in the picture. With ``sharing`` a step is as
    large as it takes that no sum of 16 bits overflows: that of the first two bytes of all words of a row, or of the
    last two.
    """
    outputs, _, rows, _ = weight.shape
    taps = weight.transpose(0, 2, 3, 1).reshape(outputs, rows, -1).astype(np.float64)
    count = -(-taps.shape[2] // WORD)
    words = np.pad(taps, ((0, 0), (0, 0), (0, count * WORD - taps.shape[2]))).reshape(outputs, rows, count, WORD)
    scale = np.abs(words).max(axis=(1, 2, 3)) / LARGEST_WEIGHT
    for half in (words[..., :2], words[..., 2:]) if sharing else ():
        for sign in (1, -1):
            sums = (sign * half).clip(0).sum(axis=(2, 3)).max(axis=1)
            scale = np.maximum(scale, sums / (LARGEST_SHARED - count))  # Two weights of each word, rounded by a half.
    worth: Floats = scale.astype(np.float32)
    worth[worth == 0] = 1
    return np.rint(words.astype(np.float32) / worth[:, None, None, None]).astype(np.int64), worth


def pack(products: ByteProducts, weight: Floats, bias: Floats, lanes: int) -> list[Any]:
    """Words as [row][word][vector of outputs][lane], the worth of their steps, and biases."""
    steps, scale = quantised(weight, products.sharing)
    filled = np.zeros((layout.vectors(len(steps), lanes) * lanes, *steps.shape[1:]), np.int8)
    filled[: len(steps)] = steps
    words = np.ascontiguousarray(filled.view(np.int32)[..., 0].transpose(1, 2, 0)).ravel()
    return [words, layout.pack_vector(scale, lanes), layout.pack_vector(bias, lanes)]


def byte_first(products: ByteProducts, name: str, conv: Convolution, target: Map, tiling: Tiling) -> Any:
    """A kernel of (picture (H, W * 3) uint8, weight, scale, bias, map float32); see :func:`first.first`."""
    lanes, kernel, outputs = target.lanes, conv.kernel, target.vectors
    height, width = target.height * conv.stride, target.width * conv.stride
    count, length = words_of_a_row(conv), width * INPUT_CHANNELS
    panel, pixels = min(tiling.panel, outputs), ir.even_step(target.width, tiling.pixels)
    wide = next(n for n in (32, 16, 8, 4) if length % n == 0)
    at_once = min(count, products.at_once)
    lead = 32  # Zeros before a row, of which the last are a pixel of border, and behind it.
    row_length = lead + length + lead

    def body(picture: Buffer, weight: Buffer, scale: Buffer, bias: Buffer, out: Buffer) -> None:
        with ir.parallel(target.height) as row:
            rows = ir.scratch(kernel * row_length, "uint8")
            for kernel_row in range(kernel):
                start = kernel_row * row_length
                picture_row = row * conv.stride + kernel_row - kernel // 2
                nothing = tirx.Broadcast(tirx.const(0, "uint8"), wide)
                for side in (start, start + lead + length):
                    for at in range(0, lead, wide):
                        ir.store(rows, nothing, side + at, wide)

                def copy(start: int = start, picture_row: Any = picture_row) -> None:
                    with ir.serial(length // wide) as i:
                        ir.store(
                            rows, picture[picture_row, tirx.Ramp(i * wide, 1, wide)], start + lead + i * wide, wide
                        )

                def blank(start: int = start, nothing: Expr = nothing) -> None:
                    with ir.serial(length // wide) as i:
                        ir.store(rows, nothing, start + lead + i * wide, wide)

                ir.choose(tirx.all(picture_row >= 0, picture_row < height), copy, blank)

            def tile(column: Any, several: int) -> None:
                ir.along(outputs, panel, lambda vector, panels: panel_of(column, several, vector, panels))

            def panel_of(column: Any, several: int, vector: Any, panels: int) -> None:
                sums = ir.registers(several * panels * lanes, "int32")
                for at in range(0, several * panels * lanes, lanes):
                    ir.store(sums, tirx.Broadcast(tirx.const(0, "int32"), lanes), at, lanes)
                for kernel_row in range(kernel):
                    for pixel in range(several):
                        first = ((column + pixel) * conv.stride - kernel // 2) * INPUT_CHANNELS
                        place = kernel_row * row_length + lead + first
                        words = [
                            Word(tirx.Broadcast(T.reinterpret("int32", ir.load(rows, place + w * WORD, WORD)), lanes))
                            for w in range(count)
                        ]
                        for n in range(panels):
                            at = (pixel * panels + n) * lanes
                            offsets = (((kernel_row * count + w) * outputs + vector + n) * lanes for w in range(count))
                            taps = [ir.load(weight, offset, lanes) for offset in offsets]
                            for w in range(0, count, at_once):
                                several_words, own = words[w : w + at_once], taps[w : w + at_once]
                                total = products.add(ir.load(sums, at, lanes), several_words, own, lanes)
                                ir.store(sums, total, at, lanes)
                for pixel in range(several):
                    for n in range(panels):
                        channels = (vector + n) * lanes
                        total = ir.load(sums, (pixel * panels + n) * lanes, lanes).astype(f"float32x{lanes}")
                        value = total * ir.load(scale, channels, lanes) + ir.load(bias, channels, lanes)
                        value = ir.activate(value, conv.activation, lanes)
                        ir.give(out, value, target.offset(vector + n, row, column + pixel), lanes)

            ir.along(target.width, pixels, tile)
            with ir.serial(outputs) as vector:
                border.clear(out, target, vector, row, 1)

    arguments: list[ir.Argument] = [
        ("picture", (height, length), "uint8"),
        ("weight", (kernel * count * outputs * lanes,), "int32"),
        ("scale", (outputs * lanes,), "float32"),
        ("bias", (outputs * lanes,), "float32"),
        ("out", (target.size,), target.dtype),
    ]
    return ir.kernel(name, arguments, body)


def lost(products: ByteProducts, weight: Floats) -> npt.NDArray[np.float64]:
    """(outputs, 3) that rounding takes from the sum of each colour's weights."""
    steps, scale = quantised(weight, products.sharing)
    rounded = steps.reshape(*steps.shape[:2], -1)[..., : weight.shape[3] * INPUT_CHANNELS].sum(1)
    colours = rounded.reshape(len(steps), -1, INPUT_CHANNELS).sum(1) * scale[:, None].astype(np.float64)
    difference: npt.NDArray[np.float64] = weight.sum(axis=(2, 3), dtype=np.float64) - colours
    return difference


def bytes_by(products: ByteProducts) -> First:
    """The first convolution, with an instruction set's products of bytes."""
    return First(partial(byte_first, products), partial(pack, products), partial(lost, products))
