"""Measures what precisions lose of accuracy on a processor that need not compute in them: `precision_loss.py DATA`.

DATA: folders or recordings with depth, as `fastdepth eval` takes them, each a set of its own; options are those of
`fastdepth eval`. float16 is computed by its kernels, whose every operation this processor rounds to float16, slowly.
bfloat16 has no kernels: inputs and weights of float32's products are rounded to it. int8 is this processor's own.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tvm import tirx
from tvm.tirx.script import builder as T  # noqa: N812 - TVM's own documentation calls it T

from fastdepth_ros.compiler import build, export, ir
from fastdepth_ros.compiler.pointwise import FLOAT16, FLOAT32, Float32, Product, find_precision
from fastdepth_ros.compiler.tile import PackedLayer, product
from fastdepth_ros.evaluation.evaluate import Options, Outcome, means, run
from fastdepth_ros.evaluation.frames import labelled
from fastdepth_ros.models import DEFAULT, find_bundle
from fastdepth_ros.runtime.engine import Engine
from fastdepth_ros.runtime.module import CompiledModule

UPPER = -65536
"""0xffff0000: what of a float32 is a bfloat16."""


class BFloat16(Float32):
    """Products of float32 whose inputs and weights were rounded to bfloat16, to the even one of two as near."""

    name = "bfloat16"

    def pack(self, weight: Any, bias: Any, lanes: int, panel: int) -> list[Any]:
        bits = np.ascontiguousarray(weight, np.float32).view(np.uint32)
        rounded = (bits + 0x7FFF + (bits >> 16 & 1)) & np.uint32(0xFFFF0000)
        return super().pack(rounded.view(np.float32), bias, lanes, panel)

    def product(self, conv: Any, buffers: Sequence[Any], lanes: int) -> Product:
        return _Rounding(PackedLayer(conv, buffers[0], buffers[1], lanes))


class _Rounding:
    def __init__(self, layer: PackedLayer) -> None:
        self.layer = layer

    def begin(self) -> None: ...

    def see(self, _value: Any) -> None: ...

    def read(self, source: Any, size: int) -> None:
        self.rounded, lanes = ir.scratch(size), self.layer.lanes

        def constant(number: int) -> Any:
            return tirx.Broadcast(tirx.const(number, "int32"), lanes)

        with ir.serial(size // lanes) as i:
            bits = T.reinterpret(f"int32x{lanes}", ir.load(source, i * lanes, lanes))
            odd = (bits >> constant(16)) & constant(1)
            near = (bits + constant(0x7FFF) + odd) & constant(UPPER)
            ir.store(self.rounded, T.reinterpret(f"float32x{lanes}", near), i * lanes, lanes)

    def tile(
        self,
        start: Any,
        plane: int,
        vector: Any,
        panel: int,
        pixels: int,
        unroll: int,
        put: Callable[[int, int, Any], None],
    ) -> None:
        product(self.layer, self.rounded, start, plane, vector, panel, pixels, unroll, put)


def engine(bundle: Any, name: str, folder: Path) -> Engine:
    """The network in a precision, whether or not this processor is one for it."""
    own = {FLOAT16.name: FLOAT16, BFloat16.name: BFloat16()}
    export.find_precision = lambda wanted, target: own.get(wanted) or find_precision(wanted, target)  # type: ignore[attr-defined]
    FLOAT16.needs = frozenset()
    # What a module has beside the network takes as long to compile, and nobody calls it here.
    build.anchor_kernels = build.filter_kernels = lambda *_: {}  # type: ignore[attr-defined]
    module = CompiledModule.open(export.compile_bundle(bundle, "host", folder / name, precision=name))
    return Engine(module, 1)


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="+", type=Path)
    parser.add_argument("--model", default=DEFAULT)
    parser.add_argument("--set")
    parser.add_argument("--last", type=float, default=1.0)
    parser.add_argument("--view", choices=("bundle", "whole"), default="bundle")
    parser.add_argument("--ignore-camera", action="store_true")
    args = parser.parse_args()
    bundle, options = find_bundle(args.model), Options(args.view, not args.ignore_camera)
    with tempfile.TemporaryDirectory() as scratch:
        names = (FLOAT32.name, FLOAT16.name, BFloat16.name, "int8")
        engines = {name: engine(bundle, name, Path(scratch)) for name in names}
        sys.stdout.write(
            "| set | pictures | precision | delta1 | lost | RMSE | from float32 |\n|---|---|---|---|---|---|---|\n"
        )
        for path in args.data:
            found: dict[str, list[Outcome]] = {name: [] for name in names}
            for frame in labelled([path], args.set, args.last):
                for name, own in engines.items():
                    run(own, bundle.manifest, [frame], options, found[name].append)
            before = means(outcome.metric for outcome in found[FLOAT32.name])
            for name, outcomes in found.items():
                now, plain = means(outcome.metric for outcome in outcomes), found[FLOAT32.name]
                apart = [(one.answer - other.answer) ** 2 for one, other in zip(outcomes, plain, strict=True)]
                rms = float(np.sqrt(np.mean([np.nanmean(each) for each in apart])))
                lost = before["delta1"] - now["delta1"]
                numbers = f"{now['delta1']:.4f} | {lost:.4f} | {now['rmse_m']:.3f} m | {1000 * rms:.1f} mm"
                sys.stdout.write(f"| `{path.name}` | {len(outcomes)} | {name} | {numbers} |\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
