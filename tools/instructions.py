"""Counts the instructions of a multiply-add in every precision and on every target, and writes them down.

    .venv/bin/python tools/instructions.py      # writes docs/boards/instructions.md

A test holds the page against what the compiler makes now. Needs objdump, for ARM that of binutils-aarch64-linux-gnu.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from bare_tiles import TILES, kernel
from spills import hot_loops, turn_around

from fastdepth_ros.compiler import tiling
from fastdepth_ros.compiler.codegen import write_object
from fastdepth_ros.compiler.half_products import TOGETHER
from fastdepth_ros.compiler.linker.library import link
from fastdepth_ros.compiler.plan import Planner
from fastdepth_ros.compiler.pointwise import FLOAT16, find_precision
from fastdepth_ros.compiler.targets import Target, find_target
from fastdepth_ros.network import PRUNED

PAGE = Path(__file__).parents[1] / "docs" / "boards" / "instructions.md"
STAGE, CONVOLUTION = "conv13_pw", "conv13.pw"

TEXT = """# Instructions a multiply-add

    .venv/bin/python tools/instructions.py      # counts, and writes this page

Instructions can be counted without the processor that runs them: in LLVM's machine code of `{stage}` ({inputs} inputs,
{outputs} outputs, 7x7 maps), in the tiles that ship, the innermost loop of the matrix product. A processor that starts
so many instructions in a cycle cannot compute more multiply-adds in a millisecond at 1 GHz than the bound says; its
multipliers, caches and memory may allow fewer. A test counts anew.

| target | precision | product | instructions a multiply-add | started in a cycle | bound at 1 GHz |
|---|---|---|---|---|---|
{kernels}

Turning inputs into bytes or into float16 is left out: it is done once for all outputs. float16 adds {together}
products in 16 bits, and such sums in 32; what that takes is in its rows.

## bfloat16

There are no kernels for it. Tiles of 7 registers of inputs by 3 of weights, each beside the same of bytes:

| instruction | numbers | multiply-adds of one | instructions a multiply-add | bound at 1 GHz, four in a cycle |
|---|---|---|---|---|
{tiles}

A processor with products of bfloat16 has products of bytes that need half as many instructions: AVX-512 VNNI beside
AVX512_BF16, `sdot` beside `bfdot`, `smmla` beside `bfmmla`; AMX's `tdpbusd` multiplies 16x16x64 numbers where its
`tdpbf16ps` multiplies 16x16x32.
"""


class Row(NamedTuple):
    """A line of a table: where a product is counted.

    Attributes:
        target, precision: as ``fastdepth compile`` has them.
        starts: instructions that such a processor starts in a cycle.
    """

    target: str
    precision: str
    starts: int


ROWS = (
    Row("x86-64-v3", "float32", 4),
    Row("x86-64-v3", "int8", 4),
    Row("alderlake", "int8", 4),
    Row("x86-64-v4", "float32", 4),
    Row("x86-64-v4", "int8", 4),
    Row("cortex-a57", "float32", 3),
    Row("cortex-a57", "int8", 3),
    Row("cortex-a76", "float32", 4),
    Row("cortex-a76", "float16", 4),
    Row("cortex-a76", "int8", 4),
    Row("carmel", "float32", 4),
    Row("carmel", "float16", 4),
    Row("carmel", "int8", 4),
)


class Count(NamedTuple):
    """Names of the products, and instructions a multiply-add."""

    names: str
    instructions: float


def count(row: Row, scratch: Path) -> Count:
    """Instructions of a kernel's product, in the tile that ships."""
    goal = find_target(row.target, row.precision)
    precision = find_precision(row.precision, goal)
    (stage,) = [s for s in Planner(PRUNED, _no_weights(), goal.lanes, precision).plan(224, 224) if s.name == STAGE]
    choice = tiling.choose([stage], goal, tiling.measured(goal, precision.name), precision)[STAGE]
    library = _compiled(stage.kernel(choice), goal, scratch)
    loop = max(hot_loops(library), key=lambda loop: loop.macs)
    instructions = loop.instructions / loop.macs
    if precision is FLOAT16:
        tile = choice.panel * choice.pixels * goal.lanes
        instructions += turn_around(library, loop) / (tile * TOGETHER)
    return Count("/".join(sorted(loop.names)), instructions)


def count_bare(name: str, scratch: Path) -> tuple[int, float]:
    """Multiply-adds of an instruction of ``bare_tiles``, and instructions a multiply-add of its tile."""
    bare = TILES[name]
    (loop,) = hot_loops(_compiled(kernel(bare), bare.target, scratch))
    assert loop.products == bare.panel * bare.pixels
    return loop.macs // loop.products, loop.instructions / loop.macs


def line(row: Row, found: Count) -> str:
    """A row of the table of kernels."""
    cells = (f"`{row.target}`", row.precision, f"`{found.names}`", f"{found.instructions:.3f}", row.starts)
    return _line((*cells, _bound(row.starts, found.instructions)))


def bare_line(name: str, found: tuple[int, float]) -> str:
    """A row of the table of tiles."""
    numbers = "bfloat16" if "bfloat" in TILES[name].numbers else "bytes"
    return _line((f"`{name}`", numbers, found[0], f"{found[1]:.3f}", _bound(4, found[1])))


def main() -> None:
    """Count, and write the page."""
    with tempfile.TemporaryDirectory() as scratch:
        kernels = [line(row, count(row, Path(scratch))) for row in ROWS]
        tiles = [bare_line(name, count_bare(name, Path(scratch))) for name in TILES]
    (conv,) = [conv for conv in PRUNED.convolutions if conv.name == CONVOLUTION]
    about = {"stage": STAGE, "inputs": conv.inputs, "outputs": conv.outputs, "together": TOGETHER}
    PAGE.write_text(TEXT.format(**about, kernels="\n".join(kernels), tiles="\n".join(tiles)), encoding="utf-8")
    sys.stdout.write(f"{PAGE}\n")


def _bound(starts: int, instructions: float) -> str:
    return f"{starts / instructions:.0f} million"


def _line(cells: Iterable[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def _no_weights() -> dict[str, Any]:
    """Weights of the pruned network; what they are does not matter."""
    shapes = {conv.name: conv for conv in PRUNED.convolutions}
    weights = {f"{name}.weight": np.zeros(conv.weight_shape, np.float32) for name, conv in shapes.items()}
    return weights | {f"{name}.bias": np.zeros(conv.outputs, np.float32) for name, conv in shapes.items()}


def _compiled(function: Any, target: Target, scratch: Path) -> Path:
    write_object(function, target, scratch / "kernel.o")
    library = scratch / "kernel.so"
    library.write_bytes(link([(scratch / "kernel.o").read_bytes()]))
    return library


if __name__ == "__main__":
    main()
