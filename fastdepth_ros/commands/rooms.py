"""``fastdepth rooms``: pictures of computed rooms with exact depth, to train on."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from fastdepth_ros.commands.terminal import Terminal
from fastdepth_ros.errors import SettingError
from fastdepth_ros.scene.rooms.kinds import KINDS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where to; pictures in it are kept")
    parser.add_argument("--count", type=int, default=1000, metavar="N", help="pictures in all (default: %(default)s)")
    parser.add_argument("--kind", choices=list(KINDS), default="rooms", help="of rooms (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="which ones (default: %(default)s)")


def run(args: argparse.Namespace) -> int:
    """Compute what is missing in the folder; after Ctrl-C the same command goes on."""
    import cv2

    from fastdepth_ros.scene.rooms.writer import write_rooms

    if args.count < 1 or args.seed < 0:
        raise SettingError("--count and --seed have to be positive", "Leave them out for the defaults.")
    # The pictures are too small to be worth sharing: several cores are best used by several seeds.
    cv2.setNumThreads(1)
    console = Terminal()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("rooms", total=args.count)
        kind = KINDS[args.kind]
        written = write_rooms(args.out, args.count, args.seed, kind, lambda done, _: bar.update(task, completed=done))
    console.print(f"{args.out}: {args.count} pictures with depth, {written} of them computed now")
    return 0
