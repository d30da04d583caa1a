"""``fastdepth doctor``: whether depth will work here, and what to do where it will not."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from rich.text import Text

from fastdepth_ros.cameras import NONE, parse_cameras
from fastdepth_ros.commands.numbers import seconds
from fastdepth_ros.commands.terminal import Terminal
from fastdepth_ros.doctor import Question, examine
from fastdepth_ros.errors import LONGEST, Finding, Level, brief
from fastdepth_ros.models import DEFAULT
from fastdepth_ros.runtime.precision import AUTO
from fastdepth_ros.settings import LIMITS

COUNTED = (Level.OK, Level.WARN, Level.ERROR)
"""Levels that a check can have."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--model", default=DEFAULT, help=f"name or folder of a bundle (default: {DEFAULT})")
    parser.add_argument("--target", default="host", help="what its module is compiled for (default: host)")
    parser.add_argument(
        "--precision", choices=LIMITS["precision"].choices, default=AUTO, help="of its module (default: %(default)s)"
    )
    parser.add_argument("--image", default="", metavar="TOPIC", help="the camera's pictures (default: any)")
    parser.add_argument("--camera-info", default="", metavar="TOPIC", help="(default: beside the pictures)")
    parser.add_argument(
        "--cameras",
        default=NONE,
        metavar="NAMES",
        help="look at each of several cameras, by comma: front,rear; {camera} in a topic stands for each"
        " (default: /{camera}/image_raw)",
    )
    parser.add_argument(
        "--wait", type=seconds, default=3.0, metavar="S", help="listen so long; 0: not at all (default: 3)"
    )
    parser.add_argument("--profile", default="max-n", help="power profile to hold the board against (default: max-n)")
    parser.add_argument(
        "--extrinsics", default="none", metavar="POSES", help="where sensors are, as anchor_extrinsics (default: tf)"
    )
    parser.add_argument("--root", type=Path, default=Path("/"), help="where sys, proc and etc are (default: /)")
    parser.add_argument("--json", action="store_true", help="as JSON on standard output")


def run(args: argparse.Namespace) -> int:
    """Examine, and show what was seen.

    Returns:
        0 where depth works, with or without warnings; 1 where something fails.
    """
    about = args.model, args.target, args.image, args.camera_info, args.wait, args.profile, args.root, args.extrinsics
    parse_cameras(args.cameras)  # a name that cannot be one is told before anything is looked at
    question = Question(*about, args.precision, args.cameras)
    console, checks = Terminal(highlight=False), []
    for check in examine(question):
        checks.append(check)
        if not args.json:
            _show(console, check)
    failed = any(check.level is Level.ERROR for check in checks)
    if args.json:
        json.dump({"ok": not failed, "checks": [as_json(check) for check in checks]}, sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        counts = {level: sum(check.level is level for check in checks) for level in COUNTED}
        console.print(", ".join(f"{count} {level.word}" for level, count in counts.items()))
    return 1 if failed else 0


def as_json(check: Finding) -> dict[str, Any]:
    """A finding as plain data, under the names that a doctor uses."""
    return {"name": check.about, "level": check.level.word, "fact": check.cause, "remedy": check.remedy}


def _show(console: Terminal, check: Finding) -> None:
    level = (f"{check.level.word:4}", check.level.colour)
    words = f"  {check.about:16}  {brief(check.cause, 4 * LONGEST)}"
    console.print(Text.assemble(level, words), soft_wrap=True)
    if check.remedy:
        console.print(f"{'':24}{brief(check.remedy, 4 * LONGEST)}", soft_wrap=True)
