"""``fastdepth adapt``: a bundle fine-tuned on the place where its robot works."""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from fastdepth_ros.errors import SettingError
from fastdepth_ros.models import DEFAULT, find_bundle
from fastdepth_ros.runtime.bundle import CARD, write_bundle

LEAST_GAIN = 0.002
"""Gain of delta1 on the frames held back, below which no bundle is written."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add = parser.add_argument
    add("recording", type=Path, nargs="+", help="rosbag2 recording with depth, or folder of pictures with depth")
    add("--out", type=Path, required=True, metavar="BUNDLE", help="the new bundle's folder")
    add("--bundle", default=DEFAULT, help="name or folder of the one to begin with (default: %(default)s)")
    add("--held", type=float, default=0.1, help="share of each recording that is held back (default: %(default)s)")
    add(
        "--points", type=int, default=0, metavar="N", help="learn from N depths a frame, drawn by chance (default: all)"
    )
    add(
        "--rehearsal", type=Path, metavar="DIR", help="pictures of other places (default: computed rooms, in the cache)"
    )
    add("--images", type=int, default=3200, metavar="N", help="views to show (default: %(default)s)")
    add("--rate", type=float, default=5e-4, help="learning rate at the beginning (default: %(default)s)")
    add("--seed", type=int, default=1, help="of all chance (default: %(default)s)")
    add("--threads", type=int, default=0, help="for torch (default: one for each core)")


def run(args: argparse.Namespace) -> int:
    """Fine-tune, say what was gained on the frames held back, and write the bundle if something was.

    Returns:
        0, or 1 where nothing was gained there: then no bundle is written.
    """
    import torch

    from fastdepth_ros.adapting.adapter import Adapter, Settings, errors
    from fastdepth_ros.adapting.place import place_of
    from fastdepth_ros.adapting.rehearsal import rehearsal

    if args.images < 8 or args.rate <= 0 or args.threads < 0 or args.seed < 0:
        raise SettingError("--images, --rate, --threads and --seed have to be positive", "Leave them out.")
    bundle, console = find_bundle(args.bundle), Console()
    manifest = bundle.manifest
    if manifest.input_height != manifest.input_width:
        raise SettingError(f"{manifest.name} sees pictures that are no squares", "Adapt one of 224x224.")
    torch.set_num_threads(args.threads or len(os.sched_getaffinity(0)))
    size, network = manifest.input_height, manifest.network
    with Console(stderr=True).status("Reading") as status:
        place = place_of(args.recording, args.held, args.points, args.seed)
        others, strange = rehearsal(args.rehearsal, status.update)
    before = dict(bundle.weights())
    console.print(f"{len(place.learned)} frames to learn from, {len(place.held)} held back, {len(others)} rehearsed")
    settings = Settings(images=args.images, size=size, rate=args.rate, seed=args.seed)
    adapter = Adapter(network, before, place, others, settings)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("adapting")
        after = adapter.run(lambda done, of: bar.update(task, completed=done, total=of))

    shown = Table("pictures", "weights", "delta1", "RMSE [m]", "AbsRel")
    found = {}
    for name, frames in (("held back", place.held), ("computed rooms", strange)):
        if not frames:
            continue
        for words, arrays in (("before", before), ("after", after)):
            row = found[name, words] = errors(network, arrays, frames, size)
            shown.add_row(name, words, *(f"{row[key]:.3f}" for key in ("delta1", "rmse_m", "abs_rel")))
    console.print(shown)
    old, new = found["held back", "before"]["delta1"], found["held back", "after"]["delta1"]
    if new < old + LEAST_GAIN:
        console.print(f"delta1 was {old:.3f} and is {new:.3f} on the frames held back: no bundle is written")
        return 1
    names = ", ".join(path.name for path in args.recording)
    told = f"adapted to {names}: {args.images} views, delta1 {old:.3f} to {new:.3f}"
    # What int8 loses was measured with the other weights.
    changed = replace(
        manifest, name=args.out.name, trained_on=f"{manifest.trained_on}; {told}", files=None, losses=None
    )
    card = (
        None if (args.out / CARD).is_file() else f"# {changed.name}\n\n{manifest.name}, {told} on frames held back.\n"
    )
    written = write_bundle(args.out, changed, after, card)
    console.print(f"{written.path}: weights sha256 {written.weights_sha256}", soft_wrap=True)
    return 0
