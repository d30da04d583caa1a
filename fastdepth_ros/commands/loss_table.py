"""``fastdepth eval --loss``: what a precision loses on each set of pictures, shown and written into the manifest."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from rich.table import Table

from fastdepth_ros.commands.terminal import Terminal
from fastdepth_ros.errors import SettingError
from fastdepth_ros.evaluation import loss as losses
from fastdepth_ros.evaluation.evaluate import Options
from fastdepth_ros.evaluation.frames import labelled
from fastdepth_ros.runtime.bundle import Bundle
from fastdepth_ros.runtime.precision import MOST_LOST, choose


def run(args: argparse.Namespace, bundle: Bundle, console: Terminal) -> int:
    """Measure each of ``args.data`` as a set of its own, write the manifest, and tell what auto chooses then."""
    options = Options(args.view, not args.ignore_camera)
    named = groups(args)
    table = Table(
        "set", "pictures", "delta1", "lost", "rmse_m", "more", title=f"{bundle.manifest.name}, float32 and {args.loss}"
    )
    found = {}
    for name, paths in named.items():
        measured = losses.measure(
            bundle, args.loss, partial(labelled, paths, args.set, args.last), options, args.threads
        )
        if not losses.is_known(measured.loss):
            raise SettingError(f"no picture of {name} could be compared", "Leave it out.")
        before, after, loss = measured.float32, measured.other, measured.loss
        table.add_row(
            name,
            str(loss.pictures),
            f"{before['delta1']:.4f}, {after['delta1']:.4f}",
            f"{loss.delta1:.4f}",
            f"{before['rmse_m']:.4f}, {after['rmse_m']:.4f}",
            f"{loss.rmse:.4f}",
        )
        found[name] = loss
    sealed = losses.write(bundle, args.loss, found)
    console.print(table)
    console.print(f"more than {MOST_LOST:g} of delta1 lost on any set is too much for auto", highlight=False)
    choice = choose(sealed)
    console.print(f"precision auto is {choice.precision} here: {choice.reason}", highlight=False, soft_wrap=True)
    return 0


def groups(args: argparse.Namespace) -> dict[str, list[Path]]:
    """Sets by name of what ``eval`` was told: with ``--set`` all data together are one, else each is its own."""
    words = [f"the last {args.last:g}"] if args.last < 1 else []
    words += ["whole"] if args.view == "whole" else []
    words += ["without camera"] if args.ignore_camera else []
    tail = f" ({', '.join(words)})" if words else ""
    if args.set:
        return {f"{args.set}{tail}": list(args.data)}
    return {f"{path.name}{tail}": [path] for path in args.data}
