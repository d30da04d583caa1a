"""Chooses the tiles of the kernels for ARM without an ARM processor: `neon_tiles.py OUT.json`.

What can be known without running them is what LLVM makes of them. Of the candidates for a stage the one wins whose hot
loops write the fewest registers to the stack, then the one that reads the fewest from there, then the one with the
fewest instructions for a multiply-add. `fastdepth tune` on the board itself measures instead, and its table goes before
this one.
"""

from __future__ import annotations

import itertools
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from spills import hot_loops

from fastdepth_ros.compiler import tiling
from fastdepth_ros.compiler.codegen import compile_kernel
from fastdepth_ros.compiler.linker.library import link
from fastdepth_ros.compiler.plan import Planner, Stage
from fastdepth_ros.compiler.targets import Target, find_target
from fastdepth_ros.compiler.tile import Tiling
from fastdepth_ros.network import PRUNED

TARGET = "cortex-a57"
PRODUCTS = ((3, 7), (5, 4), (4, 5), (4, 4), (2, 7), (3, 5), (3, 4), (5, 3), (4, 3), (4, 2), (2, 4), (2, 2))
"""(panel, pixels): vectors of output channels and pixels whose sums are to stay in registers."""
UNROLLS = (1, 2, 4)
STRIPS = (14, 8, 7, 5, 4, 3, 2)


class Cost(NamedTuple):
    """Registers written to and read from the stack by a turn of each hot loop, and instructions for a multiply-add."""

    written: int
    read: int
    instructions: float


def cost(stage: Stage, choice: Tiling, target: Target, scratch: Path) -> Cost:
    """Cost of a choice in a stage's hot loops."""
    compile_kernel(stage.kernel(choice), target).write_to_file(str(scratch / "kernel.o"))
    library = scratch / "kernel.so"
    library.write_bytes(link([(scratch / "kernel.o").read_bytes()]))
    loops = hot_loops(library)
    instructions = sum((loop.end - loop.start) // 4 + 1 for loop in loops)
    multiply_adds = max(1, sum(loop.products for loop in loops))
    return Cost(sum(loop.writes for loop in loops), sum(loop.reads for loop in loops), instructions / multiply_adds)


def best(stage: Stage, target: Target, scratch: Path) -> tuple[Cost, Tiling]:
    """The best choice for a stage: first of the depthwise strip, then of the matrix product's tile."""
    start = replace(tiling.rule(stage, target), panel=2, pixels=4, unroll=1)
    strips = [replace(start, strip=strip) for strip in STRIPS]
    found = min(((cost(stage, c, target, scratch), c) for c in strips), key=lambda pair: pair[0])[1]
    tiles = [
        replace(found, panel=panel, pixels=pixels, unroll=unroll)
        for (panel, pixels), unroll in itertools.product(PRODUCTS, UNROLLS)
    ]
    return min(((cost(stage, c, target, scratch), c) for c in tiles), key=lambda pair: pair[0])


def main() -> None:
    """Choose for every stage of the pruned network, and write the table."""
    target = find_target(TARGET)
    shapes = {conv.name: conv for conv in PRUNED.convolutions}
    weights = {f"{name}.weight": np.zeros(conv.weight_shape, np.float32) for name, conv in shapes.items()}
    weights |= {f"{name}.bias": np.zeros(conv.outputs, np.float32) for name, conv in shapes.items()}
    table = {}
    with tempfile.TemporaryDirectory() as scratch:
        for stage in Planner(PRUNED, weights, target.lanes).plan(224, 224):
            price, table[stage.name] = best(stage, target, Path(scratch))
            sys.stdout.write(f"{stage.name:16} {price}, {table[stage.name]}\n")
            sys.stdout.flush()
    about = {
        "processor": "none: chosen by tools/neon_tiles.py",
        "cpu": target.cpu,
        "network": PRUNED.name,
        "input": "224x224",
    }
    tiling.write(Path(sys.argv[1]), about, table)


if __name__ == "__main__":
    main()
