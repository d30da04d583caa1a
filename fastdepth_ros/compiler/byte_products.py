"""Products of bytes: how each instruction set multiplies them, and how inputs and weights have to lie for that.

All take four inputs at a time, which share a word for each pixel, and add to int32 sums that no number of the network
can overflow. They differ in what they can multiply:

- VNNI's vpdpbusd takes unsigned inputs and signed weights, four products a lane.
- AVX2's vpmaddubsw takes the same bytes and adds two products in 16 bits, two such sums a lane. The sums of several
  words are added in 16 bits, too, before vpmaddwd (by ones) adds both of a lane in 32. Weights are made so that no
  inputs overflow them, see :func:`layout.quantised`.
- NEON's sdot and smull take signed bytes alone. Inputs are stored less :data:`SHIFT`, and sums begin with SHIFT times
  the sum of the weights, which makes up for it exactly. sdot adds four products to a lane. smull multiplies 8 bytes to
  16 bits and smlal adds 8 more: 2 x 128 x 127 just fits; sadalp adds pairs of them to a lane.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from tvm import tirx
from tvm.tirx.script import builder as T  # noqa: N812 - TVM's own documentation calls it T

from fastdepth_ros.compiler import ir
from fastdepth_ros.compiler.ir import Buffer, Expr

SHIFT = 128
"""Difference of signed inputs from the unsigned bytes that they stand for."""

WORD = 4
"""Inputs that share a word of 32 bits, a byte each."""

_SIGNS = -0x7F7F7F80
"""0x80808080: the highest bit of every byte; to flip it is to subtract 128 from an unsigned byte."""


@dataclass(frozen=True)
class ByteProducts:
    """Products of bytes of one instruction set.

    Attributes:
        signed: whether inputs have to be signed, so that they are stored less :data:`SHIFT`.
        operands: registers that a product takes beside its sums and its weights.
        fewest_sums: fewer sums than this leave multipliers waiting for one another.
        add: (sums, words, weights, lanes) -> sums: a lane's words of inputs times its words of weights, added.
        halves: whether a vector of weights holds the first two inputs of all its lanes before the other two.
        widest: numbers that become bytes at once, where their count allows it.
        sharing: words of a pixel whose products share sums of 16 bits, and are added at once; 0 where all sums have 32.
        registers: (panel, pixels) that fit the registers; None where those of float32 do.
        whole: whether the first convolution and the first blocks are of bytes, too.
        doubled: whether the depthwise convolutions of maps that were doubled are of bytes, too.
        short: whether shorter vectors take less time, and a last one that is at most half full is one of them.
    """

    signed: bool
    operands: int
    fewest_sums: int
    add: Callable[[Expr, Sequence[Word], Sequence[Expr], int], Expr]
    halves: bool = False
    widest: int = 16
    sharing: int = 0
    registers: tuple[int, int] | None = None
    whole: bool = False
    doubled: bool = False
    short: bool = False

    @property
    def at_once(self) -> int:
        """Words of a pixel that are added at once."""
        return max(1, self.sharing)

    def spread(self, words: Buffer, place: Expr, pixels: int, step: int, lanes: int) -> Iterator[Word]:
        """The word of each of so many pixels, from ``place`` on, ``step`` words apart."""
        if not self.signed:
            for pixel in range(pixels):
                yield Word(tirx.Broadcast(words[place + pixel * step], lanes))
            return
        # An instruction takes its word out of a vector of several pixels' words, so one load does for them all.
        assert (step, lanes) == (1, 4)
        pixel = 0
        while pixel < pixels:
            count = next(n for n in (4, 2, 1) if n <= pixels - pixel)
            if count == 1:
                yield Word(tirx.Broadcast(words[place + pixel], lanes), 0, lanes)
            else:
                several = ir.load(words, place + pixel, count)
                for i in range(count):
                    yield Word(several, i, count)
            pixel += count

    def put(self, words: Buffer, value: Expr, place: Expr, lanes: int) -> None:
        """Write a vector of float32 numbers from 0 to below 256 as words, from ``place`` on."""
        count = lanes // WORD
        if count == 1:  # TensorIR has no vectors of one.
            steps = value.astype(f"int32x{lanes}")
            word = sum(tirx.Shuffle([steps], [n]) << (8 * n) for n in range(WORD))
            ir.put(words, word ^ tirx.const(_SIGNS, "int32") if self.signed else word, place)
            return
        several = ir.as_many_words(value, lanes) if lanes in ir.MANY else ir.as_words(value, lanes)
        if self.signed:
            several = several ^ tirx.Broadcast(tirx.const(_SIGNS, "int32"), count)
        ir.store(words, several, place, count)

    def pack(self, bytes_: npt.NDArray[np.integer], lanes: int) -> npt.NDArray[np.int32]:
        """(outputs, inputs) signed bytes, whole vectors of both, as (outputs, words of inputs) int32."""
        outputs = len(bytes_)
        if not self.halves:
            return np.ascontiguousarray(bytes_, np.int8).view(np.int32)
        # [vector of outputs][lane][word][half][2] -> [vector][half, lane][word][2], of which two lanes are a word.
        split = np.asarray(bytes_, np.int8).reshape(outputs // lanes, lanes, -1, 2, 2).transpose(0, 2, 3, 1, 4)
        whole = np.ascontiguousarray(split).reshape(outputs // lanes, -1, lanes * 4).view(np.int32)
        return np.ascontiguousarray(whole.transpose(0, 2, 1)).reshape(outputs, -1)


@dataclass(frozen=True)
class Word:
    """A pixel's word of inputs: the one in place ``index`` of a vector of so many; or that in every lane of it."""

    vector: Expr
    index: int = 0
    count: int = 0

    def everywhere(self, kind: str, part: int = 0) -> Expr:
        """The word in all lanes of four, or a half of it (``kind`` int16) in four lanes of 16 bits; as bytes."""
        parts = 2 if kind == "int16" else 1
        vector = T.reinterpret(f"{kind}x{self.count * parts}", self.vector) if parts > 1 else self.vector
        spread = tirx.Broadcast(tirx.Shuffle([vector], [self.index * parts + part]), 4)
        return T.reinterpret(f"int8x{16 // parts}", spread)


def _vnni(sums: Expr, words: Sequence[Word], weights: Sequence[Expr], lanes: int) -> Expr:
    (word,), (own,) = words, weights
    return ir.dot_bytes(sums, word.vector, own, lanes)


def _pairs(sums: Expr, words: Sequence[Word], weights: Sequence[Expr], _lanes: int) -> Expr:
    first, *others = (ir.pairs_of_bytes(word.vector, own) for word, own in zip(words, weights, strict=True))
    return sums + ir.sums_of_pairs(sum(others, first))


def _sdot(sums: Expr, words: Sequence[Word], weights: Sequence[Expr], _lanes: int) -> Expr:
    (word,), (own,) = words, weights
    signed = T.reinterpret("int8x16", own)
    return T.call_llvm_pure_intrin(
        "int32x4", "llvm.aarch64.neon.sdot.v4i32.v16i8", sums, signed, word.everywhere("int32")
    )


def _smull(sums: Expr, words: Sequence[Word], weights: Sequence[Expr], _lanes: int) -> Expr:
    (word,), (own,) = words, weights
    signed = T.reinterpret("int8x16", own)
    products = [
        T.call_llvm_pure_intrin(
            "int16x8",
            "llvm.aarch64.neon.smull.v8i16",
            tirx.Shuffle([signed], list(range(8 * half, 8 * half + 8))),
            word.everywhere("int16", half),
        )
        for half in range(2)
    ]
    return sums + T.call_llvm_pure_intrin("int32x4", "llvm.aarch64.neon.saddlp.v4i32.v8i16", products[0] + products[1])


# A product of pairs is a register of its own before it is added, and only the adding waits for the last one.
BYTE_KERNELS = {
    "AVX-512 VNNI": ByteProducts(
        signed=False, operands=1, fewest_sums=8, add=_vnni, widest=64, whole=True, doubled=True, short=True
    ),
    "AVX-VNNI": ByteProducts(signed=False, operands=1, fewest_sums=8, add=_vnni, widest=32, whole=True, doubled=True),
    "AVX2": ByteProducts(
        signed=False, operands=4, fewest_sums=4, add=_pairs, widest=32, sharing=4, registers=(1, 7), whole=True
    ),
    "sdot": ByteProducts(signed=True, operands=1, fewest_sums=8, add=_sdot),
    "smull": ByteProducts(signed=True, operands=4, fewest_sums=4, add=_smull, halves=True),
}
"""By the names of :data:`fastdepth_ros.runtime.processor.BYTE_PRODUCTS`."""
