"""Tiles of matrix products in instructions that no kernel of this package uses: what LLVM makes of them can be counted.

Sums, inputs and weights are registers as in the kernels' own tiles: a turn of the loop reads a register of inputs for
each pixel (or each two), a register of weights for each vector of outputs, and multiplies all by all.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

from tvm import tirx
from tvm.tirx.script import builder as T  # noqa: N812 - TVM's own documentation calls it T

from fastdepth_ros.compiler import ir
from fastdepth_ros.compiler.targets import TARGETS, Target

TURNS = 64
PRODUCT = "product_of_registers"


class Bare(NamedTuple):
    """An instruction, and the tile that it is counted in.

    Attributes:
        target: processor.
        sums, lanes: type of a number of the sums, and how many a register holds.
        numbers: LLVM's type of a register of inputs or weights.
        intrinsic: LLVM's name of the instruction.
        splat: whether a word of the inputs is repeated in all lanes, or a register of them is read.
        panel, pixels: registers of weights and of inputs in a tile.
    """

    target: Target
    sums: str
    lanes: int
    numbers: str
    intrinsic: str
    splat: bool = True
    panel: int = 3
    pixels: int = 7


def _arm(feature: str) -> Target:
    return replace(TARGETS["aarch64"], attributes=("+neon", "+v8.2a", feature))


def _avx512(feature: str) -> Target:
    return replace(TARGETS["x86-64-v4"], attributes=(feature,))


TILES = {
    "vpdpbusd": Bare(_avx512("+avx512vnni"), "int32", 16, "<64 x i8>", "llvm.x86.avx512.vpdpbusd.512"),
    "vdpbf16ps": Bare(_avx512("+avx512bf16"), "float32", 16, "<32 x bfloat>", "llvm.x86.avx512bf16.dpbf16ps.512"),
    "sdot": Bare(_arm("+dotprod"), "int32", 4, "<16 x i8>", "llvm.aarch64.neon.sdot.v4i32.v16i8"),
    "bfdot": Bare(_arm("+bf16"), "float32", 4, "<8 x bfloat>", "llvm.aarch64.neon.bfdot.v4f32.v8bf16"),
    "smmla": Bare(_arm("+i8mm"), "int32", 4, "<16 x i8>", "llvm.aarch64.neon.smmla.v4i32.v16i8", splat=False),
    "bfmmla": Bare(_arm("+bf16"), "float32", 4, "<8 x bfloat>", "llvm.aarch64.neon.bfmmla", splat=False),
}
"""Products of bytes and of bfloat16, each beside its like: smmla and bfmmla multiply two pixels by two outputs."""


def kernel(bare: Bare) -> Any:
    """The tile as a kernel of (inputs, weights, sums), which starts with the sums that it is given."""
    lanes, read = bare.lanes, 1 if bare.splat else bare.lanes
    tile = [(pixel, n) for pixel in range(bare.pixels) for n in range(bare.panel)]

    def body(inputs: Any, weights: Any, out: Any) -> None:
        slots = [(pixel, n, at * lanes) for at, (pixel, n) in enumerate(tile)]
        sums = ir.registers(len(slots) * lanes, bare.sums)
        for _, _, at in slots:
            ir.store(sums, ir.load(out, at, lanes), at, lanes)
        # TensorIR has no bfloat16 on processors: what multiplies it is LLVM's own.
        with T.attr(0, "pragma_import_llvm", _product(bare)), ir.serial(TURNS) as turn:
            own = [_read(bare, inputs, (turn * bare.pixels + pixel) * read) for pixel in range(bare.pixels)]
            for pixel, n, at in slots:
                weight = ir.load(weights, (turn * bare.panel + n) * lanes, lanes)
                value = T.call_extern(f"{bare.sums}x{lanes}", PRODUCT, ir.load(sums, at, lanes), own[pixel], weight)
                ir.store(sums, value, at, lanes)
        for _, _, at in slots:
            ir.store(out, ir.load(sums, at, lanes), at, lanes)

    arguments: list[ir.Argument] = [
        ("inputs", (TURNS * bare.pixels * read,), "int32"),
        ("weights", (TURNS * bare.panel * lanes,), "int32"),
        ("out", (bare.pixels * bare.panel * lanes,), bare.sums),
    ]
    return ir.kernel("tile", arguments, body)


def _read(bare: Bare, words: Any, place: Any) -> Any:
    return tirx.Broadcast(words[place], bare.lanes) if bare.splat else ir.load(words, place, bare.lanes)


def _product(bare: Bare) -> str:
    """LLVM's function of (sums, inputs, weights) -> sums, of registers of words."""
    words = f"<{bare.lanes} x i32>"
    sums = f"<{bare.lanes} x {'float' if bare.sums == 'float32' else 'i32'}>"
    operands = f"{sums}, {bare.numbers}, {bare.numbers}"
    return f"""
        declare {sums} @{bare.intrinsic}({operands})
        define {sums} @{PRODUCT}({sums} %sums, {words} %inputs, {words} %weights) {{
          %one = bitcast {words} %inputs to {bare.numbers}
          %other = bitcast {words} %weights to {bare.numbers}
          %new = call {sums} @{bare.intrinsic}({sums} %sums, {bare.numbers} %one, {bare.numbers} %other)
          ret {sums} %new
        }}
    """
