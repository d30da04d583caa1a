"""Chooses the tiles of the kernels for ARM without an ARM processor: `neon_tiles.py OUT.json [int8|float16]`.

What can be known without running them is what LLVM makes of them. Of the candidates for a stage the one wins whose hot
loops write the fewest registers to the stack, then the one that reads the fewest from there, then the one with the
fewest instructions for a multiply-add. `fastdepth tune` on the board itself measures instead, and its table goes before
this one. int8 and float16 have tables of their own, of which only the tiles of the products differ from float32's; what
int8 costs is summed over a processor with sdot and two without.
"""

from __future__ import annotations

import itertools
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from spills import hot_loops

from fastdepth_ros.compiler import tiling
from fastdepth_ros.compiler.codegen import write_object
from fastdepth_ros.compiler.linker.library import link
from fastdepth_ros.compiler.plan import Planner, Stage
from fastdepth_ros.compiler.pointwise import find_precision
from fastdepth_ros.compiler.targets import Target, find_target
from fastdepth_ros.compiler.tile import Tiling
from fastdepth_ros.network import PRUNED

TARGETS = {"float32": ("cortex-a57",), "float16": ("carmel",), "int8": ("cortex-a76", "cortex-a57", "carmel")}
"""Precision -> targets whose code is looked at."""
PRODUCTS = ((3, 7), (5, 4), (4, 5), (4, 4), (2, 7), (3, 5), (3, 4), (5, 3), (4, 3), (4, 2), (2, 4), (2, 2))
"""(panel, pixels): vectors of output channels and pixels whose sums are to stay in registers."""
PAIRS = ((4, 7), (6, 4), (4, 4), (2, 7))
"""Such sizes for float16, of which a register holds two vectors."""
UNROLLS = (1, 2, 4)
STRIPS = (14, 8, 7, 5, 4, 3, 2)


class Cost(NamedTuple):
    """Registers written to and read from the stack by a turn of each hot loop, and instructions for a multiply-add."""

    written: int
    read: int
    instructions: float


class Goal(NamedTuple):
    """A target, and the stages of the network for it, by name."""

    target: Target
    stages: dict[str, Stage]


def goals(precision: str) -> list[Goal]:
    """The targets of a precision, with the pruned network's stages; its weights do not matter."""
    shapes = {conv.name: conv for conv in PRUNED.convolutions}
    weights = {f"{name}.weight": np.zeros(conv.weight_shape, np.float32) for name, conv in shapes.items()}
    weights |= {f"{name}.bias": np.zeros(conv.outputs, np.float32) for name, conv in shapes.items()}
    found = []
    for target in map(find_target, TARGETS[precision]):
        planned = Planner(PRUNED, weights, target.lanes, find_precision(precision, target)).plan(224, 224)
        found.append(Goal(target, {stage.name: stage for stage in planned}))
    return found


def cost(name: str, choice: Tiling, where: list[Goal], scratch: Path) -> Cost:
    """Cost of a choice in a stage's hot loops, over all targets."""
    loops = []
    for target, stages in where:
        write_object(stages[name].kernel(choice), target, scratch / "kernel.o")
        library = scratch / "kernel.so"
        library.write_bytes(link([(scratch / "kernel.o").read_bytes()]))
        loops += hot_loops(library)
    instructions, macs = sum(loop.instructions for loop in loops), max(1, sum(loop.macs for loop in loops))
    return Cost(sum(loop.writes for loop in loops), sum(loop.reads for loop in loops), instructions / macs)


def best(
    name: str, where: list[Goal], start: Tiling | None, products: Iterable[tuple[int, int]], scratch: Path
) -> tuple[Cost, Tiling]:
    """The best choice for a stage: of the depthwise strip, where ``start`` has none, and then of the product's tile."""

    def cheapest(choices: Iterable[Tiling]) -> tuple[Cost, Tiling]:
        return min(((cost(name, choice, where, scratch), choice) for choice in choices), key=lambda pair: pair[0])

    unrolls = UNROLLS if start is None else (start.unroll,)  # int8 and float16 have their own
    if start is None:
        rough = replace(tiling.rule(where[0].stages[name], where[0].target), panel=2, pixels=4, unroll=1)
        start = cheapest(replace(rough, strip=strip) for strip in STRIPS)[1]
    return cheapest(
        replace(start, panel=panel, pixels=pixels, unroll=unroll)
        for (panel, pixels), unroll in itertools.product(products, unrolls)
    )


def main() -> None:
    """Choose for every stage of the pruned network, and write the table."""
    out, precision = Path(sys.argv[1]), (*sys.argv[2:], "float32")[0]
    where = goals(precision)
    before = {} if precision == "float32" else tiling.measured(where[0].target)
    products, table = PAIRS if precision == "float16" else PRODUCTS, {}
    with tempfile.TemporaryDirectory() as scratch:
        for name in where[0].stages:
            price, table[name] = best(name, where, before.get(name), products, Path(scratch))
            sys.stdout.write(f"{name:16} {price}, {table[name]}\n")
            sys.stdout.flush()
    about = {
        "processor": "none: chosen by tools/neon_tiles.py",
        "cpu": " ".join(TARGETS[precision]),
        "network": PRUNED.name,
        "input": "224x224",
    }
    tiling.write(out, about, table)


if __name__ == "__main__":
    main()
