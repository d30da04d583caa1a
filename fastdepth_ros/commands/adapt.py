"""``fastdepth adapt``: a bundle fine-tuned on the place where its robot works."""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table

from fastdepth_ros.commands.anchor_topic import add_anchor_topic
from fastdepth_ros.commands.numbers import finite
from fastdepth_ros.commands.terminal import Terminal
from fastdepth_ros.errors import SettingError
from fastdepth_ros.models import DEFAULT, find_bundle
from fastdepth_ros.runtime.bundle import CARD, write_bundle

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fastdepth_ros.adapting.teaching import Seen
    from fastdepth_ros.evaluation.dataset import Frame

DRIFT = 0.05
"""Share by which answers elsewhere may move, where nobody says another."""

LEAST_GAIN = 0.002
"""Gain of delta1 on the frames held back, below which no bundle is written."""

AGREED = 0.68
"""Share of pixels that lie within their sigma where the answers are right: then measured depths teach nothing."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add = parser.add_argument
    add("recording", type=Path, nargs="+", help="rosbag2 recording with depth, or folder of pictures with depth")
    add("--out", type=Path, required=True, metavar="BUNDLE", help="the new bundle's folder")
    add("--bundle", default=DEFAULT, help="name or folder of the one to begin with (default: %(default)s)")
    add("--held", type=finite, default=0.1, help="share of each recording that is held back (default: %(default)s)")
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
        "--photos",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="photographs of other places, rehearsed beside those; their depth is not needed",
    )
    add(
        "--drift",
        type=finite,
        default=DRIFT,
        metavar="SHARE",
        help="most that answers elsewhere may move, on average (default: %(default)s); 1 goes all the way",
    )
    add("--images", type=int, default=3200, metavar="N", help="views to show (default: %(default)s)")
    add("--rate", type=finite, default=5e-4, help="learning rate at the beginning (default: %(default)s)")
    add("--layers", choices=("deep", "all"), default="deep", help="that learn: all forget more (default: %(default)s)")
    add("--rehearse", type=finite, default=3.0, metavar="W", help="weight of what is rehearsed (default: %(default)s)")
    add("--seed", type=int, default=1, help="of all chance (default: %(default)s)")
    add("--runs", type=int, default=1, metavar="N", help="seeds of which the mean is taken (default: %(default)s)")
    add("--threads", type=int, default=0, help="for torch (default: one for each core)")


def run(args: argparse.Namespace) -> int:
    """Fine-tune, say what was gained on the frames held back, and write the bundle if something was.

    Returns:
        0, or 1 where nothing was gained there: then no bundle is written.
    """
    import numpy as np
    import torch

    from fastdepth_ros.adapting.adapter import ALL, DEEP, Adapter, Settings
    from fastdepth_ros.adapting.judging import Drift, answers, errors
    from fastdepth_ros.adapting.line import farthest
    from fastdepth_ros.adapting.place import Place, parted, place_of
    from fastdepth_ros.adapting.rehearsal import rehearsal
    from fastdepth_ros.adapting.teaching import JUDGED, TAUGHT, between, drawn, taught, told
    from fastdepth_ros.anchoring.prior import Prior
    from fastdepth_ros.network.arrays import mean

    if (
        args.images < 8
        or args.runs < 1
        or min(args.rate, args.drift) <= 0
        or min(args.rehearse, args.threads, args.seed) < 0
    ):
        cause = "--images, --rate, --drift, --rehearse, --threads, --seed and --runs have to be positive"
        raise SettingError(cause, "Leave them out.")
    anchors = args.anchors or bool(args.anchor_topic or args.anchor_extrinsics)
    if args.points < 0 or (args.points and anchors):
        raise SettingError(f"--points {args.points} cannot be", "It is positive, for depth images, without --anchors.")
    bundle, console = find_bundle(args.bundle), Terminal()
    manifest = bundle.manifest
    torch.set_num_threads(args.threads or len(os.sched_getaffinity(0)))
    sides, network = (manifest.input_height, manifest.input_width), manifest.table
    before = dict(bundle.weights())
    prior = Prior.of(manifest)

    def teach(seen: Sequence[Seen], arrays: dict[str, Any] = before, least: float = TAUGHT) -> tuple[Frame, ...]:
        return taught(seen, partial(answers, network, arrays, sides=sides), prior, sides, least)

    with Terminal(stderr=True).status("Reading") as status:
        looks: tuple[Seen, ...] = ()
        judges: tuple[Seen, ...] = ()
        if anchors:
            looks, judges = parted(args.recording, args.held, _reader(args))
            place = Place(teach(looks), tuple(each.frame for each in judges))
        else:
            place = place_of(args.recording, args.held)
        if args.points:
            chance = np.random.default_rng(args.seed)
            looks = tuple(drawn(frame, args.points, chance) for frame in place.learned)
            place = replace(place, learned=teach(looks))
        others, strange = rehearsal(args.rehearsal, status.update, args.photos)
    console.print(f"{len(place.learned)} frames to learn from, {len(place.held)} held back, {len(others)} rehearsed")
    if looks:
        share, within = told(place.learned, partial(answers, network, before, sides=sides), sides)
        words = f"Measured depths tell {100 * share:.0f} % of the pixels; the answers are within their doubt in"
        console.print(f"{words} {100 * within:.0f} % of those", soft_wrap=True)
        if not within < AGREED:
            console.print("They tell nothing that the answers do not: no bundle is written", soft_wrap=True)
            return 1
    layers = ALL if args.layers == "all" else DEEP
    settings = Settings(
        images=args.images, sides=sides, rate=args.rate, rehearse=args.rehearse, seed=args.seed, layers=layers
    )
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("adapting")
        again = partial(teach, looks) if looks else None
        several = []
        for i in range(args.runs):
            adapter = Adapter(network, before, place, others, replace(settings, seed=args.seed + i))
            told_so_far = partial(_tell, bar, task, i, args.runs)
            several.append(adapter.run(told_so_far, again))
        trained = mean(several)
    with Terminal(stderr=True).status("Looking how far to go"):
        elsewhere = Drift(network, before, strange or others, settings.others, sides)
        way, after = farthest(before, trained, elsewhere.of, args.drift)
        moved, at_the_end = 100 * elsewhere.of(after), 100 * elsewhere.of(trained)
    words = f"{100 * way:.0f} % of the way: answers elsewhere moved by {moved:.1f} %, {at_the_end:.1f} % at its end"
    console.print(words, soft_wrap=True)

    held = between(*(teach(judges, arrays, JUDGED) for arrays in (before, after))) if judges else place.held
    shown = Table("pictures", "weights", "delta1", "RMSE [m]", "AbsRel")
    found = {}
    known = [frame for frame in strange if frame.depth is not None]
    for name, frames in (("held back", held), ("other places", known)):
        if not frames:
            continue
        for words, arrays in (("before", before), ("after", after)):
            row = found[name, words] = errors(network, arrays, frames, sides)
            shown.add_row(name, words, *(f"{row[key]:.3f}" for key in ("delta1", "rmse_m", "abs_rel")))
    console.print(shown)
    old, new = found["held back", "before"]["delta1"], found["held back", "after"]["delta1"]
    if not new >= old + LEAST_GAIN:  # true for NaN, too
        console.print(f"delta1 was {old:.3f} and is {new:.3f} on the frames held back: no bundle is written")
        return 1
    names = ", ".join(path.name for path in args.recording)
    learned = f"adapted to {names}: {args.runs * args.images} views, delta1 {old:.3f} to {new:.3f}"
    # What int8 loses was measured with the other weights.
    changed = replace(
        manifest, name=args.out.name, trained_on=f"{manifest.trained_on}; {learned}", files=None, losses=None
    )
    card = (
        None
        if (args.out / CARD).is_file()
        else f"# {changed.name}\n\n{manifest.name}, {learned} on frames held back.\n"
    )
    written = write_bundle(args.out, changed, after, card)
    console.print(f"{written.path}: weights sha256 {written.weights_sha256}", soft_wrap=True)
    return 0


def _tell(bar: Progress, task: TaskID, run: int, runs: int, done: int, of: int) -> None:
    bar.update(task, completed=run * of + done, total=runs * of)


def _reader(args: argparse.Namespace) -> Callable[[Path], list[Seen]]:
    """Whoever reads a recording's frames, and what its other sensors measured of them."""
    from fastdepth_ros.adapting.measured import Sensors, measured
    from fastdepth_ros.parameters import extrinsics_of
    from fastdepth_ros.recording.anchors import chosen_topics

    sensors = Sensors(chosen_topics(args.anchor_topic), extrinsics_of(args.anchor_extrinsics))
    return partial(measured, sensors=sensors)
