"""Holds the kernels against what the processor can multiply and add at all: `fma_wall.py [BUNDLE] [--rounds 5]`.

Measures, in turns on one thread, the fused multiply-adds that the processor reaches in a loop that does nothing else,
and each kernel of the network while the whole network runs. A kernel's floor is its multiply-adds, with the channels
that fill up its vectors, at that speed: no schedule of the same arithmetic can be faster. With `--precision int8`
products of bytes have a loop and a speed of their own, and a kernel's floor is that of both kinds.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from fastdepth_ros.arguments import allocate
from fastdepth_ros.compiler import ir
from fastdepth_ros.compiler.byte_products import BYTE_KERNELS, WORD, Word
from fastdepth_ros.compiler.byte_spatial import REACH
from fastdepth_ros.compiler.codegen import compiling
from fastdepth_ros.compiler.layout import last_lanes, vectors
from fastdepth_ros.compiler.plan import turns
from fastdepth_ros.compiler.targets import find_target
from fastdepth_ros.compiler.tune import load
from fastdepth_ros.evaluation.benchmark.layers import kernel_times
from fastdepth_ros.models import DEFAULT, find_bundle
from fastdepth_ros.runtime import processor
from fastdepth_ros.runtime.cache import FLOAT32, module_for
from fastdepth_ros.runtime.engine import configure_pool, tvm_ffi
from fastdepth_ros.runtime.precision import INT8
from fastdepth_ros.runtime.processor import byte_products

SUMS = {"avx512": 24, "avx2": 12, "neon": 24}
"""Independent sums, more than the latency of a multiply-add needs, and few enough for the registers."""
TURNS = 100_000


def say(line):
    """Print a line."""
    sys.stdout.write(f"{line}\n")


def alone(add, dtype, lanes, sums):
    """A kernel that only adds products to ``sums`` vectors, as ``add`` (sum, two vectors of x) does it."""

    def body(x, out):
        held = ir.registers(sums * lanes, dtype)
        for i in range(sums):
            ir.store(held, ir.load(x, i * lanes, lanes), i * lanes, lanes)
        with ir.serial(TURNS):
            for i in range(sums):
                one, other = (ir.load(x, (sums + n) * lanes, lanes) for n in (0, 1))
                ir.store(held, add(ir.load(held, i * lanes, lanes), one, other), i * lanes, lanes)
        for i in range(sums):
            ir.store(out, ir.load(held, i * lanes, lanes), i * lanes, lanes)

    return ir.kernel("alone", [("x", ((sums + 2) * lanes,), dtype), ("out", (sums * lanes,), dtype)], body)


def multiply_adds(target, precision):
    """Name, sums, kernel, type and multiply-adds of a lane's product, of each loop that does nothing else."""
    sums, lanes = SUMS[target.family], target.lanes
    yield FLOAT32, sums, alone(lambda own, one, other: own * one + other, FLOAT32, lanes, sums), FLOAT32, 1
    if precision == INT8:
        products = BYTE_KERNELS[byte_products(target.needs, lanes).name]
        if products.signed or products.sharing:
            sys.exit(f"{target.name}: only vpdpbusd is known here, which is one instruction")
        sums = min(sums, 14)  # as many as the kernels have at once

        def add(own, one, other):
            return products.add(own, [Word(one)], [other], lanes)

        yield INT8, sums, alone(add, "int32", lanes, sums), "int32", WORD


def floors(network, height, width, target, precision):
    """Convolution -> its multiply-adds of float32 and of bytes, with what fills up vectors and words."""
    found = {}
    products = BYTE_KERNELS[byte_products(target.needs, target.lanes).name] if precision == INT8 else None
    summed = {turn.block.depthwise.name for turn in turns(network) if turn.doubled and turn.skip}
    for conv, rows, columns in network.inputs(height, width):
        macs = conv.macs(rows, columns)
        if conv is network.last:  # which is a dot product over the lanes
            found[conv.name] = (macs, 0)
            continue
        last = last_lanes(conv.outputs, target.lanes, bool(products and products.short))
        macs = macs // conv.outputs * ((vectors(conv.outputs, target.lanes) - 1) * target.lanes + last)
        if products is None:
            found[conv.name] = (macs, 0)
        elif conv.kind == "pointwise":
            found[conv.name] = (0, macs)
        elif conv.kind != "depthwise":  # the first: three words hold the nine bytes of a row
            found[conv.name] = (0, macs * 12 // 9) if products.whole else (macs, 0)
        elif products.doubled and conv.name in summed:
            found[conv.name] = (0, macs * REACH**2 * WORD // conv.kernel**2)
        else:
            found[conv.name] = (macs, 0)
    return found


def main():
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", nargs="?", default=DEFAULT)
    parser.add_argument("--target", default="host")
    parser.add_argument("--precision", choices=(FLOAT32, INT8), default=FLOAT32)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    bundle, target = find_bundle(args.bundle), find_target(args.target, args.precision)
    manifest, module = bundle.manifest, module_for(bundle, args.target, precision=args.precision)
    work = floors(manifest.table, manifest.input_height, manifest.input_width, target, args.precision)
    loops, peak, least = {}, {}, {}
    with tempfile.TemporaryDirectory() as folder:
        for name, sums, kernel, dtype, macs in multiply_adds(target, args.precision):
            with compiling({name: kernel}, target, Path(folder)) as objects:
                list(objects)
            x, out = allocate(((sums + 2) * target.lanes,), dtype), allocate((sums * target.lanes,), dtype)
            x[:] = 0.5 if dtype == FLOAT32 else 0x01010101
            arguments = [tvm_ffi().from_dlpack(array) for array in (x, out)]
            loops[name] = load(Path(folder, f"{name}.o"), "alone"), arguments, out.size * TURNS * macs
        configure_pool(1)
        for _ in range(args.rounds):
            for name, (run, arguments, macs) in loops.items():
                for _ in range(20):
                    begin = time.perf_counter()
                    run(*arguments)
                    peak[name] = max(peak.get(name, 0.0), macs / (time.perf_counter() - begin))
            for name, times in kernel_times(module, 1, 0.5).items():
                least[name] = min(least.get(name, 1.0), *times)
    for name, found in peak.items():
        say(f"{processor.name()}, {target.cpu}, one thread: {2 * found / 1e9:.0f} GFLOP/s of multiply-adds in {name}")
    say(f"{'kernel':18}{'MMAC':>7}{'least us':>10}{'floor us':>10}{'of the peak':>13}")
    total, floor = 0, 0.0
    for name, seconds in least.items():
        parts = [m for conv, m in work.items() if conv.replace(".", "_") == name or conv.split(".")[0] == name]
        parts += [work["decode_conv6"]] if name == "decode_conv5" else []
        macs = sum(floats + in_bytes for floats, in_bytes in parts)
        own = sum(floats / peak[FLOAT32] + (in_bytes and in_bytes / peak[INT8]) for floats, in_bytes in parts)
        total, floor = total + macs, floor + own
        say(f"{name:18}{macs / 1e6:7.1f}{seconds * 1e6:10.0f}{own * 1e6:10.0f}{own / seconds:13.0%}")
    whole = sum(least.values())
    say(f"{'all':18}{total / 1e6:7.1f}{whole * 1e6:10.0f}{floor * 1e6:10.0f}{floor / whole:13.0%}")


if __name__ == "__main__":
    main()
