"""Holds the kernels against what the processor can multiply and add at all: `fma_wall.py [BUNDLE] [--rounds 5]`.

Measures, in turns on one thread, the fused multiply-adds that the processor reaches in a loop that does nothing else,
and each kernel of the network while the whole network runs. A kernel's floor is its multiply-adds, with the channels
that fill up its vectors, at that speed: no schedule of the same arithmetic can be faster.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from fastdepth_ros.arguments import allocate
from fastdepth_ros.compiler import ir
from fastdepth_ros.compiler.codegen import compiling
from fastdepth_ros.compiler.layout import vectors
from fastdepth_ros.compiler.targets import find_target
from fastdepth_ros.compiler.tune import load
from fastdepth_ros.evaluation.benchmark.layers import kernel_times
from fastdepth_ros.models import DEFAULT, find_bundle
from fastdepth_ros.runtime import processor
from fastdepth_ros.runtime.cache import module_for
from fastdepth_ros.runtime.engine import configure_pool, tvm_ffi

SUMS = {"avx512": 24, "avx2": 12, "neon": 24}
"""Independent sums, more than the latency of a multiply-add needs, and few enough for the registers."""
TURNS = 100_000


def say(line):
    """Print a line."""
    sys.stdout.write(f"{line}\n")


def multiply_adds(lanes, sums):
    """The kernel that does nothing else."""

    def body(x, out):
        held = ir.registers(sums * lanes)
        for i in range(sums):
            ir.store(held, ir.load(x, i * lanes, lanes), i * lanes, lanes)
        with ir.serial(TURNS):
            for i in range(sums):
                term = ir.load(held, i * lanes, lanes) * ir.load(x, sums * lanes, lanes)
                ir.store(held, term + ir.load(x, (sums + 1) * lanes, lanes), i * lanes, lanes)
        for i in range(sums):
            ir.store(out, ir.load(held, i * lanes, lanes), i * lanes, lanes)

    return ir.kernel("fma", [("x", ((sums + 2) * lanes,), "float32"), ("out", (sums * lanes,), "float32")], body)


def floors(network, height, width, lanes):
    """Convolution -> its multiply-adds, filled-up channels included."""
    found = {}
    for conv, rows, columns in network.inputs(height, width):
        macs = conv.macs(rows, columns)
        if conv is not network.last:  # which is a dot product over the lanes
            macs = macs // conv.outputs * vectors(conv.outputs, lanes) * lanes
        found[conv.name] = macs
    return found


def main():
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", nargs="?", default=DEFAULT)
    parser.add_argument("--target", default="host")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    bundle, target = find_bundle(args.bundle), find_target(args.target)
    manifest, module, sums = bundle.manifest, module_for(bundle, args.target), SUMS[target.family]
    work = floors(manifest.table, manifest.input_height, manifest.input_width, target.lanes)
    x, out = allocate(((sums + 2) * target.lanes,), np.float32), allocate((sums * target.lanes,), np.float32)
    x[:] = 0.5
    arguments = [tvm_ffi().from_dlpack(array) for array in (x, out)]
    with tempfile.TemporaryDirectory() as folder:
        with compiling({"fma": multiply_adds(target.lanes, sums)}, target, Path(folder)) as objects:
            list(objects)
        fma = load(Path(folder, "fma.o"), "fma")
        configure_pool(1)
        least, peak = {}, 0.0
        for _ in range(args.rounds):
            for _ in range(20):
                begin = time.perf_counter()
                fma(*arguments)
                peak = max(peak, sums * target.lanes * TURNS / (time.perf_counter() - begin))
            for name, times in kernel_times(module, 1, 0.5).items():
                least[name] = min(least.get(name, 1.0), *times)
    say(f"{processor.name()}, {target.cpu}, one thread: {2 * peak / 1e9:.0f} GFLOP/s of multiply-adds")
    say(f"{'kernel':18}{'MMAC':>7}{'least us':>10}{'floor us':>10}{'of the peak':>13}")
    total = 0.0
    for name, seconds in least.items():
        macs = sum(m for conv, m in work.items() if conv.replace(".", "_") == name or conv.split(".")[0] == name)
        macs += work["decode_conv6"] if name == "decode_conv5" else 0
        total += macs
        say(f"{name:18}{macs / 1e6:7.1f}{seconds * 1e6:10.0f}{macs / peak * 1e6:10.0f}{macs / peak / seconds:13.0%}")
    whole = sum(least.values())
    say(f"{'all':18}{total / 1e6:7.1f}{whole * 1e6:10.0f}{total / peak * 1e6:10.0f}{total / peak / whole:13.0%}")


if __name__ == "__main__":
    main()
