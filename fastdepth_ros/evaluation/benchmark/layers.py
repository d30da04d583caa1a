"""Times of a module's parts: each kernel of a compiled module, timed while the whole network runs."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from fastdepth_ros.arguments import allocate
from fastdepth_ros.network import Network
from fastdepth_ros.runtime.engine import configure_pool, load_machine, tvm_ffi
from fastdepth_ros.runtime.module import CompiledModule


def kernel_times(module: CompiledModule, threads: int, seconds: float) -> dict[str, list[float]]:
    """Kernel -> its duration in each run [s], in the order in which they run."""
    found: dict[str, list[float]] = {}
    started = 0.0

    def watch(_function: Any, name: str, before: bool, *_arguments: Any) -> int:
        nonlocal started
        if before:
            started = time.perf_counter()
        else:
            found.setdefault(name, []).append(time.perf_counter() - started)
        return 0

    about, ffi = module.description, tvm_ffi()
    pixels = allocate((about.input.height, about.input.width * 3), np.uint8)
    pixels[:] = np.sort(np.random.default_rng(0).integers(0, 256, pixels.shape, np.uint8), axis=1)
    machine, picture = load_machine(module), ffi.from_dlpack(pixels)
    configure_pool(threads)
    machine["main"](picture)
    machine["set_instrument"](ffi.convert(watch))
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        machine["main"](picture)
    return {name: times for name, times in found.items() if not name.startswith("vm.")}


def kernel_macs(network: Network, height: int, width: int) -> dict[str, int]:
    """Convolution -> its multiply-accumulates for a picture of that size; the last one's are those of half of it."""
    return {conv.name: conv.macs(rows, columns) for conv, rows, columns in network.inputs(height, width)}


def rows(module: CompiledModule, threads: int, seconds: float) -> list[dict[str, Any]]:
    """Row of the table of kernels: name, fastest and median time, GFLOP/s at the fastest."""
    about = module.description
    macs = kernel_macs(Network.from_json(about.network), about.input.height, about.input.width)
    found = []
    for name, times in kernel_times(module, threads, seconds).items():
        # A kernel's name is that of its layer, or of the block whose layers it does at once.
        layers = [conv for conv in macs if conv.replace(".", "_") == name or conv.split(".")[0] == name]
        flop = 2 * sum(macs[conv] for conv in layers)
        found.append(
            {
                "kernel": name,
                "threads": threads,
                "min_us": round(min(times) * 1e6, 1),
                "median_us": round(float(np.median(times)) * 1e6, 1),
                "mflop": round(flop / 1e6, 2),
                "gflops": round(flop / min(times) / 1e9, 1),
            }
        )
    return found
