"""``fastdepth tune``: find the fastest kernel tiles of this machine."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from fastdepth_ros.commands.terminal import Terminal
from fastdepth_ros.models import DEFAULT, find_bundle
from fastdepth_ros.runtime import processor
from fastdepth_ros.runtime.module import Size
from fastdepth_ros.runtime.precision import AUTO, FLOAT32
from fastdepth_ros.settings import LIMITS

PRECISIONS = [each for each in LIMITS["precision"].choices if each != AUTO]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("bundle", nargs="?", default=DEFAULT, help=f"name or folder of a bundle (default: {DEFAULT})")
    parser.add_argument("--target", default="host", help="tune for this target, which this machine must be able to run")
    parser.add_argument(
        "--precision", choices=PRECISIONS, default=FLOAT32, help="of the network (default: %(default)s)"
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="the table (default: where `fastdepth compile` looks)")


def run(args: argparse.Namespace) -> int:
    """Measure, and write the table; `fastdepth compile` and the node use it from then on for pictures of that size.

    If the whole network is not faster with it, it is only written where ``--out`` says so.
    """
    # Imported here, because they load the compiler: a wrong argument is told before.
    from fastdepth_ros.compiler import tiling
    from fastdepth_ros.compiler.plan import Planner
    from fastdepth_ros.compiler.pointwise import find_precision
    from fastdepth_ros.compiler.targets import find_target
    from fastdepth_ros.compiler.tune import CLEARLY, tune, whole

    bundle, target = find_bundle(args.bundle), find_target(args.target, args.precision)
    manifest = bundle.manifest
    precision = find_precision(args.precision, target)
    planner = Planner(manifest.table, bundle.weights(), target.lanes, precision)
    picture = Size(manifest.input_width, manifest.input_height)
    stages = planner.plan(picture.height, picture.width)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=Terminal(stderr=True)) as progress:
        tasks = {}

        def show(title: str, done: int, of: int) -> None:
            if title not in tasks:
                tasks[title] = progress.add_task(title, total=of)
            progress.update(tasks[title], completed=done)

        table = tune(stages, target, show, precision)
    about = {
        "processor": processor.name(),
        "cpu": target.cpu,
        "network": manifest.network.name,
        "input": f"{picture.width}x{picture.height}",
        "precision": precision.name,
    }
    used = tiling.measured(target, precision.name, picture)
    took = whole(bundle, args.target, {"found": table, "used": used}, precision.name)
    console = Terminal(soft_wrap=True, highlight=False)
    console.print(
        f"a picture takes {took['found'] * 1e3:.2f} ms with the choices found now, {took['used'] * 1e3:.2f} ms with"
        " those in use (one thread, medians)"
    )
    if args.out is None and took["found"] > took["used"] * CLEARLY:
        console.print("that is no clear gain: those in use stay; --out writes the others all the same")
        return 0
    file = args.out or tiling.own_table(target, precision.name, picture)
    tiling.write(file, about, table)
    console.print(file)
    return 0
