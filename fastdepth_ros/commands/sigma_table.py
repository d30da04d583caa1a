"""``fastdepth eval --sigma``: how sure a bundle says it is, fitted to pictures, shown and written into the manifest."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from rich.table import Table

from fastdepth_ros.anchoring.prior import Prior
from fastdepth_ros.commands.terminal import Terminal
from fastdepth_ros.evaluation import sigma
from fastdepth_ros.evaluation.anchored import ALONE
from fastdepth_ros.evaluation.evaluate import Options
from fastdepth_ros.evaluation.evaluate import run as evaluate_all
from fastdepth_ros.evaluation.frames import labelled
from fastdepth_ros.evaluation.sensors import Sensor, parse
from fastdepth_ros.runtime.bundle import Bundle
from fastdepth_ros.runtime.cache import module_for
from fastdepth_ros.runtime.engines import open_engine
from fastdepth_ros.runtime.precision import choose
from fastdepth_ros.viewing import CELL

USUAL = "range,vo:50,vo:150"
"""Sensors that are simulated where nobody names any."""


def run(args: argparse.Namespace, bundle: Bundle, sensors: Sequence[Sensor], console: Terminal) -> int:
    """Fit to all of ``args.data`` together, write the manifest, and show shares before and after."""
    manifest = bundle.manifest
    engine = open_engine(module_for(bundle, precision=choose(bundle, wanted=args.precision).precision), args.threads)
    few = sigma.Few()
    options = Options(args.view, not args.ignore_camera)
    with console.status("Looking at the pictures"):
        evaluate_all(engine, manifest, labelled(args.data, args.set, args.last), options, few.keep)
    outcomes = few.kept
    cells = (manifest.input_height // CELL, manifest.input_width // CELL)
    before = Prior.of(manifest)
    shown = sensors or parse(USUAL)
    with console.status("Fitting"):
        after = sigma.fit(outcomes, before, cells, shown)
        old, new = (
            [sigma.shares(outcomes, prior, cells, sensor) for sensor in (None, *shown)] for prior in (before, after)
        )
    sigma.write(bundle, after)
    heads = ("within 1 sigma", "within 2", "least sure quarter")
    table = Table("sensor", *heads, title=f"{manifest.name}: {len(outcomes)} pictures, before and with new factors")
    for name, was, now in zip([ALONE, *(sensor.name for sensor in shown)], old, new, strict=True):
        table.add_row(name, *(f"{one:.3f} -> {other:.3f}" for one, other in zip(was, now, strict=True)))
    table.caption = "0.68 and 0.95 are true of a Gaussian; errors of depth have heavier tails"
    console.print(table)
    factors = f"alone {before.alone:g} -> {after.alone:g}, anchored {before.anchored:g} -> {after.anchored:g}"
    console.print(f"{bundle.path}: {factors}", highlight=False, soft_wrap=True)
    return 0
