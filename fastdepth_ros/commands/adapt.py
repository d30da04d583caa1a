"""``fastdepth adapt``: a bundle fine-tuned on the place where its robot works."""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from fastdepth_ros.commands.anchor_topic import add_anchor_topic
from fastdepth_ros.errors import SettingError
from fastdepth_ros.models import DEFAULT, find_bundle
from fastdepth_ros.runtime.bundle import CARD, write_bundle

if TYPE_CHECKING:
    from fastdepth_ros.adapting.place import Reader

DRIFT = 0.05
"""Share by which answers elsewhere may move, where nobody says another."""

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
        "--anchors",
        action="store_true",
        help="learn from what the recording's other sensors measured: SLAM's points, a lidar, a small depth image",
    )
    add_anchor_topic(parser)
    add("--anchor-extrinsics", default="", metavar="TEXT", help="where their sensors are; see the node's parameter")
    add(
        "--rehearsal", type=Path, metavar="DIR", help="pictures of other places (default: computed rooms, in the cache)"
    )
    add(
        "--drift",
        type=float,
        default=DRIFT,
        metavar="SHARE",
        help="most that answers elsewhere may move, on average (default: %(default)s); 1 goes all the way",
    )
    add("--images", type=int, default=3200, metavar="N", help="views to show (default: %(default)s)")
    add("--rate", type=float, default=5e-4, help="learning rate at the beginning (default: %(default)s)")
    add("--layers", choices=("deep", "all"), default="deep", help="that learn: all forget more (default: %(default)s)")
    add("--rehearse", type=float, default=3.0, metavar="W", help="weight of what is rehearsed (default: %(default)s)")
    add("--seed", type=int, default=1, help="of all chance (default: %(default)s)")
    add("--threads", type=int, default=0, help="for torch (default: one for each core)")


def run(args: argparse.Namespace) -> int:
    """Fine-tune, say what was gained on the frames held back, and write the bundle if something was.

    Returns:
        0, or 1 where nothing was gained there: then no bundle is written.
    """
    import torch

    from fastdepth_ros.adapting.adapter import ALL, DEEP, Adapter, Settings
    from fastdepth_ros.adapting.judging import Drift, errors
    from fastdepth_ros.adapting.line import farthest
    from fastdepth_ros.adapting.place import place_of
    from fastdepth_ros.adapting.rehearsal import rehearsal

    if args.images < 8 or min(args.rate, args.drift) <= 0 or min(args.rehearse, args.threads, args.seed) < 0:
        cause = "--images, --rate, --drift, --rehearse, --threads and --seed have to be positive"
        raise SettingError(cause, "Leave them out.")
    bundle, console = find_bundle(args.bundle), Console()
    manifest = bundle.manifest
    if manifest.input_height != manifest.input_width:
        raise SettingError(f"{manifest.name} sees pictures that are no squares", "Adapt one of 224x224.")
    torch.set_num_threads(args.threads or len(os.sched_getaffinity(0)))
    size, network = manifest.input_height, manifest.network
    with Console(stderr=True).status("Reading") as status:
        place = place_of(args.recording, args.held, args.points, args.seed, _reader(args), size // 2)
        others, strange = rehearsal(args.rehearsal, status.update)
    before = dict(bundle.weights())
    console.print(f"{len(place.learned)} frames to learn from, {len(place.held)} held back, {len(others)} rehearsed")
    layers = ALL if args.layers == "all" else DEEP
    settings = Settings(
        images=args.images, size=size, rate=args.rate, rehearse=args.rehearse, seed=args.seed, layers=layers
    )
    adapter = Adapter(network, before, place, others, settings)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("adapting")
        trained = adapter.run(lambda done, of: bar.update(task, completed=done, total=of))
    with Console(stderr=True).status("Looking how far to go"):
        elsewhere = Drift(network, before, strange or others, settings.others, size)
        way, after = farthest(before, trained, elsewhere.of, args.drift)
        moved, at_the_end = 100 * elsewhere.of(after), 100 * elsewhere.of(trained)
    words = f"{100 * way:.0f} % of the way: answers elsewhere moved by {moved:.1f} %, {at_the_end:.1f} % at its end"
    console.print(words, soft_wrap=True)

    shown = Table("pictures", "weights", "delta1", "RMSE [m]", "AbsRel")
    found = {}
    known = [frame for frame in strange if frame.depth is not None]
    for name, frames in (("held back", place.held), ("other places", known)):
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


def _reader(args: argparse.Namespace) -> Reader | None:
    """Whoever reads frames by their anchors; None where a depth image is learned from."""
    if not (args.anchors or args.anchor_topic or args.anchor_extrinsics):
        return None
    from fastdepth_ros.adapting.measured import Sensors, measured
    from fastdepth_ros.parameters import extrinsics_of
    from fastdepth_ros.recording.anchors import chosen_topics

    sensors = Sensors(chosen_topics(args.anchor_topic), extrinsics_of(args.anchor_extrinsics))
    return partial(measured, sensors=sensors)
