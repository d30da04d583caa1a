"""Measures what float16 loses of a bundle's accuracy on a processor that does not compute in it.

    .venv/bin/python tools/float16_loss.py BUNDLE DATA... [--write]      # options are those of `fastdepth eval --loss`

The kernels are float16's own, compiled for this processor, which computes each of their operations in float32 and
rounds it to float16. Tests hold them against the definition in NumPy. With --write the bundle's manifest gets a row for
each set.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from functools import partial
from pathlib import Path

from fastdepth_ros.commands.loss_table import groups
from fastdepth_ros.compiler.export import compile_bundle
from fastdepth_ros.compiler.pointwise import FLOAT16, FLOAT32
from fastdepth_ros.evaluation import loss
from fastdepth_ros.evaluation.evaluate import Options
from fastdepth_ros.evaluation.frames import labelled
from fastdepth_ros.models import find_bundle
from fastdepth_ros.runtime.engine import Engine
from fastdepth_ros.runtime.module import CompiledModule

COMPUTED_WITH = "float32, each operation rounded to float16"


def engine(bundle, precision, folder, threads=1):
    """The network in a precision, on this processor whether or not it has its instructions."""
    needs, FLOAT16.needs = FLOAT16.needs, frozenset()
    try:
        module = compile_bundle(bundle, "host", folder / precision, precision=precision)
    finally:
        FLOAT16.needs = needs
    return Engine(CompiledModule.open(module), threads)


def main(words=None):
    """Measure, print a table, and write the manifest where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle")
    parser.add_argument("data", nargs="+", type=Path)
    parser.add_argument("--set")
    parser.add_argument("--last", type=float, default=1.0)
    parser.add_argument("--view", choices=("bundle", "whole"), default="bundle")
    parser.add_argument("--ignore-camera", action="store_true")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args(words)
    bundle, options = find_bundle(args.bundle), Options(args.view, not args.ignore_camera)
    found = {}
    with tempfile.TemporaryDirectory() as scratch:
        plain, halves = (engine(bundle, each.name, Path(scratch), args.threads) for each in (FLOAT32, FLOAT16))
        sys.stdout.write("| set | pictures | delta1, float32 and float16 | lost | RMSE |\n|---|---|---|---|---|\n")
        for name, paths in groups(args).items():
            frames = partial(labelled, paths, args.set, args.last)
            one = loss.compare(bundle.manifest, plain, halves, frames, options, COMPUTED_WITH)
            found[name] = one.loss
            delta1, rmse = (f"{one.float32[key]:.4f}, {one.other[key]:.4f}" for key in ("delta1", "rmse_m"))
            sys.stdout.write(f"| {name} | {one.loss.pictures} | {delta1} | {one.loss.delta1:.4f} | {rmse} m |\n")
            sys.stdout.flush()
    if args.write:
        loss.write(bundle, FLOAT16.name, found)


if __name__ == "__main__":
    main()
