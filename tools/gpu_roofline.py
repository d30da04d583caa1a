"""Counts how fast a GPU could run a network at most, kernel by kernel: `gpu_roofline.py [TARGET [NETWORK]]`.

A kernel takes at least the time of its multiply-adds at the GPU's highest rate, and at least the time of its maps and
weights at the highest rate of its memory, each moved once. The sum of the larger of both is a bound for these kernels
one after the other, and no forecast. Where NVRTC is installed, registers, shared memory and spilled bytes of each are
shown as well.
"""

from __future__ import annotations

import sys

import numpy as np
from rich.console import Console
from rich.table import Table

from fastdepth_ros.compiler.cuda.gpus import GPUS, Gpu
from fastdepth_ros.compiler.cuda.nvrtc import nvrtc
from fastdepth_ros.compiler.cuda.plan import CudaPlanner, Launch
from fastdepth_ros.compiler.cuda.resources import Usage, usage
from fastdepth_ros.compiler.cuda.source import cuda_source
from fastdepth_ros.compiler.plan import PICTURE
from fastdepth_ros.errors import ModuleError
from fastdepth_ros.network import NETWORKS, PRUNED

HEIGHT, WIDTH = 224, 224


def bounds(launches: list[Launch], gpu: Gpu) -> list[tuple[float, float]]:
    """Microseconds of arithmetic and of memory, for each launch."""
    sizes = {PICTURE: HEIGHT * WIDTH * 3, **{launch.name: launch.size * 4 for launch in launches}}
    found = []
    for launch in launches:
        moved = sizes[launch.name] + sum(sizes[name] for name in launch.reads)
        moved += sum(array.nbytes for array in launch.arrays)
        found.append((2e6 * launch.macs / gpu.flops, moved / gpu.bandwidth / 1e3))
    return found


def resources(launches: list[Launch], gpu: Gpu) -> dict[str, Usage]:
    """Resources of each kernel; empty where NVIDIA's compiler is missing."""
    try:
        source = cuda_source({launch.name: launch.kernel for launch in launches}, gpu.arch)
        return usage(nvrtc().compile(source, gpu.arch).cubin)
    except ModuleError:
        return {}


def main() -> None:
    """Print the table."""
    gpu = GPUS[sys.argv[1] if len(sys.argv) > 1 else "cuda-sm_62"]
    network = NETWORKS[sys.argv[2] if len(sys.argv) > 2 else PRUNED.name]
    weights = {f"{conv.name}.weight": np.zeros(conv.weight_shape, np.float32) for conv in network.convolutions}
    weights |= {f"{conv.name}.bias": np.zeros(conv.outputs, np.float32) for conv in network.convolutions}
    launches = CudaPlanner(network, weights, gpu).plan(HEIGHT, WIDTH)
    takes, times = resources(launches, gpu), bounds(launches, gpu)
    table = Table("kernel", "blocks", "threads", "MMAC", "arithmetic us", "memory us", "registers", "shared", "spilled")
    for launch, (arithmetic, memory) in zip(launches, times, strict=True):
        used = takes.get(f"{launch.name}_kernel")
        blocks, cells = launch.kernel.grid[0] * launch.kernel.grid[1], map(str, used or ("", "", ""))
        row = (
            str(blocks),
            str(launch.kernel.threads),
            f"{launch.macs / 1e6:.1f}",
            f"{arithmetic:.0f}",
            f"{memory:.0f}",
        )
        table.add_row(launch.name, *row, *cells)
    total = sum(max(pair) for pair in times) / 1e3
    arithmetic, memory = (sum(column) / 1e3 for column in zip(*times, strict=True))
    console = Console(width=140)
    console.print(table)
    rates = f"{gpu.flops / 1e9:.0f} GFLOP/s, {gpu.bandwidth:g} GB/s"
    console.print(
        f"{network.name} on {gpu.board} ({rates}), {len(launches)} kernels: at least {total:.3f} ms"
        f" ({arithmetic:.3f} of arithmetic, {memory:.3f} of memory)",
        highlight=False,
    )


if __name__ == "__main__":
    main()
